"""What judges which part of the tree: shown to all, changed by who may, after a preview."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from guiju.clock import today
from guiju.db import db
from guiju.jobs import queries as jobs
from guiju.language import gettext as _
from guiju.organizations.portrait import Portrait
from guiju.profiles import keeping, operations, queries
from guiju.profiles.choosing import questions
from guiju.profiles.queries import Answer, ChangedUnit, PreviewHead
from guiju.profiles.terms import Choose, Edit, Enable, End, Term, Terms, Withdraw
from guiju.rules import calendars, periods, tables
from guiju.rules.checks.window import moved_by_holidays
from guiju.rules.engine import compile_rules
from guiju.rules.problems import BadInput, Problem
from guiju.scoring.operations import fixed_as_of
from guiju.web import exports
from guiju.web.forms import Form
from guiju.web.pages.units import trail, visible_portrait
from guiju.web.sessions import not_found_unless
from guiju.web.wording import SHOWN_VERDICTS, label, notice_title, plugins

blueprint = Blueprint("profiles", __name__)

_PERMISSION = "profile.manage"
_PAGE = 50
#: Fields of readings and settings, so that none has the name of another field.
_SET = "set-"


# -- what judges here ------------------------------------------------------------------


@blueprint.get("/organizations/<number:organization_id>/profiles")
def page(organization_id: int) -> str:
    """What judges an organization and what is below it, since when, by which readings."""
    portrait = visible_portrait(organization_id, _day())
    path = portrait.place.path
    around = queries.enabled_around(db.session, path)
    holding = queries.holding(around, path, _day())
    return render_template(
        "profiles/page.html",
        portrait=portrait,
        trail=trail(portrait),
        day=_day(),
        holding=holding,
        answers=_answers(around, path, holding.term) if holding else [],
        without_calendar=_without_calendar(holding.term) if holding else [],
        enabled=[one for one in around if one.path.startswith(path)],
        history=queries.history(db.session, path) if _may(portrait) else [],
        may=_may(portrait),
    )


def _answers(around: Sequence[queries.Enabled], path: str, term: Term) -> list[Answer]:
    packs = plugins().packs
    return queries.answers(db.session, packs, around, path, term) if term.profile in packs else []


def _without_calendar(term: Term) -> list[str]:
    """Titles of what holidays move, where this year's are not known."""
    pack, day = plugins().packs.get(term.profile), _day()
    if pack is None or day.year in calendars.load().years:
        return []
    number = periods.day(day)
    return [
        rule.title
        for rule in compile_rules(pack, pack.choices({}))
        if moved_by_holidays(rule) and rule.valid_from <= number <= rule.valid_until
    ]


# -- forms -----------------------------------------------------------------------------


@blueprint.get("/organizations/<number:organization_id>/profiles/enable")
def enable(organization_id: int) -> str:
    """Choose a notice; then from when it judges, and by which readings."""
    portrait = _managed(organization_id)
    profile = request.args.get("profile", "")
    if profile not in plugins().packs:
        return render_template(
            "profiles/choose.html",
            portrait=portrait,
            trail=trail(portrait),
            packs=plugins().packs.values(),
            day=_day(),
        )
    return _enable_form(portrait, profile, Form({"judge_from": _day().replace(month=1, day=1)}))


def _enable_form(portrait: Portrait, profile: str, form: Form) -> str:
    own = operations.terms_of(db.session, portrait.place.organization_id)
    return _settings_form(
        "profiles/enable.html",
        portrait,
        Term(profile, _day()),
        form,
        going_on=next((term for term in own if term.holds(_day())), None),
    )


@blueprint.get("/organizations/<number:organization_id>/profiles/readings")
def readings(organization_id: int) -> str:
    """Other readings and settings for a term."""
    portrait = _managed(organization_id)
    term = _term(organization_id, request.args.get("term", ""))
    form = Form({f"{_SET}{name}": value for name, value in term.settings.items()})
    return _settings_form("profiles/readings.html", portrait, term, form)


@blueprint.get("/organizations/<number:organization_id>/profiles/end")
def end(organization_id: int) -> str:
    """The last day of a term, or taking it back altogether."""
    portrait = _managed(organization_id)
    term = _term(organization_id, request.args.get("term", ""))
    return _end_form(portrait, term, Form({"until": term.until or _day()}))


