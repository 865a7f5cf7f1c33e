"""How accounts are worded on pages: permissions, states, browsers."""

from __future__ import annotations

import re

from flask import Flask
from flask_login import current_user

from guiju.accounts.permissions import permission_label
from guiju.language import gettext as _

# In the order in which they are looked for: most browsers also claim to be another.
_BROWSERS = (
    ("MicroMessenger", "微信"),
    ("DingTalk", "钉钉"),
    ("Lark", "飞书"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def init_app(app: Flask) -> None:
    """Let templates use everything here."""
    app.jinja_env.filters.update(
        permission=permission_label,
        browser=browser,
        role_help=role_help,
        user_state=user_state,
        link_purpose=link_purpose,
        link_state=link_state,
        shown_name=shown_name,
    )


def shown_name(name: str) -> str:
    """The name of somebody who works in the tenant; the platform's support sees none."""
    return name if current_user.support is None else _("（姓名不显示）")


def browser(agent: str | None) -> str:
    """Browser and system of a User-Agent header, as far as it tells."""
    names = [
        next((name for mark, name in known if re.search(mark, agent or "")), None)
        for known in (_BROWSERS, _SYSTEMS)
    ]
    return " · ".join(name for name in names if name) or _("未知的浏览器")


def role_help(role: str) -> str:
    """What a role is for, in one line."""
    return {
        "administrator": _("管理本单位及下级的组织、党员、规则和设置，也能填报、审核"),
        "security_administrator": _("只管理账号、角色、安全策略和平台支持访问，看不到业务内容"),
        "recorder": _("填报活动，声明本月齐全，维护党员名册"),
        "reviewer": _("审核填报，认定需人工判断的事项"),
        "reader": _("查看统计和记录，看不到党员姓名"),
        "auditor": _("只查看审计记录"),
    }[role]


def user_state(state: str) -> str:
    """Whether a user signs in."""
    return {"active": _("正常"), "invited": _("待接受邀请"), "inactive": _("已停用")}[state]


def link_purpose(purpose: str) -> str:
    """What a one-time link is for."""
    return {
        "invitation": _("邀请"),
        "reset": _("重设密码"),
        "forgotten": _("忘记密码"),
        "recovery": _("运维恢复"),
    }[purpose]


def link_state(state: str) -> str:
    """What became of a one-time link."""
    return {
        "open": _("未用"),
        "used": _("已用"),
        "void": _("已作废"),
        "expired": _("已过期"),
    }[state]
