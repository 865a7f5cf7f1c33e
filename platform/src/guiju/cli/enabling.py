"""``guiju tenant enable`` and ``disable``: a tenant as a whole, or a profile in its tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from guiju import clock, plugins
from guiju.cli import environment
from guiju.cli.options import AS_OF, Refusals, packs_of
from guiju.cli.output import echo_json, echo_table
from guiju.db import ScopedSession
from guiju.db.arrays import any_of
from guiju.language import gettext as _
from guiju.organizations import queries as organizations
from guiju.organizations.models import Organization
from guiju.profiles import operations, previews
from guiju.profiles.previews import Packs, Preview
from guiju.profiles.queries import verdict
from guiju.profiles.terms import Edit, Enable, End, Term
from guiju.rules import loader
from guiju.rules import vocabulary as v
from guiju.rules.pack import Pack
from guiju.rules.problems import BadInput, Problem
from guiju.scoring import bells
from guiju.scoring.operations import fixed_as_of
from guiju.tenancy.operations import set_tenant_state

_PREVIEW = click.option("--preview", is_flag=True, help=_("只看哪些组织的结论会改变，不作改动。"))
_FORMAT = click.option("--format", "format_", type=click.Choice(["table", "json"]), default="table")
_ORGANIZATION = click.option("--organization", help=_("组织编号（默认顶层组织）。"))


@click.command(help=_("恢复租户 CODE；或在其中启用规则包 PROFILE。"))
@click.argument("code")
@click.argument("profile", required=False)
@_ORGANIZATION
@click.option("--from", "judge_from", type=AS_OF, help=_("从哪一天起评判。"))
@click.option("--until", type=AS_OF, help=_("到哪一天为止（默认一直有效）。"))
@click.option("--set", "chosen", multiple=True, metavar="NAME=VALUE", help=_("选择解读或设置。"))
@_PREVIEW
@click.option(
    "--pack",
    "newer",
    type=click.Path(dir_okay=False, path_type=Path),
    help=_("与 --preview 合用：改看规则包的新版本 pack.toml。"),
)
@_FORMAT
def enable(
    code: str,
    *,
    profile: str | None,
    organization: str | None,
    judge_from: date | None,
    until: date | None,
    chosen: tuple[str, ...],
    preview: bool,
    newer: Path | None,
    format_: str,
) -> None:
    """Let a tenant work again, or have part of it judged by a profile."""
    if profile is None:
        if organization or judge_from or until or chosen or preview or newer:
            raise BadInput([_wanted("PROFILE", _("没有给出"), _("请写明规则包"))])
        _set_state(code, "active")
        return
    packs = plugins.load().packs
    packs_of(packs, profile)
    if newer is not None:
        _newer_version(code, packs, profile, newer, preview=preview, format_=format_)
        return
    if judge_from is None:
        raise BadInput([_wanted("--from", _("没有给出"), _("请写明从哪一天起评判"))])
    term = Term(profile, judge_from, until, _pairs(chosen))
    with environment.tenant_session(code) as session:
        number = _number(session, organization)
        _change(session, packs, number, Enable(term), preview=preview, format_=format_)


@click.command(help=_("停用租户 CODE：任何人都不能登录，数据保留；或停用其中的规则包 PROFILE。"))
@click.argument("code")
@click.argument("profile", required=False)
@_ORGANIZATION
@click.option("--until", type=AS_OF, help=_("评判的最后一天。"))
@_PREVIEW
@_FORMAT
def disable(
    code: str,
    *,
    profile: str | None,
    organization: str | None,
    until: date | None,
    preview: bool,
    format_: str,
) -> None:
    """Suspend a tenant, or judge by a profile for the last time."""
    if profile is None:
        if organization or until or preview:
            raise BadInput([_wanted("PROFILE", _("没有给出"), _("请写明规则包"))])
        _set_state(code, "suspended")
        return
    if until is None:
        raise BadInput([_wanted("--until", _("没有给出"), _("请写明评判的最后一天"))])
    with environment.tenant_session(code) as session:
        number = _number(session, organization)
        terms = [term for term in operations.terms_of(session, number) if term.profile == profile]
        if not terms:
            known = (
                _("、").join(term.profile for term in operations.terms_of(session, number)) or "—"
            )
            wanted = _("这里启用的有 {known}").format(known=known)
            raise BadInput([_wanted(profile, _("没有在这里启用"), wanted)])
        packs = plugins.load().packs
        edit = End(terms[-1].judge_from, until)
        _change(session, packs, number, edit, preview=preview, format_=format_)


def _set_state(code: str, state: str) -> None:
    with environment.session() as session:
        environment.tenant(session, code)
        set_tenant_state(session, environment.operator(), code, state)
    click.echo(f"{code}: {state}")


def _change(
    session: ScopedSession,
    packs: Packs,
    number: int,
    edit: Edit,
    *,
    preview: bool,
    format_: str,
) -> None:
    """Look at what an edit would do, or do it."""
    proposal = operations.propose(session, packs, number, edit)
    if preview:
        laws = previews.laws(session, packs, proposal, _day(session))
        session.rollback()
        _print(session, previews.preview(session, laws, number), packs, format_)
        return
    operations.adopt(session, environment.operator(), proposal)
    bells.ring(session)
    click.echo(_("已生效；尚待重新评判，可运行 guiju score"))


def _newer_version(
    code: str, packs: Packs, profile: str, newer: Path, *, preview: bool, format_: str
) -> None:
    """Look at what a newer version of an installed pack would do to a tenant."""
    refused = Refusals()
    pack = None
    with refused:
        pack = loader.load(newer)
    if not preview:
        wanted = _("新版本只能预览；安装其插件后自动生效")
        refused.problems.append(_wanted("--pack", str(newer), wanted))
    if pack is not None and pack.id != profile:
        wanted = _("应为 {profile} 的新版本").format(profile=profile)
        refused.problems.append(_wanted("--pack", pack.id, wanted))
    refused.settle()
    assert pack is not None
    with environment.tenant_session(code) as session:
        laws = previews.laws(session, packs, None, _day(session), [pack])
        session.rollback()
        seen = previews.preview(session, laws, None)
        _print(session, seen, {**packs, profile: pack}, format_)


def _print(session: ScopedSession, seen: Preview, packs: Packs, format_: str) -> None:
    units = list(_units(session, seen))
    summary = seen.summary
    if format_ == "json":
        echo_json(
            {
                "before": summary.before,
                "after": summary.after,
                "judged": summary.judged,
                "requirements": [_as_json(rule) for rule in summary.as_json()["rules"]],
                "left_out": summary.left_out,
                "organizations": units,
            }
        )
        return
    branches = sum(unit["kind"] in v.BRANCH_KINDS for unit in units)
    click.echo(
        _("看了 {judged} 个组织：{all} 个的结论会改变，其中党支部 {branches} 个").format(
            judged=summary.judged, all=len(units), branches=branches
        )
    )
    if not units:
        return
    click.echo()
    echo_table(
        [_("结论"), _("现在"), _("改后")],
        [
            [label, summary.before.get(code, 0), summary.after.get(code, 0)]
            for code, label in v.VERDICTS.items()
            if code in summary.before or code in summary.after
        ],
    )
    click.echo()
    echo_table(
        [_("要求"), _("条款"), _("原因"), _("结论怎样变"), _("组织")],
        [
            [
                *_words(packs, rule.profile, rule.requirement),
                "；".join(rule.why),
                "；".join(
                    f"{_label(verdict(from_))}→{_label(verdict(to))} {number}"
                    for from_, to, number in rule.moves
                ),
                rule.organizations,
            ]
            for rule in summary.rules
        ],
    )
    click.echo()
    echo_table(
        [_("组织编号"), _("组织"), _("改变的结论")],
        [[unit["id"], unit["name"], unit["changed"]] for unit in units],
    )


def _units(session: ScopedSession, seen: Preview) -> Iterator[dict[str, Any]]:
    """The organizations that would change, in the order of the tree, with their moves."""
    moves = seen.comparison
    changed = moves.by_organization()
    rows = session.execute(
        sa.select(Organization.id, Organization.code, Organization.name, Organization.kind)
        .where(any_of(Organization.__table__.c.id, changed))
        .order_by(Organization.path)
    )
    for number, code, name, kind in rows:
        here = changed[number].tolist()
        yield {
            "id": code,
            "name": name,
            "kind": kind,
            "changed": int(moves.number[here].sum()),
            "changes": [
                {
                    **moves.rules[int(moves.rule[row])]._asdict(),
                    "from": verdict(int(moves.from_[row])),
                    "to": verdict(int(moves.to[row])),
                    "number": int(moves.number[row]),
                }
                for row in here
            ],
        }


def _as_json(rule: Mapping[str, Any]) -> dict[str, Any]:
    moves = [
        {"from": verdict(from_), "to": verdict(to), "number": number}
        for from_, to, number in rule["moves"]
    ]
    return {**rule, "moves": moves}


def _words(packs: Packs, profile: str, requirement: str) -> tuple[str, str]:
    pack: Pack | None = packs.get(profile)
    known = pack.by_id.get(requirement) if pack else None
    return (known.title, known.clause) if known else (requirement, "")


def _label(code: str | None) -> str:
    return v.VERDICTS[code] if code else _("不评判")


def _day(session: ScopedSession) -> date:
    return fixed_as_of(session) or clock.today()


def _number(session: ScopedSession, organization: str | None) -> int:
    """The number of an organization by its code; of the root without one."""
    if organization is None:
        return organizations.root(session).id
    found = session.scalar(sa.select(Organization.id).where(Organization.code == organization))
    if found is None:
        place = _("组织 {id}").format(id=organization)
        raise BadInput([_wanted(place, _("不存在"), _("请检查编号"))])
    return found


def _pairs(chosen: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in chosen]
    problems = [
        _wanted(f"--set {name}", _("没有等号"), _("应为 名称=取值"))
        for name, equals, _value in pairs
        if not equals
    ]
    if problems:
        raise BadInput(problems)
    return {name: value for name, _equals, value in pairs}


def _wanted(place: str, found: str, wanted: str) -> Problem:
    return Problem(place, found, wanted, "usage")
