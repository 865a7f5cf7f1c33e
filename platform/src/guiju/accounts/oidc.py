"""OpenID Connect as a client: to a provider's sign-in page and back, nothing kept.

Authorization code with PKCE.  Every address that this server calls has the origin of the
issuer that was configured, whatever the provider's own description says, and no redirect is
followed: a tenant cannot make the server reach for anything else.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwk, jwt
from joserfc.errors import JoseError

#: Seconds that a provider is waited for.
_TIMEOUT = 10
_LARGEST = 256 * 1024

_SCOPE = "openid email profile"
_ALGORITHMS = ("RS256", "PS256", "ES256")
#: Clocks may differ by so many seconds.
_LEEWAY = 60


class ProviderError(Exception):
    """The provider did not do its part; says why, for the log."""


@dataclass(frozen=True)
class Client:
    """What a provider knows this application by."""

    issuer: str
    client_id: str
    client_secret: str
    #: Where the provider sends people back to.
    callback: str


@dataclass(frozen=True)
class Attempt:
    """What has to be remembered, with the visitor, between going and coming back."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Identity:
    """Who somebody is at the provider; ``email`` only where the provider verified it."""

    issuer: str
    subject: str
    email: str | None


def start(client: Client) -> tuple[str, Attempt]:
    """The provider's address to send the visitor to, and what to remember meanwhile.

    Raises ``ProviderError``.
    """
    attempt = Attempt(
        secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    )
    place = _described(client.issuer, "authorization_endpoint")
    with _session(client) as session:
        address, _state = session.create_authorization_url(
            place, state=attempt.state, nonce=attempt.nonce, code_verifier=attempt.verifier
        )
    return str(address), attempt


def finish(client: Client, attempt: Attempt, answer: Mapping[str, str]) -> Identity:
    """Who came back with ``answer``, the parameters of the callback's address.

    Raises ``ProviderError``.
    """
    if not secrets.compare_digest(answer.get("state", ""), attempt.state):
        raise ProviderError("the state is another")
    if "error" in answer or not answer.get("code"):
        raise ProviderError("the provider refused")
    place = _described(client.issuer, "token_endpoint")
    with _session(client) as session:
        try:
            token = session.fetch_token(
                place,
                code=answer["code"],
                code_verifier=attempt.verifier,
                timeout=_TIMEOUT,
                allow_redirects=False,
            )
        except (requests.RequestException, AuthlibBaseError, ValueError) as error:
            raise ProviderError(f"no token: {type(error).__name__}") from error
    claims = _claims(client, attempt, token.get("id_token"))
    verified = claims.get("email_verified") is True
    return Identity(client.issuer, claims["sub"], claims.get("email") if verified else None)


def origin(address: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of an address."""
    parts = urlsplit(address)
    return parts.scheme, parts.hostname, parts.port


def _session(client: Client) -> OAuth2Session:
    session = OAuth2Session(
        client.client_id,
        client.client_secret,
        scope=_SCOPE,
        redirect_uri=client.callback,
        code_challenge_method="S256",
    )
    # Neither proxies nor passwords out of this machine's environment.
    session.trust_env = False
    return session


def _claims(client: Client, attempt: Attempt, id_token: Any) -> dict[str, Any]:
    """The checked claims of an ID token."""
    keys = _fetch(_described(client.issuer, "jwks_uri"))
    wanted = jwt.JWTClaimsRegistry(
        leeway=_LEEWAY,
        iss={"essential": True, "value": client.issuer},
        aud={"essential": True, "value": client.client_id},
        nonce={"essential": True, "value": attempt.nonce},
        exp={"essential": True},
        sub={"essential": True},
    )
    try:
        known = jwk.KeySet.import_key_set(cast("jwk.KeySetSerialization", keys))
        token = jwt.decode(id_token, known, algorithms=_ALGORITHMS)
        wanted.validate(token.claims)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ProviderError(f"the ID token is refused: {type(error).__name__}") from error
    return dict(token.claims)


def _described(issuer: str, name: str) -> str:
    """An address out of the provider's description; of the issuer's own origin."""
    found = _fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    address = found.get(name)
    if found.get("issuer") != issuer:
        raise ProviderError("the description is of another issuer")
    if not isinstance(address, str) or origin(address) != origin(issuer):
        raise ProviderError(f"{name} is not the issuer's")
    return address


def _fetch(address: str) -> dict[str, Any]:
    with requests.Session() as session:
        session.trust_env = False
        try:
            answer = session.get(address, timeout=_TIMEOUT, allow_redirects=False, stream=True)
            content = answer.raw.read(_LARGEST + 1, decode_content=True)
            found = None if len(content) > _LARGEST else json.loads(content)
        except (requests.RequestException, OSError, ValueError) as error:
            raise ProviderError(f"no answer: {type(error).__name__}") from error
    if answer.status_code != 200 or not isinstance(found, dict):
        raise ProviderError(f"answered {answer.status_code}")
    return found
