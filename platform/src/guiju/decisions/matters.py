"""Deciding upon findings, giving reasons, appealing: one transaction each, all written down.

A decision goes where the engine looks for it, into the facts table ``judgements``, and the
organization is marked for judging in the same transaction.  It settles what records left
open; what they show plainly stands.  Nobody decides for their own unit unless nothing is above
it, and nobody answers what they raised themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from guiju.accounts.visitors import Visitor
from guiju.activities.access import NotAllowed, find_unit
from guiju.activities.store import store
from guiju.appraisals.models import judgements
from guiju.audit.operations import record
from guiju.db.scope import current_tenant
from guiju.db.session import AnySession, transaction
from guiju.decisions.models import Matter, MatterStep, Task
from guiju.decisions.refusals import Outdated, written
from guiju.decisions.snapshots import basis, snapshot
from guiju.decisions.tasks import Target, answer_with_reason, tasks_about
from guiju.language import gettext as _
from guiju.notices.operations import notify_superiors, notify_unit
from guiju.organizations.dirty import mark_dirty
from guiju.organizations.models import Organization
from guiju.rules.pack import Pack
from guiju.rules.periods import parse
from guiju.rules.problems import BadInput, Problem
from guiju.rules.vocabulary import JUDGED_VERDICTS
from guiju.scoring import queries
from guiju.scoring.models import NO_YEAR
from guiju.scoring.payload import NO_PERIOD
from guiju.scoring.results import Explanation, NotVisible

Packs = Mapping[str, Pack]

#: Verdicts that a decision can settle; the others follow from the records.
DECIDABLE = ("needs_judgement", "action_due", "no_data", "pending")

#: Decisions made in one go.
MOST_AT_ONCE = 50


@dataclass(frozen=True)
class About:
    """Which finding is meant; ``subject`` is type and author's id (None: the organization)."""

    organization_id: int
    requirement: str
    part: str | None = None
    subject: tuple[str, str] | None = None
    period: str | None = None


@dataclass(frozen=True)
class Shown:
    """What a finding is now, with what was decided about it."""

    organization: Organization
    profile: str
    explanation: Explanation
    matter: Matter | None
    #: The matter's revision, 0 where there is none.
    revision: int
    steps: Sequence[MatterStep]
    #: What was asked of the unit about it, newest first.
    tasks: Sequence[Task]
    #: Digest of the facts shown; whoever decides says it again.
    basis: str
    #: Whether the facts are others than those decided upon.
    changed: bool
    #: What the visitor may do about it now: actions of :data:`STEP_ACTIONS`.
    actions: frozenset[str]


# -- looking -----------------------------------------------------------------------------


def show(session: AnySession, packs: Packs, visitor: Visitor, about: About) -> Shown:
    """A finding as it is now, with its matter.

    Findings about members take a restricted scope, which the caller opens for who may see
    them.  Raises ``NotVisible``.
    """
    organization = find_unit(session, visitor, about.organization_id, "findings.read")
    explanation = _explained(session, packs, visitor, about)
    matter = _matter(session, _identity(explanation))
    steps = [] if matter is None else history(session, matter.id)
    taken = basis(snapshot(explanation))
    return Shown(
        organization=organization,
        profile=next(id_ for id_, pack in packs.items() if about.requirement in pack.by_id),
        explanation=explanation,
        matter=matter,
        revision=0 if matter is None else matter.revision,
        steps=steps,
        tasks=tasks_about(
            session, Target(about.organization_id, about.requirement, about.part, about.period)
        ),
        basis=taken,
        changed=matter is not None
        and (matter.changed or (matter.basis is not None and matter.basis != taken)),
        actions=_allowed(visitor, organization, explanation, matter),
    )


def history(session: AnySession, matter_id: int) -> list[MatterStep]:
    """What was done about a matter, oldest first."""
    select = sa.select(MatterStep).where(MatterStep.matter_id == matter_id)
    return list(session.scalars(select.order_by(MatterStep.id)))


def may_decide(visitor: Visitor, organization: Organization) -> bool:
    """Whether the visitor decides about a unit: from above it, or at the top about the top."""
    path = organization.path
    above = path[: path.rindex("/", 0, -1) + 1]
    return visitor.may("findings.decide", path if above == "/" else above)