def _end_form(portrait: Portrait, term: Term, form: Form) -> str:
    return render_template(
        "profiles/end.html", portrait=portrait, trail=trail(portrait), term=term, form=form
    )


def _settings_form(
    template: str, portrait: Portrait, term: Term, form: Form, **more: object
) -> str:
    """A form with the questions of the term's pack; each says what holds if left open."""
    pack = plugins().packs.get(term.profile)
    not_found_unless(pack)
    assert pack is not None
    path = portrait.place.path
    around = queries.enabled_around(db.session, path)
    open_ = Term(term.profile, term.judge_from)
    return render_template(
        template,
        portrait=portrait,
        trail=trail(portrait),
        pack=pack,
        term=term,
        form=form,
        inherited=queries.answers(db.session, plugins().packs, around, path, open_),
        **more,
    )


# -- from a form to a preview ----------------------------------------------------------


@blueprint.post("/organizations/<number:organization_id>/profiles/enable")
def preview_enable(organization_id: int) -> BaseResponse | tuple[str, int]:
    """Look at what enabling would do."""
    portrait = _managed(organization_id)
    profile = request.form.get("profile", "")
    not_found_unless(profile in plugins().packs)
    days = _Days()
    judge_from, until = days.read("judge_from"), days.read("until", optional=True)
    edit = Enable(Term(profile, judge_from or _day(), until, _chosen()))
    return _preview(portrait, edit, days, lambda form: _enable_form(portrait, profile, form))


@blueprint.post("/organizations/<number:organization_id>/profiles/readings")
def preview_readings(organization_id: int) -> BaseResponse | tuple[str, int]:
    """Look at what other readings would do."""
    portrait = _managed(organization_id)
    term = _term(organization_id, request.form.get("term", ""))
    days = _Days()
    since = days.read("since", optional=True)
    return _preview(
        portrait,
        Choose(term.judge_from, _chosen(), since),
        days,
        lambda form: _settings_form("profiles/readings.html", portrait, term, form),
    )


@blueprint.post("/organizations/<number:organization_id>/profiles/end")
def preview_end(organization_id: int) -> BaseResponse | tuple[str, int]:
    """Look at what the end of a term would do."""
    portrait = _managed(organization_id)
    term = _term(organization_id, request.form.get("term", ""))
    days = _Days()
    edit: Edit
    if request.form.get("how") == "withdraw":
        edit = Withdraw(term.judge_from)
    else:
        edit = End(term.judge_from, days.read("until") or _day())
    return _preview(portrait, edit, days, lambda form: _end_form(portrait, term, form))


