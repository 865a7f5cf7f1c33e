"""The library: each installed notice as something to read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request

from guiju.clock import today
from guiju.rules import library
from guiju.rules.pack import Pack, Requirement
from guiju.rules.registry import CHECKS
from guiju.rules.subjects import subject_of, subject_rank
from guiju.rules.vocabulary import AUTOMATION, STRICTNESS
from guiju.web.sessions import not_found_unless
from guiju.web.wording import plugins

blueprint = Blueprint("library", __name__, url_prefix="/library")


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
        formats=plugins().formats_of(profile),
        today=today(),
    )


@dataclass(frozen=True)
class Statement:
    """One statement of the notice with how it is judged, or why it is not."""

    requirement: Requirement
    strictness: Sequence[str]
    how: str
    #: Readings that change it.
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
        readings=[reading for reading in readings if requirement.id in reading["affects"]],
    )


def _one_of(value: str | None, known: Sequence[str] | Mapping[str, str]) -> str | None:
    return value if value in known else None
