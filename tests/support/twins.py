"""Two tenants with twin data, each with two parts of a tree that know nothing of each other.

Ids and kinds are the same in both tenants, so that a mix-up finds something.  Every text that
a part of a tree keeps contains that part's own marker, a word that appears nowhere else and
that no request ever brings: who sees it has seen what is not theirs.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from offices import PASSWORD
from PIL import Image

from guiju import clock
from guiju.accounts import passwords
from guiju.accounts.models import Delegation, User, UserRole, UserSession
from guiju.accounts.permissions import PERMISSIONS, ROLES
from guiju.accounts.support import grant_support
from guiju.accounts.tokens import create_token
from guiju.accounts.visitors import Visitor, find_visitor
from guiju.activities.attachments import Cabinet, attach_to_record, cabinet
from guiju.activities.drafts import save_draft
from guiju.activities.models import Announcement, FollowUp, talks
from guiju.activities.operations import store_facts
from guiju.activities.records import create_record
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.decisions.models import Task
from guiju.importing.models import Import
from guiju.jobs.kinds import Upload
from guiju.jobs.models import JobFile
from guiju.jobs.operations import begin, finish, keep_file
from guiju.notices.models import Notice
from guiju.organizations.models import Member, Organization, Post
from guiju.organizations.operations import rename_organization
from guiju.plugins import Plugins
from guiju.profiles.keeping import request_preview
from guiju.profiles.operations import adopt, propose
from guiju.profiles.terms import Enable, End, Term
from guiju.reports.operations import request_report
from guiju.scoring.operations import drain, set_as_of
from guiju.tenancy.operations import NewTenant, enable_profile

ACTOR = Actor("twins")
AS_OF = date(2021, 11, 10)
PROFILE = "xian"
SIDES = ("left", "right")


@dataclass
class Part:
    """A part of a tenant's tree, with the numbers and ids of what it keeps."""

    side: str
    marker: str
    #: Numbers of organizations by code.
    units: dict[str, int] = field(default_factory=dict)
    #: What addresses name: by parameter, see ``tests/isolation/walking.py``.
    things: dict[str, Any] = field(default_factory=dict)
    #: What the platform's support gets in by.
    support_code: str = ""


@dataclass
class Twin:
    """One of the tenants."""

    tenant: NewTenant
    parts: dict[str, Part]
    #: Sign-in names by role and side: ``recorder-left``; ``everything`` holds all roles at the top.
    users: dict[str, str]
    tokens: dict[str, str]


def facts(part: Part) -> dict[str, list[dict[str, Any]]]:
    """What one part of a tree recorded, a row of every kind with its marker in every text."""
    side, mark = part.side, part.marker
    branch, person = f"{side}-1", f"{side}-p1"
    return {
        "organizations": [
            {"id": side, "name": f"机关党委{mark}", "kind": "committee", "parent": "root"},
            {"id": branch, "name": f"第一党支部{mark}", "kind": "branch", "parent": side},
            {"id": f"{side}-2", "name": f"第二党支部{mark}", "kind": "branch", "parent": side},
            {
                "id": f"{side}-g",
                "name": f"第一党小组{mark}",
                "kind": "party_group",
                "parent": branch,
            },
        ],
        "members": [
            {
                "id": f"{side}-p{number}",
                "name": f"党员{number}{mark}",
                "organization": branch,
                "membership_class": "full",
                "from_on": date(2018, 1, 1),
                "group": f"{side}-g",
            }
            for number in range(1, 5)
        ],
        "posts": [
            {"person": person, "organization": branch, "post": "secretary", "from_on": AS_OF}
        ],
        "occasions": [
            {
                "id": f"{side}-o{month}",
                "organization": branch,
                "kinds": ["theme_day", "party_lecture"],
                "held_on": date(2021, month, 5),
                "title_text": f"活动{mark}",
                "theme": f"主题{mark}",
                "place": f"会议室{mark}",
                "lecturer": person,
            }
            for month in (3, 5, 8)
        ],
        "attendance": [{"occasion": f"{side}-o3", "person": person, "status": "present"}],
        "agenda": [{"occasion": f"{side}-o3", "item": f"议题{mark}", "matter": f"事项{mark}"}],
        "documents": [{"occasion": f"{side}-o3", "kind": "minutes", "kept_on": date(2021, 3, 6)}],
        "talks": [
            {
                "id": f"{side}-t1",
                "organization": branch,
                "held_on": date(2021, 4, 1),
                "person": person,
                "partner": f"{side}-p2",
            }
        ],
        "reports": [
            {
                "id": f"{side}-r1",
                "organization": branch,
                "kind": "work_report",
                "filed_on": date(2021, 5, 1),
                "matter": f"报告{mark}",
            }
        ],
        "rectifications": [
            {"id": f"{side}-c1", "organization": branch, "opened_on": date(2021, 5, 1)}
        ],
        "disciplinary_steps": [
            {
                "case": f"个案{mark}",
                "organization": branch,
                "person": person,
                "step": "reminder",
                "taken_on": date(2021, 6, 1),
                "document": f"文号{mark}",
            }
        ],
        "attestations": [
            {"organization": branch, "period": f"2021-{month:02d}", "attested_on": AS_OF}
            for month in range(1, 7)
        ],
    }


