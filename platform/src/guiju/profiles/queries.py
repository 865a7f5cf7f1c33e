"""Questions about what judges a tree, what was changed, and what a preview found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from guiju.db.session import AnySession
from guiju.organizations.models import Organization
from guiju.organizations.tree import within
from guiju.profiles.choosing import Question, questions, text_of
from guiju.profiles.models import PreviewRow, ProfileChange, ProfilePreview
from guiju.profiles.previews import Packs, RuleSummary, Summary
from guiju.profiles.terms import Term
from guiju.rules.findings import VERDICT_CODES
from guiju.rules.vocabulary import BRANCH_KINDS
from guiju.tenancy.models import Setting
from guiju.tenancy.queries import ProfileInForce, enabled_profiles


@dataclass(frozen=True)
class Enabled:
    """A term somewhere in the tree, with the name of its organization."""

    organization_id: int
    organization: str
    path: str
    term: Term


@dataclass(frozen=True)
class Answer:
    """What holds for one question at an organization, and where it was chosen.

    ``source`` is ``default``, ``tenant`` (a setting of the whole tenant), ``above`` (at
    ``chosen_at``) or ``here``.
    """

    question: Question
    value: str
    source: str
    chosen_at: Enabled | None = None


def enabled_around(session: AnySession, path: str) -> list[Enabled]:
    """Terms at the superiors of an organization, at itself and below it, by path and day."""
    rows = [
        row
        for row in enabled_profiles(session)
        if path.startswith(row.path) or row.path.startswith(path)
    ]
    names = _names(session, {row.organization_id for row in rows})
    return [
        Enabled(row.organization_id, names[row.organization_id], row.path, _term(row))
        for row in rows
    ]


def holding(found: Sequence[Enabled], path: str, on: date) -> Enabled | None:
    """By which term the organization with a path is judged on a day."""
    judging = [one for one in found if path.startswith(one.path) and one.term.holds(on)]
    return max(judging, key=lambda one: len(one.path), default=None)


def answers(
    session: AnySession, packs: Packs, found: Sequence[Enabled], path: str, term: Term
) -> list[Answer]:
    """What holds at the organization with a path, for a term that it has or could have.

    ``found`` is what :func:`enabled_around` gave; days are those of the term's first.
    """
    table = Setting.__table__
    tenant = dict(session.execute(sa.select(table.c.key, table.c.value)).all())
    above = [
        one
        for one in found
        if one.term.profile == term.profile
        and one.path != path
        and path.startswith(one.path)
        and one.term.holds(term.judge_from)
    ]
    above.sort(key=lambda one: -len(one.path))
    return [_answer(question, term, above, tenant) for question in questions(packs[term.profile])]


def _answer(
    question: Question, term: Term, above: Sequence[Enabled], tenant: Mapping[str, str]
) -> Answer:
    name = question.name
    if name in term.settings:
        return Answer(question, term.settings[name], "here")
    for one in above:
        if name in one.term.settings:
            return Answer(question, one.term.settings[name], "above", one)
    if name in tenant:
        return Answer(question, tenant[name], "tenant")
    return Answer(question, question.default, "default")


def _term(row: ProfileInForce) -> Term:
    settings = {name: text_of(value) for name, value in row.settings.items()}
    return Term(row.profile, row.judge_from, row.until, settings)


def _names(session: AnySession, numbers: set[int]) -> dict[int, str]:
    rows = session.execute(
        sa.select(Organization.id, Organization.name).where(Organization.id.in_(numbers))
    )
    return dict(rows.all())


# -- history ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """One entry of the history; ``undoable`` while nothing else was changed there since."""

    id: int
    organization_id: int
    organization: str
    path: str
    action: str
    before: tuple[Term, ...]
    after: tuple[Term, ...]
    changed_by: str
    changed_at: datetime
    undoes_id: int | None
    undoable: bool


def history(session: AnySession, path: str, limit: int = 100) -> list[Change]:
    """Changes at and below an organization, the latest first."""
    rows = session.execute(
        _changes().where(within(Organization.__table__.c.path, path)).limit(limit)
    )
    return list(_as_changes(rows.all()))


def change(session: AnySession, change_id: int) -> Change | None:
    """One change; whoever asks sees to it that it may be seen."""
    of = sa.select(ProfileChange.organization_id).where(ProfileChange.id == change_id)
    rows = session.execute(
        _changes().where(ProfileChange.organization_id == of.scalar_subquery())
    ).all()
    return next((found for found in _as_changes(rows) if found.id == change_id), None)


def _changes() -> sa.Select[ProfileChange, str, str]:
    return (
        sa.select(ProfileChange, Organization.name, Organization.path)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == ProfileChange.tenant_id,
                Organization.id == ProfileChange.organization_id,
            ),
        )
        .order_by(ProfileChange.id.desc())
    )


def _as_changes(rows: Sequence[sa.Row[ProfileChange, str, str]]) -> Iterator[Change]:
    """The latest of each organization can be undone, unless it undoes another itself."""
    seen: set[int] = set()
    for row, name, path in rows:
        latest = row.organization_id not in seen
        seen.add(row.organization_id)
        yield Change(
            row.id,
            row.organization_id,
            name,
            path,
            row.action,
            tuple(map(Term.from_json, row.before)),
            tuple(map(Term.from_json, row.after)),
            row.changed_by,
            row.changed_at,
            row.undoes_id,
            undoable=latest,
        )


# -- previews --------------------------------------------------------------------------


@dataclass(frozen=True)
class PreviewHead:
    """A preview without its list; no ``summary`` while it is being made."""

    id: int
    organization_id: int
    organization: str
    path: str
    row: ProfilePreview
    summary: Summary | None

    @property
    def before(self) -> tuple[Term, ...]:
        """The organization's terms as they were."""
        return tuple(map(Term.from_json, self.row.before))

    @property
    def after(self) -> tuple[Term, ...]:
        """The terms as they would be."""
        return tuple(map(Term.from_json, self.row.after))


