"""An invented province: branches, members and a year of records, straight as stored columns.

Everything is drawn from a fixed seed in whole columns, as the tables of the database hold
it: derived counts and masks are filled in, numbers of rows run from 1 in each table.  The
year is 2021; most branches did most of what the Xi'an notice asks, so that every check
finds something met and something not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from guiju.rules import periods
from guiju.rules import vocabulary as v
from guiju.rules.periods import Unit

#: Changes whenever the generated rows change, so that a kept city is made anew.
EDITION = 1

YEAR = 2021
#: The year is over, its last filings are just in.
AS_OF = date(2022, 1, 10)
JUDGE_FROM = date(2021, 1, 1)

MEMBERS_PER_BRANCH = 30
OCCASIONS_PER_BRANCH = 50
ATTENDANCE_PER_BRANCH = 604

_SEED = 2021
_AGENCY_SHARE = 0.6
_BRANCHES_PER_COMMITTEE = 10
_BRANCHES_PER_GENERAL_BRANCH = 20
_GENERAL_BRANCHES_PER_UNIVERSITY = 20
_GROUPS = 3
_FIRST = periods.day(date(YEAR, 1, 1))
_DAYS = 365

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Bits = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class _Tree:
    """Organizations by position: superiors first, then branches, then Party groups."""

    kind: list[str]
    sector: list[str | None]
    parent: Ints
    #: Positions of the branches, and (branch index by group) of the groups.
    branches: Ints
    groups: Ints
    group_branch: Ints


@dataclass(frozen=True)
class _People:
    """Members by branch: those of branch b are start[b] … start[b] + size[b] - 1."""

    size: Ints
    start: Ints
    branch: Ints
    #: Index of the group within the branch; -1 where the branch has none.
    group: Ints
    #: First day in the branch; people who came during the year come last in no order.
    since: Ints
    full: Bools
    leading: Bools
    away: Bools


class City:
    """The tables of a tenant, by name; ``scale`` 1 is 20,000 branches."""

    def __init__(self, scale: float, root_id: int, bits: Bits) -> None:
        """``root_id`` is the number of the tenant's root, made already; ``bits`` by vocabulary."""
        self.branch_count = max(50, round(20_000 * scale))
        self._root = root_id
        self._bits = bits
        self._random = np.random.default_rng(_SEED)
        self.tables: dict[str, pa.Table] = {}
        self._tree = self._make_tree()
        self._people = self._make_people()
        self._make_posts()
        self._make_occasions()
        self._make_member_records()
        self._make_branch_records()

    # -- the tree ----------------------------------------------------------------

    def _make_tree(self) -> _Tree:
        agencies = round(self.branch_count * _AGENCY_SHARE)
        universities = self.branch_count - agencies
        kind: list[str] = ["working_committee"]
        sector: list[str | None] = [None]
        parent: list[int] = [-1]

        def add(what: str, where: str | None, above: Sequence[int] | Ints) -> Ints:
            first = len(kind)
            kind.extend([what] * len(above))
            sector.extend([where] * len(above))
            parent.extend(int(one) for one in above)
            return np.arange(first, len(kind))

        districts = add("working_committee", None, [0] * 13)
        committees = add(
            "committee",
            "agency",
            _spread(-(-agencies // _BRANCHES_PER_COMMITTEE), districts),
        )
        add("unit", "agency", committees)
        general = -(-universities // _BRANCHES_PER_GENERAL_BRANCH)
        top = add("committee", "university", [0] * -(-general // _GENERAL_BRANCHES_PER_UNIVERSITY))
        faculties = add("general_branch", "university", _spread(general, top))
        branches = np.concatenate(
            [
                add("branch", "agency", _spread(agencies, committees)),
                add("branch", "university", _spread(universities, faculties)),
            ]
        )
        with_groups = np.flatnonzero(self._random.random(self.branch_count) < 0.13)
        group_branch = np.repeat(with_groups, _GROUPS)
        groups = add("party_group", None, branches[group_branch])
        tree = _Tree(kind, sector, np.array(parent), branches, groups, group_branch)
        self._write_tree(tree)
        return tree

    def _write_tree(self, tree: _Tree) -> None:
        ids = self._ids(np.arange(len(tree.kind)))
        paths = [f"/{self._root}/"]
        for above, own in zip(tree.parent[1:].tolist(), ids[1:].tolist(), strict=True):
            paths.append(f"{paths[above]}{own}/")
        draw = self._random.random(len(ids))
        opened = np.where(draw < 0.97, periods.day(date(2018, 3, 1)), _FIRST + 100)
        # The root is there already.
        self.tables["organizations"] = pa.table(
            {
                "id": ids,
                "code": [f"O{number}" for number in ids.tolist()],
                "name": [f"组织{number}" for number in ids.tolist()],
                "kind": tree.kind,
                "sector": pa.array(tree.sector, pa.string()),
                "parent_id": pa.array(self._ids(tree.parent)),
                "opened_on": _days(opened),
                "path": paths,
            }
        ).slice(1)

    def _ids(self, positions: Ints) -> Ints:
        """Numbers of organizations by position in the tree."""
        return np.asarray(positions, dtype=np.int64) + self._root

    def _branch_ids(self, branches: Ints) -> Ints:
        return self._ids(self._tree.branches[branches])

    # -- people ------------------------------------------------------------------

    def _make_people(self) -> _People:
        draw, count = self._random, self.branch_count
        total = count * MEMBERS_PER_BRANCH
        size = np.clip(np.rint(draw.gamma(6, 5, count)), 3, 90).astype(np.int64)
        grouped = np.zeros(count, dtype=np.bool_)
        grouped[self._tree.group_branch] = True
        size[grouped] = np.maximum(size[grouped], 18)
        _adjust(size, total)
        start = np.cumsum(size) - size
        branch = np.repeat(np.arange(count), size)
        nth = np.arange(total) - start[branch]
        group = np.where(grouped[branch], nth % _GROUPS, -1)
        came = (draw.random(total) < 0.02) & (nth >= 7)
        since = np.where(came, _FIRST + draw.integers(30, 300, total), _FIRST - 900)
        since[nth < 7] = _FIRST - 1200
        people = _People(
            size=size,
            start=start,
            branch=branch,
            group=group,
            since=since,
            full=(draw.random(total) < 0.96) | (nth < 7),
            leading=(nth == 0) & (draw.random(total) < 0.8) | (draw.random(total) < 0.02),
            away=draw.random(total) < 0.002,
        )
        self._write_people(people, came)
        return people

    def _write_people(self, people: _People, came: Bools) -> None:
        draw, tree = self._random, self._tree
        total = len(people.branch)
        person = np.arange(1, total + 1)
        self.tables["people"] = pa.table({"id": person, "code": _codes("P", person)})
        joined = np.where(
            people.full, draw.integers(0, 14_000, total) + 3_650, _FIRST - draw.integers(1, 360)
        )
        first_group = np.full(self.branch_count, -1)
        first_group[tree.group_branch[::_GROUPS]] = tree.groups[::_GROUPS]
        group = first_group[people.branch] + people.group
        before = np.flatnonzero(came)
        elsewhere = (people.branch[before] + 1) % self.branch_count
        spells = np.concatenate([np.arange(total), before])
        old = np.arange(len(spells)) >= total
        count = len(spells)
        self.tables["members"] = pa.table(
            {
                "id": np.arange(1, count + 1),
                "person_id": person[spells],
                "organization_id": self._branch_ids(np.append(people.branch, elsewhere)),
                "membership_class": _text(["probationary", "full"], people.full[spells]),
                "from_on": _days(np.where(old, _FIRST - 900, people.since[spells])),
                "until_on": _days(people.since[spells] - 1, old),
                "joined_on": _days(joined[spells]),
                "joined_verified": draw.random(count) < 0.99,
                "full_member_on": _days(joined[spells] + 365, people.full[spells]),
                "leading_cadre": people.leading[spells],
                "floating": draw.random(count) < 0.01,
                "group_id": pa.array(
                    self._ids(group[spells]), mask=(people.group[spells] < 0) | old
                ),
                "transferred_hours": pa.array(
                    draw.integers(0, 200, count).astype(np.int32), mask=draw.random(count) < 0.99
                ),
            }
        )

    def _make_posts(self) -> None:
        tree, people = self._tree, self._people
        officers = v.COMMITTEE_POSTS[:5]
        self._officers = np.where(people.size >= 7, 5, np.minimum(people.size, 2))
        branch = np.repeat(np.arange(self.branch_count), self._officers)
        nth = np.arange(len(branch)) - (np.cumsum(self._officers) - self._officers)[branch]
        superiors = np.arange(int(tree.branches[0]))
        heads = np.flatnonzero(self._random.random(self.branch_count) < 0.7)
        leaders = np.arange(len(tree.groups)) % _GROUPS
        parts = [
            (people.start[branch] + nth, self._branch_ids(branch), nth),
            (people.start[superiors % self.branch_count], self._ids(superiors), 0 * superiors),
            (people.start[heads], self._branch_ids(heads), 0 * heads + 5),
            (
                people.start[tree.group_branch] + leaders,
                self._ids(tree.groups),
                0 * leaders + 6,
            ),
        ]
        person, organization, post = (np.concatenate(column) for column in zip(*parts, strict=True))
        names = [*officers, "department_head", "group_leader"]
        self.tables["posts"] = pa.table(
            {
                "id": np.arange(1, len(person) + 1),
                "person_id": person + 1,
                "organization_id": organization,
                "post": _text(names, post),
                "from_on": _days(np.full(len(person), _FIRST - 1000)),
            }
        )

    # -- occasions ---------------------------------------------------------------

    def _make_occasions(self) -> None:
        year = _Year(self._random, self._bits["occasion_kind"])
        everyone = np.arange(self.branch_count)
        committees = np.flatnonzero(self._officers >= 3)
        theme_days = [_friday(month) for month in range(1, 13)]
        for month, day in enumerate(theme_days):
            lecture = month % 3 == 1
            some = year.some(everyone, 0.975)
            split = year.some(some, 0.5) if lecture else some[:0]
            year.add(["theme_day"], np.setdiff1d(some, split), day, "assembly", jitter=3)
            year.add(["theme_day", "party_lecture"], split, day, "assembly", jitter=3)
            held = year.some(committees, 0.96)
            year.add(["branch_committee"], held, _FIRST + 30 * month + 3, "committee", jitter=20)
            groups = year.some(np.arange(len(self._tree.groups)), 0.95)
            year.add(["party_group_meeting"], groups, _FIRST + 30 * month + 5, "group", jitter=20)
        for quarter in range(4):
            begin = _FIRST + 91 * quarter
            year.add(["branch_assembly"], year.some(everyone, 0.97), begin + 5, "assembly", 70)
            year.add(["party_lecture"], year.some(everyone, 0.5), begin + 10, "", 60)
            year.add(["training"], year.some(everyone, 0.9), begin + 20, "", 50)
        for month in range(12):
            year.add(["political_birthday"], year.some(everyone, 0.4), _FIRST + 30 * month, "", 28)
        reviewed = year.some(everyone, 0.98)
        together = year.some(reviewed, 0.5)
        life = np.setdiff1d(reviewed, together)
        day = _FIRST + 280
        year.add(["organizational_life_meeting"], life, day, "assembly", 80)
        year.add(["member_appraisal"], year.some(life, 0.97), day, "assembly", 80)
        both = ["organizational_life_meeting", "member_appraisal"]
        year.add(both, together, day, "assembly", 80)
        year.add(["self_check"], year.some(everyone, 0.9), _FIRST + 60, "", 250)
        superiors = np.arange(int(self._tree.branches[0]))
        year.add(["topic_study"], year.some(superiors, 0.9), _FIRST + 60, "superior", 200)
        year.add(["democratic_life_meeting"], year.some(superiors, 0.9), _FIRST, "superior", 30)
        rest = self.branch_count * OCCASIONS_PER_BRANCH - len(year)
        year.add(["discussion"], self._random.integers(0, self.branch_count, rest), _FIRST, "", 364)
        self._write_occasions(year)

    def _write_occasions(self, year: _Year) -> None:
        draw, tree = self._random, self._tree
        order = np.argsort(year.day, kind="stable")
        owner, day, mask, body = (
            column[order] for column in (year.owner, year.day, year.mask, year.body)
        )
        count = len(owner)
        of_group, of_superior = body == _GROUP, body == _SUPERIOR
        branch = np.where(of_superior, 0, owner)
        branch[of_group] = tree.group_branch[owner[of_group]]
        organization = tree.branches[branch]
        organization[of_group] = tree.groups[owner[of_group]]
        organization[of_superior] = owner[of_superior]
        expected, turnout = self._make_attendance(branch, owner % _GROUPS, day, body)
        assembly = body == _ASSEMBLY
        life = (mask & self._mask("occasion_kind", "organizational_life_meeting")) != 0
        appraisal = (mask & self._mask("occasion_kind", "member_appraisal")) != 0
        theme_day = (mask & self._mask("occasion_kind", "theme_day")) != 0
        components = np.where(
            theme_day & (draw.random(count) < 0.96),
            self._mask("component", "study", "exchange", "comment", "service", "dues"),
            np.where(appraisal, self._mask("component", "party_spirit_analysis"), 0),
        )
        content = np.array([self._mask("component", code) for code in _CONTENT])
        components |= np.where(theme_day, content[draw.integers(0, len(content), count)], 0)
        minutes = draw.random(count) < 0.95
        cancelled = draw.random(count) < 0.005
        self.tables["occasions"] = pa.table(
            {
                "id": np.arange(1, count + 1),
                "code": _codes("E", np.arange(1, count + 1)),
                "organization_id": self._ids(organization),
                "kinds": mask,
                "held_on": _days(day),
                "start_minute": pa.array(
                    (draw.integers(54, 100, count) * 10).astype(np.int32),
                    mask=draw.random(count) < 0.1,
                ),
                "status": pa.array(_text(["held", "cancelled"], cancelled)),
                "theme": _text(["学习贯彻全会精神", "为群众办实事"], draw.random(count) < 0.5),
                "form": pa.array(
                    _text(["assembly", "group"], draw.random(count) < 0.02), mask=~life
                ),
                "components": components,
                "recorded_on": _days(day + draw.integers(0, 5, count)),
                "expected": _counted(expected["all"], expected["all"] > 0),
                "voting_expected": _counted(expected["voting"], expected["all"] > 0),
                "present": _counted(turnout["all"], turnout["listed"]),
                "voting_present": _counted(turnout["voting"], turnout["listed"]),
                "document_mask": np.where(minutes, self._mask("document_kind", "minutes"), 0),
            }
        )
        at = np.arange(1, count + 1)
        self._make_documents(at[minutes])
        self._make_steps(at, day, life, appraisal, assembly | of_group)
        self._make_agenda(at[assembly & ~theme_day | (body == _COMMITTEE)])
        self._life = (at[life], branch[life], day[life])

    def _make_attendance(
        self, branch: Ints, group: Ints, day: Ints, body: Ints
    ) -> tuple[dict[str, Ints], dict[str, Any]]:
        """Lists of those present, by occasion; expected and present as counted from them."""
        draw, people = self._random, self._people
        size = np.where(body == _ASSEMBLY, people.size[branch], 0)
        size = np.where(body == _COMMITTEE, self._officers[branch], size)
        in_group = -(-(people.size[branch] - group) // _GROUPS)
        size = np.where(body == _GROUP, in_group, size)
        # As many lists as there are rows wanted; the other occasions were held without one.
        shuffled = draw.permutation(len(size))
        wanted = self.branch_count * ATTENDANCE_PER_BRANCH
        listed = np.zeros(len(size), dtype=np.bool_)
        listed[shuffled] = np.cumsum(size[shuffled]) <= wanted
        listed &= size > 0
        length = np.where(listed, size, 0)
        occasion = np.repeat(np.arange(len(size), dtype=np.int32), length)
        nth = (np.arange(len(occasion)) - (np.cumsum(length) - length)[occasion]).astype(np.int32)
        step = np.where(body == _GROUP, _GROUPS, 1)
        first = people.start[branch] + np.where(body == _GROUP, group, 0)
        person = first[occasion] + nth * step[occasion]
        there = people.since[person] <= day[occasion]
        occasion, person = occasion[there], person[there]
        drawn = draw.random(len(person), dtype=np.float32)
        status = np.digitize(drawn, [0.93, 0.94, 0.99]).astype(np.int8)
        status[people.away[person]] = 3
        self.tables["attendance"] = pa.table(
            {
                "occasion_id": occasion + np.int64(1),
                "person_id": person + 1,
                "status": _text(["present", "remote", "excused", "unexcused"], status),
            }
        )
        came = status <= 1
        votes = people.full[person]
        count = len(size)
        turnout = {
            "listed": listed,
            "all": np.bincount(occasion[came], minlength=count),
            "voting": np.bincount(occasion[came & votes], minlength=count),
        }
        voting = np.bincount(occasion[votes], minlength=count)
        return {"all": size, "voting": np.where(listed, voting, size)}, turnout

    def _make_documents(self, occasion: Ints) -> None:
        branches = np.flatnonzero(self._random.random(self.branch_count) < 0.95)
        count = len(occasion) + len(branches)
        ledger = np.arange(count) >= len(occasion)
        self.tables["documents"] = pa.table(
            {
                "id": np.arange(1, count + 1),
                "occasion_id": pa.array(np.append(occasion, 0 * branches), mask=ledger),
                "organization_id": pa.array(
                    np.append(0 * occasion, self._branch_ids(branches)), mask=~ledger
                ),
                "kind": _text(["minutes", "dues_ledger"], ledger),
                "kept_on": _days(np.full(count, _FIRST + 340), ledger),
            }
        )

    def _make_steps(
        self, at: Ints, day: Ints, life: Bools, appraisal: Bools, assembly: Bools
    ) -> None:
        draw = self._random
        parts = []
        for number, (name, after) in enumerate(_STEPS):
            holds = life if number < 8 else appraisal if number < 11 else assembly
            share = 0.6 if name == "notified" else 0.97
            chosen = holds & (draw.random(len(at)) < share)
            parts.append((at[chosen], day[chosen] + after, np.full(int(chosen.sum()), number)))
        occasion, done, step = (np.concatenate(column) for column in zip(*parts, strict=True))
        self.tables["steps"] = pa.table(
            {
                "id": np.arange(1, len(step) + 1),
                "occasion_id": occasion,
                "step": _text([name for name, _ in _STEPS], step),
                "done_on": _days(done),
            }
        )

    def _make_agenda(self, occasion: Ints) -> None:
        occasion = np.repeat(occasion, 2)
        count = len(occasion)
        topic = self._random.integers(0, len(_TOPICS), count)
        matter = pa.array(_codes("M", np.arange(1, count + 1)), mask=topic != 0)
        self.tables["agenda"] = pa.table(
            {
                "id": np.arange(1, count + 1),
                "occasion_id": occasion,
                "item": _text(["1", "2"], np.arange(count) % 2),
                "topic": _text(_TOPICS, topic),
                "matter": matter,
            }
        )

    # -- records of members -------------------------------------------------------

    def _make_member_records(self) -> None:
        self._make_talks()
        self._make_appraisals()
        draw, people = self._random, self._people
        total = len(people.branch)
        everyone = np.arange(1, total + 1)
        based = everyone[draw.random(total) < 0.97]
        self.tables["dues_bases"] = pa.table(
            {
                "id": np.arange(1, len(based) + 1),
                "person_id": based,
                "year": _same(YEAR, len(based)),
                "fixed_on": _days(_FIRST + draw.integers(5, 100, len(based))),
                "amount": draw.integers(500, 20_000, len(based)).astype(np.int32),
            }
        )
        times = draw.choice([1, 2, 3, 4], total, p=[0.1, 0.4, 0.4, 0.1])
        trained = np.repeat(everyone, times)
        count = len(trained)
        nth = np.arange(count) - np.repeat(np.cumsum(times) - times, times)
        self.tables["training"] = pa.table(
            {
                "id": np.arange(1, count + 1),
                "person_id": trained,
                "held_on": _days(_FIRST + 85 * nth + draw.integers(5, 85, count)),
                "tenths": draw.integers(60, 240, count).astype(np.int32),
                "concentrated": draw.random(count) < 0.97,
                "organizer_id": self._branch_ids(people.branch[trained - 1]),
            }
        )
        pointed = everyone[draw.random(total) < 0.98]
        count = len(pointed)
        self.tables["commitments"] = pa.table(
            {
                "id": np.arange(1, count + 1),
                "person_id": pointed,
                "year": _same(YEAR, count),
                "promised_on": _days(np.full(count, _FIRST + 20), draw.random(count) < 0.97),
                "entries": draw.integers(0, 30, count).astype(np.int32),
                "reviewed_on": _days(np.full(count, _FIRST + 350), draw.random(count) < 0.97),
            }
        )
        warned = everyone[people.away & (draw.random(total) < 0.5)]
        self.tables["disciplinary_steps"] = pa.table(
            {
                "id": np.arange(1, len(warned) + 1),
                "case": _codes("C", warned),
                "organization_id": self._branch_ids(people.branch[warned - 1]),
                "person_id": warned,
                "step": _text(["criticism", "reason_found"], draw.random(len(warned)) < 0.3),
                "taken_on": _days(_FIRST + draw.integers(200, 364, len(warned))),
            }
        )

    def _make_talks(self) -> None:
        """Each member talks with the secretary; officers with each other."""
        draw, people = self._random, self._people
        total = len(people.branch)
        partner = np.flatnonzero(draw.random(total) < 0.95)
        branch = people.branch[partner]
        person = people.start[branch]
        partner = np.where(partner == person, partner + 1, partner)
        branches = np.flatnonzero(self._officers >= 5)
        pairs = [(low, high) for high in range(5) for low in range(1, high)]
        for low, high in pairs:
            some = branches[draw.random(len(branches)) < 0.9]
            person = np.append(person, people.start[some] + low)
            partner = np.append(partner, people.start[some] + high)
            branch = np.append(branch, some)
        count = len(person)
        self.tables["talks"] = pa.table(
            {
                "id": np.arange(1, count + 1),
                "code": _codes("T", np.arange(1, count + 1)),
                "organization_id": self._branch_ids(branch),
                "held_on": _days(_FIRST + draw.integers(5, 360, count)),
                "person_id": person + 1,
                "partner_id": partner + 1,
                "participants": pa.array(_same(2, count), mask=draw.random(count) < 0.9),
                "mode": _text(["in_person", "phone"], draw.random(count) < 0.02),
            }
        )

    def _make_appraisals(self) -> None:
        draw, people = self._random, self._people
        total = len(people.branch)
        graded = np.flatnonzero(people.full & (draw.random(total) < 0.98))
        count = len(graded)
        occasion = np.zeros(self.branch_count, dtype=np.int64)
        decided = np.full(self.branch_count, _FIRST + 350)
        at, branch, day = self._life
        occasion[branch], decided[branch] = at, day
        of = people.branch[graded]
        grade = np.digitize(draw.random(count), [0.28, 0.97, 0.995])
        self.tables["appraisals"] = pa.table(
            {
                "id": np.arange(1, count + 1),
                "subject_type": _text(["member"], np.zeros(count, dtype=np.int8)),
                "organization_id": self._branch_ids(of),
                "person_id": graded + 1,
                "decided_by_id": self._branch_ids(of),
                "year": _same(YEAR, count),
                "grade": _text(["优秀", "合格", "基本合格", "不合格"], grade),
                "decided_on": _days(decided[of]),
                "ended_on": _days(decided[of]),
                "occasion_id": pa.array(occasion[of], mask=occasion[of] == 0),
                "participated": draw.random(count) < 0.99,
                "inputs": np.where(
                    draw.random(count) < 0.9, self._mask("appraisal_input", "points"), 0
                ),
            }
        )

    # -- records of branches ------------------------------------------------------

    def _make_branch_records(self) -> None:
        self._make_register()
        self._make_reports()
        self._make_terms()
        draw = self._random
        everyone = np.arange(self.branch_count)
        month = np.tile(np.arange(12), self.branch_count)
        attested = draw.random(len(month)) < 0.97
        branch, month = np.repeat(everyone, 12)[attested], month[attested]
        self.tables["attestations"] = pa.table(
            {
                "id": np.arange(1, len(branch) + 1),
                "organization_id": self._branch_ids(branch),
                "period": _text([f"{YEAR}-{number:02d}" for number in range(1, 13)], month),
                "attested_on": _days(_FIRST + 30 * month + 38),
                "automatic": draw.random(len(branch)) < 0.5,
            }
        )
        at, branch, day = (np.repeat(column, 3) for column in self._life)
        count = len(at)
        self.tables["rectifications"] = pa.table(
            {
                "id": np.arange(1, count + 1),
                "code": _codes("X", np.arange(1, count + 1)),
                "organization_id": self._branch_ids(branch),
                "occasion_id": at,
                "opened_on": _days(day + 5),
                "measure": draw.random(count) < 0.97,
                "due_on": _days(day + 60),
                "closed_on": _days(day + 40, draw.random(count) < 0.7),
            }
        )
        superior = self._ids(self._tree.parent[self._tree.branches])
        kinds = ["supervision", "guidance", "spot_check"]
        self.tables["inspections"] = pa.table(
            {
                "id": np.arange(1, self.branch_count + 1),
                "code": _codes("S", np.arange(1, self.branch_count + 1)),
                "by_id": superior,
                "target_id": self._branch_ids(everyone),
                "kind": _text(kinds, draw.integers(0, len(kinds), self.branch_count)),
                "done_on": _days(_FIRST + draw.integers(10, 350, self.branch_count)),
            }
        )

    def _make_register(self) -> None:
        draw, people = self._random, self._people
        parts = []
        for number in range(1, len(_REGISTER)):
            some = np.flatnonzero(draw.random(self.branch_count) < 0.93)
            parts.append((some, np.full(len(some), -1), np.full(len(some), number)))
        agency = np.array(self._tree.sector, dtype=object)[self._tree.branches] == "agency"
        reported = np.flatnonzero(agency[people.branch] & (draw.random(len(people.branch)) < 0.9))
        parts.append((people.branch[reported], reported, np.zeros(len(reported), dtype=np.int64)))
        branch, person, item = (np.concatenate(column) for column in zip(*parts, strict=True))
        count = len(branch)
        self.tables["register"] = pa.table(
            {
                "id": np.arange(1, count + 1),
                "organization_id": self._branch_ids(branch),
                "person_id": pa.array(person + 1, mask=person < 0),
                "item": _text(_REGISTER, item),
                "since_on": _days(_FIRST + draw.integers(0, 60, count)),
                "value": pa.array(
                    _text(["达标", "未达标"], draw.random(count) < 0.05),
                    mask=item != _REGISTER.index("standard_state"),
                ),
            }
        )

    def _make_reports(self) -> None:
        draw = self._random
        superior = self._tree.parent[self._tree.branches]
        parts = []
        for number, (_, audience) in enumerate(_REPORTS):
            some = np.flatnonzero(draw.random(self.branch_count) < 0.95)
            parts.append((some, np.full(len(some), number), np.full(len(some), audience)))
        branch, kind, audience = (np.concatenate(column) for column in zip(*parts, strict=True))
        count = len(branch)
        filed = np.where(kind == 2, _FIRST + 345, _FIRST + 200) + draw.integers(0, 25, count)
        self.tables["reports"] = pa.table(
            {
                "id": np.arange(1, count + 1),
                "code": _codes("R", np.arange(1, count + 1)),
                "organization_id": self._branch_ids(branch),
                "kind": _text([name for name, _ in _REPORTS], kind),
                "filed_on": _days(filed),
                "recipient_id": pa.array(self._ids(superior[branch]), mask=audience != 0),
                "audience": _text(["superior", "assembly"], audience),
                "period": _text([str(YEAR)], np.zeros(count, dtype=np.int8)),
                "requested_on": _days(filed - 3, kind == 3),
                "decided_on": _days(filed, kind == 3),
            }
        )

    def _make_terms(self) -> None:
        draw = self._random
        branch = np.flatnonzero(self._officers >= 3)
        count = len(branch)
        elected = _FIRST - draw.integers(30, 1300, count)
        ends = elected + 1095
        past = ends < _FIRST + 365
        self.tables["terms"] = pa.table(
            {
                "id": np.arange(1, count + 1),
                "organization_id": self._branch_ids(branch),
                "elected_on": _days(elected),
                "ends_on": _days(ends),
                "reminded_on": _days(ends - 190, past & (draw.random(count) < 0.9)),
                "requested_on": _days(ends - 100, past & (draw.random(count) < 0.9)),
                "next_elected_on": _days(
                    ends + draw.integers(-5, 40, count), past & (draw.random(count) < 0.9)
                ),
            }
        )
        empty = np.flatnonzero(draw.random(self.branch_count) < 0.05)
        left = _FIRST + draw.integers(0, 300, len(empty))
        self.tables["vacancies"] = pa.table(
            {
                "id": np.arange(1, len(empty) + 1),
                "organization_id": self._branch_ids(empty),
                "post": _text(["publicity_member"], np.zeros(len(empty), dtype=np.int8)),
                "vacant_on": _days(left),
                "filled_on": _days(left + 40, draw.random(len(empty)) < 0.8),
            }
        )
        new = np.flatnonzero(draw.random(self.branch_count) < 0.03)
        applied = np.full(len(new), _FIRST + 60)
        self.tables["foundings"] = pa.table(
            {
                "id": np.arange(1, len(new) + 1),
                "organization_id": self._branch_ids(new),
                "kind": _text(["founded"], np.zeros(len(new), dtype=np.int8)),
                "applied_on": _days(applied),
                "approved_on": _days(applied + 20, draw.random(len(new)) < 0.9),
                "elected_on": _days(applied + 40),
            }
        )

    def _mask(self, vocabulary: str, *codes: str) -> int:
        return sum(1 << self._bits[vocabulary][code] for code in codes)


# -- a year of occasions ---------------------------------------------------------------

_ASSEMBLY, _COMMITTEE, _GROUP, _SUPERIOR, _NOBODY = range(5)
_BODIES = {"assembly": _ASSEMBLY, "committee": _COMMITTEE, "group": _GROUP, "superior": _SUPERIOR}

_CONTENT = ("theory", "rules_and_discipline", "purpose", "tradition", "situation", "skills")
#: Steps with their day after the occasion: of life meetings, of appraisals, of assemblies.
_STEPS = (
    ("study", -10), ("talks", -7), ("opinions", -6), ("problems", 0), ("criticism", 0),
    ("direction", 0), ("measures", 10), ("rectified", 30), ("self_evaluation", 0),
    ("mutual_evaluation", 0), ("ballot", 0), ("notified", -3),
)  # fmt: skip
_TOPICS = ("major_matter", "branch_work", "annual_plan", "admission", "superior_decisions")
_REGISTER = (
    "community_registration", "premises_room", "premises_flag", "premises_oath",
    "premises_work_chart", "premises_recruitment_chart", "premises_board", "equipment_register",
    "premises_rules", "work_plan", "task_list", "points_programme", "fixed_theme_day",
    "standard_state",
)  # fmt: skip
#: Kinds of report with their audience: 0 the superior, 1 the assembly.
_REPORTS = (("work_report", 0), ("work_report", 1), ("three_meetings", 0), ("major_matter", 0))


class _Year:
    """Occasions being collected: who held what on which day, and who belongs there."""

    def __init__(self, random: np.random.Generator, bits: Mapping[str, int]) -> None:
        self._random = random
        self._bits = bits
        self._parts: list[tuple[Ints, Ints, Ints, Ints]] = []

    def __len__(self) -> int:
        return sum(len(owner) for owner, *_ in self._parts)

    def some(self, owners: Ints, share: float) -> Ints:
        """A random share of the owners."""
        return owners[self._random.random(len(owners)) < share]

    def add(self, kinds: Sequence[str], owners: Ints, day: int, body: str, jitter: int) -> None:
        """One occasion for each owner, up to ``jitter`` days after ``day``.

        Owners are branches, or for the bodies ``group`` and ``superior`` the number of
        the group or the place in the tree.  Without a body nobody is listed.
        """
        mask = sum(1 << self._bits[kind] for kind in kinds)
        days = np.minimum(day + self._random.integers(0, jitter + 1, len(owners)), _FIRST + 364)
        number = _BODIES.get(body, _NOBODY)
        size = len(owners)
        self._parts.append((owners, days, np.full(size, mask), np.full(size, number)))

    @property
    def owner(self) -> Ints:
        return self._column(0)

    @property
    def day(self) -> Ints:
        return self._column(1)

    @property
    def mask(self) -> Ints:
        return self._column(2)

    @property
    def body(self) -> Ints:
        return self._column(3)

    def _column(self, number: int) -> Ints:
        return np.concatenate([part[number] for part in self._parts])


# -- columns ---------------------------------------------------------------------------


def _friday(month: int) -> int:
    """The second Friday of a month of the year."""
    first = periods.first_day(periods.index(date(YEAR, month, 1), Unit.MONTH), Unit.MONTH)
    return first + (4 - (first + 3)) % 7 + 7


def _spread(count: int, over: Ints) -> Ints:
    """``count`` children shared out evenly, those of one parent together."""
    return over[np.arange(count) * len(over) // max(count, 1)]


def _adjust(size: Ints, total: int) -> None:
    """Add and take one here and there until the sizes sum up to ``total``."""
    at = 0
    while (rest := total - int(size.sum())) != 0:
        step = np.sign(rest)
        some = np.arange(at, at + min(abs(rest), len(size))) % len(size)
        some = some[size[some] + step >= 3]
        size[some] += step
        at += 1


def _days(days: Ints, known: Bools | None = None) -> pa.Array:
    """Dates from days since 1970-01-01; null where not ``known``."""
    return pa.array(days.astype(np.int32), mask=None if known is None else ~known).cast(pa.date32())


def _text(words: Sequence[str], which: NDArray[Any]) -> pa.Array:
    """One of a few words for each row."""
    return pa.array(words, pa.string()).take(pa.array(which.astype(np.int8)))


def _codes(prefix: str, numbers: Ints) -> NDArray[Any]:
    """Authors' ids made of numbers."""
    return np.char.add(prefix, numbers.astype("U10")).astype(object)


def _counted(numbers: Ints, known: Bools) -> pa.Array:
    return pa.array(numbers.astype(np.int32), mask=~known)


def _same(number: int, rows: int) -> NDArray[np.int32]:
    return np.full(rows, number, dtype=np.int32)
