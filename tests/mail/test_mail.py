"""Mail goes out whole, to one address, encrypted where a password travels, or says why not."""

import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from guiju import mail
from guiju.config import ConfigError, load_settings
from guiju.mail import Message, ServerUnavailable, Undeliverable

SETTINGS = {
    "DATABASE_URL": "postgresql://guiju_app@db/guiju",
    "REDIS_URL": "redis://queue:6379/0",
    "SECRET_KEY": "0123456789abcdef0123456789abcdef",
}
MAIL = {"GUIJU_MAIL_FROM": "guiju@example.cn", "GUIJU_PUBLIC_URL": "https://guiju.example.cn/app/"}
REMINDER = Message("shuji@example.cn", "本月应办 2 项", "主题党日：3 月 31 日前\n" * 3)


def settings(smtp_url):
    return load_settings(SETTINGS | MAIL | {"GUIJU_SMTP_URL": smtp_url})


def test_without_a_server_nothing_is_sent():
    without = load_settings(SETTINGS)
    assert not mail.configured(without)
    assert mail.send(without, REMINDER) is False
    with pytest.raises(ServerUnavailable), mail.connection(without):
        pass


def test_a_message_arrives_as_it_was_written(letterbox, smtp_url):
    assert mail.send(settings(smtp_url), REMINDER)
    [message] = letterbox.messages
    assert letterbox.recipients == [["shuji@example.cn"]]
    assert (message["From"], message["To"]) == ("guiju@example.cn", "shuji@example.cn")
    assert message["Subject"] == REMINDER.subject
    assert message.get_content_type() == "text/plain"
    assert message.get_content().replace("\r\n", "\n") == REMINDER.text
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@example.cn>")
    assert socket.gethostname() not in message.as_string()


def test_one_connection_serves_several_and_goes_on_after_a_refusal(letterbox, smtp_url):
    letterbox.refused.add("gone@example.cn")
    with mail.connection(settings(smtp_url)) as mailer:
        mailer.send(REMINDER)
        with pytest.raises(Undeliverable) as caught:
            mailer.send(Message("gone@example.cn", "提醒", "正文"))
        mailer.send(REMINDER)
    assert len(letterbox.messages) == 2
    assert "gone@" not in str(caught.value)


def test_a_server_that_asks_for_patience_is_told_from_one_that_refuses(letterbox, smtp_url):
    letterbox.busy = True
    with pytest.raises(ServerUnavailable, match="451"):
        mail.send(settings(smtp_url), REMINDER)


def test_a_server_that_is_not_there():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(ServerUnavailable, match="ConnectionRefused"):
        mail.send(settings(f"smtp://127.0.0.1:{port}"), REMINDER)


@pytest.mark.parametrize(
    "message",
    [
        Message("shuji@example.cn\r\nBcc: everyone@example.cn", "提醒", "正文"),
        Message("shuji@example.cn, everyone@example.cn", "提醒", "正文"),
        Message("", "提醒", "正文"),
        Message("shuji@example.cn", "提醒\r\nBcc: everyone@example.cn", "正文"),
    ],
)
def test_nobody_is_smuggled_into_the_headers(letterbox, smtp_url, message):
    with pytest.raises(Undeliverable):
        mail.send(settings(smtp_url), message)
    assert letterbox.messages == []


def test_a_password_does_not_travel_unencrypted(letterbox, smtp_url):
    with pytest.raises(ServerUnavailable, match="no encryption"):
        mail.send(settings(smtp_url.replace("//", "//guiju:secret@")), REMINDER)
    assert letterbox.messages == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for this machine, and its key, in one file each."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder


def signed_in(_server, _session, _envelope, _mechanism, given):
    right = (given.login, given.password) == (b"guiju", b"p@ss word")
    return AuthResult(success=right, handled=right)


# The server does not count smtps:// as the TLS that it could require of who signs in.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_sign_in_over_an_encrypted_connection(
    monkeypatch, letterbox, mail_server, certificate, scheme
):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    encrypted = (
        {"ssl_context": context, "auth_require_tls": False}
        if scheme == "smtps"
        else {"tls_context": context, "require_starttls": True}
    )
    port = mail_server(authenticator=signed_in, auth_required=True, **encrypted)
    address = f"{scheme}://guiju:p%40ss%20word@localhost:{port}"
    with pytest.raises(ServerUnavailable, match="CertVerification"):
        mail.send(settings(address), REMINDER)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate / "cert.pem"))
    with pytest.raises(ServerUnavailable, match="Authentication"):
        mail.send(settings(address.replace("p%40ss", "wrong")), REMINDER)
    mail.send(settings(address), REMINDER)
    assert len(letterbox.messages) == 1


def test_links_lead_to_where_users_open_it():
    assert mail.link(settings("smtp://mail"), "/due") == "https://guiju.example.cn/app/due"


def test_a_server_needs_a_sender_and_an_address_for_links():
    with pytest.raises(ConfigError) as caught:
        load_settings(SETTINGS | {"GUIJU_SMTP_URL": "smtp://mail"})
    assert [problem.split("：")[0] for problem in caught.value.problems] == [
        "GUIJU_MAIL_FROM",
        "GUIJU_PUBLIC_URL",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GUIJU_SMTP_URL", "mail:25"),
        ("GUIJU_SMTP_URL", "http://mail"),
        ("GUIJU_SMTP_URL", "smtp://mail:port"),
        ("GUIJU_MAIL_FROM", "guiju"),
        ("GUIJU_PUBLIC_URL", "guiju.example.cn"),
        ("GUIJU_PUBLIC_URL", "https://guiju.example.cn/?a=1"),
    ],
)
def test_settings_of_mail_are_checked_at_the_start(name, value):
    with pytest.raises(ConfigError, match=f"^{name}："):
        load_settings(SETTINGS | MAIL | {"GUIJU_SMTP_URL": "smtp://mail"} | {name: value})


def test_the_password_of_the_server_is_not_printed():
    assert "secret" not in repr(settings("smtps://guiju:secret@mail"))
