"""Making users and setting passwords: one transaction each, with its audit entry."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

import sqlalchemy as sa

from guiju.accounts import passwords
from guiju.accounts.attempts import demand_proof
from guiju.accounts.models import FormerPassword, User, UserRole, UserSession
from guiju.accounts.permissions import ROLES
from guiju.accounts.policies import policy_of
from guiju.accounts.visitors import Visitor
from guiju.audit.operations import Actor, record
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem
from guiju.tenancy.models import Tenant

_LONGEST_NAME = 100
_USERNAME = re.compile(r"[^\s@\x00-\x1f]{1,60}")


def create_user(
    session: AnySession,
    actor: Actor,
    username: str,
    name: str,
    roles: Iterable[tuple[str, int]],
    *,
    password: str | None = None,
) -> tuple[User, str | None]:
    """Add a user with roles, pairs of a role and the number of an organization.

    For the operator's commands and demonstrations; people are invited
    (:func:`guiju.accounts.links.invite`).  Returns the user and, where no ``password`` is
    given, the one made up: it is shown once and kept nowhere.  Raises ``BadInput`` for a taken
    or malformed username, an unknown role or a weak password.
    """
    with transaction(session):
        return add_user(session, actor, username, name, roles, password=password)


def add_user(
    session: AnySession,
    actor: Actor,
    username: str,
    name: str,
    roles: Iterable[tuple[str, int]],
    *,
    password: str | None = None,
) -> tuple[User, str | None]:
    """As :func:`create_user`, in the caller's transaction."""
    granted = list(roles)
    problems = check_username(session, username)
    problems += [
        Problem("/roles", role, _("没有这个角色"), "unknown_role")
        for role, _organization in granted
        if role not in ROLES
    ]
    if problems:
        raise BadInput(problems)
    made_up = passwords.generate() if password is None else None
    if password is not None:
        passwords.check(password, username)
    user = User(
        username=username,
        name=name,
        password_hash=passwords.hashed(password or str(made_up)),
        password_set_at=datetime.now(UTC),
        roles=[UserRole(role=role, organization_id=place) for role, place in granted],
    )
    session.add(user)
    session.flush()
    after = {"name": name, "roles": [list(grant) for grant in granted]}
    record(session, actor, "user.create", "user", username, after=after)
    return user, made_up


def set_password(
    session: AnySession, actor: Actor, user_id: int, password: str | None = None
) -> str | None:
    """Give a user a new password; returns the one made up where none is given.

    Failures to sign in are forgotten with it.  Raises ``BadInput`` for a weak one.
    """
    with transaction(session):
        user = session.scalars(sa.select(User).where(User.id == user_id)).one()
        made_up = passwords.generate() if password is None else None
        if password is not None:
            passwords.check(password, user.username)
        user.password_hash = passwords.hashed(password or str(made_up))
        user.password_set_at = datetime.now(UTC)
        record(session, actor, "user.set_password", "user", user.username)
    return made_up


def change_password(
    session: AnySession, visitor: Visitor, old: str, new: str, *, now: datetime | None = None
) -> None:
    """Change the visitor's own password; ends all their sessions but the one they are in.

    Raises ``BadInput`` at ``/old`` or ``/password``.
    """
    wrong = Problem("/old", _("原密码不对"), _("请重新输入现在的密码"), "wrong")
    demand_password(session, visitor, old, wrong)
    with transaction(session):
        user = locked_user(session, visitor.user_id)
        replace_password(session, user, new, now=now)
        end_sessions(session, user.id, besides=visitor.session_id)
        record(session, visitor.actor(), "user.change_password", "user", user.username)


def edit_own(
    session: AnySession, visitor: Visitor, password: str, name: str, email: str | None
) -> None:
    """Correct the visitor's own name and e-mail address, to which new passwords are mailed.

    Raises ``BadInput`` at ``/password``, ``/name`` or ``/email``.
    """
    name, email = name.strip(), (email or "").strip() or None
    if problems := check_person(name, email):
        raise BadInput(problems)
    demand_password(session, visitor, password)
    with transaction(session):
        user = locked_user(session, visitor.user_id)
        before = {"name": user.name, "email": user.email}
        user.name, user.email = name, email
        after = {"name": name, "email": email}
        actor = visitor.actor()
        record(session, actor, "user.edit", "user", user.username, before=before, after=after)


