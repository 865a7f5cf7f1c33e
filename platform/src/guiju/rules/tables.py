"""The facts tables: what the rules engine can be told, defined once.

Each table is a marshmallow schema.  The same classes validate facts documents,
generate their documentation and workbook templates, and tell the engine how to
encode each column; the platform's storage uses the same column names.

A column is an ordinary marshmallow field whose metadata say more:

``heading``     its Chinese name in workbooks
``note``        a Chinese explanation
``kind``        how the engine encodes it: ``key`` (the row's own id), ``ref`` (a row
                of the table ``target``), ``refs`` (several), ``day`` (int32 days since
                1970-01-01), ``flag`` (int8 0/1, -1 unknown), ``count`` (int32, -1
                unknown), ``code`` (int16 position in ``vocabulary``, -1 unknown),
                ``codes`` (uint64 mask in ``vocabulary``), ``period``, ``text``
``target``      the table a reference points to; ``people`` is the set of all persons
``vocabulary``  the vocabulary of a code
``unit``        what a count counts, where that decides how people write it:
                ``minute`` of the day (14:30), ``tenth`` of a study hour (under the
                Chinese heading people write hours), ``year``, ``fen``

Rows are events or dated states; ids are the author's own strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from types import MappingProxyType
from typing import Any, ClassVar, Final

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from guiju.rules import periods
from guiju.rules import vocabulary as v
from guiju.rules.vocabulary import Vocabulary

Field = fields.Field[Any]

#: Longest text a cell may hold.
MAX_TEXT: Final = 500
#: Longest id.
MAX_ID: Final = 64
#: No record is older than the Party; calendars end where the engine's do.
FIRST_DAY: Final = date(1921, 1, 1)
LAST_DAY: Final = date(2199, 12, 31)
#: Least and greatest count, by unit.
_COUNTS: Final = {
    "": (0, 2_000_000_000),
    "minute": (0, 24 * 60 - 1),
    "tenth": (0, 100_000),
    "year": (FIRST_DAY.year, LAST_DAY.year),
    "fen": (0, 2_000_000_000),
}


def _is_period(text: str) -> None:
    try:
        found, unit = periods.parse(text)
    except ValueError:
        raise ValidationError("Not a period.") from None
    first = periods.to_date(periods.first_day(found, unit))
    if not FIRST_DAY <= first <= LAST_DAY:
        raise ValidationError("Outside the calendar.")


def _is_month(text: str) -> None:
    _is_period(text)
    if periods.parse(text)[1] is not periods.Unit.MONTH:
        raise ValidationError("Not a month.")


def _known(vocabulary: Vocabulary) -> validate.OneOf | None:
    # The codes that a profile adds to an open vocabulary are known to who reads the document.
    return None if vocabulary.open else validate.OneOf(list(vocabulary))


def _options(kind: str, heading: str, note: str, *, required: bool, **extra: Any) -> dict[str, Any]:
    metadata = {"kind": kind, "heading": heading, "note": note, **extra}
    if required:
        return {"required": True, "metadata": metadata}
    return {"load_default": None, "allow_none": True, "metadata": metadata}


def key(heading: str, note: str = "") -> Field:
    """The row's own id, unique in its table."""
    return fields.String(
        validate=validate.Length(1, MAX_ID), **_options("key", heading, note, required=True)
    )


def ref(target: str, heading: str, note: str = "", *, required: bool = False) -> Field:
    """The id of a row of ``target``."""
    return fields.String(
        validate=validate.Length(1, MAX_ID),
        **_options("ref", heading, note, required=required, target=target),
    )


def refs(target: str, heading: str, note: str = "") -> Field:
    """Ids of several rows of ``target``; in a cell separated by ; or 、."""
    return fields.List(
        fields.String(validate=validate.Length(1, MAX_ID)),
        **_options("refs", heading, note, required=False, target=target),
    )


