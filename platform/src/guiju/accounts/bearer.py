"""Secrets handed to somebody once and kept as a hash: personal tokens and one-time links.

A secret begins with its tenant's number, so that it can be looked up inside that tenant's
scope alone: ``17-`` and 256 random bits.  The bits cannot be guessed, so a plain hash is
enough to keep, and finding one by its hash takes no secret-dependent time that helps anybody.
"""

from __future__ import annotations

import hashlib
import re
import secrets

_SECRET = re.compile(r"([1-9]\d{0,17})-[\w-]{43}", re.ASCII)


def make(tenant_id: int) -> tuple[str, bytes]:
    """A new secret of a tenant: what is shown once, and what is kept."""
    secret = f"{tenant_id}-{secrets.token_urlsafe(32)}"
    return secret, hashed(secret)


def hashed(secret: str) -> bytes:
    """What is kept of a secret (SHA-256, 32 bytes)."""
    return hashlib.sha256(secret.encode()).digest()


def tenant_of(secret: str) -> int | None:
    """The number of the tenant that a secret claims to be of; None where it can be none."""
    found = _SECRET.fullmatch(secret)
    return int(found[1]) if found else None
