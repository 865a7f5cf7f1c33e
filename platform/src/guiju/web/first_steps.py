"""What comes first where nothing is judged yet: shown instead of a page with nothing on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from flask import url_for
from flask_login import current_user

from guiju.db import db
from guiju.language import gettext as _
from guiju.organizations.children import children
from guiju.organizations.portrait import Portrait
from guiju.rules.vocabulary import BRANCH_KINDS


@dataclass(frozen=True)
class Step:
    """One thing to do and where; ``done`` says that it needs nobody any more."""

    title: str
    text: str
    address: str
    done: bool


def first_steps(portrait: Portrait, on: date) -> list[Step]:
    """What the visitor can do so that the unit is judged, in the order in which it is done."""
    return list(_steps(portrait, on))


def _steps(portrait: Portrait, on: date) -> Iterator[Step]:
    place = portrait.place
    number = place.organization_id
    if current_user.may("import.run", place.path) and place.kind not in BRANCH_KINDS:
        yield Step(
            _("导入单位和党员"),
            _("下载模板，填好后上传；先预览，确认后才写入。"),
            url_for("imports.page", organization_id=number),
            bool(children(db.session, number, on)),
        )
    elif current_user.may("members.manage", place.path):
        yield Step(
            _("登记党员"),
            _("记录活动时从名册中点选出席的人。"),
            url_for("members.page", organization_id=number),
            done=False,
        )
    if current_user.may("profile.manage", place.path):
        yield Step(
            _("启用地方规则"),
            _("选择依据哪份文件评判；先看哪些单位会改变，再生效。"),
            url_for("profiles.page", organization_id=number),
            portrait.profile is not None,
        )
    if current_user.may("accounts.manage", place.path):
        yield Step(
            _("邀请人员"),
            _("把链接交给各单位的书记和审核人，由他们自己设置密码。"),
            url_for("invitation_lists.page"),
            done=False,
        )
