"""Changing the tree: one transaction each, with audit entry, dirty marks and a way back.

Rows have the shape of the facts tables (:mod:`guiju.rules.tables`); references are the
author's ids.  Whether ``actor`` may see and manage the organizations named by number is the
caller's to know.  Every function that takes ``rehearse`` says what it would do and keeps
nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from guiju import clock
from guiju.activities.models import Occasion
from guiju.activities.store import store
from guiju.audit.operations import Actor, record, row_values
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.organizations import people
from guiju.organizations.carrying import end_all
from guiju.organizations.changes import (
    Effects,
    applied,
    note,
    refuse_future,
    refuse_unless_open,
    unit,
)
from guiju.organizations.dirty import mark_dirty
from guiju.organizations.models import (
    FormerName,
    Member,
    Organization,
    OrganizationMove,
    Person,
    Post,
)
from guiju.organizations.tree import within
from guiju.rules.problems import BadInput, Problem

Row = Mapping[str, Any]

_DAY = timedelta(days=1)


def create_organization(session: AnySession, actor: Actor, organization: Row) -> Organization:
    """Add an organization; without a ``parent`` it comes under the root.

    Raises ``BadInput`` where the id is taken or the superior unknown.
    """
    code = organization["id"]
    with applied(session, rehearse=False):
        if session.scalars(_by_code(code)).first():
            place = "/organizations/0/id"
            raise BadInput([Problem(place, code, _("这个编号已被使用，请换一个"), "taken")])
        store(session, {"organizations": [organization]}, "organization.create")
        created = session.scalars(_by_code(code)).one()
        day = created.opened_on or clock.today()
        note(session, actor, "create", day, [(created.id, "made")])
        record(
            session, actor, "organization.create", "organization", code, after=row_values(created)
        )
    return created


def close_organization(
    session: AnySession,
    actor: Actor,
    organization_id: int,
    closed_on: date,
    *,
    rehearse: bool = False,
) -> Effects:
    """Close an organization; ``closed_on`` is the last day of its existence.

    Memberships and posts there end with that day.  Raises ``BadInput`` while it has open
    organizations below it, for the root, and for a day before it was opened.
    """
    with applied(session, rehearse=rehearse):
        organization = unit(session, organization_id)
        if organization.parent_id is None:
            raise BadInput([_root_stays("/closed_on", organization)])
        refuse_unless_open("/closed_on", organization, closed_on)
        below = session.scalars(
            sa.select(Organization.code).where(
                within(Organization.__table__.c.path, organization.path),
                Organization.id != organization_id,
                sa.or_(Organization.closed_on.is_(None), Organization.closed_on > closed_on),
            )
        ).all()
        if below:
            wanted = _("下级组织须先撤销或调整上级")
            raise BadInput(Problem("/closed_on", code, wanted, "open_below") for code in below)
        refuse_later_records(session, "/closed_on", [organization_id], closed_on)
        old = row_values(organization)
        ended = end_all(session, [organization_id], closed_on)
        before = {"closed": {organization_id: _iso(organization.closed_on)}, **ended.before()}
        organization.closed_on = closed_on
        _changed(session, actor, "organization.close", organization, old)
        made = note(session, actor, "close", closed_on, [(organization_id, "subject")], before)
        mark_dirty(session, _with_parent(organization), "organization.close")
        return Effects(
            closed=[organization.name],
            members_ended=len(ended.members),
            posts_ended=len(ended.posts),
            change_id=made,
        )


def reopen_organization(
    session: AnySession, actor: Actor, organization_id: int, *, rehearse: bool = False
) -> Effects:
    """Let a closed organization exist on, as if it had not been closed.

    Its people are recorded anew.  Raises ``BadInput`` where it is not closed, or its
    superior is.
    """
    with applied(session, rehearse=rehearse):
        organization = unit(session, organization_id)
        if organization.closed_on is None:
            found = _("{name}没有撤销").format(name=organization.name)
            raise BadInput([Problem("/closed_on", found, _("应为已撤销的单位"), "not_closed")])
        superior = unit(session, organization.parent_id or organization.id)
        if superior.id != organization.id and superior.closed_on is not None:
            found = _("上级{name}已撤销").format(name=superior.name)
            raise BadInput([Problem("/parent", found, _("请先调整上级"), "parent_closed")])
        old = row_values(organization)
        before = {"closed": {organization_id: _iso(organization.closed_on)}}
        effective_on = organization.closed_on + _DAY
        organization.closed_on = None
        _changed(session, actor, "organization.reopen", organization, old)
        made = note(session, actor, "reopen", effective_on, [(organization_id, "subject")], before)
        mark_dirty(session, _with_parent(organization), "organization.reopen")
        return Effects(change_id=made)


def rename_organization(
    session: AnySession,
    actor: Actor,
    organization_id: int,
    name: str,
    renamed_on: date,
    *,
    rehearse: bool = False,
) -> Effects:
    """Give an organization another name from a day on; earlier days keep the one they had.

    Raises ``BadInput`` for the same name, a day to come, and one not after the last renaming.
    """
    name = name.strip()
    with applied(session, rehearse=rehearse):
        organization = unit(session, organization_id)
        refuse_future("/renamed_on", renamed_on)
        refuse_unless_open("/renamed_on", organization, renamed_on)
        if not name or len(name) > 200 or name == organization.name:
            wanted = _("应为与现名不同的名称，不超过 200 个字")
            raise BadInput([Problem("/name", name, wanted, "malformed")])
        last = session.scalar(
            sa.select(sa.func.max(FormerName.until_on)).where(
                FormerName.organization_id == organization_id
            )
        )
        if last is not None and renamed_on <= last + _DAY:
            wanted = _("应在上一次更名（{day}）之后").format(day=last + _DAY)
            raise BadInput([Problem("/renamed_on", str(renamed_on), wanted, "too_early")])
        old = row_values(organization)
        session.add(
            FormerName(
                organization_id=organization_id,
                name=organization.name,
                until_on=renamed_on - _DAY,
            )
        )
        renamed = (organization.name, name)
        before = {"name": organization.name, "after": name}
        organization.name = name
        _changed(session, actor, "organization.rename", organization, old)
        made = note(session, actor, "rename", renamed_on, [(organization_id, "subject")], before)
        return Effects(renamed=renamed, change_id=made)


def move_organization(
    session: AnySession,
    actor: Actor,
    organization_id: int,
    parent_id: int,
    moved_on: date,
    *,
    rehearse: bool = False,
) -> Effects:
    """Put an organization, with all below it, under another superior from a day on.

    Findings of earlier days keep the place of their day (``organization_moves``).  Raises
    ``BadInput`` for the root, for a superior that is the organization or below it, for the
    one it has, and for a day to come or not after its last move.
    """
    with applied(session, rehearse=rehearse):
        organization, parent = unit(session, organization_id), unit(session, parent_id)
        refuse_unless_open("/moved_on", organization, moved_on)
        moved = relocate(session, actor, organization, parent, moved_on)
        before = {"moves": [moved]}
        units = [(organization_id, "subject"), (parent_id, "target")]
        made = note(session, actor, "move", moved_on, units, before)
        return Effects(
            moved=[organization.name],
            relocated=count_below(session, organization),
            change_id=made,
        )


def relocate(
    session: AnySession,
    actor: Actor,
    organization: Organization,
    parent: Organization,
    moved_on: date,
) -> int:
    """As :func:`move_organization`, in the caller's change; returns the move's number."""
    if organization.parent_id is None or parent.path.startswith(organization.path):
        wanted = _("上级不能是它自己或它的下级，顶级组织不能移动")
        raise BadInput([Problem("/parent", parent.code, wanted, "cycle")])
    if organization.parent_id == parent.id:
        found = _("上级已经是{name}").format(name=parent.name)
        raise BadInput([Problem("/parent", found, _("应为另一个上级"), "same_parent")])
    refuse_future("/moved_on", moved_on)
    refuse_unless_open("/parent", parent, moved_on)
    last = session.scalar(
        sa.select(sa.func.max(OrganizationMove.moved_on)).where(
            OrganizationMove.organization_id == organization.id
        )
    )
    if last is not None and moved_on <= last:
        wanted = _("应在上一次调整（{day}）之后").format(day=last)
        raise BadInput([Problem("/moved_on", str(moved_on), wanted, "too_early")])
    before = row_values(organization)
    old_parent = organization.parent_id
    move = OrganizationMove(
        organization_id=organization.id,
        moved_on=moved_on,
        old_parent_id=old_parent,
        old_path=organization.path,
        new_parent_id=parent.id,
    )
    session.add(move)
    graft(session, organization.path, f"{parent.path}{organization.id}/")
    session.refresh(organization)
    organization.parent_id = parent.id
    _changed(session, actor, "organization.move", organization, before)
    mark_dirty(session, [organization.id], "organization.move", subtree=True)
    mark_dirty(session, {old_parent, parent.id}, "organization.move")
    return move.id


def add_member(
    session: AnySession, actor: Actor, membership: Row, *, known_in: Sequence[str] | None = None
) -> int:
    """Record a membership: a row of ``members``; or correct the one begun on the same day.

    Returns the number of the spell.  ``known_in`` are paths whose people the actor may name by
    id alone (None: all): others have to be named rightly, or their names would be learnt.
    Counts of the occasions it reaches back to are derived again.  Raises ``BadInput`` for an id
    that is somebody else's, and where the person would be in two branches at once.
    """
    code, name = membership["id"], membership.get("name")
    exists, known_name = people.name_of(session, code)
    unsaid = name is None and not _may_name(session, code, known_in)
    if exists and (unsaid or (name is not None and known_name not in {None, name})):
        wanted = _("这个编号已是另一个人的，请核对")
        raise BadInput([Problem("/members/0/id", code, wanted, "taken")])
    if _elsewhere(session, membership):
        found = _("此人从这一天起属于另一个支部")
        wanted = _("应为另一天，或由原支部转出")
        raise BadInput([Problem("/members/0/from_on", found, wanted, "elsewhere")])
    return _store_row(session, actor, "member.record", "members", membership)


def appoint(
    session: AnySession, actor: Actor, post: Row, *, known_in: Sequence[str] | None = None
) -> int:
    """Record who holds a post: a row of ``posts``; or correct the one begun on the same day.

    Returns its number; ``known_in`` as in :func:`add_member`.  Raises ``BadInput``.
    """
    if not _may_name(session, post["person"], known_in):
        wanted = _("应为名册中的人员")
        raise BadInput([Problem("/posts/0/person", post["person"], wanted, "unknown_reference")])
    return _store_row(session, actor, "post.record", "posts", post)


def _elsewhere(session: AnySession, membership: Row) -> bool:
    """Whether the spell that the row would correct is another organization's."""
    spell = (
        sa.select(sa.literal(1))
        .select_from(Member)
        .join(Person, sa.and_(Person.tenant_id == Member.tenant_id, Person.id == Member.person_id))
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == Member.tenant_id,
                Organization.id == Member.organization_id,
            ),
        )
        .where(
            Member.tenant_id == current_tenant_id(),
            Person.code == membership["id"],
            Organization.code != membership["organization"],
            Member.from_on.is_not_distinct_from(membership.get("from_on")),
        )
    )
    return session.execute(spell).first() is not None


