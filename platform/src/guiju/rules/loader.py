"""Read ``pack.toml``, refusing everything that is wrong, each fault with its place.

A pack is TOML because dates are typed and duplicate keys are errors there.  Unknown
keys are refused, no number may be a float, every requirement carries its clause, and
everything not fully automated carries the reason.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from guiju.rules import conventions, located, periods
from guiju.rules import vocabulary as v
from guiju.rules.checks.base import Check
from guiju.rules.context import CONDITIONS
from guiju.rules.facts import VOCABULARIES
from guiju.rules.pack import (
    MOST,
    AppliesTo,
    Citation,
    Forbidden,
    Option,
    Pack,
    Part,
    Reading,
    Requirement,
    Scale,
    Setting,
    Variant,
    Version,
)
from guiju.rules.problems import BadInput, Problem
from guiju.rules.registry import CHECKS
from guiju.rules.vocabulary import Automation, Strictness, Verdict

KINDS = (
    *("REQ", "PROC", "ATT", "VOTE", "EVID", "FORM", "FILE", "ORD", "COMB", "CONTENT"),
    *("ORG", "SCALE", "QUOTA", "MEM", "SUP", "DISC", "CAMP", "PRIN"),
)
#: Verdicts that a part may choose for its shortfall.
SHORTFALLS = (
    *("not_met", "deviation", "needs_judgement", "action_due", "pending", "not_applicable"),
)

_ID = validate.Regexp(r"[a-z0-9_]+(\.[a-z0-9_]+){2,3}", error="应为 规则包.主题.名称")
_CONVENTIONS = [convention.id for convention in conventions.conventions()]
_NAME = validate.Regexp(r"[a-z][a-z0-9_]*", error="应为小写字母、数字和下划线")


class _Strict(Schema):
    class Meta:
        unknown = RAISE


class _VariantSchema(_Strict):
    title = fields.String(required=True)
    sectors = fields.List(fields.String(validate=validate.OneOf(list(v.SECTORS))), required=True)


class _PackSchema(_Strict):
    id = fields.String(required=True, validate=_NAME)
    title = fields.String(required=True)
    issuer = fields.String(required=True)
    document = fields.String(required=True)
    issued_on = fields.Raw(required=True)
    checked_on = fields.Raw(required=True)
    valid_until = fields.Raw(load_default=None)
    superseded_by = fields.String(load_default=None)
    note = fields.String(load_default=None)


class _AppliesToSchema(_Strict):
    kinds = fields.List(fields.String(validate=validate.OneOf(list(v.ORGANIZATION_KINDS))))
    sectors = fields.List(fields.String(validate=validate.OneOf(list(v.SECTORS))))
    variants = fields.List(fields.String())
    scope = fields.String(validate=validate.OneOf(("variants", "main")))
    conditions = fields.List(fields.String(validate=validate.OneOf(list(CONDITIONS))))


class _VersionSchema(_Strict):
    from_on = fields.Raw(required=True, data_key="from")
    until_on = fields.Raw(load_default=None, data_key="until")
    parameters = fields.Dict(load_default=dict)
    strictness = fields.String(validate=validate.OneOf(list(Strictness)), load_default=None)
    document = fields.String(load_default=None)
    clause = fields.String(load_default=None)
    repealed = fields.Boolean(load_default=False)
    transition = fields.String(validate=validate.OneOf(("old", "new")), load_default=None)


class _PartSchema(_Strict):
    id = fields.String(required=True, validate=validate.Regexp(r"[a-z]", error="应为一个小写字母"))
    title = fields.String(load_default=None)
    strictness = fields.String(required=True, validate=validate.OneOf(list(Strictness)))
    check = fields.String(load_default=None)
    parameters = fields.Dict(load_default=dict)
    shortfall = fields.String(load_default=None, validate=validate.OneOf(SHORTFALLS))
    in_force = fields.List(fields.Nested(_VersionSchema), load_default=list)


class _RequirementSchema(_Strict):
    id = fields.String(required=True, validate=_ID)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    title = fields.String(required=True, validate=validate.Length(2, 60))
    clause = fields.String(required=True, validate=validate.Length(1))
    strictness = fields.String(load_default=None, validate=validate.OneOf(list(Strictness)))
    automation = fields.String(required=True, validate=validate.OneOf(list(Automation)))
    reason = fields.String(load_default=None)
    remedy = fields.String(load_default=None)
    matter = fields.String(load_default=None)
    applies_to = fields.Nested(_AppliesToSchema, load_default=dict)
    check = fields.String(load_default=None)
    parameters = fields.Dict(load_default=dict)
    shortfall = fields.String(load_default=None, validate=validate.OneOf(SHORTFALLS))
    until_on = fields.Raw(load_default=None, data_key="until")
    in_force = fields.List(fields.Nested(_VersionSchema), load_default=list)
    parts = fields.List(fields.Nested(_PartSchema), load_default=list, data_key="part")


class _OptionSchema(_Strict):
    value = fields.String(required=True, validate=_NAME)
    title = fields.String(required=True)
    sets = fields.Dict(keys=fields.String(), values=fields.Dict(), load_default=dict)


class _ReadingSchema(_Strict):
    id = fields.String(required=True, validate=_NAME)
    title = fields.String(required=True)
    default = fields.String(required=True)
    trap = fields.String(load_default=None)
    convention = fields.String(load_default=None, validate=validate.OneOf(_CONVENTIONS))
    options = fields.List(
        fields.Nested(_OptionSchema), required=True, validate=validate.Length(2), data_key="option"
    )


class _SettingSchema(_Strict):
    id = fields.String(required=True, validate=_NAME)
    title = fields.String(required=True)
    type = fields.String(
        required=True,
        validate=validate.OneOf(("integer", "flag", "choice", "text", "organization")),
    )
    default = fields.Raw(load_default=None)
    choices = fields.List(fields.String(), load_default=list)
    max = fields.Integer(strict=True, load_default=None)
    note = fields.String(load_default=None)
    convention = fields.String(load_default=None, validate=validate.OneOf(_CONVENTIONS))


class _ForbiddenSchema(_Strict):
    setting = fields.String(required=True, validate=_NAME)
    requirement = fields.String(required=True)
    message = fields.String(required=True)


class _ScaleSchema(_Strict):
    id = fields.String(required=True, validate=_NAME)
    subject = fields.String(required=True, validate=validate.OneOf(list(v.APPRAISAL_SUBJECTS)))
    grades = fields.List(fields.String(), required=True, validate=validate.Length(2))
    requirement = fields.String(required=True)
    decided_by = fields.String(load_default=None)


#: Vocabularies to which a pack may add codes.
_OPEN = [name for name, words in VOCABULARIES.items() if words.open]


class _DocumentSchema(_Strict):
    pack = fields.Nested(_PackSchema, required=True)
    variants = fields.Dict(
        keys=fields.String(validate=_NAME), values=fields.Nested(_VariantSchema), load_default=dict
    )
    requirement = fields.List(fields.Nested(_RequirementSchema), required=True)
    reading = fields.List(fields.Nested(_ReadingSchema), load_default=list)
    setting = fields.List(fields.Nested(_SettingSchema), load_default=list)
    forbidden = fields.List(fields.Nested(_ForbiddenSchema), load_default=list)
    scale = fields.List(fields.Nested(_ScaleSchema), load_default=list)
    vocabulary = fields.Dict(
        keys=fields.String(validate=validate.OneOf(_OPEN, error="这个词表不能增加代码")),
        values=fields.Dict(keys=fields.String(validate=_NAME), values=fields.String()),
        load_default=dict,
    )


def load(path: Path, *, checks: Mapping[str, Check] = CHECKS) -> Pack:
    """The pack in a file.

    Raises BadInput with every fault: file, table and key, what was found, what to write.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            [Problem(path.name, f"无法读取（{error}）", "应为 UTF-8 的 TOML 文件")]
        ) from error
    return loads(text, name=path.name, checks=checks)


