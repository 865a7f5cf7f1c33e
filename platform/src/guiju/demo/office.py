"""What the people of an invented office do by hand: reviews, reminders, reasons, appeals.

The workbook brings a tenant's tree and its year; this brings the week in which one looks at
it, so that every list has something to show.  Everything is done by the operations that the
pages call, by users with the roles that it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import sqlalchemy as sa

from guiju.accounts.models import User
from guiju.accounts.operations import create_user
from guiju.accounts.visitors import Visitor, find_visitor
from guiju.activities.drafts import save_draft
from guiju.activities.records import create_record, return_record
from guiju.activities.workflow import set_workflow
from guiju.audit.operations import Actor
from guiju.db.scope import current_tenant_id
from guiju.db.session import ScopedSession
from guiju.decisions import matters, tasks
from guiju.decisions.matters import About
from guiju.decisions.models import Task
from guiju.decisions.tasks import Target
from guiju.demo.people import People
from guiju.hookspecs import DemoTenant
from guiju.organizations.models import Organization, Person, Post
from guiju.plugins import Plugins
from guiju.reports.operations import request_report
from guiju.scoring import queries
from guiju.scoring.results import AttentionItem

#: Sign-in names, by what their users are.
ADMINISTRATOR, SECRETARY, REVIEWER, AUDITOR = "admin", "shuji", "shenhe", "shenji"

_RETURNED = "授课提纲没有上传，请补上后再提交。"
_REASON = "当月委员集中外出培训，到会人数不够，会议改在次月初补开。"
_NOT_SEEN = "现场检查时没有看到相关材料。"
_SEEN = "查阅了支委会的议事记录，制度已经建立并照此执行。"
_APPEAL = "检查当天材料存放在档案室，现已取出，请再核对一次。"
_HURRY = "请核对本单位的记录，漏记的尽快补上。"
_EXPLAIN = "请说明没有按时召开的原因。"
_RECTIFY = "请在年底前补齐，并把结果报来。"


@dataclass(frozen=True)
class Account:
    """A user of the demonstration; ``organization`` is the id in the workbook."""

    role: str
    organization: str
    username: str
    password: str


def staff(session: ScopedSession, actor: Actor, tenant: DemoTenant) -> list[Account]:
    """Make the tenant's users besides its administrator, who is given a person's name.

    The session is in the tenant's scope, restricted.
    """
    people = People(Random(tenant.id), "", tenant.as_of)
    branch, root = _unit(session, tenant.branch), _unit(session, tenant.root)
    above = session.get_one(Organization, (branch.tenant_id, branch.parent_id))
    secretary = session.scalars(
        sa.select(Person.name)
        .join(Post, sa.and_(Post.tenant_id == Person.tenant_id, Post.person_id == Person.id))
        .where(Post.organization_id == branch.id, Post.post == "secretary")
    ).one()
    wanted = [
        ("secretary", SECRETARY, secretary or branch.name, "recorder", branch.id, branch.code),
        ("reviewer", REVIEWER, people.make().name, "reviewer", above.id, above.code),
        ("auditor", AUDITOR, people.make().name, "auditor", root.id, root.code),
    ]
    named = sa.update(User).where(User.username == ADMINISTRATOR)
    session.execute(named.values(name=people.make().name))
    session.commit()
    made = []
    for title, username, name, role, unit, code in wanted:
        _user, password = create_user(session, actor, username, name, [(role, unit)])
        made.append(Account(title, code, f"{username}@{tenant.id}", str(password)))
    return made


def has_worked(session: ScopedSession) -> bool:
    """Whether :func:`work` has been done in the tenant that the session is in."""
    found = session.scalar(sa.select(Task.id).limit(1)) is not None
    session.rollback()
    return found


def work(session: ScopedSession, plugins: Plugins, tenant: DemoTenant) -> None:
    """Let the users do a week's work in the tenant, which is judged."""
    office = _Office(session, plugins, tenant)
    office.ask()
    office.record()
    office.discuss()
    office.report()


