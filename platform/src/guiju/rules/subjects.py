"""What a statement is about: the subject word of its id, with a label.

An id ends in subject and name (``xian.main.contact_point.secretary``), and one word
means one subject in all notices.  Reading matter is grouped by it.
"""

from __future__ import annotations

from typing import Final

from guiju.rules.vocabulary import Vocabulary


def _(text: str) -> str:
    """Mark ``text`` for translation; the translation itself happens on display."""
    return text


#: In the order in which a reader expects them: the unit, its life, its people, its superiors.
SUBJECTS: Final = Vocabulary(
    "subject",
    {
        "branch_setup": _("支部设置"),
        "committee_setup": _("支委会设置"),
        "secretary": _("支部书记"),
        "term": _("任期与换届"),
        "branch_role": _("支部作用"),
        "three_meetings": _("三会一课"),
        "branch_assembly": _("支部党员大会"),
        "branch_committee": _("支部委员会会议"),
        "party_group_meeting": _("党小组会"),
        "party_lecture": _("党课"),
        "theme_day": _("主题党日"),
        "organizational_life_meeting": _("组织生活会"),
        "democratic_life_meeting": _("民主生活会"),
        "heart_to_heart_talk": _("谈心谈话"),
        "three_appraisals": _("三项评议"),
        "organization_appraisal": _("评组织"),
        "secretary_appraisal": _("评书记"),
        "member_appraisal": _("民主评议党员"),
        "political_birthday": _("政治生日"),
        "party_spirit_check": _("党性体检"),
        "party_constitution": _("学习遵守党章"),
        "training": _("教育培训"),
        "dues": _("党费"),
        "member_points": _("积分管理"),
        "member_admission": _("发展党员"),
        "member_management": _("党员管理"),
        "member_rights": _("党员权利"),
        "floating_members": _("流动党员"),
        "vanguard_role": _("先锋作用"),
        "community_service": _("到社区报到服务"),
        "care": _("关怀帮扶"),
        "attendance_discipline": _("出席与缺席"),
        "unqualified_member": _("不合格党员"),
        "discipline_case": _("违纪处理"),
        "dual_organizational_life": _("双重组织生活"),
        "decision_making": _("议事决策"),
        "reporting": _("请示报告"),
        "rectification": _("整改"),
        "premises": _("活动阵地"),
        "funding": _("经费保障"),
        "form": _("记录表样"),
        "standardization": _("标准化规范化"),
        "standardization_month": _("规范化建设月"),
        "red_boat": _("红船系列活动"),
        "teacher_ethics": _("师德师风"),
        "innovation": _("创新"),
        "demonstration": _("示范引领"),
        "weak_organization": _("后进党组织"),
        "inspection": _("检查督促"),
        "health_check": _("健康体检"),
        "topic_study": _("专题研究"),
        "contact_point": _("支部联系点"),
        "assessment": _("考核"),
        "leadership": _("组织领导"),
        "responsibility": _("责任"),
        "classified_guidance": _("分类指导"),
        "self_building": _("自身建设"),
        "anti_formalism": _("力戒形式主义"),
        "scope": _("适用范围"),
        "general": _("总体要求"),
    },
    open=True,
)

_RANK: Final = {code: rank for rank, code in enumerate(SUBJECTS)}


def subject_of(requirement: str) -> str:
    """The subject word of a requirement's id."""
    return requirement.rsplit(".", 2)[-2]


def subject_rank(subject: str) -> int:
    """Where a subject stands among the others; words that a profile adds come last."""
    return _RANK.get(subject, len(_RANK))
