"""What every installed jurisdiction owes: worked cases on every boundary, and they hold."""

from importlib.resources import files
from pathlib import Path

import pytest

from guiju import plugins
from guiju.rules.checks.base import FIRST_PERIOD, INCOMPLETE
from guiju.rules.context import Context
from guiju.rules.conventions import conventions, options
from guiju.rules.registry import CHECKS
from guiju.rules.vocabulary import Automation
from guiju.testing import cases

PACKS = plugins.load().packs
#: Numbers of statements in each notice: all, full, partial, manual.
STATEMENTS = {
    "jiaozuo": (118, 67, 46, 5),
    "shendingshan": (48, 24, 18, 6),
    "jiyuan": (47, 34, 9, 4),
    "jiaxing": (93, 58, 24, 11),
    "xian": (131, 77, 35, 19),
}


def folder(profile):
    package = Path(str(files(f"guiju_{profile}")))
    return package.parents[1] / "tests" / "cases"


CASES = {profile: cases.folder(folder(profile)) for profile in PACKS}
ALL = [(profile, case) for profile, found in CASES.items() for case in found]


@pytest.mark.parametrize(("profile", "case"), ALL, ids=[f"{p}: {c.id}" for p, c in ALL])
def test_case(profile, case, monkeypatch):
    asked = {INCOMPLETE: _calls(monkeypatch, "attested"), FIRST_PERIOD: _calls(monkeypatch, "span")}
    cases.run(case, PACKS[profile])
    for reading in PACKS[profile].readings:
        if asked.get(reading.id):
            assert case.requirement in reading.affects or _runs_of_months(profile, case)


def _calls(monkeypatch, name):
    """What the context is asked while a case is judged."""
    seen, original = [], getattr(Context, name)
    monkeypatch.setattr(Context, name, lambda *given: seen.append(name) or original(*given))
    return seen


def _runs_of_months(profile, case):
    """Absence looks back at the months since the rule began, and judges none by itself."""
    parts = PACKS[profile].by_id[case.requirement].parts
    return {part.check for part in parts} <= {"absence_months", "self_departure"}


@pytest.mark.parametrize("profile", PACKS)
def test_every_computed_requirement_has_two_cases(profile):
    counted: dict[tuple[str, str | None], int] = {}
    for case in CASES[profile]:
        for part in case.parts:
            key = (case.requirement, part)
            counted[key] = counted.get(key, 0) + 1
    missing = []
    for requirement in PACKS[profile].requirements:
        for part in requirement.parts:
            if part.check is None:
                continue
            number = counted.get((requirement.id, part.id), 0)
            if number < 2:
                missing.append(f"{requirement.id} {part.id or ''}: {number}")
    assert not missing, "worked cases are missing:\n" + "\n".join(missing)


@pytest.mark.parametrize("profile", PACKS)
def test_every_reading_has_a_case_that_shows_its_alternative(profile):
    shown = {
        reading.split("=")[0]
        for case in CASES[profile]
        for expected in case.expect
        for reading in expected.get("alternatives", {})
    }
    missing = [reading.id for reading in PACKS[profile].readings if reading.id not in shown]
    assert not missing, f"no case shows another verdict under {missing}"


@pytest.mark.parametrize("profile", PACKS)
def test_every_option_of_a_common_reading_is_chosen_in_a_case(profile):
    """Verdicts under the default, under each other option, and what the default would say."""
    chosen = {pair for case in CASES[profile] for pair in case.choices.items()}
    missing = [
        f"{reading.id}={option.value}"
        for reading in PACKS[profile].readings
        for option in reading.options
        if reading.borne_by
        and option.value != reading.default
        and (reading.id, option.value) not in chosen
        # In these notices, issued in the second half of a year, both options judge alike.
        and not (option.value == "whole" and PACKS[profile].issued_on.month > 6)
    ]
    assert not missing, f"no case chooses {missing}"


def test_every_convention_is_chosen_somewhere_or_is_a_principle():
    open_ = {one.convention for pack in PACKS.values() for one in (*pack.readings, *pack.settings)}
    assert {one.id for one in conventions()} == {f"D{number}" for number in range(1, 15)}
    assert {one.id for one in conventions() if one.principle} == {"D13"}
    assert open_ - {None} == {one.id for one in conventions()} - {"D13"}


@pytest.mark.parametrize("name", CHECKS)
def test_a_common_reading_is_a_parameter_of_the_checks_that_name_it(name):
    fields = CHECKS[name].schema().fields
    for reading in CHECKS[name].rests_on - {FIRST_PERIOD, INCOMPLETE}:
        assert fields[reading].load_default == options(reading)[0]


@pytest.mark.parametrize("profile", STATEMENTS)
def test_every_statement_is_accounted_for(profile):
    counted = dict.fromkeys(Automation, 0)
    for requirement in PACKS[profile].requirements:
        counted[requirement.automation] += 1
    assert (len(PACKS[profile].requirements), *counted.values()) == STATEMENTS[profile]
