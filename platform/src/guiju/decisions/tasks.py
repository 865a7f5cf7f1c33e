"""What a superior asks of units that fall short: a reminder, a reason, a rectification.

Always of a unit, never of a person; visible to the unit at once, and undone as if it had
never been asked for a short while.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from guiju.accounts.visitors import Visitor
from guiju.activities.access import NotAllowed, demand, find_unit
from guiju.audit.operations import record
from guiju.db.arrays import any_of
from guiju.db.session import AnySession, transaction
from guiju.decisions.models import TASK_KINDS, Task
from guiju.decisions.refusals import LONGEST, Outdated, written
from guiju.language import gettext as _
from guiju.notices.operations import notify_unit, notify_user, withdraw
from guiju.notices.wording import title_of
from guiju.organizations.models import Organization
from guiju.organizations.tree import within
from guiju.rules.pack import Pack
from guiju.rules.problems import BadInput, Problem
from guiju.scoring import views
from guiju.scoring.models import Attention
from guiju.scoring.naming import Names
from guiju.scoring.numbering import rule_keys
from guiju.scoring.results import NotVisible, Unit

#: What was asked can be undone for so long.
UNDO = timedelta(minutes=30)

#: Units and requirements asked about in one go.
MOST_AT_ONCE = 200


#: By what lists of tasks can be sorted.
ORDERS: Mapping[str, Any] = {
    "made": Task.id,
    "due": Task.due_on,
    "unit": Organization.__table__.c.name,
    "state": Task.state,
}


@dataclass(frozen=True)
class Target:
    """What falls short: one requirement of one unit in one period."""

    organization_id: int
    requirement: str
    part: str | None = None
    period: str | None = None


@dataclass(frozen=True)
class TaskRow:
    """A task as lists show it."""

    task: Task
    unit: Unit
    title: str
    #: What the visitor may do now: ``answer``, ``close``, ``undo``.
    actions: frozenset[str]


@dataclass(frozen=True)
class TaskPage:
    """Tasks, newest first, and the number that the next page begins before."""

    rows: Sequence[TaskRow]
    before: int | None


def ask(
    session: AnySession,
    visitor: Visitor,
    kind: str,
    targets: Sequence[Target],
    *,
    text: str = "",
    due_on: date | None = None,
    today: date,
) -> str:
    """Remind units, ask them for a reason, or for a rectification; returns the batch's name.

    All or nothing.  A rectification has a day by which it is to be done.  Raises ``BadInput``,
    ``NotVisible`` and ``NotAllowed``; ``Outdated`` where something does not fall short now.
    """
    text = text.strip()
    problems = list(_problems(kind, targets, text, due_on, today))
    if problems:
        raise BadInput(problems)
    wanted = list(dict.fromkeys(targets))
    with transaction(session):
        units = _units(session, visitor, {target.organization_id for target in wanted})
        profiles = _short(session, wanted)
        batch = secrets.token_urlsafe(9)
        tasks = [
            Task(
                kind=kind,
                batch=batch,
                organization_id=target.organization_id,
                profile=profiles[target],
                requirement=target.requirement,
                part=target.part,
                period=target.period,
                text=text or None,
                due_on=due_on if kind != "remind" else None,
                state="closed" if kind == "remind" else "open",
                user_id=visitor.user_id,
                made_by=visitor.name,
            )
            for target in wanted
        ]
        session.add_all(tasks)
        session.flush()
        for task in tasks:
            notify_unit(session, visitor, units[task.organization_id], kind, _notice(task))
        after = {
            "kind": kind,
            "tasks": [[task.id, task.organization_id, task.requirement] for task in tasks],
            "text": text or None,
            "due_on": due_on,
        }
        record(session, visitor.actor(), f"task.{kind}", "task", batch, after=after)
    return batch


def undo(session: AnySession, visitor: Visitor, batch: str) -> int:
    """Take back what the visitor asked in one go; returns how many tasks that were.

    Raises ``NotVisible`` for what is not the visitor's, ``Outdated`` once a unit has answered
    or the time for it is over.
    """
    with transaction(session):
        tasks = session.scalars(
            sa.select(Task)
            .where(Task.batch == batch, Task.user_id == visitor.user_id)
            .with_for_update()
        ).all()
        if not tasks:
            raise NotVisible(f"batch {batch}")
        if not all(_can_be_undone(task) for task in tasks):
            raise Outdated(batch)
        for task in tasks:
            task.state = "undone"
            task.closed_by, task.closed_at = visitor.name, datetime.now(UTC)
        withdraw(session, tasks[0].kind, [_key(task) for task in tasks])
        record(session, visitor.actor(), "task.undo", "task", batch)
        return len(tasks)


def answer(session: AnySession, visitor: Visitor, task_id: int, text: str) -> None:
    """The unit says why, or what it has done about it."""
    text = written(text, "/text")
    with transaction(session):
        task, organization = _task(session, visitor, task_id)
        demand(visitor, "findings.appeal", organization.path)
        if task.user_id == visitor.user_id:
            raise NotAllowed("answer what one asked oneself")
        if task.state != "open":
            raise Outdated(task.state)
        task.state, task.answer = "answered", text
        task.answered_by, task.answered_at = visitor.name, datetime.now(UTC)
        task.remark = None
        if task.user_id is not None and task.user_id != visitor.user_id:
            key = {**_notice(task), "key": f"task-{task.id}-{task.answered_at.isoformat()}"}
            notify_user(session, task.user_id, task.organization_id, "answered", key)
        after = {"organization": task.organization_id, "answer": text}
        record(session, visitor.actor(), "task.answer", "task", task.id, after=after)


def close(
    session: AnySession, visitor: Visitor, task_id: int, remark: str, *, accepted: bool
) -> None:
    """Close what a unit has answered, or send it back with a remark."""
    remark = remark.strip() if accepted else written(remark, "/remark")
    with transaction(session):
        task, organization = _task(session, visitor, task_id)
        demand(visitor, "findings.act", organization.path)
        if task.answered_by == visitor.name and task.user_id != visitor.user_id:
            raise NotAllowed("close what one answered oneself")
        if task.state != "answered":
            raise Outdated(task.state)
        moment = datetime.now(UTC)
        task.state = "closed" if accepted else "open"
        task.remark = remark or None
        if accepted:
            task.closed_by, task.closed_at = visitor.name, moment
        kind = "closed" if accepted else "sent_back"
        key = {**_notice(task), "key": f"task-{task.id}-{moment.isoformat()}"}
        notify_unit(session, visitor, organization, kind, key)
        after = {"organization": task.organization_id, "remark": remark}
        record(session, visitor.actor(), f"task.{kind}", "task", task.id, after=after)


def answer_with_reason(session: AnySession, visitor: Visitor, target: Target, text: str) -> None:
    """A reason given where the deviation is shown answers who asked for one; part of that."""
    session.execute(
        sa.update(Task)
        .where(
            Task.kind == "ask_reason",
            Task.state == "open",
            Task.organization_id == target.organization_id,
            Task.requirement == target.requirement,
            Task.part.is_not_distinct_from(target.part),
            Task.period.is_not_distinct_from(target.period),
        )
        .values(
            state="answered",
            answer=text,
            answered_by=visitor.name,
            answered_at=datetime.now(UTC),
        )
    )


def tasks_about(session: AnySession, target: Target) -> list[Task]:
    """What was asked of a unit about one requirement and period, newest first."""
    return list(
        session.scalars(
            sa.select(Task)
            .where(
                Task.organization_id == target.organization_id,
                Task.requirement == target.requirement,
                Task.part.is_not_distinct_from(target.part),
                Task.period.is_not_distinct_from(target.period),
                Task.state != "undone",
            )
            .order_by(Task.id.desc())
        )
    )


def tasks(
    session: AnySession,
    packs: Mapping[str, Pack],
    visitor: Visitor,
    organization_id: int,
    *,
    state: str | None = None,
    kind: str | None = None,
    order_by: str = "made",
    falling: bool = True,
    before: int | None = None,
    skip: int = 0,
    limit: int = 50,
    below: bool = True,
) -> TaskPage:
    """What was asked of an organization and, if ``below``, of those below it.

    Undone tasks only if asked for.  ``order_by`` is of :data:`ORDERS`; the newest first, a page
    goes on ``before`` a number, and in any order after ``skip`` rows.
    """
    organization = find_unit(session, visitor, organization_id, "findings.read")
    path = Organization.__table__.c.path
    here = within(path, organization.path) if below else Task.organization_id == organization_id
    key = ORDERS[order_by].desc() if falling else ORDERS[order_by].asc()
    select = _with_paths().order_by(None).order_by(key.nulls_last(), Task.id.desc())
    select = select.where(here).offset(skip).limit(limit + 1)
    select = select.where(Task.state == state if state else Task.state != "undone")
    if kind is not None:
        select = select.where(Task.kind == kind)
    if before is not None:
        select = select.where(Task.id < before)
    found = session.execute(select).all()
    rows = _rows(session, packs, visitor, found[:limit])
    return TaskPage(rows, rows[-1].task.id if len(found) > limit else None)


def one(
    session: AnySession, packs: Mapping[str, Pack], visitor: Visitor, task_id: int, *, lock: bool
) -> TaskRow:
    """One task of a unit that the visitor sees; raises ``NotVisible``.

    ``lock`` keeps others from acting upon it until the transaction ends.
    """
    select = _with_paths().where(Task.id == task_id)
    if lock:
        select = select.with_for_update(of=Task).execution_options(populate_existing=True)
    found = session.execute(select).all()
    if not found or not visitor.sees(found[0][1]):
        raise NotVisible(f"task {task_id}")
    demand(visitor, "findings.read", found[0][1])
    return _rows(session, packs, visitor, found)[0]


def batch_of(
    session: AnySession, packs: Mapping[str, Pack], visitor: Visitor, batch: str, *, lock: bool
) -> list[TaskRow]:
    """What the visitor asked in one go; raises ``NotVisible`` for what others asked."""
    select = _with_paths().where(Task.batch == batch, Task.user_id == visitor.user_id)
    if lock:
        select = select.with_for_update(of=Task).execution_options(populate_existing=True)
    found = session.execute(select).all()
    if not found or not all(visitor.sees(path) for _task, path in found):
        raise NotVisible(f"batch {batch}")
    return _rows(session, packs, visitor, found)


@cache
def _with_paths() -> sa.Select[Task, str]:
    """Tasks with the paths of their units, newest first."""
    return (
        sa.select(Task, Organization.__table__.c.path)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == Task.tenant_id, Organization.id == Task.organization_id
            ),
        )
        .order_by(Task.id.desc())
    )


def _rows(
    session: AnySession,
    packs: Mapping[str, Pack],
    visitor: Visitor,
    found: Sequence[sa.Row[Task, str]],
) -> list[TaskRow]:
    units = Names(session).units({task.organization_id for task, _path in found})
    return [
        TaskRow(
            task,
            units[task.organization_id],
            title_of(packs, task.requirement, task.part),
            _actions(visitor, task, path),
        )
        for task, path in found
    ]


def _actions(visitor: Visitor, task: Task, path: str) -> frozenset[str]:
    found = set()
    mine = task.user_id == visitor.user_id
    if task.state == "open" and not mine and visitor.may("findings.appeal", path):
        found.add("answer")
    if task.state == "answered" and visitor.may("findings.act", path):
        found.add("close")
    if mine and _can_be_undone(task):
        found.add("undo")
    return frozenset(found)


def _can_be_undone(task: Task) -> bool:
    fresh = datetime.now(UTC) - task.made_at < UNDO
    return fresh and task.answered_at is None and task.state != "undone"


def _problems(
    kind: str, targets: Sequence[Target], text: str, due_on: date | None, today: date
) -> list[Problem]:
    found = []
    if kind not in TASK_KINDS:
        found.append(Problem("/kind", kind, _("请选择要做什么")))
    if not targets:
        found.append(Problem("/items", _("没有选中事项"), _("请先勾选事项")))
    if len(targets) > MOST_AT_ONCE:
        wanted = _("一次至多 {number} 项").format(number=MOST_AT_ONCE)
        found.append(Problem("/items", str(len(targets)), wanted))
    if len(text) > LONGEST:
        wanted = _("至多 {number} 个字").format(number=LONGEST)
        found.append(Problem("/text", _("{number} 个字").format(number=len(text)), wanted))
    if kind == "rectify" and due_on is None:
        found.append(Problem("/due_on", _("没有填写"), _("请写明整改时限")))
    if kind != "remind" and due_on is not None and due_on < today:
        found.append(Problem("/due_on", due_on.isoformat(), _("时限不能早于今天")))
    return found


def _units(session: AnySession, visitor: Visitor, numbers: set[int]) -> Mapping[int, Organization]:
    """The organizations, each of which the visitor may act upon."""
    select = sa.select(Organization).where(any_of(Organization.id, numbers))
    found = {unit.id: unit for unit in session.scalars(select)}
    for number in numbers:
        if number not in found or not visitor.sees(found[number].path):
            raise NotVisible(f"organization {number}")
        demand(visitor, "findings.act", found[number].path)
    return found


def _short(session: AnySession, targets: Sequence[Target]) -> dict[Target, str]:
    """The profile of each target; raises ``Outdated`` for one that does not fall short now."""
    keys = rule_keys(session)
    rows = session.execute(
        sa.select(Attention.organization_id, Attention.year, Attention.cells).where(
            any_of(Attention.organization_id, {target.organization_id for target in targets})
        )
    )
    known: dict[Target, str] = {}
    for organization, year, cells in rows:
        for cell in cells:
            key = keys[cell // 16]
            label, _text = views.period_text(views.period_of(key, year, cell % 16))
            known[Target(organization, key.requirement, key.part, label)] = key.profile
    for target in targets:
        if target not in known:
            raise Outdated(target.requirement)
    return {target: known[target] for target in targets}


def _task(session: AnySession, visitor: Visitor, task_id: int) -> tuple[Task, Organization]:
    task = session.scalars(
        sa.select(Task).where(Task.id == task_id).with_for_update()
    ).one_or_none()
    if task is None:
        raise NotVisible(f"task {task_id}")
    return task, find_unit(session, visitor, task.organization_id, "findings.read")


def _notice(task: Task) -> dict[str, str | int | None]:
    return {
        "key": _key(task),
        "task": task.id,
        "requirement": task.requirement,
        "part": task.part,
        "period": task.period,
        "text": task.text,
        "due_on": task.due_on.isoformat() if task.due_on else None,
    }


def _key(task: Task) -> str:
    return f"task-{task.id}"
