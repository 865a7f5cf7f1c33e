"""The second factor: codes of the moment (TOTP, RFC 6238), and codes for when the phone is lost.

The secret is kept sealed, recovery codes as hashes.  A code is taken once: the half minute
it belongs to has to be later than that of the last one taken.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

import pyotp
import segno
import sqlalchemy as sa

from guiju.accounts.attempts import demand_proof
from guiju.accounts.models import RecoveryCode, User
from guiju.accounts.operations import demand_password, locked_user
from guiju.accounts.sealing import Seal, SealBroken
from guiju.accounts.visitors import Visitor
from guiju.audit.operations import Actor, record
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem

#: So many recovery codes are handed out, of so many random bytes each.
RECOVERY_CODES = 10
_RECOVERY_BYTES = 10

_SECONDS = 30
#: Clocks of phones may be wrong by so many half minutes.
_TOLERANCE = 1


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator application has to be told."""

    #: Base32, for typing.
    secret: str
    #: Image of the same as a QR code: an SVG element without style or script.
    picture: str


def begin(session: AnySession, seal: Seal, visitor: Visitor) -> Enrolment:
    """The visitor's secret that waits to be confirmed; made on the first call.

    Raises ``BadInput`` where a second factor is set up already.
    """
    with transaction(session):
        user = locked_user(session, visitor.user_id)
        if user.totp_since is not None:
            raise BadInput([_set_up_already()])
        secret = _opened(seal, user)
        if secret is None:
            secret = pyotp.random_base32()
            user.totp_secret = seal.close(secret, _use(user))
    account = f"{visitor.username}@{visitor.tenant_code}"
    address = pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name="Guiju")
    return Enrolment(secret, _picture(address))


def confirm(
    session: AnySession, seal: Seal, visitor: Visitor, code: str, *, now: datetime | None = None
) -> list[str]:
    """Turn the second factor on with a first code; returns the recovery codes, shown once.

    Raises ``BadInput`` at ``/code``.
    """
    now = now or datetime.now(UTC)
    with transaction(session):
        user = locked_user(session, visitor.user_id)
        if user.totp_since is not None:
            raise BadInput([_set_up_already()])
        if not _accept_code(seal, user, code, now):
            raise BadInput([_wrong_code()])
        user.totp_since = now
        codes = _renew_codes(session, user)
        record(session, visitor.actor(), "second_factor.set_up", "user", user.username)
    return codes


def renew_recovery_codes(
    session: AnySession, seal: Seal, visitor: Visitor, code: str, *, now: datetime | None = None
) -> list[str]:
    """Hand out new recovery codes, which void the old.  Raises ``BadInput`` at ``/code``."""
    now = now or datetime.now(UTC)

    def proves(user: User) -> bool:
        return user.totp_since is not None and _accept_code(seal, user, code, now)

    demand_proof(session, visitor, proves, _wrong_code(), now=now)
    with transaction(session):
        user = locked_user(session, visitor.user_id)
        codes = _renew_codes(session, user)
        record(session, visitor.actor(), "second_factor.renew_codes", "user", user.username)
    return codes


def give_up(session: AnySession, visitor: Visitor, password: str) -> None:
    """Turn the visitor's own second factor off.  Raises ``BadInput`` at ``/password``."""
    demand_password(session, visitor, password)
    with transaction(session):
        user = locked_user(session, visitor.user_id)
        clear(session, visitor.actor(), user)


def clear(session: AnySession, actor: Actor, user: User) -> None:
    """Take a user's second factor away, in the caller's transaction."""
    user.totp_secret = user.totp_since = user.totp_step = None
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    record(session, actor, "second_factor.clear", "user", user.username)


def codes_left(session: AnySession, user_id: int) -> int:
    """How many recovery codes a user has not used yet."""
    left: int = session.scalars(
        sa.select(sa.func.count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None))
    ).one()
    return left


def accept(session: AnySession, seal: Seal, user: User, code: str, now: datetime) -> bool:
    """Whether a code is the user's: of the moment, or an unused recovery code.

    The user's row is locked by the caller; what was taken is not taken again.
    """
    if _accept_code(seal, user, code, now):
        return True
    kept = _hashed(code)
    used = session.scalar(
        sa.update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user.id,
            RecoveryCode.code_hash == kept,
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )
    return used is not None


def _accept_code(seal: Seal, user: User, code: str, now: datetime) -> bool:
    secret = _opened(seal, user)
    digits = "".join(code.split())
    if secret is None or not digits.isascii():
        return False
    step = int(now.timestamp()) // _SECONDS
    totp = pyotp.TOTP(secret)
    for candidate in range(step - _TOLERANCE, step + _TOLERANCE + 1):
        fresh = user.totp_step is None or candidate > user.totp_step
        if secrets.compare_digest(totp.at(candidate * _SECONDS), digits) and fresh:
            user.totp_step = candidate
            return True
    return False


def _opened(seal: Seal, user: User) -> str | None:
    """The user's secret; None where there is none, or the key it was sealed with is gone."""
    if user.totp_secret is None:
        return None
    try:
        return seal.open(user.totp_secret, _use(user))
    except SealBroken:
        return None


def _use(user: User) -> str:
    return f"totp/{user.tenant_id}/{user.id}"


def _renew_codes(session: AnySession, user: User) -> list[str]:
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    codes = [_recovery_code() for _number in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user.id, code_hash=_hashed(code)) for code in codes)
    return codes


def _recovery_code() -> str:
    """Sixteen letters and digits in fours: 80 random bits."""
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(text[place : place + 4] for place in range(0, len(text), 4))


def _hashed(code: str) -> bytes:
    plain = "".join(character for character in code.lower() if character.isalnum())
    return hashlib.sha256(plain.encode()).digest()


def _picture(address: str) -> str:
    """The square code as the address of an image."""
    return segno.make(address, error="m").svg_data_uri(scale=5, nl=False)


def _set_up_already() -> Problem:
    return Problem("/code", _("已经启用两步验证"), _("如要更换，请先停用"), "set_up_already")


def _wrong_code() -> Problem:
    wanted = _("请输入验证器此刻显示的 6 位数字；用过的数字不能再用")
    return Problem("/code", _("验证码不对"), wanted, "wrong")
