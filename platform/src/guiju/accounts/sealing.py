"""Keeping secrets that are needed again in clear: encrypted, with a key out of SECRET_KEY.

AES-256-GCM; what a secret is for goes into the seal, so that a sealed value copied to
another row or another use does not open there.
"""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


class SealBroken(Exception):
    """The value was not sealed for this use with this key."""


def fingerprint(secret_key: str) -> str:
    """What one SECRET_KEY is recognized by, and that tells nothing of it."""
    derive = HKDF(SHA256(), length=8, salt=None, info=b"guiju fingerprint")
    return derive.derive(secret_key.encode()).hex()


class Seal:
    """Seals and opens values with the key that belongs to one SECRET_KEY."""

    def __init__(self, secret_key: str) -> None:
        derive = HKDF(SHA256(), length=32, salt=None, info=b"guiju account secrets")
        self._key = AESGCM(derive.derive(secret_key.encode()))

    def close(self, value: str, use: str) -> bytes:
        """``value`` sealed for ``use``, e.g. ``totp/17/203``."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._key.encrypt(nonce, value.encode(), use.encode())

    def open(self, sealed: bytes, use: str) -> str:
        """The value; raises ``SealBroken`` where it was sealed for another use or key."""
        try:
            opened = self._key.decrypt(sealed[:_NONCE], sealed[_NONCE:], use.encode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken(use) from error
        return opened.decode()
