"""Why a finding is what it is: one requirement of one organization judged afresh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi as adbc

from guiju.db.engine import arrow_connection
from guiju.db.session import AnySession
from guiju.organizations.models import Organization
from guiju.rules import engine
from guiju.rules.checks.base import Footprint
from guiju.rules.context import Context
from guiju.rules.findings import SUBJECT_TABLES, Finding
from guiju.rules.pack import Pack
from guiju.scoring import dirty, naming, reader, sheets, views
from guiju.scoring.naming import Names, NumberedFacts
from guiju.scoring.operations import arrow_url
from guiju.scoring.profiles import Assignment, assign, complete_after, enabled_profiles
from guiju.scoring.reader import Snapshot
from guiju.scoring.results import Alternative, Explanation, NotVisible


@dataclass(frozen=True)
class Asked:
    """Which finding is to be explained; ``subject`` is type and the author's id."""

    organization: Organization
    requirement: str
    part: str | None
    subject: tuple[str, str] | None
    period: str | None


def explain(
    session: AnySession, packs: Mapping[str, Pack], asked: Asked, as_of: date, *, restricted: bool
) -> Explanation:
    """The explanation; raises ``NotVisible`` where there is no such finding.

    Findings about members, and those that rest on restricted records, are explained only
    if the scope is ``restricted``.
    """
    judge = _Judge(session, packs, asked, as_of, restricted=restricted)
    with arrow_connection(arrow_url(session)) as connection:
        snapshot = judge.read(connection)
    for assignment in judge.assignments(snapshot):
        context = judge.context(assignment, snapshot)
        for finding in judge.findings(assignment, context):
            if judge.is_asked(finding):
                return judge.explained(finding, context, packs[assignment.enabled.profile])
    raise NotVisible(f"{asked.requirement} {asked.period}")


