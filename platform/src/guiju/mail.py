"""Sending mail: plain text through the SMTP server that the settings name.

Where no server is set nothing is sent and :func:`configured` says so.  What a message may say
is its author's business; this module sees to it that a message goes to one address at a time,
encrypted wherever a password travels, and that no address appears in a log: an error names
what happened, never the server's own words, which can repeat what was sent to it.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from urllib.parse import SplitResult, unquote, urlsplit

from guiju.config import Settings

#: Seconds that a server is waited for; some messages are sent while a page is being made.
_TIMEOUT = 10
_PORTS = {"smtp": 25, "smtps": 465}


class MailError(Exception):
    """A message was not sent; says why, without addresses."""


class Undeliverable(MailError):
    """The server, or this module, refuses this one address or message for good."""


class ServerUnavailable(MailError):
    """The server cannot be used now; the same message may be sent later."""


@dataclass(frozen=True)
class Message:
    """A plain text to one address."""

    to: str
    subject: str
    text: str


class Mailer:
    """An open connection to the server."""

    def __init__(self, server: smtplib.SMTP, sender: str) -> None:
        self._server = server
        self._sender = sender

    def send(self, message: Message) -> None:
        """Hand a message over to the server.

        Raises ``Undeliverable`` or ``ServerUnavailable``.
        """
        composed = _composed(message, self._sender)
        try:
            self._server.send_message(composed, self._sender, [message.to])
        except smtplib.SMTPRecipientsRefused as error:
            [(code, _reason)] = error.recipients.values()
            raise _refusal(code) from None
        except smtplib.SMTPNotSupportedError:
            raise Undeliverable("the server takes no such address") from None
        except smtplib.SMTPResponseException as error:
            raise _refusal(error.smtp_code) from None
        except (smtplib.SMTPException, OSError) as error:
            raise ServerUnavailable(type(error).__name__) from None


def configured(settings: Settings) -> bool:
    """Whether the settings name a server."""
    return settings.smtp_url is not None


def link(settings: Settings, path: str) -> str:
    """The full address of a page, for use in a message; ``path`` begins with a slash."""
    return f"{(settings.public_url or '').rstrip('/')}{path}"


@contextmanager
def connection(settings: Settings) -> Iterator[Mailer]:
    """A connection for several messages.

    Raises ``ServerUnavailable`` where there is no server, or no way to speak to it safely.
    """
    if settings.smtp_url is None or settings.mail_from is None:
        raise ServerUnavailable("no server is set")
    address = urlsplit(settings.smtp_url)
    try:
        server = _connected(address)
    except (smtplib.SMTPException, OSError) as error:
        raise ServerUnavailable(type(error).__name__) from None
    try:
        yield Mailer(server, settings.mail_from)
    finally:
        try:
            server.quit()
        except (smtplib.SMTPException, OSError):
            server.close()


def send(settings: Settings, message: Message) -> bool:
    """Send one message; False where no server is set.

    Raises ``Undeliverable`` or ``ServerUnavailable``.
    """
    if not configured(settings):
        return False
    with connection(settings) as mailer:
        mailer.send(message)
    return True


def _connected(address: SplitResult) -> smtplib.SMTP:
    """A session with the server, encrypted and signed in as its address asks for."""
    host, port = address.hostname or "", address.port or _PORTS[address.scheme]
    context = ssl.create_default_context()
    if address.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=_TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=_TIMEOUT)
    try:
        server.ehlo()
        if address.scheme == "smtp":
            _encrypt(server, context, required=address.username is not None)
        if address.username:
            server.login(unquote(address.username), unquote(address.password or ""))
    except BaseException:
        server.close()
        raise
    return server


def _encrypt(server: smtplib.SMTP, context: ssl.SSLContext, *, required: bool) -> None:
    if server.has_extn("starttls"):
        server.starttls(context=context)
        server.ehlo()
    elif required:
        raise ServerUnavailable("the server offers no encryption, and a password is set")


def _composed(message: Message, sender: str) -> EmailMessage:
    composed = EmailMessage(policy=SMTP)
    if not all(message.to.partition("@")):
        raise Undeliverable("there is no address")
    try:
        composed["From"] = Address(addr_spec=sender)
        composed["To"] = Address(addr_spec=message.to)
        composed["Subject"] = message.subject
    except (ValueError, MessageError):
        raise Undeliverable("the address or the subject is malformed") from None
    composed["Date"] = formatdate()
    # The sender's domain, so that no name of this machine goes out.
    composed["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    # Keeps absence notices from answering.
    composed["Auto-Submitted"] = "auto-generated"
    composed.set_content(message.text)
    return composed


def _refusal(code: int) -> MailError:
    """What a server's answer means: 5xx is for good, anything else may pass."""
    reason = f"the server answered {code}"
    return Undeliverable(reason) if code >= 500 else ServerUnavailable(reason)
