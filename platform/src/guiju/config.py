"""Settings: read from the environment once, checked whole, then passed on as a value.

Nothing else in Guiju reads the environment. ``docs/operations/settings.md`` is generated
from the table here (``make docs``), and a test holds the two together.
"""

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import psycopg
from marshmallow import Schema, ValidationError, fields, validate
from psycopg.conninfo import conninfo_to_dict

from guiju.language import gettext as _

PREFIX = "GUIJU_"

# The database role that the application connects as. It owns nothing, so that row-level
# security always holds for it.
APP_ROLE = "guiju_app"

# Where the files of records lie unless something else is set.
DEFAULT_FILES_URL = "file:///var/lib/guiju/files"

# As marshmallow declares the messages of a field.
_Messages = dict[str, str | list[Any] | dict[Any, Any]]


class ConfigError(Exception):
    """The settings are wrong; ``problems`` names every one of them, in the order of the table."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """The settings of one process. Secrets are left out of its printed form."""

    database_url: str = field(repr=False)
    admin_database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    log_level: str
    log_format: str
    max_upload_mb: int
    secure_cookies: bool
    trusted_proxies: int
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str | None = None
    public_url: str | None = None
    api_requests_per_minute: int = 600
    oidc_issuers: str | None = None
    files_url: str = DEFAULT_FILES_URL
    max_attachment_mb: int = 20
    clamd_url: str | None = None
    metrics_token: str | None = field(default=None, repr=False)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings out of ``environ``, by default this process's environment.

    Raises ``ConfigError`` with every problem at once: what is missing, malformed, or
    spelt like a setting (``GUIJU_…``) without being one.
    """
    try:
        values: dict[str, Any] = Schema.from_dict(table())().load(given(environ))
    except ValidationError as error:
        raise ConfigError(_problems(error.messages_dict)) from error
    if problems := _problems(_missing_for_mail(values)):
        raise ConfigError(problems)
    values["admin_database_url"] = values["admin_database_url"] or values["database_url"]
    return Settings(**values)


