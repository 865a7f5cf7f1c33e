"""What each role allows: the one table that pages, API, commands and the exported matrix read.

A role is held on an organization and reaches everything below it.  A permission names a thing
to do, never a page, so that every way to do it asks for the same one.
"""

from collections.abc import Mapping

from guiju.language import gettext as _

#: Roles in the order in which lists show them.
ROLES = (
    "administrator",
    "security_administrator",
    "recorder",
    "reviewer",
    "reader",
    "auditor",
)

_EVERYBODY = frozenset({"administrator", "recorder", "reviewer", "reader"})
_ABOUT_PEOPLE = frozenset({"administrator", "recorder", "reviewer"})
_ADMINISTRATOR = frozenset({"administrator"})
_SECURITY = frozenset({"security_administrator"})

#: Permission to the roles that have it.
PERMISSIONS: Mapping[str, frozenset[str]] = {
    # The tree, its figures and the records without names of members.
    "organization.read": _EVERYBODY,
    "findings.read": _EVERYBODY,
    "records.read": _EVERYBODY,
    "reports.make": _EVERYBODY,
    # Names of members, and findings about single ones.
    "people.read": _ABOUT_PEOPLE,
    # Recording, and seeing to it that what is recorded is right.
    "records.write": frozenset({"administrator", "recorder"}),
    "records.review": frozenset({"administrator", "reviewer"}),
    "period.attest": frozenset({"administrator", "recorder"}),
    # What a person decides about findings: a decision, an appeal against one, a reminder.
    "findings.decide": frozenset({"administrator", "reviewer"}),
    "findings.appeal": frozenset({"administrator", "recorder"}),
    "findings.act": frozenset({"administrator", "reviewer"}),
    # The tree, its people, and what they are judged by.
    "organization.manage": _ADMINISTRATOR,
    "members.manage": frozenset({"administrator", "recorder"}),
    "import.run": _ADMINISTRATOR,
    "profile.manage": _ADMINISTRATOR,
    "workflow.manage": _ADMINISTRATOR,
    "jobs.read": _ADMINISTRATOR,
    "tenant.export": _ADMINISTRATOR,
    # Accounts and their rights; the administrator too, unless the tenant keeps the
    # three administrators apart (:data:`SEPARATED`).
    "accounts.manage": _ADMINISTRATOR | _SECURITY,
    "policy.manage": _ADMINISTRATOR | _SECURITY,
    # Letting the platform's operator read a part of the tree for some hours.
    "support.grant": _ADMINISTRATOR | _SECURITY,
    # The audit trail is the auditor's alone.
    "audit.read": frozenset({"auditor"}),
}

#: What the administrator may not do in a tenant that keeps system, security and audit apart.
SEPARATED = frozenset({"accounts.manage", "policy.manage", "support.grant"})

#: The three administrators that such a tenant keeps apart: nobody is two of them.
KEPT_APART = ("administrator", "security_administrator", "auditor")

#: Roles that reach the whole tenant and are therefore held at its root alone.
WHOLE_TENANT = frozenset({"auditor"})

#: Roles whose work somebody else may do for some days.
DELEGABLE = ("administrator", "recorder", "reviewer", "reader")

#: What nobody does in another's stead: it would outlast the delegation.
UNDELEGATED = frozenset({"accounts.manage", "policy.manage", "support.grant", "tenant.export"})

#: The role in which the platform's support looks, and what it may do of that: it reads what has
#: no names of members in it, and makes nothing.
SUPPORT_ROLE = "reader"
SUPPORT = frozenset({"organization.read", "findings.read", "records.read"})

#: Roles that show the tree and its figures.
READING_ROLES = tuple(role for role in ROLES if role in PERMISSIONS["organization.read"])


def role_label(role: str) -> str:
    """The role's name as shown."""
    return {
        "administrator": _("系统管理员"),
        "security_administrator": _("安全管理员"),
        "recorder": _("填报人"),
        "reviewer": _("审核人"),
        "reader": _("查阅人"),
        "auditor": _("审计员"),
    }[role]


def permission_label(permission: str) -> str:
    """What a permission allows, as shown."""
    return {
        "organization.read": _("查看组织"),
        "findings.read": _("查看评判结果"),
        "records.read": _("查看活动记录"),
        "reports.make": _("生成报表"),
        "people.read": _("查看党员姓名和逐人结果"),
        "records.write": _("填报活动"),
        "records.review": _("审核填报"),
        "period.attest": _("声明本月记录齐全"),
        "findings.decide": _("认定需人工判断的事项"),
        "findings.appeal": _("提出异议"),
        "findings.act": _("提醒、要求说明、下达整改"),
        "organization.manage": _("管理组织树"),
        "members.manage": _("管理党员和职务"),
        "import.run": _("导入工作簿"),
        "profile.manage": _("启用地方规则"),
        "workflow.manage": _("设置审核层级"),
        "jobs.read": _("查看后台任务"),
        "tenant.export": _("导出全部数据"),
        "accounts.manage": _("管理账号和角色"),
        "policy.manage": _("设置账号安全策略"),
        "support.grant": _("授予平台支持访问"),
        "audit.read": _("查看审计记录"),
    }[permission]


def allows(role: str, permission: str, *, separated: bool = False) -> bool:
    """Whether a role has a permission; ``separated`` where the administrators are kept apart.

    Raises ``KeyError`` for a permission that there is not.
    """
    if separated and role == "administrator" and permission in SEPARATED:
        return False
    return role in PERMISSIONS[permission]