class _Judge:
    def __init__(
        self,
        session: AnySession,
        packs: Mapping[str, Pack],
        asked: Asked,
        as_of: date,
        *,
        restricted: bool,
    ) -> None:
        self._session = session
        self._packs = packs
        self._asked = asked
        self._as_of = as_of
        self._restricted = restricted
        self._enabled = [
            one
            for one in enabled_profiles(session, packs)
            if asked.requirement in packs[one.profile].by_id
        ]
        subject = asked.subject or ("organization", asked.organization.code)
        self._subject = (
            subject[0],
            naming.numbered_subject(session, *subject, asked.organization.id),
        )
        self._by_default = asked.subject is None
        # Who else may answer for a finding about an organization: that one, a group's branch.
        self._answering: set[int] = set()
        if SUBJECT_TABLES[self._subject[0]] == "organizations":
            self._answering.add(self._subject[1])
            if self._subject[1] == asked.organization.id:
                self._answering.add(_branch_of(asked.organization))

    def read(self, connection: adbc.Connection) -> Snapshot:
        """What the requirement needs of the organization and of those it rests on."""
        rules = [
            rule
            for one in self._enabled
            for rule in engine.rules_under_all_readings(
                self._packs[one.profile], one.choices, only=[self._asked.requirement]
            )
        ]
        columns, footprint = engine.columns_read(rules), engine.footprint(rules)
        around, below = self._around(footprint)
        wide = Footprint.TENANT | Footprint.SUBORDINATES if below else Footprint.TENANT
        whole = set(columns) if footprint & wide else set()
        return reader.read(
            connection,
            columns,
            self._packs,
            np.array(sorted(around), dtype=np.int64),
            whole=whole,
            facts=NumberedFacts,
        )

    def _around(self, footprint: Footprint) -> tuple[set[int], bool]:
        """Whose facts the requirement takes, below the organization apart; if any are below."""
        here, table = self._asked.organization, Organization.__table__
        branch = _branch_of(here)
        children = self._session.execute(
            sa.select(table.c.id, table.c.kind).where(table.c.parent_id == branch)
        ).all()
        groups = {number for number, kind in children if kind == "party_group"}
        above = {int(step) for step in here.path.strip("/").split("/")}
        found = {branch, *groups, *above}
        if footprint & Footprint.PARTNERS:
            found |= dirty.partners_of(self._session, found)
        return found, len(groups) < len(children)

    def assignments(self, snapshot: Snapshot) -> list[Assignment]:
        """The profiles that judge the organization, now or once."""
        ids = snapshot.facts.numbers("organizations")
        here = ids == self._asked.organization.id
        return [
            found
            for found in assign(self._enabled, snapshot.places, self._as_of)
            if bool((found.scope & here).any())
        ]

    def context(self, assignment: Assignment, snapshot: Snapshot) -> Context:
        """The evaluation of one profile's rules."""
        return engine.context_of(
            self._packs[assignment.enabled.profile],
            snapshot.facts,
            assignment.as_of,
            choices=assignment.enabled.choices,
            scope=assignment.scope,
            judge_from=assignment.judge_from,
            complete_after=complete_after(self._session),
        )

    def findings(self, assignment: Assignment, context: Context) -> Sequence[Finding]:
        """What the requirement says of everybody read."""
        found = list(engine.judge(context, only=[self._asked.requirement]))
        if assignment.over:
            found = [finding for finding in found if finding.verdict != "pending"]
        return found

    def is_asked(self, finding: Finding) -> bool:
        """Whether this is the one; nobody learns of a restricted one that there is one."""
        about_people = SUBJECT_TABLES[finding.block.subject_type] == "people"
        if (about_people or sheets.is_restricted(finding.rule)) and not self._restricted:
            return False
        subject = finding.subject
        # A team or a city is an organization under another name.
        same_type = subject["type"] == self._subject[0] or (
            self._by_default and SUBJECT_TABLES[subject["type"]] == "organizations"
        )
        return (
            same_type
            and int(subject["id"]) == self._subject[1]
            and finding.rule.part.id == self._asked.part
            and finding.period == self._asked.period
            and int(finding.organization) in {self._asked.organization.id, *self._answering}
        )

    def explained(self, finding: Finding, context: Context, pack: Pack) -> Explanation:
        """The finding with the records behind it and what would put it right."""
        rule, check = finding.rule, finding.rule.check
        names = Names(self._session)
        names.look_up(naming.keys_of(finding))
        counted = [(naming.key_of(record), None) for record in finding.evidence]
        # Where the requirement does not apply there is no period to look at.
        looked_at = [] if finding.silent else check.uncounted(finding, context)
        uncounted = [(naming.key_of(record), reason) for record, reason in looked_at]
        due = finding.due
        view = views.view(finding, names)
        if _branch_of(self._asked.organization) != self._asked.organization.id:
            # As the group's own findings are kept: who sees the group alone sees no more.
            own = {**view.finding, "organization": self._asked.organization.code}
            view = replace(view, finding=own)
        return Explanation(
            view=view,
            requirement_title=rule.requirement.title,
            document=rule.citation.document,
            clause=rule.citation.clause,
            strictness=str(rule.strictness),
            check=check.summary,
            parameters=dict(rule.version.parameters),
            counted=naming.records(self._session, names, counted, finding.facts),
            uncounted=naming.records(self._session, names, uncounted, finding.facts),
            remedy=rule.requirement.remedy,
            by=None if due is None else date.fromisoformat(due),
            alternatives=[
                _alternative(pack, found["reading"], found["verdict"])
                for found in finding.alternatives
            ],
            as_of=self._as_of,
            warnings=tuple(context.warnings),
        )


def _branch_of(organization: Organization) -> int:
    """The branch that answers for a group; any other organization answers for itself."""
    if organization.kind == "party_group" and organization.parent_id:
        return organization.parent_id
    return organization.id


def _alternative(pack: Pack, named: str, verdict: str) -> Alternative:
    reading_id, _, value = named.partition("=")
    reading = next(found for found in pack.readings if found.id == reading_id)
    return Alternative(reading_id, reading.title, value, reading.option(value).title, verdict)