def given(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """What ``environ``, by default this process's environment, says of the settings, unchecked."""
    environ = os.environ if environ is None else environ  # noqa: TID251 - the one place
    known = variables()
    # An empty variable is how many tools write "not set".
    return {
        name: value
        for name, value in environ.items()
        if value and (name in known or name.startswith(PREFIX))
    }


def as_environment(settings: Settings) -> dict[str, str]:
    """This process's environment with ``settings`` in it, for processes started under them."""
    values = {str(declared.data_key): getattr(settings, name) for name, declared in table().items()}
    return {
        **os.environ,  # noqa: TID251 - the one place
        **{
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in values.items()
            if value is not None
        },
    }


def _postgresql_address(value: str) -> None:
    if not value.startswith(("postgresql://", "postgres://")):
        raise ValidationError(_("应以 postgresql:// 开头。"))
    try:
        conninfo_to_dict(value)
    except psycopg.ProgrammingError as error:
        raise ValidationError(_("无法解析：{reason}").format(reason=str(error).strip())) from error
    _port(value)


def _redis_address(value: str) -> None:
    if urlsplit(value).scheme not in {"redis", "rediss", "unix"}:
        raise ValidationError(_("应以 redis://、rediss:// 或 unix:// 开头。"))
    _port(value)


def _smtp_address(value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ValidationError(_("应写作 smtp://主机 或 smtps://主机。"))
    _port(value)


def _files_address(value: str) -> None:
    parts = urlsplit(value)
    folder = parts.scheme == "file" and not parts.netloc and parts.path.startswith("/")
    bucket = parts.scheme == "s3" and parts.netloc
    if not folder and not bucket:
        raise ValidationError(_("应写作 file:///文件夹 或 s3://存储桶/文件夹。"))


def _scanner_address(value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme == "unix" and parts.path:
        return
    if parts.scheme != "tcp" or not parts.hostname:
        raise ValidationError(_("应写作 tcp://主机:端口 或 unix:///套接字。"))
    _port(value)


def _public_address(value: str) -> None:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValidationError(_("应写作 https://主机，可带路径。"))
    _port(value)


def _issuers(value: str) -> None:
    for address in value.split():
        parts = urlsplit(address)
        # In clear only on this very machine, for trying things out.
        secure = parts.scheme == "https" or (
            parts.scheme == "http" and parts.hostname == "localhost"
        )
        if not secure or not parts.hostname or parts.query or parts.fragment:
            raise ValidationError(_("应写作 https://主机，可带路径，多个之间用空格分开。"))
        _port(address)


def _missing_for_mail(values: Mapping[str, Any]) -> dict[str, Any]:
    """Messages for what a mail server needs beside itself and is not set."""
    if not values["smtp_url"]:
        return {}
    return {
        str(declared.data_key): [_("设置了 GUIJU_SMTP_URL 时不能没有。")]
        for name, declared in table().items()
        if name in {"mail_from", "public_url"} and not values[name]
    }


def _port(value: str) -> None:
    try:
        _number = urlsplit(value).port
    except ValueError as error:
        raise ValidationError(_("端口应为 0 至 65535 的整数。")) from error


def table() -> dict[str, fields.Field[Any]]:
    """The settings: attribute of ``Settings`` to variable, type, default, bounds, description.

    Made anew for each use, in the language of the moment. The descriptions are printed in the
    documentation and with each problem.
    """
    required: _Messages = {"required": _("没有设置。")}
    number: _Messages = {"invalid": _("应为整数。")}
    bounds = _("应在 {min} 与 {max} 之间。")
    choice = _("应为 {choices} 之一。")
    return {
        "database_url": fields.String(
            data_key="DATABASE_URL",
            required=True,
            error_messages=required,
            validate=_postgresql_address,
            metadata={
                "description": _("应用连接的 PostgreSQL 数据库。所用角色不应拥有任何表。"),
                "example": "postgresql://guiju_app:…@db/guiju",
            },
        ),
        "admin_database_url": fields.String(
            data_key="GUIJU_ADMIN_DATABASE_URL",
            load_default=None,
            validate=_postgresql_address,
            metadata={
                "description": _(
                    "同一数据库，以拥有各表的角色连接，只用于升级表结构等运维命令。"
                    "不设置时与 DATABASE_URL 相同。"
                ),
                "example": "postgresql://guiju_admin:…@db/guiju",
            },
        ),
        "redis_url": fields.String(
            data_key="REDIS_URL",
            required=True,
            error_messages=required,
            validate=_redis_address,
            metadata={
                "description": _("任务队列，Redis 或 Valkey。"),
                "example": "redis://queue:6379/0",
            },
        ),
        "secret_key": fields.String(
            data_key="SECRET_KEY",
            required=True,
            error_messages=required,
            validate=validate.Length(min=32, error=_("太短：至少 32 个字符。")),
            metadata={
                "description": _(
                    "签署登录会话、加密两步验证等密钥的密钥，随机生成（openssl rand -hex 32），"
                    "各进程相同。更换后所有人须重新登录，两步验证须重新启用。"
                )
            },
        ),
        "log_level": fields.String(
            data_key="GUIJU_LOG_LEVEL",
            load_default="INFO",
            validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"], error=choice),
            metadata={"description": _("日志的详细程度。")},
        ),
        "log_format": fields.String(
            data_key="GUIJU_LOG_FORMAT",
            load_default="json",
            validate=validate.OneOf(["json", "console"], error=choice),
            metadata={"description": _("日志的写法：json 供收集，console 供人看。")},
        ),
        "max_upload_mb": fields.Integer(
            data_key="GUIJU_MAX_UPLOAD_MB",
            load_default=50,
            error_messages=number,
            validate=validate.Range(min=1, max=1024, error=bounds),
            metadata={"description": _("上传文件的大小上限，单位为兆字节。")},
        ),
        "secure_cookies": fields.Boolean(
            data_key="GUIJU_SECURE_COOKIES",
            load_default=True,
            error_messages={"invalid": _("应为 true 或 false。")},
            metadata={"description": _("登录凭据只经 https 发送。只有本机试用才应关闭。")},
        ),
        "trusted_proxies": fields.Integer(
            data_key="GUIJU_TRUSTED_PROXIES",
            load_default=0,
            error_messages=number,
            validate=validate.Range(min=0, max=8, error=bounds),
            metadata={
                "description": _(
                    "应用前面有几层反向代理，其 X-Forwarded-* 头才可信。直接对外时为 0。"
                )
            },
        ),
        "smtp_url": fields.String(
            data_key="GUIJU_SMTP_URL",
            load_default=None,
            validate=_smtp_address,
            metadata={
                "description": _(
                    "发送邮件的服务器。smtps:// 全程加密；smtp:// 在服务器支持时加密，"
                    "写有口令而不能加密时不发送。不设置则不发邮件。"
                ),
                "example": "smtps://guiju:…@mail:465",
            },
        ),
        "mail_from": fields.String(
            data_key="GUIJU_MAIL_FROM",
            load_default=None,
            validate=validate.Email(error=_("应为一个邮件地址。")),
            metadata={"description": _("邮件的发件地址。"), "example": "guiju@example.gov.cn"},
        ),
        "public_url": fields.String(
            data_key="GUIJU_PUBLIC_URL",
            load_default=None,
            validate=_public_address,
            metadata={
                "description": _("用户打开规矩时的网址，邮件中的链接由此开头。"),
                "example": "https://guiju.example.gov.cn",
            },
        ),
        "oidc_issuers": fields.String(
            data_key="GUIJU_OIDC_ISSUERS",
            load_default=None,
            validate=_issuers,
            metadata={
                "description": _(
                    "租户可以用来登录的统一身份认证（OpenID Connect）的 issuer 地址，以空格分开。"
                    "不设置时只能用密码登录。"
                ),
                "example": "https://sso.example.gov.cn",
            },
        ),
        "api_requests_per_minute": fields.Integer(
            data_key="GUIJU_API_REQUESTS_PER_MINUTE",
            load_default=600,
            error_messages=number,
            validate=validate.Range(min=1, max=1_000_000, error=bounds),
            metadata={"description": _("一个个人令牌每分钟最多发出的接口请求数。")},
        ),
        "files_url": fields.String(
            data_key="GUIJU_FILES_URL",
            load_default=DEFAULT_FILES_URL,
            validate=_files_address,
            metadata={
                "description": _(
                    "活动记录附件的存放处：本机文件夹，或与 S3 兼容的存储桶（需安装 guiju[s3]，"
                    "密钥和地址按 AWS 的环境变量给出）。各进程须能读写同一处。"
                ),
                "example": "s3://guiju-files/prod",
            },
        ),
        "max_attachment_mb": fields.Integer(
            data_key="GUIJU_MAX_ATTACHMENT_MB",
            load_default=20,
            error_messages=number,
            validate=validate.Range(min=1, max=200, error=bounds),
            metadata={"description": _("一个附件的大小上限，单位为兆字节。")},
        ),
        "clamd_url": fields.String(
            data_key="GUIJU_CLAMD_URL",
            load_default=None,
            validate=_scanner_address,
            metadata={
                "description": _(
                    "查毒服务 clamd。设置后每个附件先经查毒才保存，查毒服务不可用时不接收附件。"
                ),
                "example": "tcp://clamav:3310",
            },
        ),
        "metrics_token": fields.String(
            data_key="GUIJU_METRICS_TOKEN",
            load_default=None,
            validate=validate.Length(min=16, error=_("太短：至少 16 个字符。")),
            metadata={
                "description": _(
                    "读取 /metrics（Prometheus）所用的令牌，随机生成。不设置时没有这个地址。"
                ),
            },
        ),
    }


def variables() -> dict[str, fields.Field[Any]]:
    """The table by environment variable."""
    return {str(declared.data_key): declared for declared in table().values()}


def _problems(messages: dict[str, Any]) -> list[str]:
    """One line for each problem: what marshmallow found, in the order of the table."""
    known = variables()
    problems = [
        _("{name}：{found}（{purpose}）").format(
            name=name, found=" ".join(messages[name]), purpose=declared.metadata["description"]
        )
        for name, declared in known.items()
        if name in messages
    ]
    return problems + [_unknown(name, known) for name in sorted(messages.keys() - known.keys())]


def _unknown(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    if close:
        return _("{name}：没有这个设置，是否应为 {close}？").format(name=name, close=close[0])
    return _("{name}：没有这个设置。").format(name=name)
