"""Work that no request asked for speaks its reader's language too."""

from guiju.language import CODES, gettext, speaking, spoken
from guiju.web.languages import LOCALES


def test_what_is_sent_can_be_put_into_every_language():
    assert set(CODES) == set(LOCALES)
    with speaking("en"):
        assert (spoken(), gettext("审计员")) == ("en", "Auditor")
    with speaking("zh"):
        assert (spoken(), gettext("审计员")) == ("zh", "审计员")
    assert spoken() == "zh"