def _allowed(
    visitor: Visitor, organization: Organization, explanation: Explanation, matter: Matter | None
) -> frozenset[str]:
    verdict = explanation.view.verdict
    state = "open" if matter is None else matter.state
    raised = None if matter is None else matter.raised_by_id
    found: set[str] = set()
    if may_decide(visitor, organization):
        if verdict in DECIDABLE and state != "appealed":
            found.add("decide")
        if verdict == "deviation" and state in {"open", "explained"}:
            found |= {"accept", "decline"}
        if state in {"decided", "accepted", "declined"}:
            found.add("reopen")
        decider = None if matter is None else matter.decided_by_id
        if state == "appealed" and visitor.user_id not in {decider, raised}:
            found |= {"uphold", "reject"}
        if raised == visitor.user_id:
            found -= {"accept", "decline"}
    if visitor.may("findings.appeal", organization.path):
        if verdict == "deviation" and state in {"open", "explained", "declined"}:
            found.add("explain")
        if state in {"decided", "declined"} and not (
            matter is not None and matter.decided_by_id == visitor.user_id
        ):
            found.add("appeal")
    return frozenset(found)


# -- doing -------------------------------------------------------------------------------


def decide(
    session: AnySession,
    packs: Packs,
    visitor: Visitor,
    about: About,
    verdict: str,
    reason: str,
    *,
    shown: str,
    revision: int,
) -> int:
    """Settle what the records leave open; returns the number of the matter.

    ``shown`` is the digest of the facts that the visitor saw, ``revision`` that of the matter (0
    where there was none).  Raises ``BadInput``, ``NotVisible``, ``NotAllowed``, or ``Outdated``
    where either is another by now.
    """
    reason = written(reason)
    _check_verdict(verdict)
    found = show(session, packs, visitor, about)
    _demand(found, "decide", revision)
    if found.basis != shown:
        raise Outdated(found.explanation.requirement_title)
    with transaction(session):
        return _decide(session, visitor, found, verdict, reason)


def decide_many(
    session: AnySession,
    packs: Packs,
    visitor: Visitor,
    abouts: Sequence[About],
    verdict: str,
    reason: str,
) -> list[int]:
    """Settle several findings on one requirement with one reason, each written down by itself.

    All or nothing.  Raises as :func:`decide`; ``BadInput`` also for more than one requirement
    or more than :data:`MOST_AT_ONCE` findings.
    """
    reason = written(reason)
    _check_verdict(verdict)
    if not abouts:
        raise BadInput([Problem("/items", _("没有选中事项"), _("请先勾选要认定的事项"))])
    if len({(about.requirement, about.part) for about in abouts}) > 1:
        wanted = _("一次只能认定同一项要求的事项")
        raise BadInput([Problem("/items", _("选中了几项不同的要求"), wanted)])
    if len(abouts) > MOST_AT_ONCE:
        wanted = _("一次至多 {number} 项").format(number=MOST_AT_ONCE)
        raise BadInput([Problem("/items", str(len(abouts)), wanted)])
    found = [show(session, packs, visitor, about) for about in abouts]
    for one in found:
        _demand(one, "decide", one.revision)
    with transaction(session):
        return [_decide(session, visitor, one, verdict, reason) for one in found]


def give_reason(
    session: AnySession, packs: Packs, visitor: Visitor, about: About, text: str, *, revision: int
) -> int:
    """The unit says why it deviated from what is asked in general; its superior answers."""
    text = written(text)
    found = show(session, packs, visitor, about)
    _demand(found, "explain", revision)
    with transaction(session):
        taken = snapshot(found.explanation)
        values = {
            "state": "explained",
            "explanation": text,
            "raised_by_id": visitor.user_id,
            "snapshot": taken,
            "basis": basis(taken),
            "reason": None,
            "decided_by": None,
            "decided_by_id": None,
            "decided_at": None,
            "changed": False,
            "seen": None,
        }
        matter = _put(session, found, values)
        _step(session, visitor, matter, "explain", text, taken=taken)
        if not matter.about_people:
            target = Target(about.organization_id, about.requirement, about.part, about.period)
            answer_with_reason(session, visitor, target, text)
        notify_superiors(session, visitor, found.organization, "explained", _notice(matter))
        return matter.id


def answer_reason(
    session: AnySession,
    packs: Packs,
    visitor: Visitor,
    about: About,
    reason: str,
    *,
    accepted: bool,
    revision: int,
) -> int:
    """Accept a deviation, with the unit's reason or the visitor's own, or decline it."""
    reason = written(reason)
    action = "accept" if accepted else "decline"
    found = show(session, packs, visitor, about)
    _demand(found, action, revision)
    with transaction(session):
        taken = snapshot(found.explanation)
        values = {
            "state": "accepted" if accepted else "declined",
            "reason": reason,
            **_by(visitor),
            "snapshot": taken,
            "basis": basis(taken),
            "changed": False,
            "seen": None,
        }
        matter = _put(session, found, values)
        _step(session, visitor, matter, action, reason, taken=taken)
        notify_unit(session, visitor, found.organization, matter.state, _notice(matter))
        return matter.id


