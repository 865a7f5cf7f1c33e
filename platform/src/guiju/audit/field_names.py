"""What the values in an entry's ``before`` and ``after`` are called: for the auditor, who reads it.

The trail itself, its chain and its export keep the names that the program gave.
"""

from __future__ import annotations

from functools import cache

from guiju.db.facts_tables import stored_name
from guiju.facts import layout
from guiju.language import gettext as _
from guiju.language import spoken
from guiju.rules import tables

#: Facts tables whose columns the values of an entry about something are.
_TABLES = {
    "occasion": ("occasions",),
    "organization": ("organizations", "attestations"),
    "person": ("members", "posts"),
}


def field_names(subject_type: str, names: list[str]) -> dict[str, str]:
    """What values of entries about a kind of thing are called, by name.

    A name that nothing better is known for is spelt out.
    """
    known = _own()
    return {
        name: _column_name(subject_type, name) or known.get(name) or _spelt(name) for name in names
    }


def _column_name(subject_type: str, name: str) -> str | None:
    """The heading of the column in a facts document; in another language its name, spelt out."""
    heading = _headings(subject_type).get(name)
    if heading is None:
        return None
    translated = _(heading)
    return translated if spoken() == "zh" or translated != heading else _spelt(name)


@cache
def _headings(subject_type: str) -> dict[str, str]:
    """Headings by the column's name, as authors write it and as it is stored."""
    found: dict[str, str] = {}
    for table in _TABLES.get(subject_type, (subject_type,)):
        if table not in tables.TABLES:
            continue
        for name, field in tables.columns(table).items():
            stored = stored_name(table, name)
            for known in (name, stored) if stored else (name,):
                found.setdefault(known, layout.heading(field))
    return found


def _spelt(name: str) -> str:
    return name.replace("_", " ")


def _own() -> dict[str, str]:
    """Names that the facts tables do not have, or that say more in the trail."""
    return {
        # Who and when.
        "author": _("填写人"),
        "user": _("用户"),
        "user_id": _("用户"),
        "username": _("用户名"),
        "email": _("邮箱"),
        "by_mail": _("用邮件告知"),
        "language": _("语言"),
        "created_at": _("建立时间"),
        "changed_at": _("更改时间"),
        "made_at": _("生成时间"),
        "expires_at": _("到期时间"),
        "withdrawn_at": _("撤回时间"),
        "since": _("起"),
        "until": _("止"),
        "reason": _("理由"),
        "name": _("名称"),
        "title": _("名称"),
        "kind": _("类别"),
        "subject": _("对象"),
        "id": _("编号"),
        "code": _("编号"),
        "path": _("在组织树中的位置"),
        "unit": _("单位"),
        "organization": _("组织"),
        "organization_id": _("组织"),
        "organizations": _("组织"),
        # Users and their rights.
        "role": _("角色"),
        "roles": _("角色"),
        "scopes": _("范围"),
        "purpose": _("用途"),
        "successor": _("接任人"),
        "to": _("给谁"),
        "method": _("请求方式"),
        "idle_minutes": _("多少分钟不操作即退出"),
        "longest_hours": _("登录后最多多少小时"),
        "shortest_password": _("密码至少多少字"),
        "former_passwords": _("不得与最近几个密码相同"),
        "rotation_days": _("多少天须改密码"),
        "totp_required": _("管理员须用动态验证码"),
        "separated": _("三员分立"),
        "issuer": _("认证系统的地址"),
        "client_id": _("应用编号"),
        "by_email": _("按邮箱自动对应账号"),
        # The tree and its people.
        "into": _("并入或分设的单位"),
        "effective_on": _("生效日期"),
        "destination": _("去向"),
        "first_day": _("第一天"),
        "posts_ended": _("随之结束的职务"),
        # Records.
        "revision": _("版本"),
        "state": _("状态"),
        "comment": _("意见"),
        "content": _("情况记录"),
        "month": _("月份"),
        "text": _("内容"),
        "what": _("要做的事"),
        "who": _("负责人"),
        "note": _("备注"),
        "due_on": _("期限"),
        "done_on": _("完成日期"),
        "meets_on": _("开会日期"),
        "digest": _("内容的摘要"),
        "size": _("字节数"),
        "of": _("属于"),
        "payload": _("草稿内容"),
        "levels": _("审核层级"),
        "late_after_days": _("多少天后算补录"),
        "attendance": _("出席人次"),
        "agenda": _("议程项数"),
        "documents": _("材料份数"),
        "steps": _("步骤项数"),
        "votes": _("表决项数"),
        # Facts in bulk, judging and deciding.
        "file": _("文件"),
        "files": _("附件"),
        "inserted": _("新增"),
        "updated": _("更改"),
        "terms": _("启用的规则"),
        "change": _("改动的编号"),
        "preview": _("预览的编号"),
        "as_of": _("评判截止日"),
        "requirement": _("要求"),
        "part": _("部分"),
        "period": _("期间"),
        "verdict": _("结果"),
        "key": _("标识"),
        "remark": _("说明"),
        "answer": _("答复"),
        # Taking along.
        "format": _("格式"),
        "parameters": _("参数"),
        "before": _("此前的"),
        "seals": _("封存批次"),
        "entries": _("条数"),
        "delete_on": _("删除时间"),
        "from": _("来自"),
        "root": _("顶级组织"),
    }