def visitor_of(session: ScopedSession, twin: Twin, name: str) -> Visitor:
    """A user of the tenant, in whose scope the session is."""
    username = twin.users[name].partition("@")[0]
    user_id = session.scalars(sa.select(User.id).where(User.username == username)).one()
    found = find_visitor(session, twin.tenant.tenant_id, user_id)
    assert found is not None
    return found


def make_users(session: ScopedSession, twin: Twin, units: dict[str, int]) -> None:
    """A user for every role on each side, and one with every role at the top; with tokens."""
    at = "@" + twin.tenant.sign_in_name.partition("@")[2]
    wanted = {
        f"{role}-{side}": (twin.parts[side].marker, [(role, units[side])])
        for role in ROLES
        for side in SIDES
    }
    wanted["everything"] = ("全部", [(role, twin.tenant.root_id) for role in ROLES])
    # Made once: hashing a password is slow on purpose.
    hashed, now = passwords.hashed(PASSWORD), datetime.now(UTC)
    for name, (mark, roles) in wanted.items():
        session.add(
            User(
                username=name,
                name=f"用户{mark}",
                password_hash=hashed,
                password_set_at=now,
                roles=[UserRole(role=role, organization_id=place) for role, place in roles],
            )
        )
        session.commit()
        twin.users[name] = name + at
        visitor = visitor_of(session, twin, name)
        held = [permission for permission in PERMISSIONS if visitor.may(permission)]
        number, token = create_token(session, visitor, f"令牌{mark}", held, 30)
        twin.tokens[name] = token
        if not name.startswith("everything"):
            things = twin.parts[name.rpartition("-")[2]].things
            things["token_id"], things["user_id"] = number, visitor.user_id


def make_things(
    session: ScopedSession, plugins: Plugins, files: Cabinet, twin: Twin, part: Part
) -> None:
    """What a part of the tree keeps beside its facts: records on their way, drafts, jobs."""
    recorder = visitor_of(session, twin, f"recorder-{part.side}")
    administrator = visitor_of(session, twin, f"administrator-{part.side}")
    branch = part.units[f"{part.side}-1"]
    payload = {
        "kinds": ["theme_day"],
        "held_on": "2021-09-01",
        "title_text": f"填报{part.marker}",
        "content": f"内容{part.marker}",
        "attendance": [{"person": f"{part.side}-p1", "status": "present"}],
    }
    made = create_record(session, recorder, plugins, branch, payload, code=f"{part.side}-record")
    part.things["occasion_id"] = made.occasion_id
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    picture.seek(0)
    kept = attach_to_record(
        session,
        recorder,
        files,
        made.occasion_id,
        f"照片{part.marker}.png",
        picture,
        reason="补充",
    )
    part.things["record_file_id"] = kept.file_id
    draft = save_draft(session, recorder, branch, {"title_text": f"草稿{part.marker}"})
    part.things["draft_id"] = draft.draft_id
    formats = {known.id: known for known in plugins.formats_of(PROFILE)}
    job = request_report(
        session, administrator.actor(), formats, branch, next(iter(formats)), AS_OF
    )
    begin(session, job)
    keep_file(
        session,
        job,
        Upload(f"报表{part.marker}.txt", "text/plain", part.marker.encode()),
        produced=True,
    )
    session.commit()
    finish(session, job, {"note": part.marker})
    part.things["job_id"] = part.things["report_id"] = job
    part.things["file_id"] = session.scalars(
        sa.select(JobFile.id).where(JobFile.job_id == job)
    ).one()
    make_changes(session, plugins, twin, part)
    make_rows(session, recorder, part, job)
    support = grant_support(
        session, administrator, part.units[part.side], f"支持{part.marker}", hours=1
    )
    part.things["support_id"], part.support_code = support.id, support.code
    make_tasks(session, administrator, part)


def make_changes(session: ScopedSession, plugins: Plugins, twin: Twin, part: Part) -> None:
    """What was done to a part of the tree, and could be taken back."""
    administrator = visitor_of(session, twin, f"administrator-{part.side}").actor()
    second = part.units[f"{part.side}-2"]
    renamed = rename_organization(
        session, administrator, second, f"改名{part.marker}", date(2021, 10, 1)
    )
    part.things["tree_change_id"] = renamed.change_id
    enable = Enable(Term(PROFILE, date(2021, 2, 1)))
    proposal = propose(session, plugins.packs, second, enable)
    part.things["profile_change_id"] = adopt(session, administrator, proposal)
    end = propose(session, plugins.packs, second, End(date(2021, 2, 1), date(2021, 10, 31)))
    part.things["preview_id"] = request_preview(session, plugins.packs, administrator, end, AS_OF)