def reopen(
    session: AnySession, visitor: Visitor, matter_id: int, reason: str, *, revision: int
) -> None:
    """Undo a decision or an answer: the finding is again what the records make it."""
    reason = written(reason)
    with transaction(session):
        matter, organization = _taken(session, visitor, matter_id, revision)
        if not may_decide(visitor, organization):
            raise NotAllowed(f"reopen at {organization.path}")
        if matter.state not in {"decided", "accepted", "declined"}:
            raise Outdated(matter.state)
        _undo(session, visitor, matter, organization, "reopen", reason)
        notify_unit(session, visitor, organization, "reopened", _notice(matter))


def appeal(
    session: AnySession, visitor: Visitor, matter_id: int, text: str, *, revision: int
) -> None:
    """The unit concerned objects to a decision; it holds until somebody else has answered."""
    text = written(text)
    with transaction(session):
        matter, organization = _taken(session, visitor, matter_id, revision)
        if not visitor.may("findings.appeal", organization.path):
            raise NotAllowed(f"appeal at {organization.path}")
        if matter.decided_by_id == visitor.user_id:
            raise NotAllowed("appeal against one's own decision")
        if matter.state not in {"decided", "declined"}:
            raise Outdated(matter.state)
        matter.state, matter.raised_by_id = "appealed", visitor.user_id
        _moved(matter)
        _step(session, visitor, matter, "appeal", text)
        notify_superiors(session, visitor, organization, "appealed", _notice(matter))


def answer_appeal(
    session: AnySession,
    visitor: Visitor,
    matter_id: int,
    reason: str,
    *,
    upheld: bool,
    revision: int,
) -> None:
    """Somebody other than the decider answers an appeal; one upheld undoes the decision."""
    reason = written(reason)
    with transaction(session):
        matter, organization = _taken(session, visitor, matter_id, revision)
        if not may_decide(visitor, organization):
            raise NotAllowed(f"answer an appeal at {organization.path}")
        if visitor.user_id in {matter.decided_by_id, matter.raised_by_id}:
            raise NotAllowed("answer an appeal against one's own decision")
        if matter.state != "appealed":
            raise Outdated(matter.state)
        if upheld:
            _undo(session, visitor, matter, organization, "uphold", reason)
        else:
            matter.state = "decided" if matter.verdict else "declined"
            matter.raised_by_id = None
            _moved(matter)
            _step(session, visitor, matter, "reject", reason)
        kind = "upheld" if upheld else "rejected"
        notify_unit(session, visitor, organization, kind, _notice(matter))


# -- parts of these ----------------------------------------------------------------------


def _explained(session: AnySession, packs: Packs, visitor: Visitor, about: About) -> Explanation:
    return queries.explain(
        session,
        packs,
        about.organization_id,
        about.requirement,
        within=visitor.within,
        part=about.part,
        subject=about.subject,
        period=about.period,
    )


def _demand(found: Shown, action: str, revision: int) -> None:
    """Refuse what the visitor may not do, or may do no more since somebody else acted."""
    if found.revision != revision:
        raise Outdated(found.explanation.requirement_title)
    if action not in found.actions:
        raise NotAllowed(f"{action} about {found.explanation.view.finding['requirement']}")


def _check_verdict(verdict: str) -> None:
    if verdict not in JUDGED_VERDICTS:
        wanted = _("请选择认定的结论")
        raise BadInput([Problem("/verdict", verdict or _("没有选择"), wanted)])


def _identity(explanation: Explanation) -> dict[str, Any]:
    """What the matter is about, by the columns that tell it from others."""
    finding = explanation.view.finding
    return {
        "organization_id": explanation.view.organization_id,
        "requirement": finding["requirement"],
        "part": finding["part"],
        "subject_type": finding["subject"]["type"],
        "subject": finding["subject"]["id"],
        "period": finding["period"],
    }


