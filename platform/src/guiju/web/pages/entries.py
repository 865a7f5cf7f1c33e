"""What a unit records beside its meetings: a list and a form for each kind of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from guiju.activities import entries, preparing, queries
from guiju.activities.access import demand
from guiju.activities.calendar import business_day
from guiju.activities.entries import ENTRIES
from guiju.audit.operations import record_reading
from guiju.db import db, tenant_scope, transaction
from guiju.language import gettext as _
from guiju.organizations.children import children
from guiju.organizations.people import names
from guiju.organizations.portrait import Portrait
from guiju.rules.problems import BadInput
from guiju.rules.vocabulary import BRANCH_KINDS
from guiju.scoring.guidance import Guidance, guidance
from guiju.web import entry_fields, exports, refusals
from guiju.web.entry_fields import Known
from guiju.web.forms import Form
from guiju.web.lists import Column, Listing
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.person_choice import choose_person, described, offered_people
from guiju.web.sessions import not_found_unless
from guiju.web.wording import day, label, plugins
from guiju.web.workbooks import Cell

blueprint = Blueprint(
    "entries", __name__, url_prefix="/organizations/<number:organization_id>/entries"
)
refusals.init_blueprint(blueprint)

#: So many of the latest entries are listed, and so many occasions offered.
_MOST, _OCCASIONS = 500, 60
#: A row that is listed: its number and its columns.
_Listed = tuple[int, dict[str, Any]]


@blueprint.get("")
def index(organization_id: int) -> str:
    """What can be recorded beside meetings."""
    portrait = _portrait(organization_id)
    demand(current_user, "people.read", portrait.place.path)
    return render_template(
        "entries/index.html",
        portrait=portrait,
        trail=trail(portrait),
        offered=_offered(portrait),
        titles=entry_fields.titles(),
    )


@blueprint.get("/<table>")
def page(organization_id: int, table: str) -> Response | str:
    """The list of one kind and, for who may record, the form for another."""
    with _opened(organization_id, table) as portrait:
        rows = _rows(portrait, table)
        known = _known(portrait, table, rows)
        if exports.wanted_format():
            listing = _listing(portrait, table, rows, known)
            return listing.send(entry_fields.titles()[table][0], portrait.place.code)
        number = request.args.get("entry", type=int)
        row = next((row for listed, row in rows if listed == number), None)
        not_found_unless(number is None or row is not None)
        form = Form(_usual(portrait, table) if row is None else _typed(portrait, table, row, known))
        return _page(portrait, table, rows, known, form, number)


@blueprint.post("/<table>")
def save(organization_id: int, table: str) -> Response | tuple[str, int]:
    """Enter a row, or replace the one that was corrected."""
    with _opened(organization_id, table, read=False) as portrait:
        number = request.form.get("entry", type=int)
        row, questions = _given(portrait, table)
        try:
            entries.save_entry(
                db.session,
                current_user,
                plugins().codes,
                organization_id,
                table,
                row,
                today=_today(),
                number=number,
            )
        except BadInput as refused:
            form, rows = Form(typed=request.form, refused=refused), _rows(portrait, table)
            for name, question in questions.items():
                form.errors[name] = [question]
            known = _known(portrait, table, rows)
            return _page(portrait, table, rows, known, form, number), 422
    flash(_("已保存。"))
    return redirect(url_for(".page", organization_id=organization_id, table=table))


@blueprint.post("/<table>/remove")
def remove(organization_id: int, table: str) -> Response:
    """Take an entry out that was made by mistake."""
    with _opened(organization_id, table, read=False):
        number = request.form.get("entry", type=int) or 0
        entries.remove_entry(db.session, current_user, organization_id, table, number)
    flash(_("已删除。"))
    return redirect(url_for(".page", organization_id=organization_id, table=table))


@contextmanager
def _opened(organization_id: int, table: str, *, read: bool = True) -> Iterator[Portrait]:
    """The unit's portrait, in a scope in which the table is open.

    That matters of discipline are looked at is written down first.
    """
    portrait = _portrait(organization_id)
    not_found_unless(table in ENTRIES)
    demand(current_user, "people.read", portrait.place.path)
    if not read:
        demand(current_user, "records.write", portrait.place.path)
    if not entries.is_restricted(table):
        yield portrait
        return
    with transaction(db.session):
        record_reading(db.session, current_user.actor(), table, portrait.place.code)
    db.session.remove()
    with tenant_scope(current_user.tenant_id, restricted=True):
        try:
            yield portrait
        finally:
            db.session.remove()


def _portrait(organization_id: int) -> Portrait:
    return visible_portrait(organization_id, _today())


def _today() -> date:
    return business_day(db.session)


def _offered(portrait: Portrait) -> list[str]:
    below = portrait.place.kind not in BRANCH_KINDS
    return entry_fields.offered_tables(portrait.place.kind, below=below)


def _usual(portrait: Portrait, table: str) -> dict[str, Any]:
    """What a new form begins with: the year, and the unit itself."""
    now = _today()
    known = {"year": now.year, "month": f"{now:%Y-%m}", "organization": portrait.place.code}
    return {name: value for name, value in known.items() if name in ENTRIES[table].columns}


def _typed(portrait: Portrait, table: str, row: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """A row as the fields of its form show it."""
    shown = entry_fields.typed_of(table, row)
    if not _has_roster(portrait):
        for name in entry_fields.people_columns(table):
            if name in shown:
                shown[name] = described(shown[name], known.named.get(shown[name]))
    return shown


def _given(portrait: Portrait, table: str) -> tuple[dict[str, Any], dict[str, str]]:
    """What was typed, as the facts table has it, and what is to be asked back by column."""
    row, questions = entry_fields.given(table, request.form), {}
    if not _has_roster(portrait):
        for name in entry_fields.people_columns(table):
            if row[name]:
                row[name], question = choose_person(current_user, row[name])
                if question:
                    questions[name] = question
    return row, questions


def _has_roster(portrait: Portrait) -> bool:
    """Whether people are chosen from the unit's own list, else by typing their name."""
    return portrait.place.kind in BRANCH_KINDS