def make_rows(session: ScopedSession, recorder: Visitor, part: Part, job: int) -> None:
    """What else there is of a part, as its own operations would have made it."""
    branch = part.units[f"{part.side}-1"]
    made: dict[str, Any] = {
        "import_id": Import(
            job_id=job,
            organization_id=branch,
            name=f"名册{part.marker}.xlsx",
            digest="0" * 64,
            made_by=f"用户{part.marker}",
        ),
        "notice_id": Notice(
            user_id=recorder.user_id,
            kind="remind",
            key=part.marker,
            organization_id=branch,
            details={"text": part.marker},
        ),
    }
    now = datetime.now(UTC)
    roles = sa.select(UserRole).where(UserRole.user_id == part.things["user_id"])
    role = session.scalars(roles.order_by(UserRole.id).limit(1)).one()
    made["delegation_id"] = Delegation(
        role_id=role.id,
        user_id=recorder.user_id,
        from_on=AS_OF,
        until_on=AS_OF,
        reason=f"出差{part.marker}",
    )
    made["session_id"] = UserSession(
        user_id=role.user_id, begun_at=now, seen_at=now, agent=f"浏览器{part.marker}"
    )
    made["announcement_id"] = Announcement(
        organization_id=branch,
        meets_on=clock.today(),
        text=f"开会{part.marker}",
        user_id=recorder.user_id,
        author=f"用户{part.marker}",
    )
    made["follow_up_id"] = FollowUp(
        occasion_id=part.things["occasion_id"],
        organization_id=branch,
        what=f"落实{part.marker}",
        who=f"用户{part.marker}",
        author=f"用户{part.marker}",
    )
    session.add_all(made.values())
    session.commit()
    part.things |= {name: row.id for name, row in made.items()} | {"role_id": role.id}
    for name, model in (("member_id", Member), ("post_id", Post)):
        held = sa.select(sa.func.min(model.id)).where(model.organization_id == branch)
        part.things[name] = session.scalars(held).one()
    entered = sa.select(sa.func.min(talks.c.id)).where(talks.c.organization_id == branch)
    part.things["entry_id"] = session.scalars(entered).one()


def make_tasks(session: ScopedSession, administrator: Visitor, part: Part) -> None:
    """What the superior asked of a branch, and could take back."""
    task = Task(
        kind="remind",
        # Unlike an author's id it is one of the whole platform.
        batch=f"batch-{part.side}-{administrator.tenant_id}",
        organization_id=part.units[f"{part.side}-1"],
        profile=PROFILE,
        requirement=f"{PROFILE}.theme_day",
        text=f"提醒{part.marker}",
        user_id=administrator.user_id,
        made_by=administrator.name,
    )
    session.add(task)
    session.commit()
    part.things["task_id"], part.things["batch"] = task.id, task.batch


@pytest.fixture(scope="session")
def twins(app, engine, create_tenant) -> dict[str, Twin]:
    """The tenants ``mine`` and ``theirs``, judged."""
    plugins: Plugins = app.extensions["guiju_plugins"]
    files = cabinet(app.extensions["guiju_settings"])
    return {
        name: make_twin(engine, plugins, files, create_tenant, name) for name in ("mine", "theirs")
    }


def make_twin(
    engine: sa.Engine,
    plugins: Plugins,
    files: Cabinet,
    create_tenant: Callable[[], NewTenant],
    name: str,
) -> Twin:
    """One tenant."""
    tenant = create_tenant()
    parts = {side: Part(side, f"Xq{side}{name}qX") for side in SIDES}
    twin = Twin(tenant, parts, {}, {})
    with tenant_scope(tenant.tenant_id, restricted=True), ScopedSession(engine) as session:
        set_as_of(session, ACTOR, AS_OF)
        for part in parts.values():
            store_facts(session, ACTOR, facts(part))
        enable_profile(session, ACTOR, tenant.root_id, PROFILE, date(2021, 1, 1))
        rows = session.execute(sa.select(Organization.code, Organization.id)).all()
        units = {row.code: row.id for row in rows}
        make_users(session, twin, units)
        for part in parts.values():
            part.units = {
                code: number for code, number in units.items() if code.startswith(part.side)
            }
            part.things["organization_id"] = part.units[f"{part.side}-1"]
    drain(engine, plugins.packs, tenant.tenant_id, AS_OF, reason="twins")
    with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
        for part in parts.values():
            make_things(session, plugins, files, twin, part)
    return twin
