"""Finding units, people and records by what is known of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, render_template, request
from flask_login import current_user

from guiju.activities.queries import RecordSummary, search_records
from guiju.db import db
from guiju.organizations.search import Found, FoundPerson, find, read_people, words_of
from guiju.rules import vocabulary as v
from guiju.web.wording import label

blueprint = Blueprint("search", __name__)

GROUPS = ("units", "people", "records")

#: So many of each group are shown beside the others, and so many of one group alone.
_FEW, _MOST = 8, 50
#: Whoever pastes a page of text looks for nothing.
_LONGEST = 100


@dataclass(frozen=True)
class Results:
    """What was found in each group; one more than is shown where there are more."""

    units: Sequence[Found]
    people: Sequence[FoundPerson]
    records: Sequence[RecordSummary]


@blueprint.get("/search")
def page() -> str:
    """What contains every word of ``q``, of all that the visitor sees; ``in`` is one group."""
    wanted = request.args.get("q", "").strip()[:_LONGEST]
    only = request.args.get("in")
    only = only if only in GROUPS else None
    limit = _MOST if only else _FEW
    return render_template(
        "search.html",
        wanted=wanted,
        only=only,
        limit=limit,
        named=current_user.may("people.read"),
        found=_found(wanted, only, limit + 1) if wanted else Results([], [], []),
    )


def kinds_named(word: str) -> list[str]:
    """The kinds of occasions whose name, in the visitor's language or in Chinese, has a word."""
    return [
        kind
        for kind, name in v.OCCASION_KINDS.items()
        if word in name or word.casefold() in label(kind, "occasion_kind").casefold()
    ]


def _found(wanted: str, only: str | None, limit: int) -> Results:
    units: Sequence[Found] = []
    people: Sequence[FoundPerson] = []
    records: Sequence[RecordSummary] = []
    if only in {None, "units"}:
        units = find(db.session, wanted, current_user.within, limit=limit)
    if only in {None, "records"}:
        words = words_of(wanted)
        records = search_records(db.session, current_user, words, kinds_named, limit=limit)
    if only in {None, "people"}:
        people = read_people(db.session, current_user, wanted, limit=limit)
    return Results(units, people, records)
