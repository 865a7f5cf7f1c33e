"""Inviting many people at once: all of a list or nobody, with what is wrong row by row.

Rows of one user name are one person with several roles.  Checking and writing ask a constant
number of questions, however long the list is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

import sqlalchemy as sa

from guiju import clock
from guiju.accounts import bearer
from guiju.accounts.directory import held_roles
from guiju.accounts.invitation_lists import MOST_ROWS, Row, role_named
from guiju.accounts.jobs import MAIL_INVITATIONS
from guiju.accounts.links import LIFETIMES
from guiju.accounts.models import AccountLink, User, UserRole
from guiju.accounts.operations import check_person, malformed_username
from guiju.accounts.permissions import KEPT_APART, ROLES, WHOLE_TENANT, role_label
from guiju.accounts.policies import policy_of
from guiju.accounts.reach import PERMISSION, below, managed, managed_paths
from guiju.accounts.roles import Grant
from guiju.accounts.visitors import Visitor
from guiju.audit.operations import record
from guiju.db.arrays import any_of
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.jobs.operations import request_job
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.rules.problems import BadInput, Problem

#: Problems listed; the others are counted.
_LISTED = 1_000


@dataclass
class Invitee:
    """Somebody to be invited, with the roles that all rows of theirs give."""

    username: str
    name: str
    email: str | None
    grants: list[Grant] = field(default_factory=list)
    #: Units and roles as lists show them.
    roles: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Invited:
    """Somebody who was invited; without ``secret`` the link is to be mailed."""

    user_id: int
    username: str
    name: str
    email: str | None
    roles: Sequence[str]
    secret: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class _Place:
    id: int
    name: str
    path: str
    at_top: bool


def check_list(session: AnySession, visitor: Visitor, rows: Sequence[Row]) -> list[Invitee]:
    """Who would be invited.

    Raises ``BadInput`` with every problem at ``/rows/<index>/<column>``, the index from 0.  A
    unit that the visitor does not manage accounts of is as unknown as one that is not there.
    """
    places = _places(session, visitor, {row.unit for row in rows})
    people: dict[str, Invitee] = {}
    problems: list[Problem] = []
    for index, row in enumerate(rows):
        found = [*malformed_username(row.account), *check_person(row.name, row.address)]
        person = people.setdefault(row.account, Invitee(row.account, row.name, row.address))
        if (person.name, person.email) != (row.name, row.address):
            wanted = _("同一用户名的各行，姓名和邮箱应相同")
            found.append(Problem("/username", row.account, wanted, "differs"))
        found += _add_grant(person, row, places.get(row.unit))
        problems += [_at(index, problem) for problem in found]
    problems += _taken(session, people, rows)
    if policy_of(session).separated:
        problems += _held_together(people, rows)
    if problems:
        raise BadInput(problems[:_LISTED], max(len(problems) - _LISTED, 0))
    return list(people.values())


def invite_list(
    session: AnySession,
    visitor: Visitor,
    rows: Sequence[Row],
    *,
    by_mail: bool = False,
    now: datetime | None = None,
) -> list[Invited]:
    """Invite everybody on a list; raises ``BadInput`` as :func:`check_list`, inviting nobody.

    ``by_mail`` lets a worker mail the links to those who have an address.
    """
    now = now or datetime.now(UTC)
    with transaction(session):
        people = check_list(session, visitor, rows)
        values = [
            {"username": one.username, "name": one.name, "email": one.email} for one in people
        ]
        made = sa.insert(User).returning(User.id, sort_by_parameter_order=True)
        numbers = session.scalars(made, values).all()
        roles = [
            {
                "user_id": number,
                "organization_id": grant.organization_id,
                "role": grant.role,
                "until_on": grant.until_on,
            }
            for number, person in zip(numbers, people, strict=True)
            for grant in person.grants
        ]
        session.execute(sa.insert(UserRole), roles)
        actor = visitor.actor()
        for person in people:
            after = {"name": person.name, "email": person.email}
            record(session, actor, "user.invite", "user", person.username, after=after)
            granted = [[grant.role, grant.organization_id] for grant in person.grants]
            record(session, actor, "role.grant", "user", person.username, after={"roles": granted})
        invited = [
            Invited(number, one.username, one.name, one.email, one.roles)
            for number, one in zip(numbers, people, strict=True)
        ]
        return _with_links(session, visitor, invited, by_mail=by_mail, now=now)


def waiting(session: AnySession, visitor: Visitor) -> list[Invited]:
    """Those invited who chose no password yet, as far as all of their roles are the visitor's."""
    inside = sa.exists().where(
        UserRole.tenant_id == User.tenant_id,
        UserRole.user_id == User.id,
        Organization.tenant_id == UserRole.tenant_id,
        Organization.id == UserRole.organization_id,
        ~below(managed_paths(visitor)),
    )
    users = session.execute(
        sa.select(User.id, User.username, User.name, User.email)
        .where(
            User.tenant_id == current_tenant_id(),
            managed(visitor),
            ~inside,
            User.active,
            User.password_hash.is_(None),
        )
        .order_by(User.id)
        .limit(MOST_ROWS)
    ).all()
    roles: dict[int, list[str]] = {user.id: [] for user in users}
    for held in held_roles(session, visitor, list(roles)):
        roles[held.user_id].append(f"{held.organization} · {role_label(held.role)}")
    return [Invited(*user, roles[user.id]) for user in users]


