"""What a check is: one shape of rule, judged in columns for all rules of that shape.

A check declares the schema of its parameters, the facts it reads and whose facts it
needs (its footprint), judges, and can say in Chinese what it found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Flag, auto
from typing import TYPE_CHECKING, Any, ClassVar, Final

from marshmallow import RAISE, Schema, fields, validate

from guiju.rules import conventions
from guiju.rules.periods import UNIT_NAMES, Unit
from guiju.rules.vocabulary import Strictness, Verdict, Vocabulary

if TYPE_CHECKING:
    from guiju.rules.context import Context
    from guiju.rules.engine import Rule
    from guiju.rules.facts import Facts
    from guiju.rules.findings import Block, Finding


#: The readings common to all notices (see :mod:`guiju.rules.conventions`) that a check may name.
CARRY_OVER: Final = "carry_over"
INCOMPLETE: Final = "incomplete"
FIRST_PERIOD: Final = "first_period"
ROSTER_DAY: Final = "roster_day"
MONTHS_END: Final = "months_end"
SHARED_OCCASIONS: Final = "shared_occasions"


class Footprint(Flag):
    """Whose facts a verdict about an organization rests on.

    ``GROUPS`` are the Party groups of a branch and the branch of a group, ``PARTNERS`` those
    who hold an occasion together with it, ``TENANT`` everybody.  Settings are everybody's in
    any case.
    """

    OWN = auto()
    GROUPS = auto()
    SUPERIORS = auto()
    SUBORDINATES = auto()
    PARTNERS = auto()
    TENANT = auto()


class ParameterSchema(Schema):
    """Base of parameter schemas: unknown keys are errors."""

    class Meta:
        unknown = RAISE

    @classmethod
    def vocabulary_of(cls, name: str, parameters: Mapping[str, Any]) -> str | None:
        """The vocabulary that the codes in parameter ``name`` belong to, if any."""
        for attribute, field in cls._declared_fields.items():
            if (field.data_key or attribute) == name and "vocabulary" in field.metadata:
                return str(field.metadata["vocabulary"])
        return None


def unit_field(**options: Any) -> fields.String:
    """A period unit: month, bimonth, quarter, half or year."""
    return fields.String(validate=validate.OneOf(UNIT_NAMES), **options)


def ratio_field(**options: Any) -> fields.List[Any]:
    """A fraction as two integers, ``[1, 3]`` or ``[15, 100]``; thresholds are never floats."""
    return fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, 1000)),
        validate=validate.Length(equal=2),
        **options,
    )


def reading_field(reading: str) -> fields.String:
    """The parameter that a common reading sets; its default is the reading's."""
    options = conventions.options(reading)
    return fields.String(load_default=options[0], validate=validate.OneOf(options))


def code_list(vocabulary: Vocabulary, *, required: bool = False) -> fields.List[Any]:
    """A list of codes; the loader checks them against the vocabulary and the pack's own codes."""
    options: dict[str, Any] = {"required": True} if required else {"load_default": list}
    return fields.List(
        fields.String(),
        metadata={"vocabulary": vocabulary.name},
        validate=validate.Length(min=1) if required else None,
        **options,
    )


class Check:
    """One shape of rule.

    Subclasses set ``name``, ``schema`` and ``footprint`` and implement ``judge`` and
    ``message``.
    """

    name: ClassVar[str]
    schema: ClassVar[type[ParameterSchema]]
    footprint: ClassVar[Footprint] = Footprint.OWN
    #: One sentence in Chinese: what this shape compares (shown in the profile library).
    summary: ClassVar[str]
    #: Common readings that every rule of this shape rests on.
    rests_on: ClassVar[frozenset[str]] = frozenset()
    #: The table whose row number ``observed`` is, where it is one; such a number means
    #: something else in other facts, so whoever keeps findings has to translate it.
    observed_table: ClassVar[str | None] = None

    def reads(self, parameters: Mapping[str, Any]) -> set[tuple[str, str]]:
        """The facts columns, as (table, column), that judging with these parameters touches."""
        raise NotImplementedError

    def readings(self, parameters: Mapping[str, Any]) -> frozenset[str]:
        """The common readings that a rule with these parameters (as the pack has them) rests on.

        All but ``first_period`` and ``incomplete`` are parameters of the same name.
        """
        return self.rests_on

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        """Blocks of findings for the rules, each about every subject in scope."""
        raise NotImplementedError

    def required(self, rule: Rule, value: int, facts: Facts) -> Any:
        """What was required, as a short JSON value."""
        return value

    def observed(self, rule: Rule, value: int, facts: Facts) -> Any:
        """What was observed, as a short JSON value."""
        return value

    def message(self, finding: Finding) -> str:
        """One Chinese sentence a branch secretary understands."""
        raise NotImplementedError

    def not_reached(self, finding: Finding) -> str:
        """The sentence where a requirement does not reach an occasion or a person of a day."""
        return f"“{finding.rule.title}”不适用：当日不具备适用条件。"

    def uncounted(self, finding: Finding, context: Context) -> list[tuple[str, str]]:
        """Records looked at but not counted, each with the reason in Chinese."""
        return []


class PeriodCheck(Check):
    """A shape of rules about each period of the unit in the parameter ``per``."""

    rests_on = frozenset({FIRST_PERIOD, INCOMPLETE})

    def judge(self, rules: Sequence[Rule], context: Context) -> Iterator[Block]:
        for rule in rules:
            unit = Unit.named(rule.parameters["per"])
            low, high = context.span(rule, unit)
            if low <= high:
                yield self._judge(rule, context, unit, low, high)

    def _judge(self, rule: Rule, context: Context, unit: Unit, low: int, high: int) -> Block:
        """The findings of one rule for the periods from ``low`` to ``high``, both included."""
        raise NotImplementedError


#: What a shortfall is called when the part does not say otherwise.
SHORTFALLS: Mapping[Strictness, Verdict] = {
    Strictness.HARD: Verdict.NOT_MET,
    Strictness.BARE: Verdict.NOT_MET,
    Strictness.GENERAL: Verdict.DEVIATION,
    Strictness.DUTY: Verdict.NOT_MET,
    Strictness.MAY: Verdict.NOT_APPLICABLE,
    Strictness.PRINCIPLE: Verdict.NOT_APPLICABLE,
}
