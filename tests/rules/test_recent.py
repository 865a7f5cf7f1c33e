"""What the engine compiled is kept for the next evaluation, up to a bound."""

from dataclasses import replace
from datetime import date

from guiju import plugins
from guiju.rules.engine import compile_rules, evaluate
from guiju.rules.facts import Facts
from guiju.rules.recent import Recent


def test_what_was_asked_for_longest_ago_is_forgotten_first() -> None:
    made: list[str] = []

    def ask(key: str) -> str:
        return kept.get(key, lambda: made.append(key) or key.upper())

    kept: Recent[str] = Recent(2)
    assert [ask(key) for key in "abacab"] == ["A", "B", "A", "C", "A", "B"]
    assert made == ["a", "b", "c", "b"]
    assert len(kept) == 2


def test_making_one_value_may_ask_for_another() -> None:
    kept: Recent[int] = Recent(4)
    assert kept.get("outer", lambda: kept.get("inner", lambda: 1) + 1) == 2
    assert len(kept) == 2


def test_what_is_kept_of_a_pack_does_not_grow_with_the_choices_made() -> None:
    pack = plugins.load().packs["jiyuan"]
    facts = Facts({})
    chosen = pack.choices({})
    asked = [
        replace(chosen, settings={**chosen.settings, "of_some_tenant": number})
        for number in range(pack.programs.size + 3)
    ]
    for choices in asked:
        assert not list(evaluate(pack, facts, date(2021, 6, 30), choices=choices))
    assert len(pack.programs) == pack.programs.size
    assert len(pack.compiled) == pack.compiled.size
    assert len(pack.compiled_parts) <= pack.compiled_parts.size

    # The last choice is still known; the first, forgotten, is compiled again to the same.
    last = compile_rules(pack, asked[-1])
    assert [*map(id, compile_rules(pack, asked[-1]))] == [*map(id, last)]
    assert [rule.id for rule in compile_rules(pack, asked[0])] == [rule.id for rule in last]
