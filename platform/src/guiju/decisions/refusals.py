"""How a refusal is said, and how long a text may be."""

from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem

#: Characters of a reason or an answer.
SHORTEST, LONGEST = 2, 2000


class Outdated(Exception):
    """What was shown is no longer so: facts changed, or somebody acted.  Nothing was done."""


def written(text: str, place: str = "/reason") -> str:
    """A text that somebody has to write, without blanks around it; raises ``BadInput``."""
    text = text.strip()
    if not SHORTEST <= len(text) <= LONGEST:
        wanted = _("请写明情况或理由，{shortest} 至 {longest} 个字").format(
            shortest=SHORTEST, longest=LONGEST
        )
        found = _("{number} 个字").format(number=len(text)) if text else _("没有填写")
        raise BadInput([Problem(place, found, wanted)])
    return text