def _place(period: str | None) -> dict[str, Any]:
    """Where stored findings of a period are."""
    if period is None:
        return {"year": NO_YEAR, "unit": None, "place": NO_PERIOD}
    index, unit = parse(period)
    year, place = divmod(index, 12 // unit.value)
    return {"year": 1970 + year, "unit": unit.name.lower(), "place": place}


def _matter(
    session: AnySession, identity: Mapping[str, Any], *, lock: bool = False
) -> Matter | None:
    same = [getattr(Matter, name).is_not_distinct_from(to) for name, to in identity.items()]
    select = sa.select(Matter).where(*same)
    if lock:
        select = select.with_for_update().execution_options(populate_existing=True)
    return session.scalars(select).one_or_none()


def _put(session: AnySession, found: Shown, values: Mapping[str, Any]) -> Matter:
    """The matter with new values; it is made where there is none.

    Raises ``Outdated`` where somebody else acted since it was shown.
    """
    identity = _identity(found.explanation)
    matter = _matter(session, identity, lock=True)
    if (0 if matter is None else matter.revision) != found.revision:
        raise Outdated(identity["requirement"])
    if matter is None:
        matter = Matter(
            **identity,
            **_place(identity["period"]),
            profile=found.profile,
            # Whoever looks in a restricted scope looks at members or at discipline.
            about_people=current_tenant().restricted,
        )
        session.add(matter)
    else:
        _moved(matter)
    for name, value in values.items():
        setattr(matter, name, value)
    try:
        session.flush()
    except sa.exc.IntegrityError as error:
        raise Outdated(identity["requirement"]) from error
    return matter


def _taken(
    session: AnySession, visitor: Visitor, matter_id: int, revision: int
) -> tuple[Matter, Organization]:
    """The matter for changing, with its organization, which the visitor sees."""
    matter = session.scalars(
        sa.select(Matter)
        .where(Matter.id == matter_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if matter is None:
        raise NotVisible(f"matter {matter_id}")
    organization = find_unit(session, visitor, matter.organization_id, "findings.read")
    if matter.revision != revision:
        raise Outdated(matter.requirement)
    return matter, organization


def _decide(session: AnySession, visitor: Visitor, found: Shown, verdict: str, reason: str) -> int:
    taken = snapshot(found.explanation)
    values = {
        "state": "decided",
        "verdict": verdict,
        "reason": reason,
        "raised_by_id": None,
        **_by(visitor),
        "snapshot": taken,
        "basis": basis(taken),
        "changed": False,
        "seen": None,
    }
    matter = _put(session, found, values)
    finding = found.explanation.view.finding
    judged = {
        "requirement": matter.requirement,
        "part": matter.part,
        "organization": finding["organization"],
        "subject_type": matter.subject_type,
        "subject": matter.subject,
        "period": matter.period,
        "verdict": verdict,
        # A reason about somebody stays where only few can read it.
        "reason": _("见认定记录") if matter.about_people else reason,
        "judged_by": visitor.name,
        # Business days are those that findings are judged by, which may lag behind the clock.
        "judged_on": found.explanation.as_of,
    }
    store(session, {"judgements": [judged]}, "findings.decide")
    _step(session, visitor, matter, "decide", reason, taken=taken)
    notify_unit(session, visitor, found.organization, "decided", _notice(matter))
    return matter.id


def _undo(
    session: AnySession,
    visitor: Visitor,
    matter: Matter,
    organization: Organization,
    action: str,
    reason: str,
) -> None:
    """Take back what was decided; the organization is judged again."""
    same = {
        name: getattr(matter, name)
        for name in ("organization_id", "requirement", "part", "subject_type", "subject", "period")
    }
    removed = session.execute(
        sa.delete(judgements)
        .where(*(judgements.c[name].is_not_distinct_from(value) for name, value in same.items()))
        .returning(judgements.c.id)
    )
    if removed.all():
        mark_dirty(session, [organization.id], "findings.reopen")
    matter.state = "open"
    matter.verdict = matter.reason = matter.explanation = None
    matter.decided_by = matter.decided_by_id = matter.decided_at = matter.raised_by_id = None
    matter.snapshot = matter.basis = matter.seen = None
    matter.changed = False
    _moved(matter)
    _step(session, visitor, matter, action, reason)


def _by(visitor: Visitor) -> dict[str, Any]:
    return {
        "decided_by": visitor.name,
        "decided_by_id": visitor.user_id,
        "decided_at": datetime.now(UTC),
    }


def _moved(matter: Matter) -> None:
    matter.revision += 1
    matter.updated_at = datetime.now(UTC)


def _step(
    session: AnySession,
    visitor: Visitor,
    matter: Matter,
    action: str,
    text: str,
    *,
    taken: Mapping[str, Any] | None = None,
) -> None:
    """Write down what was done, in the matter's log and in the audit trail."""
    session.add(
        MatterStep(
            matter_id=matter.id,
            about_people=matter.about_people,
            action=action,
            verdict=matter.verdict if action == "decide" else None,
            text=text,
            snapshot=None if taken is None else dict(taken),
            user_id=visitor.user_id,
            actor=visitor.name,
        )
    )
    after = {
        "organization": matter.organization_id,
        "requirement": matter.requirement,
        "part": matter.part,
        "period": matter.period,
        "state": matter.state,
        "verdict": matter.verdict,
    }
    if not matter.about_people:
        after |= {"subject": [matter.subject_type, matter.subject], "reason": text}
    record(session, visitor.actor(), f"finding.{action}", "matter", matter.id, after=after)
    session.flush()


def _notice(matter: Matter) -> dict[str, Any]:
    """What users are told of a matter: nothing that says whom it is about."""
    return {
        "key": f"matter-{matter.id}-{matter.revision}",
        "matter": matter.id,
        "requirement": matter.requirement,
        "part": matter.part,
        "period": matter.period,
    }