def day(heading: str, note: str = "", *, required: bool = False) -> Field:
    """A business day (Asia/Shanghai)."""
    return fields.Date(
        validate=validate.Range(FIRST_DAY, LAST_DAY),
        **_options("day", heading, note, required=required),
    )


def flag(heading: str, note: str = "") -> Field:
    """是 or 否; blank is unknown."""
    return fields.Boolean(**_options("flag", heading, note, required=False))


def count(heading: str, note: str = "", *, required: bool = False, unit: str = "") -> Field:
    """A whole number, zero or more; ``unit`` as in the module's description."""
    return fields.Integer(
        strict=True,
        validate=validate.Range(*_COUNTS[unit]),
        **_options("count", heading, note, required=required, unit=unit),
    )


def text(heading: str, note: str = "", *, required: bool = False) -> Field:
    """Free text; the engine sees only whether it is there."""
    return fields.String(
        validate=validate.Length(max=MAX_TEXT), **_options("text", heading, note, required=required)
    )


def period(heading: str, note: str = "", *, required: bool = False) -> Field:
    """A period: 2020, 2020-H1, 2020-Q1, 2020-B1 or 2020-03."""
    return fields.String(
        validate=_is_period, **_options("period", heading, note, required=required)
    )


def month(heading: str, note: str = "", *, required: bool = False) -> Field:
    """A period that is a month: 2020-03."""
    return fields.String(
        validate=_is_month, **_options("period", heading, note, required=required, unit="month")
    )


def code(vocabulary: Vocabulary, heading: str, note: str = "", *, required: bool = False) -> Field:
    """One code of ``vocabulary``, or its Chinese label."""
    return fields.String(
        validate=_known(vocabulary),
        **_options("code", heading, note, required=required, vocabulary=vocabulary),
    )


def codes(vocabulary: Vocabulary, heading: str, note: str = "", *, required: bool = False) -> Field:
    """Several codes of ``vocabulary``; in a cell separated by ; or 、."""
    return fields.List(
        fields.String(validate=_known(vocabulary)),
        **_options("codes", heading, note, required=required, vocabulary=vocabulary),
    )


class Table(Schema):
    """Base of the facts tables: unknown columns are errors."""

    #: Chinese name of the sheet.
    title: ClassVar[str]
    #: What one row says, in Chinese.
    row: ClassVar[str]
    #: True where the table holds matters of discipline and is kept restricted.
    restricted: ClassVar[bool] = False

    class Meta:
        unknown = RAISE


class Organizations(Table):
    """The organization tree with the dates between which each unit exists."""

    title = "组织"
    row = "一个组织（党委、党总支、党支部、党小组或单位）"

    id = key("组织编号")
    name = text("组织名称", required=True)
    kind = code(v.ORGANIZATION_KINDS, "组织类型", required=True)
    sector = code(v.SECTORS, "领域", "决定适用哪一附件")
    parent = ref("organizations", "上级组织编号")
    opened_on = day("成立日期", "空白表示一直存在")
    closed_on = day("撤销日期", "当日仍存在；空白表示仍存在")
    has_committee = flag("是否设委员会", "空白时按当日任职人员推断")
    units_covered = count("覆盖单位数", "联合党支部覆盖的单位数")
    internal = flag("内设机构", "机关、院系的内设或所属机构")
    temporary_until = day("临时机构撤销日期", "临时党支部所依托的机构撤销之日")
    paper_duty = code(
        v.PAPER_DUTIES,
        "对照检查材料要求",
    )
    mass_review_required = flag("需开展群众评议", "村社区、执法监管部门、窗口和服务单位")
    life_meeting_cycle = code(
        v.LIFE_MEETING_CYCLES,
        "组织生活会周期",
        "空白按每年",
    )


