"""The workbench of a unit: what is due, what waits for whoever keeps its records, the year."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, url_for
from flask_login import current_user

from guiju.activities import attestations, drafts
from guiju.activities import queries as records
from guiju.clock import today
from guiju.db import db
from guiju.decisions import tasks
from guiju.language import gettext as _
from guiju.scoring import queries
from guiju.scoring.duties import Duty, duties
from guiju.scoring.guidance import guidance
from guiju.scoring.operations import fixed_as_of
from guiju.scoring.results import GridRow, NotVisible
from guiju.web.pages.organization import Span, over_months
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.wording import is_month, plugins

blueprint = Blueprint("workbench", __name__)

#: So many of the latest records are named.
_RECENT = 5

#: Lengths of periods that the year at a glance has room for.
_REPEATED = ("month", "bimonth", "quarter", "half")


@blueprint.get("/organizations/<number:organization_id>/workbench")
def page(organization_id: int) -> str:
    """The workbench; the unit's own work alone, whoever is below it."""
    day = fixed_as_of(db.session) or today()
    portrait = visible_portrait(organization_id, day)
    packs = plugins().packs
    asked = guidance(db.session, packs, portrait, day)
    try:
        work = duties(
            db.session,
            packs,
            organization_id,
            within=current_user.within,
            asked=asked,
            today=day,
        )
        grid = queries.organization_grid(
            db.session, packs, organization_id, within=current_user.within, told=False
        )
    except NotVisible:
        abort(404)
    returned = records.returned_records(db.session, current_user, organization_id=organization_id)
    may_record = current_user.may("records.write", portrait.place.path)
    may_attest = current_user.may("period.attest", portrait.place.path)
    open_months = attestations.open_months(db.session, current_user, organization_id, today=day)
    return render_template(
        "workbench.html",
        portrait=portrait,
        trail=trail(portrait),
        may_record=may_record,
        returned=returned,
        comments=records.return_comments(db.session, returned) if returned else {},
        asked_of_us=[
            row
            for row in tasks.tasks(
                db.session, packs, current_user, organization_id, state="open", below=False
            ).rows
            if "answer" in row.actions
        ],
        drafts=drafts.drafts_of(db.session, current_user, organization_id) if may_record else [],
        open_months=open_months[0] if open_months and may_attest else None,
        recent=records.records_of(
            db.session, current_user, organization_id, until=day, limit=_RECENT
        ).items,
        today=day,
        work=work,
        grid=grid,
        glance=glance(grid.rows),
        standing=grid.standing,
    )


@dataclass(frozen=True)
class Target:
    """Where the button of a due item leads; without an address, who sees to it."""

    text: str
    address: str | None = None


@blueprint.app_template_global()
def where_recorded(organization_id: int, duty: Duty) -> Target:
    """Where what a due item lacks is recorded."""
    item, place = duty.item, duty.place
    if place.where == "occasion":
        address = url_for(
            "record_form.new",
            organization_id=organization_id,
            requirement=item.requirement,
            part=item.part,
            period=item.period,
            kind=None if duty.kinds else list(place.kinds),
        )
        return Target(_("去记录"), address)
    if place.where == "entry" and place.table is not None:
        address = url_for(
            "entries.page",
            organization_id=organization_id,
            table=place.table,
            requirement=item.requirement,
        )
        return Target(_("去登记"), address)
    if place.where == "record":
        kind = place.kinds[0] if len(place.kinds) == 1 else None
        month = item.period if item.period and is_month(item.period) else None
        address = url_for(
            "records.listing", organization_id=organization_id, kind=kind, month=month
        )
        return Target(_("去补全记录"), address)
    if place.where == "roster":
        return Target(_("看名册和职务"), url_for("members.page", organization_id=organization_id))
    if place.where == "tree":
        return Target(_("由上级组织部门在组织树和设置中维护"))
    return Target(_("由有权认定的上级认定"))


def glance(rows: Sequence[GridRow]) -> list[tuple[GridRow, list[Span]]]:
    """The rows that come back within a year and apply, each over its twelve months."""
    return [
        (row, over_months(row.cells))
        for row in rows
        if row.unit in _REPEATED and {cell.verdict for cell in row.cells} - {"not_applicable"}
    ]