class _Office:
    """The users at work in their tenant."""

    def __init__(self, session: ScopedSession, plugins: Plugins, tenant: DemoTenant) -> None:
        self._session, self._plugins, self._tenant = session, plugins, tenant
        self._branch, self._root = _unit(session, tenant.branch), _unit(session, tenant.root)
        self._department = self._visitor(ADMINISTRATOR)
        self._secretary = self._visitor(SECRETARY)
        self._reviewer = self._visitor(REVIEWER)
        session.commit()

    def ask(self) -> None:
        """The department reminds some units, asks others why, and asks for putting right."""
        lacking = self._falling_short("not_met", below=True)
        late = self._falling_short("deviation", below=True)
        self._ask("remind", lacking[:4], _HURRY)
        self._ask("ask_reason", [*self._falling_short("deviation")[:1], *late[:5]], _EXPLAIN, 10)
        self._ask("rectify", lacking[4:7], _RECTIFY, 41)

    def record(self) -> None:
        """The secretary's lecture comes back from review; a meeting is still being typed."""
        session, branch = self._session, self._branch.id
        set_workflow(session, self._department, self._root.id, levels=1)
        lecture = {
            "kinds": ["party_lecture"],
            "held_on": (self._tenant.as_of - timedelta(days=8)).isoformat(),
            "theme": "学习贯彻全会精神",
            "place": "党员活动室",
        }
        made = create_record(session, self._secretary, self._plugins, branch, lecture)
        return_record(session, self._reviewer, made.occasion_id, _RETURNED)
        meeting = {
            "kinds": ["branch_committee"],
            "held_on": (self._tenant.as_of - timedelta(days=4)).isoformat(),
            "theme": "研究本月主题党日安排",
            "place": "党员活动室",
        }
        save_draft(session, self._secretary, branch, meeting)

    def discuss(self) -> None:
        """Findings are decided, one of them is objected to, and a reason is given."""
        packs, session = self._plugins.packs, self._session
        left_open = self._falling_short("needs_judgement")
        for item, verdict, reason in zip(
            left_open, ("not_met", "met"), (_NOT_SEEN, _SEEN), strict=False
        ):
            about = _about(item)
            shown = matters.show(session, packs, self._reviewer, about)
            matter = matters.decide(
                session,
                packs,
                self._reviewer,
                about,
                verdict,
                reason,
                shown=shown.basis,
                revision=shown.revision,
            )
            if verdict == "not_met":
                revision = matters.show(session, packs, self._secretary, about).revision
                matters.appeal(session, self._secretary, matter, _APPEAL, revision=revision)
        for item in self._falling_short("deviation")[1:2]:
            matters.give_reason(session, packs, self._secretary, _about(item), _REASON, revision=0)

    def report(self) -> None:
        """The department asks for its report."""
        formats = {one.id: one for one in self._plugins.formats_of(self._tenant.profile)}
        actor, root = self._department.actor(), self._root.id
        for format_ in list(formats)[:1]:
            request_report(self._session, actor, formats, root, format_, self._tenant.as_of)

    def _visitor(self, username: str) -> Visitor:
        number = self._session.scalars(sa.select(User.id).where(User.username == username)).one()
        found = find_visitor(self._session, current_tenant_id(), number)
        assert found is not None, "made with the tenant"
        return found

    def _falling_short(self, verdict: str, *, below: bool = False) -> Sequence[AttentionItem]:
        """What is open in the secretary's branch or (``below``) anywhere, about whole units."""
        found = queries.attention(
            self._session,
            self._plugins.packs,
            self._root.id if below else self._branch.id,
            within=[self._root.path],
            verdicts=[verdict],
            below=below,
            limit=200,
        ).items
        return [
            item
            for item in found
            if item.subject_type == "organization"
            and (not below or item.unit.organization_id != self._branch.id)
        ]

    def _ask(
        self, kind: str, items: Sequence[AttentionItem], text: str, days: int | None = None
    ) -> None:
        targets = [
            Target(item.unit.organization_id, item.requirement, item.part, item.period)
            for item in items
        ]
        if not targets:
            return
        today = self._tenant.as_of
        due_on = None if days is None else today + timedelta(days=days)
        tasks.ask(
            self._session, self._department, kind, targets, text=text, due_on=due_on, today=today
        )


def _about(item: AttentionItem) -> About:
    return About(item.unit.organization_id, item.requirement, item.part, None, item.period)


def _unit(session: ScopedSession, code: str) -> Organization:
    return session.scalars(sa.select(Organization).where(Organization.code == code)).one()