@dataclass(frozen=True)
class Move:
    """What becomes of ``number`` findings of an organization; None for what is not judged."""

    rule: RuleSummary
    from_: str | None
    to: str | None
    number: int


@dataclass(frozen=True)
class ChangedUnit:
    """An organization whose findings would change."""

    organization_id: int
    code: str
    name: str
    kind: str
    changed: int
    moves: Sequence[Move]


@dataclass(frozen=True)
class ChangedPage:
    """Some of the organizations that would change; ``total`` of all that pass the filters."""

    units: Sequence[ChangedUnit]
    total: int


def preview(session: AnySession, preview_id: int) -> PreviewHead | None:
    """One preview; whoever asks sees to it that it may be seen."""
    found = session.execute(
        sa.select(ProfilePreview, Organization.name, Organization.path)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == ProfilePreview.tenant_id,
                Organization.id == ProfilePreview.organization_id,
            ),
        )
        .where(ProfilePreview.id == preview_id)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        return None
    row, name, path = found
    summary = None if row.summary is None else Summary.from_json(row.summary)
    return PreviewHead(row.id, row.organization_id, name, path, row, summary)


def changed_counts(session: AnySession, preview_id: int, paths: Sequence[str]) -> tuple[int, int]:
    """How many organizations at or below ``paths`` would change, and how many are branches."""
    branch = Organization.kind.in_(BRANCH_KINDS)
    found = session.execute(
        _rows(preview_id, paths).with_only_columns(sa.func.count(), sa.func.count().filter(branch))
    ).one()
    return found[0], found[1]


def changed(
    session: AnySession,
    head: PreviewHead,
    paths: Sequence[str],
    *,
    rule: int | None = None,
    to: str | None = None,
    offset: int = 0,
    limit: int | None = 50,
) -> ChangedPage:
    """The organizations at or below ``paths`` that would change, most findings first.

    ``rule`` (its place in the summary) and ``to`` (a verdict) choose those with such a move.
    """
    assert head.summary is not None, "the preview is made"
    select = _rows(head.id, paths)
    if rule is not None or to is not None:
        columns = sa.func.unnest(PreviewRow.rules, PreviewRow.to_verdicts)
        moves = columns.table_valued("rule", "to").render_derived()
        wanted: list[sa.ColumnElement[bool]] = [sa.true()]
        if rule is not None:
            wanted.append(moves.c.rule == rule)
        if to is not None:
            wanted.append(moves.c.to == [str(code) for code in VERDICT_CODES].index(to))
        select = select.where(sa.exists(sa.select(1).select_from(moves).where(*wanted)))
    total = session.scalar(select.with_only_columns(sa.func.count())) or 0
    rows = session.execute(
        select.with_only_columns(
            PreviewRow, Organization.code, Organization.name, Organization.kind
        )
        .order_by(PreviewRow.changed.desc(), Organization.path)
        .offset(offset)
        .limit(limit)
    )
    return ChangedPage(
        [
            ChangedUnit(
                row.organization_id, code, name, kind, row.changed, _moves(row, head.summary.rules)
            )
            for row, code, name, kind in rows
        ],
        total,
    )


def _rows(preview_id: int, paths: Sequence[str]) -> sa.Select[Any]:
    path = Organization.__table__.c.path
    return (
        sa.select(PreviewRow)
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == PreviewRow.tenant_id,
                Organization.id == PreviewRow.organization_id,
            ),
        )
        .where(
            PreviewRow.preview_id == preview_id,
            sa.or_(sa.false(), *(within(path, top) for top in paths)),
        )
    )


def _moves(row: PreviewRow, rules: Sequence[RuleSummary]) -> list[Move]:
    columns = zip(row.rules, row.from_verdicts, row.to_verdicts, row.numbers, strict=True)
    return [
        Move(rules[rule], verdict(from_), verdict(to), number)
        for rule, from_, to, number in columns
    ]


def verdict(code: int) -> str | None:
    """A verdict by its code; None for what is not judged."""
    return None if code < 0 else str(VERDICT_CODES[code])
