"""The library: each installed notice as something to read, alone or beside another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request

from guiju.clock import today
from guiju.language import gettext as _
from guiju.profiles.choosing import questions
from guiju.rules import library
from guiju.rules.pack import Pack, Requirement
from guiju.rules.registry import CHECKS
from guiju.rules.subjects import subject_of, subject_rank
from guiju.rules.vocabulary import AUTOMATION, STRICTNESS
from guiju.web.sessions import not_found_unless
from guiju.web.wording import label, plugins
from guiju.web.workbooks import send_list

blueprint = Blueprint("library", __name__, url_prefix="/library")

#: A notice that nobody has re-read for so long may have been changed since.
_STALE = timedelta(days=365)

#: What one notice is beside another, in the order of the list of choices.
RELATIONS = ("tighter", "looser", "same", "not_comparable", "only_a", "only_b")


@blueprint.get("/")
def index() -> str:
    """All installed notices."""
    packs = plugins().packs.values()
    return render_template("library/index.html", profiles=[(p, library.summary(p)) for p in packs])


@blueprint.get("/<profile>")
def notice(profile: str) -> str:
    """One notice: its statements by subject, its readings and its scales."""
    pack = plugins().packs.get(profile)
    not_found_unless(pack)
    assert pack is not None
    filters = {
        "variant": _one_of(request.args.get("variant"), [found.id for found in pack.variants]),
        "strictness": _one_of(request.args.get("strictness"), STRICTNESS),
        "automation": _one_of(request.args.get("automation"), AUTOMATION),
        "q": request.args.get("q", "").strip() or None,
    }
    return render_template(
        "library/notice.html",
        pack=pack,
        summary=library.summary(pack),
        filters=filters,
        chapters=chapters(pack, **filters),
        questions=questions(pack),
        conventions=_conventions(pack),
        formats=plugins().formats_of(profile),
        others=[other for other in plugins().packs.values() if other is not pack],
        today=today(),
        stale=is_stale(pack, today()),
    )


def _conventions(pack: Pack) -> list[dict[str, Any]]:
    """The conventions, each with the titles of what may be chosen."""
    titles = {question.name: question.title for question in questions(pack)}
    return [
        {**found, "open": [titles[name] for name in (*found["readings"], *found["settings"])]}
        for found in library.conventions(pack)
    ]


def is_stale(pack: Pack, on: date) -> bool:
    """Whether the notice was last re-read so long ago that somebody should look again."""
    return on - pack.checked_on > _STALE


@blueprint.get("/<profile>/coverage.xlsx")
def coverage(profile: str) -> Response:
    """How each statement of the notice is judged, or why it is not, as a workbook."""
    pack = plugins().packs.get(profile)
    not_found_unless(pack)
    assert pack is not None
    headings = [_("编号"), _("要求"), _("条款"), _("严格程度"), _("判定"), _("方法"), _("说明")]
    rows = [
        [
            statement.requirement.id,
            statement.requirement.title,
            statement.requirement.clause,
            _("、").join(label(code, "strictness") for code in statement.strictness),
            label(str(statement.requirement.automation), "automation"),
            statement.how,
            statement.requirement.reason or "",
        ]
        for chapter in chapters(pack)
        for statement in chapter.statements
    ]
    return send_list(f"{pack.id}-coverage.xlsx", _("条文判定情况"), headings, rows)


# -- two notices side by side ----------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """What two notices say about one subject, matter by matter."""

    subject: str
    rows: Sequence[Mapping[str, Any]]


@blueprint.get("/compare")
def compare() -> str:
    """Two notices beside each other; ``relation`` and ``q`` choose what is shown."""
    packs = plugins().packs
    names = list(packs)
    a = _one_of(request.args.get("a"), packs) or names[0]
    b = _one_of(request.args.get("b"), packs) or next((n for n in names if n != a), a)
    relation = _one_of(request.args.get("relation"), RELATIONS)
    q = request.args.get("q", "").strip() or None
    rows = library.diff(packs[a], packs[b])
    return render_template(
        "library/compare.html",
        packs=packs,
        a=packs[a],
        b=packs[b],
        relation=relation,
        relations=RELATIONS,
        q=q,
        counts={name: sum(row["relation"] == name for row in rows) for name in RELATIONS},
        comparisons=by_subject(rows, relation, q),
    )


def by_subject(
    rows: Sequence[Mapping[str, Any]], relation: str | None, q: str | None
) -> list[Comparison]:
    """Rows of a comparison that pass the filters, by subject."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        sides = [*row["a"], *row["b"]]
        if (relation and row["relation"] != relation) or (
            q and not any(q in side["title"] or q in side["clause"] for side in sides)
        ):
            continue
        found.setdefault(subject_of(sides[0]["id"]), []).append(row)
    return [Comparison(subject, found[subject]) for subject in sorted(found, key=subject_rank)]


@blueprint.app_template_global()
def relation_words(relation: str) -> str:
    """What the first notice is beside the second."""
    return {
        "tighter": _("前者更严"),
        "looser": _("前者更宽"),
        "same": _("相同"),
        "not_comparable": _("不可比"),
        "only_a": _("只有前者"),
        "only_b": _("只有后者"),
    }[relation]


@dataclass(frozen=True)
class Statement:
    """One statement of the notice with how it is judged, or why it is not."""

    requirement: Requirement
    strictness: Sequence[str]
    how: str
    #: Readings of its own wording that change it; those common to all notices stand apart.
    readings: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Chapter:
    """Statements about one subject."""

    subject: str
    statements: Sequence[Statement]


def chapters(
    pack: Pack,
    *,
    variant: str | None = None,
    strictness: str | None = None,
    automation: str | None = None,
    q: str | None = None,
) -> list[Chapter]:
    """The statements that pass the filters, by subject."""
    readings = library.readings(pack)
    found: dict[str, list[Statement]] = {}
    for requirement in pack.requirements:
        statement = _statement(requirement, readings)
        if (
            (variant and not library.reaches(requirement, variant))
            or (strictness and strictness not in statement.strictness)
            or (automation and requirement.automation != automation)
            or (q and q not in requirement.title and q not in requirement.clause)
        ):
            continue
        found.setdefault(subject_of(requirement.id), []).append(statement)
    return [Chapter(subject, found[subject]) for subject in sorted(found, key=subject_rank)]


def _statement(requirement: Requirement, readings: Sequence[Mapping[str, Any]]) -> Statement:
    checks = [part.check for part in requirement.parts if part.check]
    return Statement(
        requirement=requirement,
        strictness=list(
            dict.fromkeys(str(part.versions[-1].strictness) for part in requirement.parts)
        ),
        how="；".join(dict.fromkeys(CHECKS[check].summary for check in checks)),
        readings=[
            reading
            for reading in readings
            if not reading["common"] and requirement.id in reading["affects"]
        ],
    )


def _one_of(value: str | None, known: Sequence[str] | Mapping[str, Any]) -> str | None:
    return value if value in known else None
