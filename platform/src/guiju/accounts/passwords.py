"""Passwords: how they are made, judged and kept."""

import secrets
import string
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem

#: Fewest characters, and fewest of the four kinds of characters, in a chosen password.
SHORTEST = 10
FEWEST_KINDS = 3

# Letters and digits that look alike in print are left out.
_ALPHABET = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))
_LENGTH = 16

_hasher = PasswordHasher()


def generate() -> str:
    """A password for somebody who will read it off paper: 16 letters and digits, 92 bits."""
    while True:
        password = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        if _kinds(password) >= FEWEST_KINDS:
            return password


def check(password: str, username: str) -> None:
    """Raise ``BadInput`` for a password that is too easily guessed."""
    faults = []
    if len(password) < SHORTEST:
        faults.append(_("密码至少 10 个字符"))
    if _kinds(password) < FEWEST_KINDS:
        faults.append(_("密码须含大写字母、小写字母、数字、符号中的三种"))
    if username.lower() in password.lower():
        faults.append(_("密码不得包含用户名"))
    if faults:
        raise BadInput(Problem("/password", _("密码不符合要求"), fault, "weak") for fault in faults)


def hashed(password: str) -> str:
    """The Argon2id hash to keep."""
    return _hasher.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Whether ``password`` is the one that was kept.

    Takes as long where none was kept, so that the time does not tell who has an account.
    """
    try:
        _hasher.verify(kept or _nobodys(), password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether the hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    return hashed(generate())


def _kinds(password: str) -> int:
    return sum(
        (
            any(character.islower() for character in password),
            any(character.isupper() for character in password),
            any(character.isdigit() for character in password),
            any(not character.isalnum() for character in password),
        )
    )
