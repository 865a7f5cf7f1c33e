"""What falls short or is still to be done: a list to work through."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from flask import Blueprint, Response, abort, render_template, request
from flask_login import current_user

from guiju.clock import today
from guiju.db import db
from guiju.language import gettext as _
from guiju.rules.pack import Pack, Requirement
from guiju.rules.subjects import subject_of, subject_rank
from guiju.rules.vocabulary import Automation
from guiju.scoring import queries
from guiju.scoring.attending import ORDERS
from guiju.scoring.results import AttentionItem, NotVisible
from guiju.web import addresses, exports, selections
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.wording import OPEN_VERDICTS, label, period_words, plugins
from guiju.web.workbooks import Cell

blueprint = Blueprint("attention", __name__)
blueprint.add_app_template_global(selections.row_key)

_PAGE = 50


@blueprint.get("/organizations/<number:organization_id>/attention")
def page(organization_id: int) -> Response | str:
    """The list, with its filters in the address; as a file where the address asks for one."""
    chosen = [verdict for verdict in request.args.getlist("verdict") if verdict in OPEN_VERDICTS]
    requirement = request.args.get("requirement") or None
    own = bool(request.args.get("own"))
    order = request.args.get("sort", "due")
    order = order if order in ORDERS else "due"
    due_until = _day(request.args.get("due_until", ""))
    if exports.wanted_format():
        options = {
            "verdicts": chosen,
            "requirement": requirement,
            "due_until": due_until,
            "order_by": order,
            "below": not own,
        }
        return _file(organization_id, options)
    try:
        found = queries.attention(
            db.session,
            plugins().packs,
            organization_id,
            within=current_user.within,
            verdicts=chosen,
            requirement=requirement,
            due_until=due_until,
            cursor=request.args.get("cursor"),
            limit=_PAGE,
            order_by=order,
            below=not own,
        )
        # How many there would be of each verdict, whichever of them are listed.
        totals = (
            found.totals
            if not chosen
            else queries.attention(
                db.session,
                plugins().packs,
                organization_id,
                within=current_user.within,
                requirement=requirement,
                due_until=due_until,
                limit=1,
                below=not own,
            ).totals
        )
    except (NotVisible, ValueError):
        abort(404)
    standing = queries.standing(db.session, current_user.within)
    portrait = visible_portrait(organization_id, standing.as_of or today())
    pack = plugins().packs.get(portrait.profile or "")
    return render_template(
        "attention.html",
        found=found,
        portrait=portrait,
        trail=trail(portrait),
        standing=standing,
        today=standing.as_of or today(),
        chosen=chosen,
        totals=totals,
        order=order,
        own=own,
        requirement=requirement,
        due_until=due_until,
        pack=pack,
        may_act=current_user.may("findings.act", portrait.place.path),
        problems={},
        typed=request.form,
    )


def _file(organization_id: int, options: dict[str, Any]) -> Response:
    portrait = visible_portrait(organization_id, today())
    headings = [_("结论"), _("单位"), _("要求"), _("条款"), _("期间"), _("期限")]
    rows = _rows(organization_id, options)
    return exports.send(_("待处理"), _("待处理"), headings, rows, portrait.place.code)


def _rows(organization_id: int, options: dict[str, Any]) -> Iterator[list[Cell]]:
    cursor: str | None = None
    while True:
        found = queries.attention(
            db.session,
            plugins().packs,
            organization_id,
            within=current_user.within,
            cursor=cursor,
            limit=500,
            **options,
        )
        for item in found.items:
            yield [
                label(item.verdict, "verdict"),
                item.unit.name,
                item.title,
                clause(item),
                period_words(item.period),
                item.due,
            ]
        cursor = found.cursor
        if cursor is None:
            return


@blueprint.app_template_global()
def item_address(item: AttentionItem) -> str:
    """Where an entry of the list is explained."""
    whole = item.subject_type == "organization"
    return addresses.about(
        "findings.page" if whole else "findings.cell",
        item.unit.organization_id,
        item.requirement,
        part=item.part,
        period=item.period,
    )


@blueprint.app_template_global()
def clause(item: AttentionItem) -> str:
    """Where the requirement of an entry stands."""
    pack = plugins().packs.get(item.profile)
    known = pack.by_id.get(item.requirement) if pack else None
    return known.clause if known else ""


@blueprint.app_template_global()
def requirement_choices(pack: Pack | None) -> list[tuple[str, list[Requirement]]]:
    """Requirements that can be judged, by subject, for choosing one."""
    found: dict[str, list[Requirement]] = {}
    for known in pack.requirements if pack else ():
        if known.automation is not Automation.MANUAL:
            found.setdefault(subject_of(known.id), []).append(known)
    return [(subject, found[subject]) for subject in sorted(found, key=subject_rank)]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
