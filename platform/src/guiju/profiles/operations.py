"""Changing what a part of the tree is judged by: one transaction, its history and its audit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from guiju.audit.operations import Actor, record
from guiju.db.session import AnySession, transaction
from guiju.language import gettext as _
from guiju.organizations.dirty import mark_dirty
from guiju.organizations.models import Organization
from guiju.organizations.tree import within
from guiju.profiles import choosing
from guiju.profiles.models import ProfileChange
from guiju.profiles.terms import Choose, Edit, Enable, Term, Terms
from guiju.rules.pack import Pack
from guiju.rules.problems import BadInput, Problem
from guiju.tenancy.models import EnabledProfile

_UNDO = "profile.undo"


@dataclass(frozen=True)
class Proposal:
    """A change that could be made: an organization's terms as they are, and as they would be."""

    organization_id: int
    action: str
    before: Terms
    after: Terms


def terms_of(session: AnySession, organization_id: int, *, lock: bool = False) -> Terms:
    """What is enabled at an organization itself; ``lock`` keeps others from changing it."""
    if lock:
        # The organization, as there may be no term yet.
        row = sa.select(Organization.id).where(Organization.id == organization_id)
        session.execute(row.with_for_update(key_share=True))
    rows = session.scalars(
        sa.select(EnabledProfile)
        .where(EnabledProfile.organization_id == organization_id)
        .order_by(EnabledProfile.judge_from)
        .execution_options(populate_existing=True)
    )
    return tuple(
        Term(
            row.profile,
            row.judge_from,
            row.until,
            {name: choosing.text_of(value) for name, value in row.settings.items()},
        )
        for row in rows
    )


def propose(
    session: AnySession,
    packs: Mapping[str, Pack],
    organization_id: int,
    edit: Edit,
    paths: Sequence[str] = ("/",),
) -> Proposal:
    """What an edit would make of an organization's terms; nothing is changed.

    ``paths`` are those below which settings may name organizations.  Raises ``BadInput`` for a
    profile that is not installed, days that cannot be, and settings that the pack refuses.
    """
    before = terms_of(session, organization_id)
    if isinstance(edit, Enable):
        term = edit.term
        settings = _checked(session, packs, term.profile, term.settings, paths)
        edit = Enable(replace(term, settings=settings))
    elif isinstance(edit, Choose):
        # Which profile it is, the term says; that there is one, ``apply``.
        profiles = [term.profile for term in edit.apply(before) if term not in before]
        if profiles:
            settings = _checked(session, packs, profiles[0], edit.settings, paths)
            edit = replace(edit, settings=settings)
    after = edit.apply(before)
    if after == before:
        wanted = _("与现在的设置相同，没有可改的")
        raise BadInput([Problem("", _("没有变化"), wanted, "unchanged")])
    return Proposal(organization_id, edit.action, before, after)


def adopt(
    session: AnySession, actor: Actor, proposal: Proposal, *, undoes_id: int | None = None
) -> int:
    """Make a proposed change; returns its number in the history.

    Whatever is at and below the organization is judged again.  Raises ``BadInput`` (code
    ``changed``) where the terms are no longer those that the proposal started from.
    """
    with transaction(session):
        return _adopt(session, actor, proposal, undoes_id)


def undo(session: AnySession, actor: Actor, change_id: int) -> int:
    """Take a change back: the terms are again what they were before it.

    Returns the number of the change that does so.  Raises ``BadInput`` where something else
    was changed there since.
    """
    with transaction(session):
        change = session.scalars(
            sa.select(ProfileChange).where(ProfileChange.id == change_id)
        ).one()
        proposal = Proposal(
            change.organization_id,
            _UNDO,
            before=tuple(map(Term.from_json, change.after)),
            after=tuple(map(Term.from_json, change.before)),
        )
        return _adopt(session, actor, proposal, change_id)


def _adopt(session: AnySession, actor: Actor, proposal: Proposal, undoes_id: int | None) -> int:
    present = terms_of(session, proposal.organization_id, lock=True)
    if present != proposal.before:
        found, wanted = _("这里的地方规则已有别的改动"), _("请刷新，按现在的情况重新操作")
        raise BadInput([Problem("", found, wanted, "changed")])
    _write(session, proposal)
    before, after = (
        [term.as_json() for term in terms] for terms in (proposal.before, proposal.after)
    )
    change = ProfileChange(
        organization_id=proposal.organization_id,
        action=proposal.action,
        before=before,
        after=after,
        undoes_id=undoes_id,
        changed_by=actor.name,
    )
    session.add(change)
    session.flush()
    record(
        session,
        actor,
        proposal.action,
        "organization",
        proposal.organization_id,
        before={"terms": before},
        after={"terms": after, "change": change.id},
    )
    mark_dirty(session, [proposal.organization_id], proposal.action, subtree=True)
    return change.id


def _write(session: AnySession, proposal: Proposal) -> None:
    """Bring the rows from the former terms to the new ones; terms that stay keep their rows."""
    wanted = {(term.profile, term.judge_from): term for term in proposal.after}
    rows = session.scalars(
        sa.select(EnabledProfile).where(EnabledProfile.organization_id == proposal.organization_id)
    ).all()
    kept: dict[tuple[str, object], EnabledProfile] = {}
    for row in rows:
        if (row.profile, row.judge_from) in wanted:
            kept[row.profile, row.judge_from] = row
        else:
            session.delete(row)
    session.flush()
    # Those that end earlier first: no two rows share a day at any moment.
    for key, term in sorted(wanted.items(), key=lambda entry: entry[1].judge_from):
        row = kept.get(key) or EnabledProfile(
            organization_id=proposal.organization_id,
            profile=term.profile,
            judge_from=term.judge_from,
        )
        row.until, row.settings = term.until, dict(term.settings)
        session.add(row)
        session.flush()


def _checked(
    session: AnySession,
    packs: Mapping[str, Pack],
    profile: str,
    settings: Mapping[str, str],
    paths: Sequence[str],
) -> dict[str, str]:
    pack = packs.get(profile)
    if pack is None:
        known = _("已安装的有 {names}").format(names=_("、").join(packs))
        raise BadInput([Problem("/profile", profile, known, "unknown")])
    named = [
        settings[setting.id]
        for setting in pack.settings
        if setting.type == choosing.ORGANIZATION and setting.id in settings
    ]
    return choosing.chosen(pack, settings, _codes(session, named, paths))


def _codes(session: AnySession, named: Iterable[str], paths: Sequence[str]) -> Collection[str]:
    """Those among ``named`` that are codes of organizations below the paths."""
    path = Organization.__table__.c.path
    below = sa.or_(sa.false(), *(within(path, top) if top != "/" else sa.true() for top in paths))
    wanted = {str(code).strip() for code in named}
    return session.scalars(
        sa.select(Organization.code).where(Organization.code.in_(wanted), below)
    ).all()