def invite_again(
    session: AnySession, visitor: Visitor, *, by_mail: bool = False, now: datetime | None = None
) -> list[Invited]:
    """Make new links for all of :func:`waiting`; their earlier ones become void."""
    now = now or datetime.now(UTC)
    with transaction(session):
        invited = waiting(session, visitor)
        session.execute(
            sa.update(AccountLink)
            .where(
                any_of(AccountLink.user_id, [one.user_id for one in invited]),
                AccountLink.closed_at.is_(None),
            )
            .values(closed_at=now)
        )
        return _with_links(session, visitor, invited, by_mail=by_mail, now=now)


def _with_links(
    session: AnySession,
    visitor: Visitor,
    invited: Sequence[Invited],
    *,
    by_mail: bool,
    now: datetime,
) -> list[Invited]:
    """Make a link for each, or have it mailed, in the caller's transaction."""
    mailed = [one.user_id for one in invited if by_mail and one.email]
    if mailed:
        subject = _("{number} 人").format(number=len(mailed))
        request_job(session, visitor.actor(), MAIL_INVITATIONS, {"users": mailed}, subject=subject)
    found, links = [], []
    expires_at = now + LIFETIMES["invitation"]
    for one in invited:
        if by_mail and one.email:
            found.append(one)
            continue
        secret, kept = bearer.make(current_tenant_id())
        links.append(
            {
                "user_id": one.user_id,
                "purpose": "invitation",
                "token_hash": kept,
                "made_by": visitor.name,
                "created_at": now,
                "expires_at": expires_at,
            }
        )
        found.append(replace(one, secret=secret, expires_at=expires_at))
        after = {"purpose": "invitation", "expires_at": expires_at}
        record(session, visitor.actor(), "link.make", "user", one.username, after=after)
    if links:
        session.execute(sa.insert(AccountLink), links)
    return found


def _places(session: AnySession, visitor: Visitor, codes: Collection[str]) -> dict[str, _Place]:
    rows = session.execute(
        sa.select(
            Organization.code,
            Organization.id,
            Organization.name,
            Organization.__table__.c.path,
            Organization.parent_id.is_(None),
        ).where(Organization.tenant_id == current_tenant_id(), Organization.code.in_(codes))
    )
    return {code: _Place(*place) for code, *place in rows if visitor.may(PERMISSION, place[2])}


def _add_grant(person: Invitee, row: Row, place: _Place | None) -> list[Problem]:
    """Give a person the role of a row; what is wrong with it, if anything."""
    problems = []
    if place is None:
        wanted = _("没有这个编号的单位，或不归您管理账号")
        problems.append(Problem("/unit", row.unit or _("没有填写"), wanted, "unknown"))
    role = role_named(row.role)
    if role is None:
        known = _("、").join(role_label(one) for one in ROLES)
        wanted = _("没有这个角色；应为{known}之一").format(known=known)
        problems.append(Problem("/role", row.role or _("没有填写"), wanted, "unknown_role"))
    elif place is not None and role in WHOLE_TENANT and not place.at_top:
        wanted = _("此角色涉及整个单位，只能设在顶层组织")
        problems.append(Problem("/role", row.role, wanted, "root_only"))
    until_on = None
    if row.until_on:
        try:
            until_on = date.fromisoformat(row.until_on)
        except ValueError:
            wanted = _("日期应为年-月-日，如 2021-06-30。")
            problems.append(Problem("/until_on", row.until_on, wanted, "malformed"))
    if until_on is not None and until_on < clock.today():
        problems.append(Problem("/until_on", row.until_on, _("应不早于今天"), "past"))
    if not problems and place is not None and role is not None:
        grant = Grant(role, place.id, until_on)
        if any((one.role, one.organization_id) == (role, place.id) for one in person.grants):
            problems.append(Problem("/role", row.role, _("与前面的一行重复"), "repeated"))
        person.grants.append(grant)
        person.roles.append(f"{place.name} · {role_label(role)}")
    return problems


def _taken(
    session: AnySession, people: Mapping[str, Invitee], rows: Sequence[Row]
) -> list[Problem]:
    taken = set(
        session.scalars(
            sa.select(User.username).where(
                User.tenant_id == current_tenant_id(), User.username.in_(people)
            )
        )
    )
    wanted = _("这个用户名已被使用；已有的人，请在其页面授予角色")
    return [
        _at(index, Problem("/username", row.account, wanted, "taken"))
        for index, row in enumerate(rows)
        if row.account in taken
    ]


def _held_together(people: Mapping[str, Invitee], rows: Sequence[Row]) -> list[Problem]:
    wanted = _("本单位实行三员分立，一人只能担任其中一种")
    return [
        _at(index, Problem("/role", row.role, wanted, "held_together"))
        for index, row in enumerate(rows)
        if len({grant.role for grant in people[row.account].grants} & set(KEPT_APART)) > 1
    ]


def _at(index: int, problem: Problem) -> Problem:
    return Problem(f"/rows/{index}{problem.place}", problem.found, problem.wanted, problem.code)
