"""The closed vocabularies of Guiju: codes in data, labels through gettext.

A vocabulary maps a code (what is stored, exchanged and compared) to its label
in Chinese.  Labels are marked for translation here and translated where they
are shown.  Vocabularies whose ``open`` flag is set accept codes that a profile
adds; the others are closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum


def _(text: str) -> str:
    """Mark ``text`` for translation; the translation itself happens on display."""
    return text


class Vocabulary(Mapping[str, str]):
    """Ordered codes with Chinese labels.

    ``open`` says whether a profile may add codes of its own.
    """

    def __init__(self, name: str, labels: Mapping[str, str], *, open: bool = False) -> None:
        self.name = name
        self.open = open
        self._labels = dict(labels)

    def __getitem__(self, code: str) -> str:
        return self._labels[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._labels)

    def __len__(self) -> int:
        return len(self._labels)

    def code(self, text: str) -> str | None:
        """The code that ``text`` names, be it a code or its Chinese label; None if neither."""
        if text in self._labels:
            return text
        for code, label in self._labels.items():
            if label == text:
                return code
        return None


class Verdict(StrEnum):
    """What the engine concludes about one subject in one period."""

    MET = "met"
    NOT_MET = "not_met"
    DEVIATION = "deviation"
    PENDING = "pending"
    ACTION_DUE = "action_due"
    NEEDS_JUDGEMENT = "needs_judgement"
    NO_DATA = "no_data"
    NOT_APPLICABLE = "not_applicable"


class Strictness(StrEnum):
    """How firmly the notice words a rule; it decides what a shortfall is called."""

    HARD = "hard"
    BARE = "bare"
    GENERAL = "general"
    DUTY = "duty"
    MAY = "may"
    PRINCIPLE = "principle"


class Automation(StrEnum):
    """How much of a statement records can settle."""

    FULL = "full"
    PARTIAL = "partial"
    MANUAL = "manual"


VERDICTS = Vocabulary(
    "verdict",
    {
        "met": _("符合"),
        "not_met": _("不符合"),
        "deviation": _("偏离一般要求"),
        "pending": _("未到期"),
        "action_due": _("待办理"),
        "needs_judgement": _("待认定"),
        "no_data": _("缺记录"),
        "not_applicable": _("不适用"),
    },
)

STRICTNESS = Vocabulary(
    "strictness",
    {
        "hard": _("必须"),
        "bare": _("明确数字"),
        "general": _("一般"),
        "duty": _("应当"),
        "may": _("可以"),
        "principle": _("原则"),
    },
)

AUTOMATION = Vocabulary(
    "automation",
    {"full": _("记录可判"), "partial": _("部分可判"), "manual": _("由人认定")},
)

ORGANIZATION_KINDS = Vocabulary(
    "organization_kind",
    {
        "working_committee": _("工委"),
        "committee": _("党委"),
        "leading_group": _("党组"),
        "general_branch": _("党总支"),
        "branch": _("党支部"),
        "joint_branch": _("联合党支部"),
        "temporary_branch": _("临时党支部"),
        "party_group": _("党小组"),
        "unit": _("单位/部门"),
    },
)

#: Kinds that are a Party branch in the sense of the notices.
BRANCH_KINDS = ("branch", "joint_branch", "temporary_branch")

SECTORS = Vocabulary(
    "sector",
    {
        "agency": _("机关"),
        "university": _("高校"),
        "school": _("学校"),
        "hospital": _("医院"),
        "village": _("村"),
        "community": _("社区"),
        "enterprise": _("国企"),
        "new_organization": _("两新组织"),
        "township": _("乡镇街道"),
    },
)

MEMBER_CLASSES = Vocabulary(
    "member_class",
    {
        "full": _("正式党员"),
        "probationary": _("预备党员"),
        "activist": _("入党积极分子"),
        "candidate": _("发展对象"),
    },
)

#: Classes of people outside the roster who may attend.
OUTSIDER_CLASSES = Vocabulary(
    "person_class",
    {
        "activist": _("入党积极分子"),
        "candidate": _("发展对象"),
        "mass_representative": _("群众（服务对象）代表"),
        "staff": _("机关工作人员"),
        "superior": _("上级派员"),
        "other": _("其他人员"),
    },
)

POSTS = Vocabulary(
    "post",
    {
        "secretary": _("书记"),
        "deputy_secretary": _("副书记"),
        "organization_member": _("组织委员"),
        "publicity_member": _("宣传委员"),
        "discipline_member": _("纪检委员"),
        "committee_member": _("委员"),
        "group_leader": _("党小组组长"),
        "team_member": _("班子成员"),
        "department_head": _("部门主要负责人"),
        "administrative_head": _("单位主要负责人"),
        "instructor": _("党建指导员"),
        "recorder": _("记录员"),
    },
    open=True,
)

#: Posts whose holders make up a branch committee.
COMMITTEE_POSTS = (
    "secretary",
    "deputy_secretary",
    "organization_member",
    "publicity_member",
    "discipline_member",
    "committee_member",
)

#: Posts whose holders make up the leading team of a committee or leading group.
TEAM_POSTS = ("secretary", "deputy_secretary", "team_member")

OCCASION_KINDS = Vocabulary(
    "occasion_kind",
    {
        "branch_assembly": _("支部党员大会"),
        "branch_committee": _("支部委员会会议"),
        "party_group_meeting": _("党小组会"),
        "party_lecture": _("党课"),
        "organizational_life_meeting": _("组织生活会"),
        "democratic_life_meeting": _("民主生活会"),
        "theme_day": _("主题党日"),
        "member_appraisal": _("民主评议党员"),
        "organization_appraisal": _("评组织"),
        "secretary_appraisal": _("评书记"),
        "heart_to_heart_talk": _("谈心谈话"),
        "political_birthday": _("政治生日"),
        "training": _("集中培训"),
        "work_report": _("工作报告"),
        "election": _("换届选举"),
        "inspection": _("检查"),
        "health_check": _("健康体检"),
        "party_spirit_check": _("党性体检"),
        "topic_study": _("专题研究党支部建设"),
        "acceptance_check": _("观摩验收"),
        "all_staff_meeting": _("机关全体人员会议"),
        "year_end_summary": _("年终总结"),
        "mid_year_summary": _("年中总结"),
        "self_check": _("设置自查"),
        "discussion": _("讨论会"),
        "team_meeting": _("班子会议"),
        "mass_review": _("群众评议"),
        "dues_collection": _("党费收缴"),
    },
    open=True,
)

OCCASION_STATUS = Vocabulary(
    "occasion_status",
    {"held": _("已召开"), "cancelled": _("已取消"), "planned": _("计划中")},
)

MODES = Vocabulary(
    "mode",
    {
        "in_person": _("面对面"),
        "phone": _("电话"),
        "video": _("视频"),
        "mixed": _("线上线下结合"),
    },
)

FORMS = Vocabulary(
    "form",
    {
        "assembly": _("党员大会"),
        "committee": _("支部委员会会议"),
        "group": _("党小组会"),
        "team": _("班子会议"),
    },
)

COMPONENTS = Vocabulary(
    "component",
    {
        "study": _("专题学习"),
        "exchange": _("思想交流"),
        "comment": _("集中点评"),
        "service": _("为民服务"),
        "dues": _("缴纳党费"),
        "oath": _("入党宣誓"),
        "on_site_education": _("现场教育"),
        "party_spirit_analysis": _("党性分析"),
        "democratic_decision": _("民主议事决策"),
        "care": _("党内关怀"),
        "lecture": _("听党课"),
        "volunteering": _("志愿服务"),
        "political_birthday": _("政治生日"),
        "exhibition": _("看展览"),
        "constitution": _("学党章"),
        "film": _("观专题片"),
        "red_boat": _("瞻仰红船"),
        "pledge": _("先锋承诺"),
        "disclosure": _("党务公开"),
        "criticism": _("批评和自我批评"),
        "other": _("其他活动"),
    },
    open=True,
)

ATTENDANCE = Vocabulary(
    "attendance",
    {
        "present": _("出席"),
        "remote": _("线上参加"),
        "excused": _("请假"),
        "unexcused": _("无故缺席"),
    },
)

DOCUMENT_KINDS = Vocabulary(
    "document_kind",
    {
        "minutes": _("会议记录"),
        "sign_in_sheet": _("签到表"),
        "lecture_script": _("党课稿"),
        "lecture_record": _("党课记录"),
        "photos": _("现场图片"),
        "activity_register": _("活动情况登记表"),
        "dues_ledger": _("党费台账"),
        "plan": _("方案/计划"),
        "preparation_note": _("筹备情况"),
        "chair_script": _("主持词"),
        "study_papers": _("学习资料"),
        "talk_records": _("谈心谈话记录"),
        "opinion_list": _("意见清单"),
        "comparison_paper": _("对照发言/检查材料"),
        "correction_measures": _("整改措施"),
        "rating_form": _("测评表"),
        "register_form": _("登记表"),
        "self_assessment": _("自评表"),
        "excellent_list": _("优秀党员名单"),
        "unqualified_list": _("不合格党员名单及处置措施"),
        "application": _("入党申请书"),
        "admission_form": _("入党志愿书"),
        "ballot_record": _("票决记录"),
        "reflection": _("心得体会"),
        "summary": _("活动总结"),
        "decision_paper": _("处理文件"),
        "disciplined_list": _("违纪党员清单"),
        "problem_list": _("问题清单"),
        "equipment_register": _("设施设备登记"),
    },
    open=True,
)

STEPS = Vocabulary(
    "step",
    {
        "agenda_fixed": _("确定议题"),
        "platform_created": _("平台创建会议"),
        "notified": _("通知参会人员"),
        "consulted": _("商定议题"),
        "theme_consulted": _("与上级沟通主题"),
        "plan": _("制定计划"),
        "study": _("集中学习"),
        "talks": _("谈心谈话"),
        "opinions": _("听取意见"),
        "outline": _("撰写发言提纲"),
        "paper": _("撰写对照检查材料"),
        "count": _("清点人数并宣布有效"),
        "discussion": _("讨论"),
        "criticism": _("批评和自我批评"),
        "problems": _("查摆问题"),
        "direction": _("明确整改方向"),
        "committee_meeting": _("先行召开委员会（班子）会议"),
        "committee_report": _("通报委员会对照检查情况"),
        "work_report": _("工作述职"),
        "self_evaluation": _("个人自评"),
        "mutual_evaluation": _("党员互评"),
        "ballot": _("民主测评"),
        "decision": _("组织评定"),
        "notification": _("通报奖惩"),
        "measures": _("制定整改措施"),
        "rectified": _("整改落实"),
        "reported": _("报告上级"),
        "filed": _("备案"),
        "publicised": _("公示"),
        "circulated": _("一定范围通报"),
        "followed_up": _("抓好落实"),
        "archived": _("资料归档"),
        "platform_updated": _("平台信息维护"),
        "file_noted": _("记入个人档案"),
        "collective_discussion": _("集体讨论"),
        "scope_consulted": _("一定范围征求意见"),
        "reviewed": _("主要负责同志审核"),
        "approved": _("上级审定"),
        "superior_present": _("上级派员参加"),
        "application": _("提出申请"),
        "reply": _("批复同意"),
        "election": _("选举产生"),
    },
    open=True,
)

AGENDA_TOPICS = Vocabulary(
    "agenda_topic",
    {
        "committee_report": _("听取和审查委员会工作报告"),
        "election": _("选举"),
        "admission": _("接收预备党员"),
        "conversion": _("预备党员转正"),
        "probation": _("延长或取消预备期"),
        "commendation": _("表彰"),
        "handling": _("组织处置"),
        "discipline": _("纪律处分"),
        "major_matter": _("重大事项"),
        "superior_decisions": _("贯彻上级决定"),
        "branch_work": _("支部工作"),
        "annual_plan": _("年度工作计划"),
        "annual_summary": _("年度工作总结"),
        "assembly_topics": _("提交党员大会的议题"),
        "study": _("学习"),
        "talks": _("谈心"),
        "criticism": _("批评和自我批评"),
        "candidates": _("积极分子与发展对象"),
        "member_management": _("党员教育管理"),
        "mass_mood": _("群众思想状况"),
        "constitution": _("学习和遵守党章情况"),
        "life_meeting": _("组织生活会"),
        "appraisal": _("民主评议"),
        "rectification": _("整改事项"),
        "work_report": _("工作报告"),
        "commitments": _("报告兑现承诺"),
        "daily_business": _("日常事务"),
        "opinions": _("反映意见"),
        "other": _("其他事项"),
    },
    open=True,
)

VOTE_TYPES = Vocabulary(
    "vote_type",
    {
        "ordinary": _("一般议题"),
        "election": _("选举"),
        "admission": _("接收预备党员"),
        "conversion": _("预备党员转正"),
        "discipline": _("处分或组织处置"),
    },
)

VOTE_OUTCOMES = Vocabulary("vote_outcome", {"passed": _("通过"), "rejected": _("未通过")})

REPORT_KINDS = Vocabulary(
    "report_kind",
    {
        "work_report": _("工作报告"),
        "three_meetings": _("三会一课执行情况"),
        "theme_day_plan": _("主题党日计划"),
        "meeting_result": _("会议情况"),
        "appraisal_result": _("评议结果"),
        "mid_year_appraisal": _("年中评议情况"),
        "inspection_result": _("检查结果"),
        "renewal_request": _("换届请示"),
        "major_matter": _("重大事项"),
        "sudden_matter": _("突发性重大问题"),
        "rectification": _("整改情况"),
        "commitments": _("兑现承诺情况"),
        "attendance_in_report": _("述职报告中的组织生活情况"),
        "branch_adjustment": _("党支部调整撤销"),
        "branch_founding": _("党支部成立"),
        "plan": _("工作计划"),
        "summary": _("工作总结"),
        "disclosure": _("党务公开"),
    },
    open=True,
)

AUDIENCES = Vocabulary(
    "audience",
    {
        "superior": _("上级党组织"),
        "assembly": _("党员大会"),
        "group_meeting": _("党小组会"),
        "members": _("党员"),
        "masses": _("群众"),
        "members_and_masses": _("党员和群众"),
        "public": _("公开"),
    },
)

INSPECTION_KINDS = Vocabulary(
    "inspection_kind",
    {
        "inspection": _("组织生活检查"),
        "spot_check": _("抽查"),
        "supervision": _("督促指导"),
        "health_check": _("健康体检"),
        "acceptance_check": _("观摩验收"),
        "contact_visit": _("联系点调研"),
        "term_reminder": _("换届提醒"),
        "satisfaction_survey": _("满意度测评"),
        "interview": _("约谈"),
        "criticism_notice": _("通报批评"),
        "rectification_order": _("责令限期整改"),
        "meeting_guidance": _("指导民主生活会"),
        "assessment": _("年度考核"),
        "guidance": _("阶段性指导意见"),
        "talk": _("与下级主要负责同志谈心"),
    },
    open=True,
)

APPRAISAL_SUBJECTS = Vocabulary(
    "appraisal_subject",
    {"organization": _("党组织"), "secretary": _("书记"), "member": _("党员")},
)

APPRAISAL_CYCLES = Vocabulary(
    "appraisal_cycle",
    {"mid_year": _("年中"), "year_end": _("年底"), "annual": _("年度")},
)

DISCIPLINARY_STEPS = Vocabulary(
    "disciplinary_step",
    {
        "reminder": _("提醒"),
        "admonition": _("告诫"),
        "criticism": _("批评教育"),
        "reason_found": _("认定有正当理由"),
        "reason_rejected": _("认定无正当理由"),
        "correction_started": _("限期改正"),
        "correction_ended": _("限期改正期满"),
        "persuaded_to_leave": _("劝退"),
        "removed": _("除名"),
        "decision_paper": _("作出处理决定"),
        "appeal": _("提出申诉"),
        "appeal_reply": _("答复申诉"),
    },
    open=True,
)

REGISTER_ITEMS = Vocabulary(
    "register_item",
    {
        "premises_room": _("党员活动室"),
        "premises_flag": _("悬挂党旗"),
        "premises_oath": _("悬挂入党誓词"),
        "premises_work_chart": _("悬挂党支部工作挂图"),
        "premises_recruitment_chart": _("悬挂发展党员工作流程图"),
        "premises_board": _("党支部宣传栏"),
        "equipment_register": _("设施设备登记"),
        "premises_rules": _("管理维护制度"),
        "fixed_theme_day": _("主题党日固定日期"),
        "points_programme": _("积分制管理"),
        "birthday_programme": _("政治生日制度"),
        "contact_point": _("党支部工作联系点"),
        "work_plan": _("工作计划"),
        "task_list": _("任务清单"),
        "standard_state": _("达标状态"),
        "weak_list": _("列入后进名单"),
        "weak_lead": _("书记带头认领"),
        "demonstration": _("示范点"),
        "budget": _("活动经费列入预算"),
        "dues_share": _("划拨党费支持活动"),
        "decision_system": _("议事决策制度"),
        "assessment_items": _("纳入年度考核内容"),
        "community_registration": _("在职党员到社区报到"),
        "unqualified_criteria": _("不合格表现分类标准"),
        "star_standard": _("星级评定标准"),
        "pioneer_index": _("先锋指数考评标准"),
        "online_branch": _("网络支部"),
        "deliberation_mechanism": _("党员议事机制"),
        "affairs_publication": _("党务公开"),
        "recorder": _("记录负责人"),
        "role_map": _("责任分工"),
        "assessment_weight": _("三会一课考核权重"),
        "publicity": _("宣传"),
        "gap_check": _("对照查漏补缺"),
        "problem_ledger": _("问题台账"),
        "life_meeting_cycle": _("组织生活会周期"),
        "teacher_plan": _("青年教师发展计划单列"),
        "joint_programme": _("中外合作办学项目"),
        "mutual_aid": _("关怀帮扶"),
        "appraisal_unit": _("需开展群众评议的单位"),
        "paper_class": _("对照检查材料要求类别"),
        "unit_members": _("单位正式党员数"),
        "covered_by": _("由联合党支部覆盖"),
    },
    open=True,
)

INPUTS = Vocabulary(
    "appraisal_input",
    {
        "self": _("个人自评"),
        "mutual": _("党员互评"),
        "ballot": _("民主测评"),
        "everyday": _("平时了解掌握"),
        "results": _("工作实绩"),
        "mass": _("群众评议"),
        "points": _("积分情况"),
    },
)

PAPER_DUTIES = Vocabulary(
    "paper_duty",
    {"required": _("必须撰写"), "village": _("村社区"), "local": _("由当地决定")},
)

LIFE_MEETING_CYCLES = Vocabulary(
    "life_meeting_cycle", {"half_year": _("每半年"), "year": _("每年")}
)

OWNER_TYPES = Vocabulary(
    "owner_type",
    {
        "team": _("班子"),
        "secretary": _("书记"),
        "member": _("党员"),
        "organization": _("党组织"),
    },
)

FOUNDING_KINDS = Vocabulary(
    "founding_kind", {"founded": _("设立"), "adjusted": _("调整"), "abolished": _("撤销")}
)

JUDGED_VERDICTS = Vocabulary(
    "judged_verdict",
    {"met": _("符合"), "not_met": _("不符合"), "deviation": _("偏离一般要求")},
)
