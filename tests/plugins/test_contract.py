"""What every installed jurisdiction owes: worked cases on every boundary, and they hold."""

from importlib.resources import files
from pathlib import Path

import pytest

from guiju import plugins
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
def test_case(profile, case):
    cases.run(case, PACKS[profile])


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


@pytest.mark.parametrize("profile", STATEMENTS)
def test_every_statement_is_accounted_for(profile):
    counted = dict.fromkeys(Automation, 0)
    for requirement in PACKS[profile].requirements:
        counted[requirement.automation] += 1
    assert (len(PACKS[profile].requirements), *counted.values()) == STATEMENTS[profile]
