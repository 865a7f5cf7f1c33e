"""Choosing a unit in a form by typing its name: works the same without JavaScript."""

from __future__ import annotations

from collections.abc import Sequence

from guiju.db import db
from guiju.language import gettext as _
from guiju.organizations.search import Found, find
from guiju.web.forms import Form

#: So many units are offered while typing; any other is found by its name.
_OFFERED = 200


def offered_units(paths: Sequence[str]) -> list[str]:
    """What to offer below the field: the first units of the visitor's, from the top."""
    return [described(unit) for unit in find(db.session, "", paths, limit=_OFFERED)]


def described(unit: Found) -> str:
    """A unit as the field takes it: name and code, which together are one unit."""
    return f"{unit.name}（{unit.code}）"


def choose_unit(form: Form, text: str, paths: Sequence[str]) -> int | None:
    """The number of the unit that was typed; None, with a problem at ``unit``, where unclear."""
    name, _bracket, rest = text.strip().rpartition("（")
    code = rest.removesuffix("）") if name else ""
    wanted = name or text.strip()
    found = find(db.session, wanted, paths, limit=20) if wanted else []
    if code:
        exact = [unit for unit in found if unit.name == name and unit.code == code]
    else:
        exact = [unit for unit in found if wanted in {unit.name, unit.code}]
    if len(exact) == 1:
        return exact[0].organization_id
    if not found:
        form.refuse("unit", _("没有找到这个单位，请填写它的名称或编号"))
    else:
        listed = _("、").join(described(unit) for unit in found[:5])
        form.refuse("unit", _("是哪一个？{listed}").format(listed=listed))
    return None
