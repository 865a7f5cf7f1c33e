"""Choosing somebody in a form by typing their name: works the same without JavaScript."""

from __future__ import annotations

from datetime import date

from guiju.accounts.visitors import Visitor
from guiju.db import db
from guiju.language import gettext as _
from guiju.organizations.people import leaders
from guiju.organizations.search import read_people
from guiju.web.wording import label

#: So many people are offered while typing; anybody else is found by their name.
_OFFERED = 300


def offered_people(organization_id: int, on: date) -> dict[str, str]:
    """Who leads a unit and those right below it, as the field takes them, with their posts."""
    offered: dict[str, str] = {}
    for leader in leaders(db.session, organization_id, on, limit=_OFFERED):
        held = f"{leader.organization} {label(leader.post, 'post')}"
        offered.setdefault(described(leader.code, leader.name), held)
    return offered


def described(code: str, name: str | None) -> str:
    """Somebody as the field takes them: name and code, which together are one person."""
    return f"{name}（{code}）" if name else code


def choose_person(visitor: Visitor, text: str) -> tuple[str, str | None]:
    """The author's id of whom was typed, and a question where that is not clear.

    What stands for nobody is given back as it was typed.  Somebody who was not chosen from
    the list is looked for by name, and that is written down as any search.
    """
    name, _bracket, rest = text.strip().rpartition("（")
    if name and rest.endswith("）"):
        return rest.removesuffix("）"), None
    found = read_people(db.session, visitor, text, limit=20)
    people = {person.code: person for person in found}
    exact = [person for person in people.values() if text in {person.name, person.code}]
    if len(exact) == 1:
        return exact[0].code, None
    if not found:
        return text, None
    listed = _("、").join(
        f"{person.organization} {described(person.code, person.name)}"
        for person in (exact or list(people.values()))[:5]
    )
    return text, _("是哪一位？{listed}").format(listed=listed)
