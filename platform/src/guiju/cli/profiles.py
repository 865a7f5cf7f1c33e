"""``guiju profiles``: the installed notices, what they ask, and how they compare."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from guiju import plugins
from guiju.cli.options import AS_OF, packs_of, unknown_variant
from guiju.cli.output import echo_json, echo_markdown, echo_table
from guiju.language import gettext as _
from guiju.rules import library
from guiju.rules import vocabulary as v
from guiju.rules.problems import BadInput
from guiju.rules.registry import CHECKS

FORMAT = click.Choice(["table", "json"])
RELATIONS = {
    "same": _("相同"),
    "tighter": _("更严"),
    "looser": _("更宽"),
    "only_a": _("仅前者有"),
    "only_b": _("仅后者有"),
    "not_comparable": _("不可比"),
}


@click.group(invoke_without_command=True, help=_("已安装的规则包。"))
@click.option("--format", "format_", type=FORMAT, default="table", help=_("输出格式。"))
@click.pass_context
def profiles(context: click.Context, format_: str) -> None:
    """List the installed profiles."""
    if context.invoked_subcommand is not None:
        return
    rows = [library.summary(pack) for pack in plugins.load().packs.values()]
    if format_ == "json":
        echo_json(rows)
        return
    head = ["ID", _("名称"), _("发文机关"), _("文号"), _("印发日期"), _("变体"), _("条目")]
    echo_table(
        [*head, _("可判"), _("部分"), _("人工")],
        [
            [
                row["id"],
                row["title"],
                row["issuer"],
                row["document"],
                row["in_force_from"],
                _("、").join(row["variants"]) or "—",
                row["statements"]["total"],
                row["statements"]["full"],
                row["statements"]["partial"],
                row["statements"]["manual"],
            ]
            for row in rows
        ],
    )


@profiles.command(help=_("一个规则包的全部要求、等次、解读和报表。"))
@click.argument("profile")
@click.option("--variant", help=_("只看一个变体。"))
@click.option("--as-of", type=AS_OF, help=_("按哪一天有效的规定。"))
@click.option(
    "--format", "format_", type=click.Choice(["table", "json", "markdown"]), default="table"
)
def show(profile: str, variant: str | None, as_of: date | None, format_: str) -> None:
    """Show every requirement, scale and report format that applies."""
    found = plugins.load()
    [pack] = packs_of(found.packs, profile)
    if problems := unknown_variant(pack, variant):
        raise BadInput(problems)
    rows = library.requirements(pack, variant, as_of)
    formats = [
        {"id": f.id, "title": f.title, "clause": f.clause, "media_type": f.media_type}
        for f in found.formats_of(pack.id)
    ]
    if format_ == "json":
        echo_json(
            {
                **library.summary(pack),
                "requirements": rows,
                "scales": library.scales(pack),
                "conventions": library.conventions(pack),
                "readings": library.readings(pack),
                "settings": library.settings(pack),
                "report_formats": formats,
            }
        )
        return
    emit = echo_markdown if format_ == "markdown" else echo_table
    click.echo(f"{pack.title}（{pack.document}，{pack.issuer}，{pack.issued_on}）\n")
    emit(
        ["ID", _("部分"), _("要求"), _("条款"), _("严格程度"), _("判定")],
        [
            [
                row["id"],
                row["part"] or "",
                row["title"],
                row["clause"],
                v.STRICTNESS[row["strictness"]],
                v.AUTOMATION[row["automation"]],
            ]
            for row in rows
        ],
    )
    sections: list[tuple[str, list[str], list[list[str]]]] = [
        (
            _("等次"),
            ["ID", _("对象"), _("等次")],
            [
                [s["id"], v.APPRAISAL_SUBJECTS[s["subject"]], _("、").join(s["grades"])]
                for s in library.scales(pack)
            ],
        ),
        (
            _("通用约定"),
            ["ID", _("约定"), _("内容"), _("可选的解读和设置")],
            [[c["id"], c["title"], c["says"], _left_open(c)] for c in library.conventions(pack)],
        ),
        (
            _("解读"),
            ["ID", _("依据"), _("问题"), _("默认"), _("选项")],
            [
                [
                    r["id"],
                    _("、").join(filter(None, (r["convention"], r["trap"]))),
                    r["title"],
                    r["default"],
                    "；".join(f"{o['value']}={o['title']}" for o in r["options"]),
                ]
                for r in library.readings(pack)
            ],
        ),
        (
            _("设置"),
            ["ID", _("名称"), _("默认")],
            [
                [s["id"], s["title"], str(s.get("default") or s.get("forbidden_by") or "")]
                for s in library.settings(pack)
            ],
        ),
        (
            _("报表"),
            ["ID", _("名称"), _("条款")],
            [[f["id"], f["title"], f["clause"]] for f in formats],
        ),
    ]
    for title, head, body in sections:
        if body:
            click.echo(f"\n{title}\n")
            emit(head, body)


@profiles.command(help=_("两个规则包按事项对照。"))
@click.argument("a")
@click.argument("b")
@click.option("--as-of", type=AS_OF, help=_("按哪一天有效的规定。"))
@click.option("--format", "format_", type=FORMAT, default="table")
def diff(a: str, b: str, as_of: date | None, format_: str) -> None:
    """Compare two profiles by subject matter; the relation is that of A to B."""
    left, right = packs_of(plugins.load().packs, a, b)
    rows = library.diff(left, right, as_of)
    if format_ == "json":
        echo_json(rows)
        return
    echo_table(
        [_("事项"), _("关系"), a, b],
        [
            [row["matter"], RELATIONS[row["relation"]], _sides(row["a"]), _sides(row["b"])]
            for row in rows
        ],
    )


def _left_open(convention: dict[str, Any]) -> str:
    """What may be chosen where a convention applies."""
    if convention["principle"]:
        return _("原则，不可选")
    names = [*convention["readings"], *convention["settings"]]
    if convention["tenant_setting"]:
        names.append(_("{name}（租户设置）").format(name=convention["tenant_setting"]))
    return _("、").join(names) or _("本通知没有可另选的")


def _sides(sides: list[dict[str, Any]]) -> str:
    """One side of a comparison in a few words."""
    return (
        "；".join(f"{side['title']}（{v.STRICTNESS[side['strictness']]}）" for side in sides) or "—"
    )


@profiles.command(help=_("通知的每一条：如何判定，或为何不判定。"))
@click.argument("profile")
@click.option("--format", "format_", type=FORMAT, default="table")
def coverage(profile: str, format_: str) -> None:
    """One row per statement of the notice."""
    [pack] = packs_of(plugins.load().packs, profile)
    rows = library.coverage(pack, {name: check.summary for name, check in CHECKS.items()})
    if format_ == "json":
        echo_json(rows)
        return
    echo_table(
        ["ID", _("条款"), _("判定"), _("方法"), _("说明")],
        [
            [
                row["id"],
                row["clause"],
                v.AUTOMATION[row["automation"]],
                row["how"] or "—",
                row["reason"] or "",
            ]
            for row in rows
        ],
    )