class _Days:
    """Dates of a form, with what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def read(self, name: str, *, optional: bool = False) -> date | None:
        """The day in a field; None where there is none."""
        text = request.form.get(name, "").strip()
        if not text and optional:
            return None
        try:
            found = date.fromisoformat(text)
        except ValueError:
            found = None
        if found is None or not tables.FIRST_DAY <= found <= tables.LAST_DAY:
            wanted = _("请填写日期，如 2026-01-01")
            self.problems.append(Problem(f"/{name}", text, wanted))
            return None
        return found

    def check(self) -> None:
        """Raise ``BadInput`` where a field has no day that can be."""
        if self.problems:
            raise BadInput(self.problems)


def _chosen() -> dict[str, str]:
    return {
        name.removeprefix(_SET): value
        for name, value in request.form.items()
        if name.startswith(_SET)
    }


def _preview(
    portrait: Portrait, edit: Edit, days: _Days, form: Callable[[Form], str]
) -> BaseResponse | tuple[str, int]:
    try:
        days.check()
        number = _requested(portrait.place.organization_id, edit)
    except BadInput as refused:
        db.session.rollback()
        return form(_refused(refused)), 422
    return redirect(url_for("profiles.preview", preview_id=number))


def _requested(organization_id: int, edit: Edit) -> int:
    packs = plugins().packs
    found = operations.propose(
        db.session, packs, organization_id, edit, current_user.roots(_PERMISSION)
    )
    return keeping.request_preview(db.session, packs, current_user.actor(), found, _day())


def _refused(error: BadInput) -> Form:
    """The problems at their fields; what has no field here is told at the top."""
    shown = {
        f"{_SET}{question.name}"
        for pack in plugins().packs.values()
        for question in questions(pack)
    }
    problems = []
    for problem in error.problems:
        place, wanted = problem.place, problem.wanted
        if place.startswith("/settings/"):
            name = place.removeprefix("/settings/")
            place = f"/{_SET}{name}"
            if place[1:] not in shown:
                place, wanted = "", f"{name}：{problem.found}；{wanted}"
        problems.append(Problem(place, problem.found, wanted, problem.code))
    return Form(typed=request.form, refused=BadInput(problems))


# -- a preview -------------------------------------------------------------------------


@blueprint.get("/profile-previews/<number:preview_id>")
def preview(preview_id: int) -> str | Response:
    """What a change would do: how many, why, and the list of organizations."""
    head = _visible_preview(preview_id)
    if head.summary is None:
        return render_template("profiles/making.html", head=head, job=_job(head))
    if exports.wanted_format():
        return _export(head)
    return _shown(head)


@blueprint.get("/profile-previews/<number:preview_id>/progress")
def progress(preview_id: int) -> str | Response:
    """How far a preview is; asked for again while it is being made."""
    head = _visible_preview(preview_id)
    job = _job(head)
    if head.summary is not None or job is None or not job.is_open:
        return Response(headers={"HX-Refresh": "true"})
    return render_template("profiles/progress.html", head=head, job=job)


@blueprint.post("/profile-previews/<number:preview_id>/confirm")
def confirm(preview_id: int) -> BaseResponse | tuple[str, int]:
    """Make the change."""
    head = _visible_preview(preview_id)
    try:
        keeping.confirm(
            db.session,
            plugins().packs,
            current_user.actor(),
            preview_id,
            _day(),
            despite_drift=request.form.get("despite_drift") == "yes",
        )
    except BadInput as refused:
        db.session.rollback()
        head = _visible_preview(preview_id)
        not_found_unless(head.summary)
        return _shown(head, Form(refused=refused)), 409
    flash(_("已生效。正在按新的规则重新评判，结果稍后更新。"))
    return redirect(url_for("profiles.page", organization_id=head.organization_id))


@blueprint.post("/profile-previews/<number:preview_id>/again")
def again(preview_id: int) -> BaseResponse:
    """Look at the same change once more, with the records of now."""
    head = _visible_preview(preview_id)
    present = operations.terms_of(db.session, head.organization_id)
    if present != head.before:
        flash(_("这里的地方规则已有别的改动，请按现在的情况重新操作。"))
        return redirect(url_for("profiles.page", organization_id=head.organization_id))
    number = keeping.request_preview(
        db.session,
        plugins().packs,
        current_user.actor(),
        keeping.proposal_of(head.row),
        _day(),
    )
    return redirect(url_for("profiles.preview", preview_id=number))


@blueprint.post("/profile-changes/<number:change_id>/undo")
def undo(change_id: int) -> BaseResponse:
    """Take a change back."""
    found = queries.change(db.session, change_id)
    not_found_unless(found is not None and current_user.sees(found.path))
    assert found is not None
    if not current_user.may(_PERMISSION, found.path):
        abort(403)
    try:
        operations.undo(db.session, current_user.actor(), change_id)
    except BadInput as refused:
        flash("；".join(problem.wanted for problem in refused.problems))
    else:
        flash(_("已撤销，恢复到改动之前。"))
    return redirect(url_for("profiles.page", organization_id=found.organization_id))


def _shown(head: PreviewHead, form: Form | None = None) -> str:
    assert head.summary is not None
    rule = request.args.get("rule", type=int)
    rule = rule if rule is not None and 0 <= rule < len(head.summary.rules) else None
    to = request.args.get("to")
    to = to if to in SHOWN_VERDICTS else None
    first = min(max(request.args.get("from", 0, type=int), 0), 10**6)
    all_, branches = queries.changed_counts(db.session, head.id, current_user.within)
    drift = None
    if head.row.change_id is None:
        drift = keeping.drift(db.session, plugins().packs, head.row, _day())
    return render_template(
        "profiles/preview.html",
        head=head,
        portrait=visible_portrait(head.organization_id, _day()),
        summary=head.summary,
        form=form or Form(),
        drift=drift,
        all=all_,
        branches=branches,
        found=queries.changed(
            db.session, head, current_user.within, rule=rule, to=to, offset=first, limit=_PAGE
        ),
        rule=rule,
        to=to,
        first=first,
        page_size=_PAGE,
    )


def _export(head: PreviewHead) -> Response:
    found = queries.changed(db.session, head, current_user.within, limit=None)
    headings = [
        _("组织编号"),
        _("组织"),
        _("文件"),
        _("要求"),
        _("条款"),
        _("现在"),
        _("改后"),
        _("项数"),
    ]
    rows = list(_lines(found.units))
    code = visible_portrait(head.organization_id, _day()).place.code
    return exports.send(f"profile-preview-{head.id}", _("预览"), headings, rows, code)


def _lines(units: Sequence[ChangedUnit]) -> Iterator[list[str | int]]:
    for unit in units:
        for move in unit.moves:
            title, clause = requirement_words(move.rule.profile, move.rule.requirement)
            yield [
                unit.code,
                unit.name,
                notice_title(move.rule.profile),
                title,
                clause,
                verdict_words(move.from_),
                verdict_words(move.to),
                move.number,
            ]


# -- words for templates ---------------------------------------------------------------


@blueprint.app_template_global()
def requirement_words(profile: str, requirement: str) -> tuple[str, str]:
    """Title and clause of a requirement; its id where the plugin is no longer there."""
    pack = plugins().packs.get(profile)
    known = pack.by_id.get(requirement) if pack else None
    return (known.title, known.clause) if known else (requirement, "")


@blueprint.app_template_filter()
def verdict_words(verdict: str | None) -> str:
    """A verdict's label, or that nothing is judged."""
    return label(verdict, "verdict") if verdict else _("不评判")


