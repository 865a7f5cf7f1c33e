"""``guiju evaluate``: judge a facts document, with no database and no server."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

import click
import numpy as np

from guiju import clock, plugins
from guiju import facts as documents
from guiju.cli.options import AS_OF, Refusals, packs_of, unknown, unknown_variant
from guiju.cli.output import echo_csv, echo_json, echo_table
from guiju.language import gettext as _
from guiju.rules import vocabulary as v
from guiju.rules.engine import evaluate as judge
from guiju.rules.facts import Facts
from guiju.rules.findings import Finding
from guiju.rules.pack import Pack
from guiju.rules.problems import Problem

COLUMNS = (
    *("requirement", "part", "subject_type", "subject", "organization", "period", "verdict"),
    *("strictness", "required", "observed", "due", "evidence", "document", "clause"),
    *("alternatives", "message"),
)


@click.command(help=_("判定一份事实文档（JSON、工作簿或 CSV 文件夹）。"))
@click.argument("facts", type=click.Path())
@click.option("--profile", required=True, help=_("规则包。"))
@click.option("--variant", help=_("只看领域属于该变体的组织。"))
@click.option("--as-of", type=AS_OF, help=_("截至哪一天（默认今天）。"))
@click.option("--format", "format_", type=click.Choice(["table", "json", "csv"]), default="table")
@click.option("--only", multiple=True, help=_("只判这些要求，可多次给出。"))
@click.option("--organization", multiple=True, help=_("只判这些组织，可多次给出。"))
@click.option("--set", "chosen", multiple=True, metavar="READING=VALUE", help=_("选择解读或设置。"))
def evaluate(
    facts: str,
    *,
    profile: str,
    variant: str | None,
    as_of: date | None,
    format_: str,
    only: tuple[str, ...],
    organization: tuple[str, ...],
    chosen: tuple[str, ...],
) -> None:
    """Judge a facts document by one profile."""
    packs = plugins.load().packs
    [pack] = packs_of(packs, profile)
    refused = Refusals()
    check_id = _("请检查编号")
    refused.problems += unknown(_("要求"), only, pack.by_id, check_id)
    refused.problems += unknown_variant(pack, variant)
    given = _pairs(chosen, refused)
    document = None
    with refused:
        document = documents.read(facts, codes=pack.vocabularies)
    written = _Settings({}, {}) if document is None else _settings(document, pack, packs)
    if document is not None:
        known = document.tables["organizations"]["id"].to_pylist()
        refused.problems += unknown(_("组织"), organization, known, check_id)
    choices = None
    with refused:
        places = {**written.places, **{name: f"--set {name}" for name in given}}
        settings = {**written.values, **given}
        choices = pack.choices(settings, places)
        if document is not None:
            refused.problems += pack.strangers(settings, known, places)
    refused.settle()
    assert document is not None
    encoded = Facts(document.tables)
    found = judge(
        pack,
        encoded,
        as_of or clock.today(),
        choices=choices,
        only=set(only) or None,
        scope=_scope(pack, encoded, variant, organization),
    )
    for warning in found.warnings:
        click.echo(warning, err=True)
    _print(found, format_)


def _pairs(chosen: tuple[str, ...], refused: Refusals) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in chosen:
        name, equals, value = text.partition("=")
        place = f"--set {text}"
        if not equals:
            refused.problems.append(Problem(place, _("没有等号"), _("应为 名称=取值"), "usage"))
        elif found.setdefault(name, value) != value:
            other = _("另有取值 {value}").format(value=found[name])
            refused.problems.append(Problem(place, other, _("只能选一个"), "usage"))
    return found


class _Settings(NamedTuple):
    """Readings and settings that the document itself chooses, and where it does, by name."""

    values: dict[str, str]
    places: dict[str, str]


def _settings(
    document: documents.FactsDocument, pack: Pack, packs: Mapping[str, Pack]
) -> _Settings:
    """What the document's settings say to this pack; those of other packs are told and left."""
    rows = document.tables["settings"]
    found = _Settings({}, {})
    for row, (key, value) in enumerate(
        zip(rows["key"].to_pylist(), rows["value"].to_pylist(), strict=True)
    ):
        place = document.places["settings"].cell(row, "key")
        others = [other.id for other in packs.values() if key in other.choosable]
        if others and key not in pack.choosable:
            note = _("{place}：{key} 属于规则包 {others}，这次不用").format(
                place=place, key=key, others=_("、").join(others)
            )
            click.echo(note, err=True)
            continue
        found.values[key], found.places[key] = value, place
    return found


def _scope(
    pack: Pack, facts: Facts, variant: str | None, organizations: tuple[str, ...]
) -> np.ndarray[Any, np.dtype[np.bool_]] | None:
    """The organizations to judge: those named, or those whose sector is the variant's."""
    if variant is None and not organizations:
        return None
    keep = np.ones(facts.count("organizations"), dtype=np.bool_)
    if organizations:
        keep &= np.isin(np.array(facts.ids("organizations").to_pylist()), organizations)
    if variant is not None:
        sectors = next(entry.sectors for entry in pack.variants if entry.id == variant)
        wanted = [facts.position("sector", sector) for sector in sectors]
        keep &= np.isin(facts.sectors, wanted)
    return keep


def _print(found: Iterable[Finding], format_: str) -> None:
    if format_ == "json":
        echo_json([finding.as_dict() for finding in found])
        return
    rows = [row for row in (finding.as_dict() for finding in found) if _told(row)]
    if format_ == "csv":
        echo_csv(COLUMNS, ([_cell(_flat(row)[column]) for column in COLUMNS] for row in rows))
        return
    echo_table(
        [_("组织"), _("对象"), _("期间"), _("结论"), _("条款"), _("说明")],
        [
            [
                row["organization"],
                row["subject"]["id"],
                row["period"] or "—",
                v.VERDICTS[row["verdict"]],
                row["citation"]["clause"],
                row["message"],
            ]
            for row in rows
        ],
    )


def _told(row: dict[str, Any]) -> bool:
    return bool(row["verdict"] != v.Verdict.NOT_APPLICABLE)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    others = "; ".join(f"{o['reading']}: {o['verdict']}" for o in row["alternatives"])
    return {
        **row,
        "subject_type": row["subject"]["type"],
        "subject": row["subject"]["id"],
        "evidence": "; ".join(row["evidence"]),
        "document": row["citation"]["document"],
        "clause": row["citation"]["clause"],
        "alternatives": others,
    }


def _cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
