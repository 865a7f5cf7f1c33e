"""Worked cases: a notice's rules as examples that a Party official can check.

A case file is TOML.  ``[base]`` holds facts that all its cases share, each ``[[case]]``
names a requirement, a day, further facts and what must be found::

    [base]
    organizations = [{ id = "b1", name = "第一党支部", kind = "branch", sector = "agency" }]

    [[case]]
    requirement = "xian.branch_assembly.quarterly"
    name = "第四季度最后一天召开，算按时"
    as_of = 2021-01-01
    facts.occasions = [
      { id = "o1", organization = "b1", kinds = ["branch_assembly"], held_on = 2020-12-31 },
    ]
    expect = [{ period = "2020-Q4", verdict = "met" }]

An expectation gives any of ``subject``, ``organization``, ``period``, ``part`` and must
then match exactly one finding, whose ``verdict`` (and ``observed``, ``due``,
``evidence``, ``alternatives`` where stated) it asserts.  ``absent = true`` asserts that
nothing is found.  ``choices`` sets readings and settings.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from guiju import facts as documents
from guiju.rules import engine
from guiju.rules.context import Context
from guiju.rules.facts import Facts
from guiju.rules.findings import Findings
from guiju.rules.pack import Pack

_SELECT = ("organization", "period", "part")
_ASSERT = ("verdict", "observed", "required", "due", "strictness")
_KEYS = {
    "case": {"requirement", "name", "as_of", "facts", "expect", "choices", "trap"},
    "expect": {*_SELECT, *_ASSERT, "subject", "evidence", "alternatives", "absent"},
}


@dataclass(frozen=True)
class Case:
    """One worked case, with the file it stands in."""

    file: Path
    requirement: str
    name: str
    as_of: date
    facts: Mapping[str, list[dict[str, Any]]]
    expect: tuple[Mapping[str, Any], ...]
    choices: Mapping[str, str]
    trap: str | None

    @property
    def id(self) -> str:
        return f"{self.file.stem}: {self.requirement}: {self.name}"

    @property
    def parts(self) -> set[str | None]:
        """The parts of the requirement that the expectations name (None: all or only)."""
        return {expected.get("part") for expected in self.expect}


def read(file: Path) -> Iterator[Case]:
    """The cases of a file.

    Raises ValueError naming the case and key for anything the format does not know.
    """
    data = tomllib.loads(file.read_text("utf-8"))
    base: dict[str, list[dict[str, Any]]] = data.get("base", {})
    for entry in data["case"]:
        for key in set(entry) - _KEYS["case"]:
            raise ValueError(f"{file.name} {entry.get('name')}：没有 {key} 这个键")
        for expected in entry["expect"]:
            for key in set(expected) - _KEYS["expect"]:
                raise ValueError(f"{file.name} {entry['name']} expect：没有 {key} 这个键")
        own = entry.get("facts", {})
        yield Case(
            file=file,
            requirement=entry["requirement"],
            name=entry["name"],
            as_of=entry["as_of"],
            facts={table: [*base.get(table, []), *own.get(table, [])] for table in {**base, **own}},
            expect=tuple(entry["expect"]),
            choices={name: str(value) for name, value in entry.get("choices", {}).items()},
            trap=entry.get("trap"),
        )


def folder(path: Path) -> list[Case]:
    """All cases below a folder, in order of files."""
    return [case for file in sorted(path.glob("*.toml")) for case in read(file)]


def run(case: Case, pack: Pack) -> None:
    """Judge a case; AssertionError says what was expected and what was found."""
    found = judge(case, pack)
    for expected in case.expect:
        _check(case, expected, found)


def explained(case: Case, pack: Pack) -> list[tuple[dict[str, Any], list[tuple[str, str]]]]:
    """The findings that a case's expectations speak of, each with what was not counted and why."""
    context, found = _judged(case, pack)
    told = []
    for finding in found:
        said = finding.as_dict()
        if any(_selected(said, expected) for expected in case.expect):
            # Where the requirement does not apply there is nothing to look at.
            check = finding.rule.check
            told.append((said, [] if finding.silent else check.uncounted(finding, context)))
    return told


def judge(case: Case, pack: Pack) -> list[dict[str, Any]]:
    """All findings of a case's requirement, with the keys of the public contract."""
    return [finding.as_dict() for finding in _judged(case, pack)[1]]


def _judged(case: Case, pack: Pack) -> tuple[Context, Findings]:
    document = _document(case.facts, pack)
    choices = pack.choices(case.choices)
    context = engine.context_of(pack, Facts(document.tables), case.as_of, choices=choices)
    return context, engine.judge(context, only=[case.requirement])


def _document(facts: Mapping[str, list[dict[str, Any]]], pack: Pack) -> documents.FactsDocument:
    """The facts as a document that passed every check an author's own would have to."""
    with TemporaryDirectory() as name:
        path = Path(name) / "facts.json"
        path.write_text(json.dumps(facts, default=str, ensure_ascii=False), "utf-8")
        return documents.read(path, pack.vocabularies)


def _check(case: Case, expected: Mapping[str, Any], found: list[dict[str, Any]]) -> None:
    matching = [finding for finding in found if _selected(finding, expected)]
    listing = "\n".join(json.dumps(finding, ensure_ascii=False) for finding in found)
    where = f"{case.id}\n应有 {dict(expected)}\n实得：\n{listing}"
    if expected.get("absent"):
        assert not matching, where
        return
    assert len(matching) == 1, f"{where}\n符合条件的有 {len(matching)} 条，应恰有一条"
    finding = matching[0]
    for key in _ASSERT:
        if key in expected:
            wanted = expected[key]
            wanted = wanted.isoformat() if isinstance(wanted, date) else wanted
            assert finding[key] == wanted, f"{where}\n{key} 应为 {wanted}，得 {finding[key]}"
    if "evidence" in expected:
        assert sorted(finding["evidence"]) == sorted(expected["evidence"]), where
    if "alternatives" in expected:
        others = {other["reading"]: other["verdict"] for other in finding["alternatives"]}
        assert others == dict(expected["alternatives"]), f"{where}\n其他解读为 {others}"


def _selected(finding: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    if "subject" in expected and finding["subject"]["id"] != expected["subject"]:
        return False
    return all(finding[key] == expected[key] for key in _SELECT if key in expected)