blueprint.add_app_template_filter(queries.verdict, "verdict_code")


@dataclass(frozen=True)
class _TermChange:
    term: Term
    #: ``begins``, ``gone``, ``ends``, ``goes_on`` or ``chosen``.
    what: str
    #: Titles of what is chosen otherwise.
    names: Sequence[str] = ()


@blueprint.app_template_global()
def term_changes(before: Terms, after: Terms) -> list[_TermChange]:
    """What differs between an organization's terms, as a list to be worded."""
    return list(_differences(before, after))


def _differences(before: Terms, after: Terms) -> Iterator[_TermChange]:
    old = {(term.profile, term.judge_from): term for term in before}
    new = {(term.profile, term.judge_from): term for term in after}
    for key, term in sorted({**old, **new}.items(), key=lambda entry: entry[0][1]):
        if key not in new:
            yield _TermChange(term, "gone")
        elif key not in old:
            yield _TermChange(term, "begins", _titles(term.profile, term.settings))
        else:
            was = old[key]
            if was.until != term.until:
                yield _TermChange(term, "goes_on" if term.until is None else "ends")
            if was.settings != term.settings:
                names = dict.fromkeys([*was.settings, *term.settings])
                other = [n for n in names if was.settings.get(n) != term.settings.get(n)]
                yield _TermChange(term, "chosen", _titles(term.profile, other))


def _titles(profile: str, names: Iterable[str]) -> list[str]:
    pack = plugins().packs.get(profile)
    known = {question.name: question.title for question in questions(pack)} if pack else {}
    return [known.get(name, name) for name in names]


# -- who may ---------------------------------------------------------------------------


def _may(portrait: Portrait) -> bool:
    return bool(current_user.may(_PERMISSION, portrait.place.path))


def _managed(organization_id: int) -> Portrait:
    """The organization, whose profiles the visitor may change; 403 where they only see it."""
    portrait = visible_portrait(organization_id, _day())
    if not _may(portrait):
        abort(403)
    return portrait


def _visible_preview(preview_id: int) -> PreviewHead:
    head = queries.preview(db.session, preview_id)
    not_found_unless(head is not None and current_user.sees(head.path))
    assert head is not None
    if not current_user.may(_PERMISSION, head.path):
        abort(403)
    return head


def _job(head: PreviewHead) -> jobs.JobSummary | None:
    if head.row.job_id is None:
        return None
    return jobs.job(db.session, current_user, head.row.job_id)


def _term(organization_id: int, judge_from: str) -> Term:
    """The organization's own term that begins on a day (ISO)."""
    terms = operations.terms_of(db.session, organization_id)
    found = next((term for term in terms if term.judge_from.isoformat() == judge_from), None)
    not_found_unless(found)
    assert found is not None
    return found


def _day() -> date:
    """The day that the tenant is judged by."""
    return fixed_as_of(db.session) or today()