class Members(Table):
    """Membership spells: one row for as long as class, branch and rights stay the same."""

    title = "党员"
    row = "一名党员在一个支部、以一种身份的一段时间"

    id = ref("people", "党员编号", required=True)
    organization = ref("organizations", "所在党支部编号", required=True)
    name = text("姓名", "可不填")
    membership_class = code(v.MEMBER_CLASSES, "党员类别", required=True)
    from_on = day("开始日期", "空白表示一直如此")
    until_on = day("结束日期", "当日仍有效；空白表示至今")
    voting = flag("有表决权", "空白：正式党员有，其他没有")
    joined_on = day("入党日期")
    joined_verified = flag("入党日期已核准")
    full_member_on = day("转正日期")
    leading_cadre = flag("党员领导干部")
    floating = flag("流动党员")
    group = ref("organizations", "党小组编号")
    transferred_hours = count("转入前学时", "转出支部证明的本年学时", unit="tenth")


class Posts(Table):
    """Who held which post when."""

    title = "任职"
    row = "一人在一个组织担任一个职务的一段时间"

    person = ref("people", "人员编号", required=True)
    organization = ref("organizations", "组织编号", required=True)
    post = code(v.POSTS, "职务", required=True)
    from_on = day("任职日期")
    until_on = day("免职日期", "当日仍在任")
    oversees = ref("organizations", "分管部门编号")


class Occasions(Table):
    """Meetings and activities; one occasion may be of several kinds."""

    title = "活动"
    row = "一次会议或活动"

    id = key("活动编号")
    organization = ref("organizations", "组织编号", required=True)
    kinds = codes(v.OCCASION_KINDS, "活动类型", "一次活动可属多种类型", required=True)
    held_on = day("日期", required=True)
    start_minute = count("开始时间", unit="minute")
    status = code(v.OCCASION_STATUS, "状态", "空白为已召开")
    title_text = text("名称")
    theme = text("主题")
    place = text("地点")
    chair = ref("people", "主持人编号")
    chair_entrusted = flag("受书记委托主持")
    lecturer = ref("people", "授课人编号")
    form = code(v.FORMS, "会议形式")
    mode = code(v.MODES, "方式")
    for_year = count("所属年度", unit="year")
    merged_with = refs("occasions", "合并召开的活动编号")
    components = codes(v.COMPONENTS, "活动内容")
    campaign_document = text("集中性活动文件", "按上级规定召开时填写文号")
    outside_reason = text("时间调整原因")
    planned_on = day("计划日期", "报备计划中的日期")
    created_on = day("平台创建日期")
    platform_id = text("平台会议编号")
    recorded_on = day("录入日期")
    expected = count("应到人数")
    present = count("实到人数")
    voting_expected = count("应到有表决权人数")
    voting_present = count("实到有表决权人数")


class Attendance(Table):
    """Who came; people outside the roster are named by class only."""

    title = "出席"
    row = "一人在一次活动的出席情况"

    occasion = ref("occasions", "活动编号", required=True)
    person = ref("people", "人员编号")
    status = code(v.ATTENDANCE, "出席情况", required=True)
    person_class = code(v.OUTSIDER_CLASSES, "非本支部党员类别")
    number = count("人数", "按类别登记时的人数")
    leave_self = flag("本人请假")


class Agenda(Table):
    """Items on an occasion's agenda."""

    title = "议程"
    row = "一项议程"

    occasion = ref("occasions", "活动编号", required=True)
    item = text("议程编号", required=True)
    topic = code(v.AGENDA_TOPICS, "议题类别")
    matter = text("事项编号", "同一事项在不同会议上用同一编号")
    important = flag("重要事项")
    discussed = flag("表决前充分讨论")
    resolution = flag("形成决议")
    owner = flag("明确分工")
    done_on = day("落实日期")


class Documents(Table):
    """Papers kept: of an occasion, or of an organization for a period or case."""

    title = "材料"
    row = "一份留存材料"

    occasion = ref("occasions", "活动编号")
    organization = ref("organizations", "组织编号", "不属于某次活动时填写")
    kind = code(v.DOCUMENT_KINDS, "材料类型", required=True)
    kept_on = day("留存日期")
    period = period("所属期间")
    case = text("个案编号")
    person = ref("people", "人员编号")
    nil = flag("零报告", "名单为空时填是")