def _may_name(session: AnySession, code: str, known_in: Sequence[str] | None) -> bool:
    return known_in is None or people.is_within(session, code, known_in)


def _store_row(session: AnySession, actor: Actor, action: str, table: str, row: Row) -> int:
    with transaction(session):
        if store(session, {table: [row]}, action):
            record(session, actor, action, "organization", row["organization"], after=row)
        model, person = (Member, row["id"]) if table == "members" else (Post, row["person"])
        select = (
            sa.select(sa.func.max(model.id))
            .join(
                Person, sa.and_(Person.tenant_id == model.tenant_id, Person.id == model.person_id)
            )
            .join(
                Organization,
                sa.and_(
                    Organization.tenant_id == model.tenant_id,
                    Organization.id == model.organization_id,
                ),
            )
            .where(
                model.tenant_id == current_tenant_id(),
                Person.code == person,
                Organization.code == row["organization"],
                model.from_on.is_not_distinct_from(row.get("from_on")),
            )
        )
        if table == "posts":
            overseen = sa.select(Organization.id).where(
                Organization.tenant_id == current_tenant_id(),
                Organization.code == row.get("oversees"),
            )
            select = select.where(
                Post.post == row["post"],
                Post.__table__.c.oversees_id.is_not_distinct_from(overseen.scalar_subquery()),
            )
        return session.scalars(select).one()


