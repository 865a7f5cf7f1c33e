"""The readings and settings of a pack as a form, and the marshmallow schema that checks it.

What a person leaves open is inherited: from the same profile enabled above, from the tenant,
and at last from the notice's default.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from guiju.language import gettext as _
from guiju.rules.conventions import conventions
from guiju.rules.pack import Forbidden, Pack, Reading, Requirement, Setting
from guiju.rules.problems import BadInput, Problem

#: A setting's value as the name of an organization that there has to be.
ORGANIZATION = "organization"
_LONGEST = 200


@dataclass(frozen=True)
class Question:
    """One reading or setting as a form asks it.

    ``options`` are values with what they mean (empty: a free value of ``type``); ``default``
    is what holds where nobody chose.
    """

    name: str
    reading: bool
    type: str
    title: str
    #: Id of the ambiguity in the catalogue of notices.
    trap: str | None
    #: Id of the convention that it is an instance of.
    convention: str | None
    note: str | None
    default: str
    options: Sequence[tuple[str, str]]
    most: int | None
    #: Whether all notices leave it open alike.
    common: bool
    #: Requirements whose judgement rests on the answer.
    touches: Sequence[Requirement]

    def worded(self, value: str) -> str:
        """What a value means, as people read it."""
        return dict(self.options).get(value) or value or _("不设")


def questions(pack: Pack) -> list[Question]:
    """What a tenant may choose, readings first, in the order of the pack."""
    return [
        *(_of_reading(pack, reading) for reading in pack.readings),
        *(_of_setting(pack, setting) for setting in pack.settings),
    ]


def _of_reading(pack: Pack, reading: Reading) -> Question:
    says = {convention.id: convention.says for convention in conventions()}
    return Question(
        name=reading.id,
        reading=True,
        type="choice",
        title=reading.title,
        trap=reading.trap,
        convention=reading.convention,
        note=says[str(reading.convention)] if reading.borne_by else None,
        default=reading.default,
        options=[(option.value, option.title) for option in reading.options],
        common=bool(reading.borne_by),
        most=None,
        touches=[pack.by_id[name] for name in reading.affects],
    )


def _of_setting(pack: Pack, setting: Setting) -> Question:
    options = {
        "choice": [(value, value) for value in setting.choices],
        "flag": [("true", _("是")), ("false", _("否"))],
    }
    return Question(
        name=setting.id,
        reading=False,
        type=setting.type,
        title=setting.title,
        trap=None,
        convention=setting.convention,
        note=setting.note,
        default=text_of(setting.default),
        options=options.get(setting.type, []),
        common=False,
        most=setting.max,
        touches=[
            requirement for requirement in pack.requirements if _uses(requirement, setting.id)
        ],
    )


def _uses(requirement: Requirement, setting: str) -> bool:
    return any(
        f"${setting}" in version.parameters.values()
        for part in requirement.parts
        for version in part.versions
    )


def text_of(value: Any) -> str:
    """A setting's value as it is stored and as forms show it; empty for none."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


class _Refused(fields.Field[str]):
    """A configuration that the notice forbids, whatever its value."""

    def __init__(self, message: str) -> None:
        super().__init__()
        self._message = message

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        raise ValidationError(self._message)


class _Number(fields.Integer):
    """A whole number, also as a form sends it."""

    default_error_messages = {  # noqa: RUF012 - as marshmallow declares it
        "invalid": _("应为不小于 0 的整数"),
        "too_large": _("应为不小于 0 的整数"),
    }


def schema_of(pack: Pack, organizations: Collection[str]) -> Schema:
    """The schema of what may be chosen of a pack, every entry optional.

    ``organizations`` are the codes that a setting may name.
    """
    declared: dict[str, fields.Field[Any]] = {
        question.name: _field(question, organizations) for question in questions(pack)
    }
    for entry in pack.forbidden:
        declared[entry.setting] = _Refused(_why_not(pack, entry))
    made = Schema.from_dict(declared, name=f"{pack.id.title()}Settings")
    return made(unknown=RAISE)


def _field(question: Question, organizations: Collection[str]) -> fields.Field[Any]:
    if question.options:
        values = [value for value, _title in question.options]
        wanted = _("应为 {values}").format(values=_("、").join(values))
        return fields.String(validate=validate.OneOf(values, error=wanted))
    if question.type == "integer":
        most = question.most
        wanted = _("应为不小于 0 的整数")
        if most is not None:
            wanted = _("应为 0 至 {most} 的整数").format(most=most)
        return _Number(strict=False, validate=validate.Range(0, most, error=wanted))
    if question.type == ORGANIZATION:
        wanted = _("没有编号为“{input}”的组织")
        return fields.String(validate=validate.OneOf(organizations, error=wanted))
    wanted = _("应不超过 {max} 个字")
    return fields.String(validate=validate.Length(max=_LONGEST, error=wanted))


def _why_not(pack: Pack, entry: Forbidden) -> str:
    clause = pack.by_id[entry.requirement].clause
    return _("{message}（{document} {clause}）").format(
        message=entry.message, document=pack.document, clause=clause
    )


def chosen(
    pack: Pack, given: Mapping[str, Any], organizations: Collection[str], place: str = "/settings"
) -> dict[str, str]:
    """The readings and settings in ``given`` as they are stored; what is left empty is left out.

    Raises ``BadInput`` naming, below ``place``, every unknown name, impossible value and
    configuration that the notice forbids.
    """
    filled = {
        name: value.strip() if isinstance(value, str) else value for name, value in given.items()
    }
    filled = {name: value for name, value in filled.items() if value not in {"", None}}
    try:
        loaded = schema_of(pack, organizations).load(filled)
    except ValidationError as error:
        raise BadInput(_problems(pack, filled, error, place)) from error
    texts = {name: text_of(value) for name, value in loaded.items()}
    # The engine has the last word on what it can judge with.
    pack.choices(texts, {name: f"{place}/{name}" for name in texts})
    return texts


def _problems(
    pack: Pack, given: Mapping[str, Any], error: ValidationError, place: str
) -> Iterable[Problem]:
    forbidden = {entry.setting for entry in pack.forbidden}
    known = _("、").join(question.name for question in questions(pack))
    messages: Mapping[Any, Any] = error.messages_dict
    for name, faults in messages.items():
        where = f"{place}/{name}"
        if name in forbidden:
            yield Problem(where, str(given[name]), "；".join(faults), "forbidden")
        elif name not in pack.choosable:
            found = _("没有“{name}”这项设置").format(name=name)
            wanted = _("可用的有 {names}").format(names=known) if known else _("没有可选的设置")
            yield Problem(where, found, wanted, "unknown")
        else:
            yield Problem(where, str(given[name]), "；".join(faults))
