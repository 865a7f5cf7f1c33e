"""Passwords: how they are made, judged and kept."""

import re
import secrets
import string
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from guiju.language import gettext as _
from guiju.rules.problems import BadInput, Problem

#: Fewest of the four kinds of characters in a chosen password, and fewest different ones.
FEWEST_KINDS = 3
FEWEST_DIFFERENT = 5

# What people begin with when a rule forces them on: digits and signs around one of these
# words make no password.  Written as they read without the usual stand-ins (p@ssw0rd).
_WORDS = """
    a aa aaa abc abcd abcde abcdef abcabc admin administrator adminadmin asd asdf asdfg asdfgh
    changeme default dangjian dangwei dangwu dangyuan dragon football gongwei guanli guanliyuan
    guest guiju guijuguiju hello helloworld huawei iloveyou jiguan letmein login loveyou manager
    master mima mimamima monkey oracle pass password passwordpassword passw passwd princess
    qaz qazwsx qazwsxedc qq qwe qweasd qweasdzxc qwer qwert qwerty qwertyuiop qwaszx root
    rootroot secret sunshine super superman system test tester testtest user welcome woaini
    woaizhongguo xitong yonghu zaq zhihui zhongguo zhongguogongchandang zuzhi zuzhibu zxc zxcv
    zxcvbn zxcvbnm
"""
_COMMON = frozenset(_WORDS.split())
_STAND_INS = str.maketrans({"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "@": "a", "$": "s"})

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


def check(password: str, username: str, tenant: str = "", *, shortest: int = 10) -> None:
    """Raise ``BadInput`` for a password that is too easily guessed.

    ``tenant`` is the short name of the tenant, ``shortest`` its policy's fewest characters.
    """
    faults = []
    if len(password) < shortest:
        faults.append(_("密码至少 {least} 个字符").format(least=shortest))
    if _kinds(password) < FEWEST_KINDS:
        faults.append(_("密码须含大写字母、小写字母、数字、符号中的三种"))
    if username.lower() in password.lower():
        faults.append(_("密码不得包含用户名"))
    # A name of two letters is in every second password.
    if len(tenant) > 2 and tenant.lower() in password.lower():
        faults.append(_("密码不得包含单位代号"))
    if is_common(password):
        faults.append(_("这是常见的密码，容易被猜到"))
    if faults:
        raise BadInput(Problem("/password", _("密码不符合要求"), fault, "weak") for fault in faults)


def is_common(password: str) -> bool:
    """Whether a password is one of those that everybody thinks of first."""
    plain = password.lower()
    if len(set(plain)) < FEWEST_DIFFERENT:
        return True
    return any(
        re.sub(r"[^a-z]+", "", text) in _COMMON | {""}
        for text in (plain, plain.translate(_STAND_INS), _trimmed(plain).translate(_STAND_INS))
    )


def _trimmed(text: str) -> str:
    """Without the digits and signs around it, which are no part of a word."""
    return re.sub(r"[\W\d_]+$", "", re.sub(r"^[\W\d_]+", "", text))


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
