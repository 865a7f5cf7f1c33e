"""Recording what was held: the form, its drafts, and handing it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from guiju.activities import access, attachments, drafts, extra_fields, preparing, records
from guiju.activities.access import Conflict
from guiju.activities.differences import differences
from guiju.activities.drafts import DraftView
from guiju.activities.leave import LEAVE_REASONS
from guiju.activities.models import Record
from guiju.activities.preparing import Attendee
from guiju.clock import today
from guiju.db import db
from guiju.language import gettext as _
from guiju.organizations.portrait import Portrait
from guiju.record_fields import RecordField
from guiju.rules import periods
from guiju.rules import vocabulary as v
from guiju.rules.problems import BadInput
from guiju.scoring.guidance import Asked, Guidance, Wanted, guidance
from guiju.scoring.operations import fixed_as_of
from guiju.web import record_forms, refusals
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.record_forms import ATTENDS, OUTSIDE, STEP, WHY
from guiju.web.record_words import told
from guiju.web.wording import day as day_words
from guiju.web.wording import label, moment, plugins

blueprint = Blueprint(
    "record_form", __name__, url_prefix="/organizations/<number:organization_id>/records"
)

refusals.init_blueprint(blueprint)

#: Key of the session: the record that was handed in just now.
HANDED_IN = "handed_in"

#: Longer rosters get a field to look somebody up.
_LONG = 20

#: Longer rosters are scrolled by themselves, so that the rest of the form stays in reach.
_VERY_LONG = 120


@dataclass(frozen=True)
class Form:
    """Everything that the form shows.

    ``fields`` are as a browser sends them; ``errors`` are texts by field.  ``conflict`` is
    what somebody else saved meanwhile.
    """

    unit: Portrait
    #: The day it was held on, as far as one is typed; else today.
    held_on: date
    asked: Guidance
    wanted: Wanted
    fields: MultiDict[str, str]
    roster: Sequence[Attendee] = ()
    officers: Sequence[Attendee] = ()
    groups: Sequence[tuple[int, str]] = ()
    added: Sequence[RecordField] = ()
    draft: DraftView | None = None
    revision: int | None = None
    record_revision: int | None = None
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    conflict: Conflict | None = None

    @property
    def kinds(self) -> list[str]:
        """The kinds chosen so far."""
        return self.fields.getlist("kinds")

    @property
    def corrects(self) -> bool:
        """Whether something recorded already is being corrected."""
        return self.draft is not None and self.draft.occasion_id is not None

    @property
    def common_kinds(self) -> list[str]:
        """Kinds that the notice names, and those chosen, as lists order them."""
        named = {*self.asked.kinds, *self.kinds}
        return [kind for kind in v.OCCASION_KINDS if kind in named] + sorted(
            named - set(v.OCCASION_KINDS)
        )

    @property
    def other_kinds(self) -> list[str]:
        """All other kinds."""
        return [kind for kind in v.OCCASION_KINDS if kind not in self.common_kinds]

    @property
    def other_components(self) -> list[str]:
        """Contents that are not asked for but may have been part of it."""
        named = {one.code for one in self.wanted.components}
        return [code for code in v.COMPONENTS if code not in named]

    @property
    def is_long(self) -> bool:
        """Whether somebody has to be looked up on the roster."""
        return len(self.roster) > _LONG

    @property
    def is_very_long(self) -> bool:
        """Whether the roster would be longer than the rest of the form."""
        return len(self.roster) > _VERY_LONG

    def status(self, attendee: Attendee) -> str:
        """How somebody attended; whoever nothing is said of is taken to have come."""
        return self.fields.get(ATTENDS + attendee.code, "" if self.corrects else "present")

    def reason(self, attendee: Attendee) -> str:
        """The kind of reason why somebody had leave; empty where nothing is said."""
        return self.fields.get(WHY + attendee.code, "")

    def number(self, status: str) -> int:
        """How many on the roster attended so."""
        return sum(1 for attendee in self.roster if self.status(attendee) == status)

    def outsiders(self, code: str) -> str:
        """How many of a class from outside came."""
        return self.fields.get(OUTSIDE + code, "")

    @property
    def has_outsiders(self) -> bool:
        """Whether anybody from outside came."""
        return any(self.outsiders(code) for code in v.OUTSIDER_CLASSES)

    @property
    def is_followed_up(self) -> bool:
        """Whether one of the steps that come after was taken already."""
        return any(self.fields.get(STEP + one.code) for one in self.wanted.steps.after)

    def asked_field(self, name: str) -> Asked | None:
        """The clause that asks for a column; None where none does."""
        return next((one for one in self.wanted.fields if one.code == name), None)


@blueprint.get("/new")
def new(organization_id: int) -> str:
    """An empty form, filled in as far as it goes without saying."""
    unit, day = _unit(organization_id)
    asked = guidance(db.session, plugins().packs, unit, day)
    requirement, period = request.args.get("requirement"), request.args.get("period", "")
    kinds = request.args.getlist("kind")
    if requirement and not kinds:
        answering = asked.kinds_for(requirement, request.args.get("part"))
        kinds = list(answering) if len(answering) == 1 else []
    fields: MultiDict[str, str] = MultiDict()
    fields.setlist("kinds", kinds)
    if _covers(period, day):
        fields["held_on"] = day.isoformat()
    usual = preparing.usual(db.session, organization_id, kinds)
    fields["place"] = usual.place or ""
    secretary = next(iter(preparing.officers(db.session, organization_id, day)), None)
    fields["chair"] = usual.chair or (secretary.code if secretary else "")
    if usual.start_minute is not None:
        fields["start"] = record_forms.clock_text(usual.start_minute)
    return _page(_form(unit, day, fields))


@blueprint.get("/drafts/<number:draft_id>")
def draft(organization_id: int, draft_id: int) -> str:
    """The form with what was kept of it."""
    unit, day = _unit(organization_id)
    return _page(_of_draft(unit, day, _draft(organization_id, draft_id)))


@blueprint.post("/fields")
def fields(organization_id: int) -> str:
    """What is asked for the kinds and the day chosen; inside the form, or the form again."""
    unit, day = _unit(organization_id)
    form = _typed(unit, day)
    if "HX-Request" in request.headers:
        form = _with_people(form)
        return _render("records/fields.html", form, same_roster=_same_roster(form.roster))
    return _page(form)


@blueprint.post("/save")
def save(organization_id: int) -> Response | tuple[Response, int] | tuple[str, int]:
    """Keep what was typed; a script is answered in JSON."""
    unit, day = _unit(organization_id)
    form = _typed(unit, day)
    in_json = request.accept_mimetypes.best == "application/json"
    try:
        kept = _keep(form)
    except Conflict as conflict:
        if in_json:
            return jsonify(_told(conflict)), 409
        return _page(replace(form, conflict=conflict, revision=conflict.revision)), 409
    except BadInput as error:
        if in_json:
            return jsonify(problems=[problem.wanted for problem in error.problems]), 422
        return _page(_with_faults(form, error)), 422
    address = url_for(".draft", organization_id=organization_id, draft_id=kept.draft_id)
    if in_json:
        return jsonify(
            draft=kept.draft_id,
            revision=kept.revision,
            address=address,
            files=url_for("attachments.to_draft", draft_id=kept.draft_id),
            saved=moment(kept.updated_at),
        )
    flash(_("草稿已保存。"))
    return redirect(address)


@blueprint.post("/submit")
def submit(organization_id: int) -> Response | tuple[str, int]:
    """Hand the record in; with faults the form comes back, and a draft keeps what was typed."""
    unit, day = _unit(organization_id)
    form = _typed(unit, day)
    try:
        made = _hand_in(form)
    except Conflict as conflict:
        return _page(_conflicting(form, conflict)), 409
    except BadInput as error:
        return _page(_faulty(form, error)), 422
    # The record's page lets the browser forget what it kept, this once.
    session[HANDED_IN] = made.occasion_id
    flash(_("已提交。") if made.state == "submitted" else _("已记录。"))
    return redirect(url_for("records.page", occasion_id=made.occasion_id))


@blueprint.post("/drafts/<number:draft_id>/discard")
def discard(organization_id: int, draft_id: int) -> Response:
    """Throw a draft away."""
    _unit(organization_id)
    _draft(organization_id, draft_id)
    drafts.discard_draft(db.session, current_user, draft_id)
    flash(_("草稿已删除。"))
    return redirect(url_for("workbench.page", organization_id=organization_id))


# -- what the form is made of ------------------------------------------------------------


def _unit(organization_id: int) -> tuple[Portrait, date]:
    """The unit, for which the visitor may record, and the day that it is."""
    day = fixed_as_of(db.session) or today()
    unit = visible_portrait(organization_id, day)
    access.demand(current_user, "records.write", unit.place.path)
    return unit, day


def _draft(organization_id: int, draft_id: int) -> DraftView:
    found = drafts.find_draft(db.session, current_user, draft_id)
    if found.organization_id != organization_id:
        raise access.NotVisible(f"draft {draft_id}")
    return found


def _of_draft(unit: Portrait, day: date, found: DraftView) -> Form:
    form = _form(unit, day, record_forms.fields_of(found.payload))
    return replace(
        form, draft=found, revision=found.revision, record_revision=found.occasion_revision
    )


def _typed(unit: Portrait, day: date) -> Form:
    """The form as it was sent, with the draft that it names."""
    number = request.form.get("draft", type=int)
    found = None if number is None else _draft(unit.place.organization_id, number)
    return replace(
        _form(unit, day, MultiDict(request.form)),
        draft=found,
        revision=request.form.get("revision", type=int),
        record_revision=request.form.get("record_revision", type=int),
    )


def _form(unit: Portrait, day: date, fields: MultiDict[str, str]) -> Form:
    held_on = _day(fields.get("held_on", "")) or day
    asked = guidance(db.session, plugins().packs, unit, held_on)
    kinds = fields.getlist("kinds")
    return Form(
        unit=unit,
        held_on=held_on,
        asked=asked,
        wanted=asked.wanted(kinds),
        fields=fields,
        added=extra_fields.fields_of(db.session, plugins(), unit.place.path, kinds, held_on),
    )


def _with_people(form: Form) -> Form:
    """The form with whom it lists, which nothing but showing it needs."""
    number, day = form.unit.place.organization_id, form.held_on
    body = preparing.body_of(form.kinds, form.fields.get("form"))
    if form.unit.place.kind == "party_group" and body == "assembly":
        body = "group"
    roster = preparing.roster(db.session, number, body, day)
    return replace(
        form,
        roster=[*roster, *_strangers(form.fields, roster)],
        officers=preparing.officers(db.session, number, day),
        groups=preparing.groups_of(db.session, number) if body == "group" else (),
    )


def _strangers(fields: MultiDict[str, str], roster: Sequence[Attendee]) -> list[Attendee]:
    """People with an attendance who are not on the roster of the day."""
    known = {attendee.code for attendee in roster}
    named = (name.removeprefix(ATTENDS) for name in fields if name.startswith(ATTENDS))
    return [Attendee(code, None, None) for code in named if code not in known]


def _same_roster(roster: Sequence[Attendee]) -> bool:
    """Whether the form that was sent listed these people."""
    sent = [name.removeprefix(ATTENDS) for name in request.form if name.startswith(ATTENDS)]
    return sent == [attendee.code for attendee in roster]


def _hand_in(form: Form) -> Record:
    """Make a record of what was typed; a draft there may be goes with it."""
    payload = _payload(form, {} if form.draft is None else form.draft.payload)
    if payload.get("status") == "planned":
        # Whoever hands it in says that what was planned has been held.
        del payload["status"]
    number = form.unit.place.organization_id
    if form.draft is None:
        return records.create_record(db.session, current_user, plugins(), number, payload)
    return records.submit_draft(
        db.session,
        current_user,
        plugins(),
        form.draft.draft_id,
        payload=payload,
        revision=form.revision,
        record_revision=form.record_revision,
        reason=request.form.get("reason"),
    )


def _keep(form: Form) -> DraftView:
    """Keep what was typed as a draft."""
    return drafts.save_draft(
        db.session,
        current_user,
        form.unit.place.organization_id,
        _payload(form, {} if form.draft is None else form.draft.payload),
        None if form.draft is None else form.draft.draft_id,
        form.revision,
    )


def _payload(form: Form, before: Mapping[str, Any]) -> dict[str, Any]:
    offered = {one.code for one in (*form.wanted.topics, *form.wanted.documents)}
    return record_forms.payload_of(form.fields, before, offered=offered, added=form.added)


def _with_faults(form: Form, error: BadInput) -> Form:
    return replace(form, errors=record_forms.by_field(error.problems))


def _kept(form: Form) -> Form:
    """The form, kept as a draft."""
    kept = _keep(form)
    return replace(form, draft=kept, revision=kept.revision)


def _faulty(form: Form, error: BadInput) -> Form:
    """The form with its faults, kept as a draft if that is possible."""
    try:
        form = _kept(form)
    except Conflict as conflict:
        return replace(form, conflict=conflict, revision=conflict.revision)
    except BadInput as worse:
        error = worse
    return _with_faults(form, error)


def _conflicting(form: Form, conflict: Conflict) -> Form:
    """The form with what somebody else saved: of the draft, or of the record that it corrects."""
    try:
        form = _kept(form)
    except Conflict as of_draft:
        return replace(form, conflict=of_draft, revision=of_draft.revision)
    return replace(form, conflict=conflict, record_revision=conflict.revision)


def _told(conflict: Conflict) -> dict[str, Any]:
    """A conflict, for the script that puts both together."""
    found = record_forms.fields_of(conflict.payload)
    return {
        "revision": conflict.revision,
        "author": conflict.author,
        "changed": moment(conflict.changed_at),
        "fields": {name: found.getlist(name) for name in found},
    }


def _page(form: Form) -> str:
    changes = []
    if form.conflict is not None:
        mine = _payload(form, form.conflict.payload)
        changes = told(db.session, differences(mine, form.conflict.payload))
    files = (
        []
        if form.draft is None
        else attachments.files_of_draft(db.session, current_user, form.draft.draft_id)
    )
    shown = _with_people(form)
    return _render("records/form.html", shown, trail=trail(form.unit), changes=changes, files=files)


def _render(template: str, form: Form, **values: object) -> str:
    return render_template(
        template,
        form=form,
        portrait=form.unit,
        attendance_codes=list(v.ATTENDANCE),
        leave_reasons=list(LEAVE_REASONS),
        outsider_classes=list(v.OUTSIDER_CLASSES),
        modes=list(v.MODES),
        forms=list(v.FORMS),
        **values,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _covers(period: str, day: date) -> bool:
    """Whether a day is in the period; true without a period."""
    if not period:
        return True
    try:
        found, unit = periods.parse(period)
    except ValueError:
        return True
    return periods.index(periods.day(day), unit) == found


@blueprint.app_template_filter()
def draft_title(found: DraftView) -> str:
    """What a list calls a draft: its day and kinds, as far as they are typed."""
    fields = record_forms.fields_of(found.payload)
    day = _day(fields.get("held_on", ""))
    kinds = _("、").join(label(kind, "occasion_kind") for kind in fields.getlist("kinds"))
    return " ".join(text for text in (day_words(day), kinds) if text) or _("还没有填类型和日期")