def loads(text: str, *, name: str = "pack.toml", checks: Mapping[str, Check] = CHECKS) -> Pack:
    """The pack in a text; ``name`` stands in the places of problems."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(
            [Problem(name, f"不是有效的 TOML（{error}）", "请改正该行", "syntax")]
        ) from error
    problems = list(located.floats(raw, name))
    try:
        data = _DocumentSchema().load(raw)
    except ValidationError as error:
        problems += located.located(error.messages, raw, name)
        raise BadInput(problems) from error
    builder = _Builder(data, name, checks)
    pack = builder.pack()
    problems += builder.problems
    if problems:
        raise BadInput(problems)
    return pack


class _Builder:
    """Turns checked data into a pack, collecting what only the whole can show to be wrong."""

    def __init__(self, data: Mapping[str, Any], name: str, checks: Mapping[str, Check]) -> None:
        self.data = data
        self.name = name
        self.checks = checks
        self.problems: list[Problem] = []

    def problem(self, where: str, found: str, wanted: str, code: str = "invalid") -> None:
        self.problems.append(Problem(f"{self.name} {where}", found, wanted, code))

    def pack(self) -> Pack:
        head = self.data["pack"]
        issued = self._date("pack issued_on", head["issued_on"])
        variants = tuple(
            Variant(id, entry["title"], tuple(entry["sectors"]))
            for id, entry in self.data["variants"].items()
        )
        self._unique("requirement", (r["id"] for r in self.data["requirement"]))
        requirements = tuple(
            self._requirement(entry, head, issued, {variant.id for variant in variants})
            for entry in self.data["requirement"]
        )
        known = {requirement.id: requirement for requirement in requirements}
        common = conventions.readings(requirements, self.checks)
        self._unique("reading", [r["id"] for r in self.data["reading"]] + [r.id for r in common])
        pack = Pack(
            id=head["id"],
            title=head["title"],
            issuer=head["issuer"],
            document=head["document"],
            issued_on=issued,
            checked_on=self._date("pack checked_on", head["checked_on"]),
            requirements=requirements,
            variants=variants,
            readings=(*(self._reading(entry, known) for entry in self.data["reading"]), *common),
            settings=tuple(
                Setting(**{**entry, "choices": tuple(entry["choices"])})
                for entry in self.data["setting"]
            ),
            forbidden=tuple(Forbidden(**entry) for entry in self.data["forbidden"]),
            scales=tuple(
                Scale(**{**entry, "grades": tuple(entry["grades"])}) for entry in self.data["scale"]
            ),
            valid_until=self._maybe_date("pack valid_until", head["valid_until"]),
            superseded_by=head["superseded_by"],
            note=head["note"],
            vocabularies=self.data["vocabulary"],
        )
        named = [entry.requirement for entry in pack.forbidden]
        named += [scale.requirement for scale in pack.scales]
        for name in named:
            if name not in known:
                self.problem("forbidden/scale", f"要求 {name} 不存在", "应为本包中的要求")
        return pack

    def _unique(self, table: str, ids: Iterable[str]) -> None:
        seen: set[str] = set()
        for id in ids:
            if id in seen:
                self.problem(f"{table} “{id}”", "编号重复", "每个编号只能出现一次", "duplicate")
            seen.add(id)

    def _date(self, where: str, value: Any) -> date:
        if type(value) is date:
            return value
        self.problem(where, located.found(value), "应为日期，如 2020-07-15（不加引号）")
        return periods.EPOCH

    def _maybe_date(self, where: str, value: Any) -> date | None:
        return None if value is None else self._date(where, value)

    def _requirement(
        self, entry: Mapping[str, Any], head: Mapping[str, Any], issued: date, variants: set[str]
    ) -> Requirement:
        where = f"requirement “{entry['id']}”"
        if not entry["id"].startswith(f"{head['id']}."):
            self.problem(where, "编号不以规则包的 id 开头", f"应以 {head['id']}. 开头")
        automation = Automation(entry["automation"])
        if automation is not Automation.FULL and not entry["reason"]:
            self.problem(
                f"{where} reason", "没有填写", "不能完全由记录判定的要求须说明原因", "reason"
            )
        who = entry["applies_to"]
        for variant in who.get("variants", ()):
            if variant not in variants:
                self.problem(f"{where} applies_to", f"变体 {variant}", "应为 [variants] 中的一个")
        parts = entry["parts"] or [
            {
                "id": None,
                "title": None,
                **{
                    k: entry[k]
                    for k in ("strictness", "check", "parameters", "shortfall", "in_force")
                },
            }
        ]
        if entry["parts"] and (entry["check"] or entry["strictness"]):
            self.problem(where, "既有 part 又有 check 或 strictness", "二者只能取一")
        built = tuple(self._part(where, entry, part, head, issued, automation) for part in parts)
        return Requirement(
            id=entry["id"],
            kind=entry["kind"],
            title=entry["title"],
            clause=entry["clause"],
            automation=automation,
            reason=entry["reason"],
            applies_to=AppliesTo(
                kinds=tuple(who.get("kinds", ())),
                sectors=tuple(who.get("sectors", ())),
                variants=tuple(who.get("variants", ())),
                scope=who.get("scope", "variants"),
                conditions=tuple(who.get("conditions", ())),
            ),
            parts=built,
            matter=entry["matter"] or ".".join(entry["id"].split(".")[-2:]),
            remedy=entry["remedy"],
        )

    def _part(
        self,
        where: str,
        entry: Mapping[str, Any],
        part: Mapping[str, Any],
        head: Mapping[str, Any],
        issued: date,
        automation: Automation,
    ) -> Part:
        where = f"{where} part “{part['id']}”" if part["id"] else where
        if not part["strictness"]:
            self.problem(f"{where} strictness", "没有填写", f"应为 {'、'.join(Strictness)}")
        strictness = Strictness(part["strictness"] or "principle")
        check = part["check"]
        if automation is Automation.MANUAL:
            if check:
                self.problem(f"{where} check", f"写的是 {check}", "由人认定的要求不写 check")
        elif check not in self.checks:
            hint = located.nearest(check, self.checks)
            self.problem(f"{where} check", located.found(check), f"应为已有的检查{hint}", "check")
        versions = self._versions(where, entry, part, head, issued, strictness)
        if check is not None and check in self.checks:
            for version in versions:
                if not version.repealed:
                    self._parameters(f"{where} parameters", check, version.parameters)
        shortfall = part["shortfall"]
        return Part(
            id=part["id"],
            check=check,
            shortfall=Verdict(shortfall) if shortfall else None,
            versions=versions,
            title=part["title"],
        )

    def _versions(
        self,
        where: str,
        entry: Mapping[str, Any],
        part: Mapping[str, Any],
        head: Mapping[str, Any],
        issued: date,
        strictness: Strictness,
    ) -> tuple[Version, ...]:
        citation = Citation(head["document"], entry["clause"])
        until = self._maybe_date(f"{where} until", entry["until_on"])
        if not part["in_force"]:
            return (Version(issued, until, part["parameters"], strictness, citation),)
        found = []
        for number, version in enumerate(part["in_force"]):
            place = f"{where} in_force 第 {number + 1} 项"
            first = self._date(f"{place} from", version["from_on"])
            last = self._maybe_date(f"{place} until", version["until_on"])
            if last is not None and last < first:
                self.problem(place, f"until {last} 早于 from {first}", "应不早于 from", "order")
            found.append(
                Version(
                    from_on=first,
                    until_on=last,
                    parameters={**part["parameters"], **version["parameters"]},
                    strictness=Strictness(version["strictness"] or strictness),
                    citation=Citation(
                        version["document"] or citation.document,
                        version["clause"] or citation.clause,
                    ),
                    repealed=version["repealed"],
                    transition=version["transition"],
                )
            )
        for before, after in pairwise(found):
            if after.from_on <= before.from_on or (
                before.until_on is not None and after.from_on <= before.until_on
            ):
                self.problem(
                    f"{where} in_force",
                    f"{after.from_on} 起的一项与前一项在同一天都有效",
                    "各项的有效期不得重叠，并按日期先后排列",
                    "overlap",
                )
            if (
                not after.repealed
                and after.transition is None
                and "per" in after.parameters
                and self._crosses(str(after.parameters["per"]), after.from_on)
            ):
                self.problem(
                    f"{where} in_force",
                    f"{after.from_on} 落在一个期间之内",
                    "须用 transition 写明该期间按 old（旧）还是 new（新）判定",
                    "transition",
                )
        return tuple(found)

    def _crosses(self, per: str, day: date) -> bool:
        if per not in periods.UNIT_NAMES:
            return False
        unit = periods.Unit.named(per)
        return periods.first_day(periods.index(day, unit), unit) != periods.day(day)

    def _parameters(self, where: str, check: str, parameters: Mapping[str, Any]) -> None:
        schema = self.checks[check].schema()
        stated = {
            name: value
            for name, value in parameters.items()
            if not (isinstance(value, str) and value.startswith("$"))
        }
        settings = {entry["id"]: entry for entry in self.data["setting"]}
        for name, value in parameters.items():
            if name in stated:
                continue
            if value[1:] not in settings:
                self.problem(
                    f"{where} {name}", f"引用的设置 {value} 不存在", "应为 [[setting]] 的 id"
                )
            elif name in schema.fields:
                self._bounded(f"{where} {name}", settings[value[1:]], schema.fields[name])
        errors = schema.validate(stated, partial=tuple(set(parameters) - set(stated)))
        self.problems += located.located(errors, stated, f"{self.name} {where}")
        for name in schema.fields:
            vocabulary = schema.vocabulary_of(name, stated)
            if vocabulary and isinstance(stated.get(name), str | list):
                codes = [stated[name]] if isinstance(stated[name], str) else stated[name]
                self._codes(f"{where} {name}", vocabulary, codes)

    def _bounded(
        self, where: str, setting: Mapping[str, Any], parameter: fields.Field[Any]
    ) -> None:
        """A tenant must not be able to choose a number that the check then refuses."""
        if setting["type"] != "integer":
            return
        most = MOST if setting["max"] is None else setting["max"]
        try:
            parameter.deserialize(most)
        except ValidationError:
            self.problem(
                where,
                f"设置 {setting['id']} 可以选到 {most}，判定方法不接受",
                "请给该设置写 max，不大于参数的上限",
            )

    def _codes(self, where: str, vocabulary: str, codes: Iterable[Any]) -> None:
        known = {**VOCABULARIES[vocabulary], **self.data["vocabulary"].get(vocabulary, {})}
        for code in codes:
            if code not in known:
                hint = located.nearest(code, known)
                self.problem(where, f"代码 {code}", f"不在词表 {vocabulary} 中{hint}", "code")

    def _reading(self, entry: Mapping[str, Any], known: Mapping[str, Requirement]) -> Reading:
        where = f"reading “{entry['id']}”"
        options = tuple(
            Option(option["value"], option["title"], option["sets"]) for option in entry["options"]
        )
        if entry["default"] not in {option.value for option in options}:
            self.problem(
                f"{where} default", f"写的是 {entry['default']}", "应为其中一个选项的 value"
            )
        for option in options:
            for name, patch in option.sets.items():
                place = f"{where} option “{option.value}” sets “{name}”"
                if name not in known:
                    self.problem(place, "要求不存在", "应为本包中的要求", "unknown")
                    continue
                for part in known[name].parts:
                    if part.check is not None and part.check in self.checks:
                        merged = {**part.versions[0].parameters, **patch}
                        for extra in ("strictness", "shortfall"):
                            merged.pop(extra, None)
                        self._parameters(place, part.check, merged)
        return Reading(
            id=entry["id"],
            title=entry["title"],
            default=entry["default"],
            options=options,
            trap=entry["trap"],
            convention=entry["convention"],
        )
