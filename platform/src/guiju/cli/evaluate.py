"""``guiju evaluate``: judge a facts document, with no database and no server."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
import numpy as np

from guiju import facts as documents
from guiju import plugins
from guiju.cli.output import echo_csv, echo_json, echo_table
from guiju.cli.profiles import AS_OF, find
from guiju.language import gettext as _
from guiju.rules import vocabulary as v
from guiju.rules.engine import evaluate as judge
from guiju.rules.facts import Facts
from guiju.rules.findings import Finding
from guiju.rules.pack import Pack
from guiju.rules.problems import BadInput, Problem

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
    as_of: datetime | None,
    format_: str,
    only: tuple[str, ...],
    organization: tuple[str, ...],
    chosen: tuple[str, ...],
) -> None:
    """Judge a facts document by one profile."""
    pack = find(plugins.load().packs, profile)
    document = documents.read(facts, codes=pack.vocabularies)
    encoded = Facts(document.tables)
    problems = [
        *_unknown(_("要求"), only, pack.by_id),
        *_unknown(_("变体"), () if variant is None else (variant,), [x.id for x in pack.variants]),
    ]
    known = encoded.ids("organizations").to_pylist()
    problems += _unknown(_("组织"), organization, known)
    if problems:
        raise BadInput(problems)
    today = datetime.now(ZoneInfo("Asia/Shanghai"))
    found = judge(
        pack,
        encoded,
        (as_of or today).date(),
        choices=pack.choices({**_settings(encoded), **_pairs(chosen)}),
        only=set(only) or None,
        scope=_scope(pack, encoded, variant, organization),
    )
    for warning in found.warnings:
        click.echo(warning, err=True)
    _print(found, format_)


def _unknown(what: str, given: Iterable[str], known: Iterable[Any]) -> list[Problem]:
    there = set(known)
    return [
        Problem(f"{what} {name}", _("不存在"), _("请检查编号"), "unknown")
        for name in given
        if name not in there
    ]


def _pairs(chosen: tuple[str, ...]) -> dict[str, str]:
    problems = [
        Problem(f"--set {text}", _("没有等号"), _("应为 名称=取值"), "usage")
        for text in chosen
        if "=" not in text
    ]
    if problems:
        raise BadInput(problems)
    return dict(tuple(text.split("=", 1)) for text in chosen)  # type: ignore[misc]


def _settings(facts: Facts) -> dict[str, str]:
    """Readings and settings that the document itself chooses."""
    rows = facts["settings"]
    pairs = zip(rows.strings("key"), rows.strings("value"), strict=True)
    return {key: value for key, value in pairs if key is not None and value is not None}


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