def demand_password(
    session: AnySession, visitor: Visitor, password: str, wrong: Problem | None = None
) -> None:
    """Refuse whoever does not know the visitor's password; raises ``BadInput`` with ``wrong``.

    A transaction of its own: wrong ones lock the account.
    """
    wrong = wrong or Problem("/password", _("密码不对"), _("请输入现在的密码"), "wrong")
    demand_proof(
        session, visitor, lambda user: passwords.matches(password, user.password_hash), wrong
    )


def replace_password(
    session: AnySession, user: User, password: str, *, now: datetime | None = None
) -> None:
    """Set a password that its owner chose, in the caller's transaction.

    Raises ``BadInput`` at ``/password`` for a weak one and for one of the latest.
    """
    policy = policy_of(session)
    code = session.scalars(sa.select(Tenant.code).where(Tenant.id == current_tenant_id())).one()
    passwords.check(password, user.username, code, shortest=policy.shortest_password)
    former = session.scalars(
        sa.select(FormerPassword)
        .where(FormerPassword.user_id == user.id)
        .order_by(FormerPassword.id.desc())
    ).all()
    latest = [user.password_hash, *(row.password_hash for row in former)]
    # The one in use is refused in any case: changing it to itself is no change.
    for kept in latest[: max(1, policy.former_passwords)]:
        if kept is not None and passwords.matches(password, kept):
            found, wanted = _("密码不符合要求"), _("不得与最近用过的密码相同")
            raise BadInput([Problem("/password", found, wanted, "used_before")])
    if user.password_hash is not None:
        session.add(FormerPassword(user_id=user.id, password_hash=user.password_hash))
    for row in former[max(0, policy.former_passwords - 1) :]:
        session.delete(row)
    user.password_hash = passwords.hashed(password)
    user.password_set_at = now or datetime.now(UTC)


def end_sessions(session: AnySession, user_id: int, *, besides: int | None = None) -> None:
    """Sign a user out everywhere, in the caller's transaction; ``besides`` goes on."""
    session.execute(
        sa.update(UserSession)
        .where(
            UserSession.user_id == user_id,
            UserSession.ended_at.is_(None),
            UserSession.id.is_distinct_from(besides),
        )
        .values(ended_at=sa.func.now())
    )


def locked_user(session: AnySession, user_id: int) -> User:
    """The user's row, held against others until the transaction ends."""
    return session.scalars(sa.select(User).where(User.id == user_id).with_for_update()).one()


def check_username(session: AnySession, username: str) -> list[Problem]:
    """What is wrong with the name of a new user."""
    if problems := malformed_username(username):
        return problems
    if session.scalar(sa.select(User.id).where(User.username == username)) is not None:
        return [Problem("/username", username, _("这个用户名已被使用"), "taken")]
    return []


def malformed_username(username: str) -> list[Problem]:
    """What is wrong with a user name as such, whoever has it."""
    if _USERNAME.fullmatch(username):
        return []
    wanted = _("用户名为 1 到 60 个字，不能含 @、空格")
    return [Problem("/username", username, wanted, "malformed")]


def check_person(name: str, email: str | None) -> list[Problem]:
    """What is wrong with a name as shown, or an e-mail address."""
    problems = []
    if not name or len(name) > _LONGEST_NAME:
        wanted = _("请填写姓名，不超过 {most} 个字").format(most=_LONGEST_NAME)
        problems.append(Problem("/name", name, wanted, "malformed"))
    if email is not None and not _looks_like_mail(email):
        problems.append(Problem("/email", email, _("应形如 name@example.cn"), "malformed"))
    return problems


def _looks_like_mail(email: str) -> bool:
    local, _at, domain = email.rpartition("@")
    plain = email.isprintable() and " " not in email and len(email) <= 254
    return bool(plain and local and "@" not in local and "." in domain.strip("."))
