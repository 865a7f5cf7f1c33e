"""Work that no request asked for speaks its reader's language too."""

from guiju.language import CODES, gettext, speaking, spoken
from guiju.web.languages import LOCALES


def test_what_is_sent_can_be_put_into_every_language():
    assert set(CODES) == set(LOCALES)
    with speaking(spoken("en")):
        assert gettext("审计员") == "Auditor"
    with speaking(spoken("zh")):
        assert gettext("审计员") == "审计员"