def _rows(portrait: Portrait, table: str) -> list[_Listed]:
    number = portrait.place.organization_id
    return entries.entries_of(db.session, current_user, number, table, limit=_MOST)


def _known(portrait: Portrait, table: str, rows: Sequence[_Listed]) -> Known:
    now, place = _today(), portrait.place
    people: dict[str, str] = {}
    if _has_roster(portrait):
        officers = preparing.officers(db.session, place.organization_id, now)
        roster = preparing.roster(db.session, place.organization_id, "assembly", now)
        people = {one.code: one.shown for one in [*officers, *roster]}
    held = queries.records_of(
        db.session, current_user, place.organization_id, until=now, limit=_OCCASIONS
    )
    below = children(db.session, place.organization_id, now)
    return Known(
        people=people,
        named=names(db.session, entry_fields.people_in(table, [row for _number, row in rows])),
        below={place.code: place.name, **{unit.code: unit.name for unit in below}},
        above={unit.code: unit.name for unit in reversed(portrait.superiors)},
        occasions={
            row.code: " ".join(
                [day(row.held_on), *(label(one, "occasion_kind") for one in row.kinds)]
            )
            for row in held.items
        },
    )


def _listing(
    portrait: Portrait, table: str, rows: Sequence[_Listed], known: Known
) -> Listing[_Listed]:
    words = known.words
    columns = [
        _column(table, field.name, field.title, words, portrait.profile)
        for field in entry_fields.fields_of(table, known, portrait.profile)
    ]
    first = ENTRIES[table].day
    return Listing(columns, f"-{first}", rows)


def _column(
    table: str, name: str, title: str, words: Mapping[str, str], profile: str | None
) -> Column[_Listed]:
    def value(listed: _Listed) -> Cell:
        return entry_fields.in_words(table, name, listed[1].get(name), words, profile)

    return Column(name, title, value)


def _page(
    portrait: Portrait,
    table: str,
    rows: Sequence[_Listed],
    known: Known,
    form: Form,
    number: int | None,
) -> str:
    asked = guidance(db.session, plugins().packs, portrait, _today())
    may_record = current_user.may("records.write", portrait.place.path)
    offers = may_record and not _has_roster(portrait)
    return render_template(
        "entries/page.html",
        portrait=portrait,
        trail=trail(portrait),
        table=table,
        title=entry_fields.titles()[table],
        listing=_listing(portrait, table, rows, known),
        fields=entry_fields.fields_of(table, known, portrait.profile),
        form=form,
        offered=_offered_people(portrait, table) if offers else {},
        number=number,
        may_record=may_record,
        clauses=_clauses(asked, table),
        asked=asked.requirement(request.args.get("requirement", "")),
    )


def _offered_people(portrait: Portrait, table: str) -> dict[str, str]:
    """Whom to offer while a name is typed, where the form asks for one."""
    if not entry_fields.people_columns(table):
        return {}
    return offered_people(portrait.place.organization_id, _today())


def _clauses(asked: Guidance, table: str) -> list[str]:
    """Clauses of the notice for which such entries are made."""
    return list(
        dict.fromkeys(
            rule.citation.clause
            for rule in asked.rules
            if asked.place_of(rule.id, rule.part.id).table == table
        )
    )
