"""What a tenant demands of its users' sign-in, within bounds that keep it sensible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import sqlalchemy as sa

from guiju import clock
from guiju.accounts.models import AccountPolicy, User, UserRole
from guiju.accounts.permissions import KEPT_APART, role_label
from guiju.audit.operations import Actor, record
from guiju.db.locks import hold
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.rules.problems import BadInput, Problem


@dataclass(frozen=True)
class Policy:
    """One tenant's demands; the defaults hold until it says otherwise."""

    #: Signed out after so many minutes without a request.
    idle_minutes: int = 30
    #: Signed out so many hours after signing in, at the latest.
    longest_hours: int = 12
    #: Fewest characters of a password.
    shortest_password: int = 10
    #: How many of the latest passwords may not be chosen again.
    former_passwords: int = 3
    #: A password has to be changed after so many days; 0: never.
    rotation_days: int = 0
    #: Whether administrators of all three kinds need a second factor.
    totp_required: bool = False
    #: Whether system, security and audit administrators are different people.
    separated: bool = False


DEFAULT = Policy()

#: Least and greatest value of the numbers above.
BOUNDS: Mapping[str, tuple[int, int]] = {
    "idle_minutes": (5, 240),
    "longest_hours": (1, 24),
    "shortest_password": (8, 64),
    "former_passwords": (0, 10),
    "rotation_days": (0, 365),
}

#: Shorter turns than this make people write passwords down.
_SHORTEST_TURN = 30

NAMES = tuple(field.name for field in fields(Policy))

#: The columns of a tenant's policy; empty where there is no row.
COLUMNS = tuple(getattr(AccountPolicy, name) for name in NAMES)


def made_of(values: tuple[Any, ...]) -> Policy:
    """The policy of the values of :data:`COLUMNS`."""
    return DEFAULT if values[0] is None else Policy(*values)


def policy_of(session: AnySession) -> Policy:
    """The policy of the tenant in whose scope the session is."""
    found = session.execute(sa.select(*COLUMNS)).one_or_none()
    return DEFAULT if found is None else made_of(tuple(found))


def lock_policy(session: AnySession) -> None:
    """Keep others from changing the policy until the transaction ends."""
    hold(session, "account policy")


def set_policy(session: AnySession, actor: Actor, **changes: Any) -> Policy:
    """Change what is named, keep the rest; holds from the next request of everybody.

    The caller knows that the actor may, for the whole tenant.  Raises ``BadInput`` at a
    field's name.
    """
    with transaction(session):
        lock_policy(session)
        before = policy_of(session)
        after = replace(before, **changes)
        problems = [*_out_of_bounds(after)]
        if after.separated and not before.separated:
            problems += _not_apart(session)
        if problems:
            raise BadInput(problems)
        row = session.scalars(sa.select(AccountPolicy)).one_or_none()
        if row is None:
            session.add(AccountPolicy(**asdict(after)))
        else:
            for name, value in changes.items():
                setattr(row, name, value)
        changed = [name for name in NAMES if getattr(before, name) != getattr(after, name)]
        record(
            session,
            actor,
            "policy.change",
            "policy",
            before={name: getattr(before, name) for name in changed},
            after={name: getattr(after, name) for name in changed},
        )
    return after


def _out_of_bounds(policy: Policy) -> list[Problem]:
    problems = []
    for name, (least, most) in BOUNDS.items():
        value = getattr(policy, name)
        if not least <= value <= most:
            wanted = _("应在 {least} 与 {most} 之间").format(least=least, most=most)
            problems.append(Problem(f"/{name}", str(value), wanted, "out_of_range"))
    if 0 < policy.rotation_days < _SHORTEST_TURN:
        wanted = _("应为 0（不要求）或至少 {least} 天").format(least=_SHORTEST_TURN)
        problems.append(
            Problem("/rotation_days", str(policy.rotation_days), wanted, "out_of_range")
        )
    return problems


def _not_apart(session: AnySession) -> list[Problem]:
    """Why the tenant's three administrators cannot be kept apart as its roles are."""
    rows = session.execute(
        sa.select(User.id, User.name, UserRole.role, Organization.parent_id, User.password_hash)
        .join(UserRole, sa.and_(UserRole.tenant_id == User.tenant_id, UserRole.user_id == User.id))
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == UserRole.tenant_id,
                Organization.id == UserRole.organization_id,
            ),
        )
        .where(
            User.active,
            UserRole.role.in_(KEPT_APART),
            sa.or_(UserRole.until_on.is_(None), UserRole.until_on >= clock.today()),
        )
        .order_by(User.id)
    ).all()
    held: dict[int, set[str]] = {}
    names = {}
    for user_id, name, role, _parent, _password in rows:
        held.setdefault(user_id, set()).add(role)
        names[user_id] = name
    problems = [
        Problem(
            "/separated",
            names[user_id],
            _("此人兼任两种管理员，请先收回其中一种"),
            "held_together",
        )
        for user_id, roles in held.items()
        if len(roles) > 1
    ]
    at_the_top = {
        role for _id, _name, role, parent, password in rows if parent is None and password
    }
    problems += [
        Problem(
            "/separated",
            role_label(role),
            _("顶层组织还没有能登录的此种管理员，请先邀请一人"),
            "missing",
        )
        for role in KEPT_APART
        if role not in at_the_top
    ]
    return problems