def refuse_later_records(
    session: AnySession, place: str, organizations: list[int], last_day: date
) -> None:
    """Raise ``BadInput`` where one of the organizations did something after its last day."""
    found = session.execute(
        sa.select(Organization.name, sa.func.count(), sa.func.max(Occasion.held_on))
        .join(
            Occasion,
            sa.and_(
                Occasion.tenant_id == Organization.tenant_id,
                Occasion.organization_id == Organization.id,
            ),
        )
        .where(
            Organization.id.in_(organizations),
            Occasion.held_on > last_day,
            sa.or_(Occasion.status.is_(None), Occasion.status == "held"),
        )
        .group_by(Organization.name)
    ).all()
    if found:
        raise BadInput(
            Problem(
                place,
                _("{name}在 {day} 之后还有 {count} 次活动，最后一次在 {last}").format(
                    name=name, day=last_day, count=count, last=last
                ),
                _("应在最后一次活动之后，或先更正活动记录"),
                "later_records",
            )
            for name, count, last in found
        )


def count_below(session: AnySession, organization: Organization) -> int:
    """How many organizations there are at and below one."""
    return session.scalars(
        sa.select(sa.func.count()).where(
            within(Organization.__table__.c.path, organization.path),
        )
    ).one()


def graft(session: AnySession, old: str, new: str) -> None:
    """Replace the beginning of every path in a subtree."""
    path = Organization.__table__.c.path
    session.execute(
        sa.update(Organization)
        .where(within(path, old))
        .values(path=sa.func.concat(new, sa.func.substr(path, len(old) + 1)))
        .execution_options(synchronize_session=False)
    )


def _by_code(code: str) -> sa.Select[Organization]:
    return sa.select(Organization).where(Organization.code == code)


def _root_stays(place: str, organization: Organization) -> Problem:
    return Problem(place, organization.name, _("顶级组织不能撤销"), "root")


def _with_parent(organization: Organization) -> set[int]:
    return {organization.id, organization.parent_id or organization.id}


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _changed(
    session: AnySession,
    actor: Actor,
    action: str,
    organization: Organization,
    before: Mapping[str, Any],
) -> None:
    session.flush()
    record(
        session,
        actor,
        action,
        "organization",
        organization.code,
        before=before,
        after=row_values(organization),
    )