class Steps(Table):
    """Dated steps before, during and after an occasion."""

    title = "步骤"
    row = "一个已完成的步骤"

    occasion = ref("occasions", "活动编号", required=True)
    step = code(v.STEPS, "步骤", required=True)
    done_on = day("完成日期", required=True)
    start_minute = count("时间", unit="minute")
    person = ref("people", "人员编号")
    recipient = ref("organizations", "对象组织编号")
    number = count("次数")


class Votes(Table):
    """Tallies; ballots are secret, so no row names a voter."""

    title = "表决"
    row = "一个事项的一次表决"

    occasion = ref("occasions", "活动编号", required=True)
    item = text("议程编号", required=True)
    vote_type = code(v.VOTE_TYPES, "表决类型", "空白为一般议题")
    should_attend = count("应到有表决权人数", required=True)
    present = count("实到有表决权人数", required=True)
    ayes = count("赞成", required=True)
    noes = count("反对")
    abstentions = count("弃权")
    outcome = code(v.VOTE_OUTCOMES, "结果")


class Talks(Table):
    """One-to-one talks: date and pair, never the content."""

    title = "谈话"
    row = "一次谈心谈话"

    id = key("谈话编号")
    organization = ref("organizations", "组织编号", required=True)
    held_on = day("日期", required=True)
    person = ref("people", "谈话人编号", required=True)
    partner = ref("people", "谈话对象编号", "群众不填，只填类别")
    partner_class = code(v.OUTSIDER_CLASSES, "对象类别")
    participants = count("参加人数", "空白为 2")
    mode = code(v.MODES, "方式")
    occasion = ref("occasions", "所准备的会议编号")
    notified_on = day("通知日期")
    outline = flag("拟定提纲")
    listed = flag("列出问题清单")
    reminder = flag("提醒谈话")
    requested = flag("由对方约谈")


class Appraisals(Table):
    """Grades that people decided, and proposals to be checked before they decide."""

    title = "评议结果"
    row = "一个对象一次评议的等次"

    subject_type = code(v.APPRAISAL_SUBJECTS, "评议对象", required=True)
    organization = ref("organizations", "组织编号", "被评组织，或书记、党员所在组织", required=True)
    person = ref("people", "人员编号", "评书记、评党员时填写")
    decided_by = ref("organizations", "评定组织编号")
    year = count("年度", required=True, unit="year")
    cycle = code(v.APPRAISAL_CYCLES, "周期")
    grade = text("等次")
    proposed = flag("拟定", "尚未决定的方案填是")
    decided_on = day("评定日期")
    ended_on = day("评议结束日期")
    occasion = ref("occasions", "评议活动编号")
    participated = flag("参加评议")
    exempt_by = ref("occasions", "免评依据的民主生活会编号")
    inputs = codes(v.INPUTS, "评定依据")
    human_assessment = flag("有书面定性评价", "对作用发挥和群众口碑的书面认定")
    filed_on = day("备案日期")
    filed_to = ref("organizations", "备案组织编号")
    publicised_on = day("公示日期")
    file_noted = flag("记入个人档案")


class Rectifications(Table):
    """Correction items with owner, due date and closing."""

    title = "整改"
    row = "一项整改事项"

    id = key("整改编号")
    organization = ref("organizations", "组织编号", required=True)
    occasion = ref("occasions", "来源活动编号")
    person = ref("people", "责任人编号")
    owner_type = code(
        v.OWNER_TYPES,
        "整改主体",
    )
    source_ended_on = day("评议或检查结束日期")
    opened_on = day("列出日期", required=True)
    measure = flag("有整改措施")
    commitment = flag("有整改承诺")
    formalism = flag("形式主义官僚主义问题")
    participation = flag("参加组织生活和发挥作用方面")
    opinion_linked = flag("对应意见清单")
    due_on = day("整改时限")
    closed_on = day("销号日期")
    verified_by = ref("people", "验收人编号")
    published_on = day("公开日期")


