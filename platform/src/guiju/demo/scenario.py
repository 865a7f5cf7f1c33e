"""A tenant's tree and its year, invented with realistic gaps.

A :class:`Scenario` collects rows of the facts tables.  Units and branches are added by
name; :meth:`Scenario.live` lets each branch live through the year with its own
diligence, so that some are exemplary, most are ordinary and some fall short.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

from guiju import facts
from guiju.activities.models import LATE_AFTER_DAYS
from guiju.demo.people import People, Person
from guiju.facts.workbook_writer import write_xlsx
from guiju.rules import tables

Row = dict[str, Any]

#: Of so many records one is made long after the day.
_ONE_LATE_IN = 23


@dataclass(frozen=True)
class Habits:
    """How a jurisdiction's branches live: what the ordinary record of each activity holds.

    ``components`` belong to a theme day, which falls on the ``week``-th ``weekday`` (Monday
    0) of the month; ``documents``, ``steps`` (each with its days after the activity,
    negative before) and ``agenda`` are kept by kind of activity.  ``platform`` is for
    places with a platform of their own, ``monthly_dues`` for those that record payments,
    ``prepared_talks`` for those that announce talks, ``reviews`` are kinds of review held
    before that of the members, ``register`` names what a branch has standing, such as a
    room; ``birthdays`` are marked at theme days, ``points`` kept for every member.
    """

    components: Sequence[str]
    documents: Mapping[str, Sequence[str]]
    weekday: int = 4
    week: int = 2
    steps: Mapping[str, Sequence[tuple[str, int]]] = field(default_factory=dict)
    agenda: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reviews: Sequence[str] = ()
    register: Sequence[str] = ()
    birthdays: bool = False
    points: bool = False
    platform: bool = False
    monthly_dues: bool = False
    prepared_talks: bool = False
    steps_before: Sequence[str] = ("study", "talks", "opinions")
    steps_after: Sequence[str] = ("measures", "rectified")


@dataclass
class Branch:
    """One branch while its year is being invented.

    Nothing after ``recorded_until`` has been recorded yet, and that month is not complete.
    """

    id: str
    name: str
    superior: str
    members: list[Person]
    officers: dict[str, Person]
    groups: dict[str, list[Person]]
    opened: date
    diligence: float
    recorded_until: date

    @property
    def secretary(self) -> Person:
        return self.officers["secretary"]

    @property
    def has_committee(self) -> bool:
        return len(self.officers) >= 3


@dataclass(frozen=True)
class Superior:
    """A unit above branches, with its secretary."""

    id: str
    kind: str
    secretary: Person


_TITLES = {
    "theme_day": "主题党日",
    "branch_assembly": "支部党员大会",
    "branch_committee": "支部委员会会议",
    "party_group_meeting": "党小组会",
    "party_lecture": "党课",
    "organizational_life_meeting": "组织生活会",
}
_THEMES = ("学习贯彻全会精神", "重温入党志愿", "走进社区服务", "党史学习教育", "为群众办实事")
_OFFICERS = (
    "secretary",
    "deputy_secretary",
    "organization_member",
    "publicity_member",
    "discipline_member",
)
#: Share of exemplary, ordinary and weak branches, and how likely each keeps a duty.
_ORDINARY = 0.955
_DILIGENCE = ((0.30, 0.995), (0.52, _ORDINARY), (0.18, 0.72))


@dataclass
class Scenario:
    """Rows of the facts tables, by table."""

    random: Random
    as_of: date
    habits: Habits
    people: People
    rows: dict[str, list[Row]] = field(default_factory=dict)
    branches: list[Branch] = field(default_factory=list)
    superiors: list[Superior] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)

    # -- the tree --------------------------------------------------------------

    def add(self, table: str, **row: Any) -> Row:
        """One more row of a table."""
        self.rows.setdefault(table, []).append(row)
        return row

    def _recorded(self, number: str, held_on: date) -> date:
        """When somebody came to record an occasion: within days, now and then within weeks."""
        days = self.random.choice((0, 1, 1, 2, 5))
        if int(number[1:]) % _ONE_LATE_IN == 0:
            days += LATE_AFTER_DAYS
        return min(held_on + timedelta(days=days), self.as_of)

    def next_id(self, prefix: str) -> str:
        """A new id such as ``o000001``."""
        self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
        return f"{prefix}{self._numbers[prefix]:06d}"

    def unit(self, id: str, name: str, kind: str, parent: str | None, **columns: Any) -> str:
        """An organization above the branches, with a secretary of its own."""
        self.add("organizations", id=id, name=name, kind=kind, parent=parent, **columns)
        secretary = self.people.make(leading_cadre=True)
        self.add("posts", person=secretary.id, organization=id, post="secretary")
        self.superiors.append(Superior(id, kind, secretary))
        return id

    def branch(
        self,
        id: str,
        name: str,
        parent: str,
        size: int,
        *,
        kind: str = "branch",
        recorded_until: date | None = None,
        **columns: Any,
    ) -> Branch:
        """A branch with its roster, officers and groups, ordinary if it is behind."""
        draw = self.random
        self.add("organizations", id=id, name=name, kind=kind, parent=parent, **columns)
        opened = columns.get("opened_on") or date(self.as_of.year - 3, 1, 1)
        new = min(size - 1, draw.choice((0, 0, 0, 1, 1, 2)))
        members = [self.people.make(leading_cadre=number == 0) for number in range(size - new)]
        members += [self.people.make(probationary=True) for _ in range(new)]
        full = size - new
        seats = min(5, full) if full >= 7 and draw.random() < 0.97 else min(2, full)
        officers = dict(zip(_OFFICERS[:seats], members, strict=False))
        groups: dict[str, list[Person]] = {}
        if size >= 18:
            for number in range(2 if size < 30 else 3):
                group = f"{id}-{number + 1}"
                title = f"{name}第{'一二三'[number]}党小组"
                self.add("organizations", id=group, name=title, kind="party_group", parent=id)
                groups[group] = members[number :: 2 if size < 30 else 3]
        group_of = {person.id: group for group, people in groups.items() for person in people}
        for person in members:
            self.add(
                "members",
                id=person.id,
                organization=id,
                name=person.name,
                membership_class="full" if person.full_member_on else "probationary",
                from_on=max(opened, person.joined_on),
                joined_on=person.joined_on,
                joined_verified=draw.random() < 0.99,
                full_member_on=person.full_member_on,
                leading_cadre=person.leading_cadre,
                group=group_of.get(person.id),
            )
        for post, person in officers.items():
            self.add("posts", person=person.id, organization=id, post=post, from_on=opened)
        for group, people in groups.items():
            self.add(
                "posts",
                person=people[0].id,
                organization=group,
                post="group_leader",
                from_on=opened,
            )
        made = Branch(
            id,
            name,
            parent,
            members,
            officers,
            groups,
            opened,
            _ORDINARY if recorded_until else self._diligence(),
            recorded_until or self.as_of,
        )
        self.branches.append(made)
        return made

    def _diligence(self) -> float:
        drawn = self.random.random()
        for share, diligence in _DILIGENCE:
            if drawn < share:
                return diligence
            drawn -= share
        return _DILIGENCE[-1][1]

    # -- the year --------------------------------------------------------------

    def choose(self, key: str, value: str) -> None:
        """A setting or reading of the tenant."""
        self.add("settings", key=key, value=value, author="demo")

    def live(self, year: int) -> None:
        """Let every branch live through the year, up to the day judged."""
        for branch in self.branches:
            self._live(branch, year)
        for superior in self.superiors:
            self._lead(superior, year)

    def _lead(self, superior: Superior, year: int) -> None:
        """What a superior does in a year: studies, inspects, keeps in contact."""
        draw = self.random
        below = [branch for branch in self.branches if branch.superior == superior.id]
        day = date(year, draw.randint(2, 10), draw.randint(5, 25))
        if draw.random() < 0.85 and superior.kind != "general_branch":
            self.add(
                "occasions",
                id=self.next_id("o"),
                organization=superior.id,
                kinds=["topic_study"],
                held_on=day,
                title_text="专题研究党支部建设",
                recorded_on=day,
            )
        for branch in below:
            done = date(year, draw.randint(3, 10), draw.randint(5, 25))
            if draw.random() < 0.9 and done >= branch.opened:
                self._visit(superior, branch, "supervision", done)
        if below and draw.random() < 0.9:
            contact = draw.choice(below)
            self.add(
                "register",
                organization=superior.id,
                person=superior.secretary.id,
                item="contact_point",
                since_on=max(date(year, 1, 15), contact.opened),
                target=contact.id,
            )
            self._visit(superior, contact, "contact_visit", max(day, contact.opened))

    def _visit(self, superior: Superior, branch: Branch, kind: str, day: date) -> None:
        self.add(
            "inspections",
            id=self.next_id("i"),
            by=superior.id,
            target=branch.id,
            kind=kind,
            done_on=day,
        )

    def _live(self, branch: Branch, year: int) -> None:
        for month in range(1, 13):
            if date(year, month, 1) > self.as_of:
                break
            if month_end(year, month) >= branch.opened:
                self._month(branch, year, month)
        self._life_meeting(branch, year)
        self._year(branch, year)

    def _does(self, branch: Branch, *, ease: float = 1.0) -> bool:
        likely: float = branch.diligence**ease
        return self.random.random() < likely

    def _month(self, branch: Branch, year: int, month: int) -> None:
        theme = nth_weekday(year, month, self.habits.weekday, self.habits.week)
        kinds = ["theme_day"]
        if month % 3 == 2 and self._does(branch):
            kinds.append("branch_assembly")
        if month % 3 == 0 and self._does(branch):
            kinds.append("party_lecture")
        if self.habits.birthdays and self._does(branch):
            kinds.append("political_birthday")
        if self._does(branch):
            components = list(self.habits.components)
            if not self._does(branch):
                components.remove(self.random.choice(components))
            self._occasion(branch, kinds, theme, components=components, roll=True)
        elif len(kinds) > 1:
            self._occasion(branch, kinds[1:], theme + timedelta(days=5), roll=True)
        if branch.has_committee and self._does(branch):
            self._committee(branch, date(year, month, self.random.randint(2, 26)))
        self._group_meetings(branch, year, month)
        if self.habits.monthly_dues:
            self._pay(branch, theme)
        self._attest(branch, year, month)

    def _group_meetings(self, branch: Branch, year: int, month: int) -> None:
        for group, people in branch.groups.items():
            if self._does(branch):
                day = date(year, month, self.random.randint(10, 27))
                self._occasion(branch, ["party_group_meeting"], day, at=group, people=people)

    def _pay(self, branch: Branch, day: date) -> None:
        """Dues of the month, paid at the theme day."""
        if day > branch.recorded_until:
            return
        for person in branch.members:
            if day >= max(person.joined_on, branch.opened):
                paid = self._does(branch)
                self.add(
                    "dues",
                    person=person.id,
                    month=f"{day.year}-{day.month:02d}",
                    due_amount=1000,
                    paid_amount=1000 if paid else 0,
                    paid_on=day if paid else None,
                )

    def _attest(self, branch: Branch, year: int, month: int) -> None:
        """Most units say when a month's records are complete; weak ones sometimes forget."""
        last = month_end(year, month)
        if (
            branch.opened.replace(day=1) <= last < branch.recorded_until
            and self.random.random() < 0.6 + 0.4 * branch.diligence
        ):
            self.add(
                "attestations",
                organization=branch.id,
                period=f"{year}-{month:02d}",
                attested_on=min(last + timedelta(days=self.random.randint(1, 6)), self.as_of),
            )

    def _committee(self, branch: Branch, day: date) -> None:
        people = list(branch.officers.values())
        self._occasion(branch, ["branch_committee"], day, people=people)

    def _life_meeting(self, branch: Branch, year: int) -> None:
        """The organizational life meeting, usually with the member review, late in the year."""
        if not self._does(branch, ease=0.5):
            return
        day = date(year, self.random.choice((8, 10, 10, 11, 11)), self.random.randint(3, 27))
        if day > branch.recorded_until:
            return
        if branch.has_committee:
            self._committee(branch, day - timedelta(days=self.random.randint(2, 9)))
        kinds = ["organizational_life_meeting"]
        if self._does(branch):
            kinds.append("member_appraisal")
            for days, review in enumerate(self.habits.reviews):
                earlier = day - timedelta(days=3 - days)
                self._occasion(branch, [review], earlier, roll=True)
        held = self._occasion(
            branch, kinds, day, roll=True, form="assembly", theme="对照检查、共同提高"
        )
        if held is not None:
            self._meeting_steps(branch, held, day, appraised="member_appraisal" in kinds)
            if "member_appraisal" in kinds:
                self._grades(branch, year, held, day)

    def _meeting_steps(self, branch: Branch, occasion: str, day: date, *, appraised: bool) -> None:
        """What a life meeting did before, at and after the meeting."""
        before = [step for step in self.habits.steps_before if self._does(branch)]
        dated = [(step, day - timedelta(days=12 - 3 * n)) for n, step in enumerate(before)]
        dated += [(step, day) for step in ("problems", "criticism", "direction")]
        if branch.has_committee:
            dated.append(("committee_report", day))
        if appraised:
            dated += [(step, day) for step in ("self_evaluation", "mutual_evaluation", "ballot")]
        for step in self.habits.steps_after:
            later = day + timedelta(days=self.random.randint(8, 40))
            if later <= self.as_of and self._does(branch):
                dated.append((step, later))
        for step, done_on in dated:
            self.add("steps", occasion=occasion, step=step, done_on=done_on)

    def _grades(self, branch: Branch, year: int, occasion: str, day: date) -> None:
        full = [person for person in branch.members if person.full_member_on]
        most = len(full) // 3 + (0 if self._does(branch) else 1)
        for number, person in enumerate(full):
            self.add(
                "appraisals",
                subject_type="member",
                organization=branch.id,
                person=person.id,
                year=year,
                cycle="annual",
                grade="优秀" if number < most else "合格",
                decided_on=day,
                occasion=occasion,
                participated=True,
            )

    def _year(self, branch: Branch, year: int) -> None:
        """Yearly matters: dues, talks, training, self-check, reports."""
        self._dues(branch, year)
        self._standing(branch, year)
        self._term(branch, year)
        self._talks(branch, year)
        for month in (3, 6, 9):
            self._train(branch, date(year, month, self.random.randint(3, 25)))
        if self._does(branch):
            self._occasion(branch, ["self_check"], date(year, self.random.randint(3, 9), 15))
        for audience in ("superior", "assembly"):
            self._report(branch, audience, date(year, self.random.randint(7, 12), 15))

    def _dues(self, branch: Branch, year: int) -> None:
        for person in branch.members:
            if self._does(branch):
                fixed = date(year, 1, self.random.randint(4, 28))
                self.add(
                    "dues_bases",
                    person=person.id,
                    year=year,
                    fixed_on=max(fixed, branch.opened),
                    amount=self.random.choice((500, 1000, 2000, 4500, 8800)),
                )

    def _standing(self, branch: Branch, year: int) -> None:
        """What a branch has standing, and each member's points."""
        since = max(date(year, 1, 8), branch.opened)
        for item in self.habits.register:
            if self._does(branch, ease=0.5):
                self.add("register", organization=branch.id, item=item, since_on=since)
        if self.habits.points and self._does(branch):
            for person in branch.members:
                self.add(
                    "commitments",
                    person=person.id,
                    year=year,
                    promised_on=since,
                    entries=self.random.randint(3, 12),
                    rules=True,
                )

    def _term(self, branch: Branch, year: int) -> None:
        """The term of office that covers the year; a few are late with the next election."""
        if not branch.has_committee:
            return
        elected = branch.opened
        if elected.year < year:
            elected = date(
                year - self.random.choice((0, 1, 1, 2, 2)), 3, self.random.randint(5, 25)
            )
            elected = max(elected, branch.opened)
        self.add(
            "terms",
            organization=branch.id,
            elected_on=elected,
            ends_on=elected.replace(year=elected.year + 3),
        )

    def _talks(self, branch: Branch, year: int) -> None:
        officers = list(branch.officers.values())
        for person in branch.members:
            partners = [officer for officer in officers if officer is not person]
            if partners and self._does(branch):
                self._talk(branch, person, self.random.choice(partners), year)
        for first, second in combinations(officers, 2):
            if self._does(branch):
                self._talk(branch, first, second, year)

    def _train(self, branch: Branch, day: date) -> None:
        for person in branch.members:
            if day >= max(person.joined_on, branch.opened) and self._does(branch):
                self.add(
                    "training",
                    person=person.id,
                    held_on=day,
                    tenths=self.random.choice((80, 100, 120)),
                    concentrated=True,
                    organizer=branch.id,
                )

    def _report(self, branch: Branch, audience: str, day: date) -> None:
        if day <= branch.recorded_until and self._does(branch):
            self.add(
                "reports",
                id=self.next_id("r"),
                organization=branch.id,
                kind="work_report",
                filed_on=day,
                recipient=branch.superior if audience == "superior" else None,
                audience=audience,
                period=str(day.year),
            )

    def _talk(self, branch: Branch, one: Person, other: Person, year: int) -> None:
        day = date(year, 1, 10) + timedelta(days=self.random.randint(0, 300))
        if branch.opened <= day <= branch.recorded_until:
            self.add(
                "talks",
                id=self.next_id("t"),
                organization=branch.id,
                held_on=day,
                person=one.id,
                partner=other.id,
                mode="in_person",
                **self._preparation(branch, day),
            )

    def _preparation(self, branch: Branch, day: date) -> Row:
        """How a talk was announced, where talks are."""
        if not (self.habits.prepared_talks and self._does(branch)):
            return {}
        return {"notified_on": day - timedelta(days=2), "outline": True, "listed": True}

    def _occasion(
        self,
        branch: Branch,
        kinds: Sequence[str],
        day: date,
        *,
        at: str | None = None,
        people: Sequence[Person] | None = None,
        roll: bool = False,
        **columns: Any,
    ) -> str | None:
        """Record one occasion; None if its day has not come or the branch did not exist."""
        if not branch.opened <= day <= branch.recorded_until:
            return None
        invited = branch.members if people is None else people
        here = [
            person
            for person in invited
            if self.random.random() < 0.93 or person in branch.officers.values()
        ]
        number = self.next_id("o")
        row = self.add(
            "occasions",
            id=number,
            organization=at or branch.id,
            kinds=list(kinds),
            held_on=day,
            start_minute=self.random.choice((540, 570, 870, 900)),
            chair=(people or branch.members)[0].id if at else branch.secretary.id,
            lecturer=branch.secretary.id if "party_lecture" in kinds else None,
            title_text=_TITLES.get(kinds[0]),
            recorded_on=self._recorded(number, day),
            place="党员活动室",
            **{"theme": self.random.choice(_THEMES), **columns},
        )
        if self.habits.platform and self._does(branch):
            row["created_on"] = day - timedelta(days=2)
            row["platform_id"] = f"p-{row['id']}"
        if roll:
            self._roll(row, invited, here)
        else:
            row["expected"], row["present"] = len(invited), len(here)
        self._papers(branch, row)
        occasion: str = row["id"]
        return occasion

    def _papers(self, branch: Branch, row: Row) -> None:
        """Papers, steps and agenda that belong to an occasion of its kinds."""
        occasion, day, habits = row["id"], row["held_on"], self.habits
        for kind in dict.fromkeys(
            k for name in row["kinds"] for k in habits.documents.get(name, ())
        ):
            if self._does(branch):
                self.add("documents", occasion=occasion, kind=kind, kept_on=day)
        steps = dict(step for name in row["kinds"] for step in habits.steps.get(name, ()))
        for step, days in steps.items():
            done = day + timedelta(days=days)
            if done <= self.as_of and self._does(branch):
                self.add("steps", occasion=occasion, step=step, done_on=done)
        topics = dict.fromkeys(t for name in row["kinds"] for t in habits.agenda.get(name, ()))
        for number, topic in enumerate(topics, 1):
            self.add(
                "agenda",
                occasion=occasion,
                item=str(number),
                topic=topic,
                discussed=True,
                resolution=self._does(branch),
                owner=self._does(branch),
            )

    def _roll(self, row: Row, invited: Sequence[Person], here: Sequence[Person]) -> None:
        there = {person.id for person in here}
        for person in invited:
            if person.full_member_on is None and row["held_on"] < person.joined_on:
                continue
            status = "present" if person.id in there else "excused"
            if status == "excused" and self.random.random() < 0.06:
                status = "unexcused"
            self.add("attendance", occasion=row["id"], person=person.id, status=status)

    # -- out ---------------------------------------------------------------------

    def tables(self) -> dict[str, pa.Table]:
        """The rows as Arrow tables, every table of the facts document present."""
        return {
            name: pa.Table.from_pylist(self.rows.get(name, []), schema=facts.schema(name))
            for name in tables.TABLES
        }

    def write(self, path: Path) -> None:
        """Write the workbook that an office would send in."""
        write_xlsx(self.tables(), path)


def nth_weekday(year: int, month: int, weekday: int, number: int) -> date:
    """The ``number``-th given weekday (Monday 0) of a month."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def month_end(year: int, month: int) -> date:
    """The last day of a month."""
    following = date(year + month // 12, month % 12 + 1, 1)
    return following - timedelta(days=1)