class Reports(Table):
    """What was reported or filed, to whom, when."""

    title = "报告备案"
    row = "一次报告、备案、通报或公开"

    id = key("报告编号")
    organization = ref("organizations", "组织编号", required=True)
    kind = code(v.REPORT_KINDS, "报告类型", required=True)
    filed_on = day("日期", required=True)
    recipient = ref("organizations", "报送组织编号")
    audience = code(v.AUDIENCES, "对象")
    period = period("所属期间")
    occasion = ref("occasions", "会议编号")
    person = ref("people", "报告人编号")
    owner_type = code(
        v.OWNER_TYPES,
        "报告主体",
    )
    matter = text("事项编号")
    source_ended_on = day("评议结束日期")
    requested_on = day("请示日期")
    decided_on = day("决定日期")
    urgent = flag("情况紧急")
    approved = flag("已批准")


class DisciplinarySteps(Table):
    """Steps people took in a case; restricted, minimum fields."""

    title = "组织处理"
    row = "对一名党员的一个步骤"
    restricted = True

    case = text("个案编号", required=True)
    organization = ref("organizations", "党支部编号", required=True)
    person = ref("people", "党员编号", required=True)
    step = code(v.DISCIPLINARY_STEPS, "步骤", required=True)
    taken_on = day("日期", required=True)
    decided_by = ref("organizations", "决定组织编号")
    document = text("文号")


class DuesBases(Table):
    """The yearly amount of dues fixed for a member, in fen."""

    title = "党费核定"
    row = "一名党员一年的核定数额"

    person = ref("people", "党员编号", required=True)
    year = count("年度", required=True, unit="year")
    fixed_on = day("核定日期", required=True)
    amount = count("月应交数额（分）", required=True, unit="fen")


class Dues(Table):
    """Dues of a member for a month, in fen."""

    title = "党费"
    row = "一名党员一个月的党费"

    person = ref("people", "党员编号", required=True)
    month = month("月份", required=True)
    due_amount = count("应交（分）", required=True, unit="fen")
    paid_amount = count("实交（分）", required=True, unit="fen")
    paid_on = day("交纳日期")


class Training(Table):
    """Training of one person, in tenths of a study hour."""

    title = "培训"
    row = "一人参加一次培训"

    person = ref("people", "人员编号", required=True)
    held_on = day("日期", required=True)
    tenths = count("学时", required=True, unit="tenth")
    concentrated = flag("集中学习培训")
    organizer = ref("organizations", "举办组织编号")
    occasion = ref("occasions", "活动编号")
    secretaries = flag("书记培训")


class Inspections(Table):
    """What a superior did towards a subordinate organization."""

    title = "检查指导"
    row = "上级对一个下级组织的一次检查、提醒或指导"

    id = key("检查编号")
    by = ref("organizations", "检查组织编号", required=True)
    target = ref("organizations", "被检查组织编号")
    kind = code(v.INSPECTION_KINDS, "类型", required=True)
    done_on = day("日期", required=True)
    occasion = ref("occasions", "结合的会议编号")
    person = ref("people", "人员编号")
    partner = ref("people", "对象人员编号")
    reported_on = day("结果上报日期")
    reported_to = ref("organizations", "上报组织编号")
    due_on = day("整改时限")


class Terms(Table):
    """Terms of office of committees or secretaries."""

    title = "任期"
    row = "一个组织的一届任期"

    organization = ref("organizations", "组织编号", required=True)
    elected_on = day("选举日期", required=True)
    ends_on = day("届满日期", required=True)
    reminded_on = day("上级提醒日期")
    requested_on = day("换届请示日期")
    next_elected_on = day("下届选举日期")
    shift_approved_on = day("延期或提前批准日期")


class Vacancies(Table):
    """Vacant posts and when they were filled."""

    title = "空缺"
    row = "一个职务的一次空缺"

    organization = ref("organizations", "组织编号", required=True)
    post = code(v.POSTS, "职务", required=True)
    vacant_on = day("空缺日期", required=True)
    filled_on = day("补选或指派日期")


class Foundings(Table):
    """Steps by which a branch was founded, adjusted or abolished."""

    title = "设立调整"
    row = "一个党支部的一次设立、调整或撤销"

    organization = ref("organizations", "党支部编号", required=True)
    kind = code(
        v.FOUNDING_KINDS,
        "事项",
        required=True,
    )
    condition_lost_on = day("不再符合条件日期")
    direct = flag("上级直接决定")
    applied_on = day("申请日期")
    decided_on = day("党组（党委）决定日期")
    decided_by = ref("organizations", "决定组织编号")
    agreed_on = day("机关党委同意日期")
    approved_on = day("批准日期")
    approved_by = ref("organizations", "批准组织编号")
    elected_on = day("选举日期")
    filed_on = day("备案日期")


class Register(Table):
    """Dated states of an organization or person that no meeting shows."""

    title = "事项登记"
    row = "一个组织或人员的一项登记"

    organization = ref("organizations", "组织编号", required=True)
    person = ref("people", "人员编号")
    item = code(v.REGISTER_ITEMS, "事项", required=True)
    since_on = day("起始日期", required=True)
    until_on = day("终止日期")
    value = text("内容", "如：达标、未达标；日期；文号")
    number = count("数值")
    target = ref("organizations", "对应组织编号")
    version = text("版本")


class Commitments(Table):
    """Member points: promise, points, review."""

    title = "积分"
    row = "一名党员一年的承诺与积分"

    person = ref("people", "党员编号", required=True)
    year = count("年度", required=True, unit="year")
    promised_on = day("承诺日期")
    entries = count("积分记录数")
    rules = flag("有量分办法")
    reviewed_on = day("评议日期")


class Attestations(Table):
    """A unit's statement that its records for a period are complete."""

    title = "完整确认"
    row = "一个组织对一个期间记录完整的确认"

    organization = ref("organizations", "组织编号", required=True)
    period = period("期间", required=True)
    attested_on = day("确认日期", required=True)
    automatic = flag("自动确认")
    objected = flag("有异议")


class Judgements(Table):
    """What a person decided where records could not."""

    title = "认定"
    row = "一项由人作出的认定"

    requirement = text("要求编号", required=True)
    part = text("部分")
    organization = ref("organizations", "组织编号", required=True)
    subject_type = text("对象类型", required=True)
    subject = text("对象编号", required=True)
    period = period("期间")
    verdict = code(
        v.JUDGED_VERDICTS,
        "认定结果",
        required=True,
    )
    reason = text("理由", required=True)
    judged_by = text("认定人", required=True)
    judged_on = day("认定日期", required=True)


class Settings(Table):
    """Readings and settings chosen by the tenant."""

    title = "设置"
    row = "一项解读或设置"

    key = text("名称", required=True)
    value = text("取值", required=True)
    author = text("设置人")


#: All tables by name, in the order of sheets.
TABLES: dict[str, type[Table]] = {
    "organizations": Organizations,
    "members": Members,
    "posts": Posts,
    "occasions": Occasions,
    "attendance": Attendance,
    "agenda": Agenda,
    "documents": Documents,
    "steps": Steps,
    "votes": Votes,
    "talks": Talks,
    "appraisals": Appraisals,
    "rectifications": Rectifications,
    "reports": Reports,
    "disciplinary_steps": DisciplinarySteps,
    "dues_bases": DuesBases,
    "dues": Dues,
    "training": Training,
    "inspections": Inspections,
    "terms": Terms,
    "vacancies": Vacancies,
    "foundings": Foundings,
    "register": Register,
    "commitments": Commitments,
    "attestations": Attestations,
    "judgements": Judgements,
    "settings": Settings,
}


@cache
def columns(table: str) -> Mapping[str, Field]:
    """The fields of ``table`` by column name, in order of declaration."""
    return MappingProxyType(TABLES[table]().fields)
