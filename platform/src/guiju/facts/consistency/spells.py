"""What holds for a time: membership, posts, terms, the existence of organizations."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from guiju.facts import limits
from guiju.facts.consistency.base import Array, Checked, heading
from guiju.language import gettext as _
from guiju.rules.periods import FIRST_DAY, LAST_DAY, NULL_DAY
from guiju.rules.spells import bounds

#: Room for all days, so that owner and day make one sortable number.
_SPAN = np.int64(2**22)


def check_overlaps(checked: Checked) -> None:
    """Report a member in two places at once, a post held twice, overlapping terms."""
    _check_members(checked)
    _check_posts(checked)
    _check_terms(checked)


def _check_members(checked: Checked) -> None:
    members = checked.facts["members"]
    owners = np.where(checked.sound("members"), members["id"], -1)
    other = _overlapped(owners, *bounds(members, "from_on", "until_on"))
    elsewhere = members["organization"] != members["organization"][other]
    names = checked.table("members")

    def say(row: int) -> tuple[str, str]:
        earlier = int(other[row])
        what = (
            _("{person}同时在两个支部（{here}、{there}）").format(
                person=names["id"][row],
                here=names["organization"][earlier],
                there=names["organization"][row],
            )
            if elsewhere[row]
            else _("{person}在同一支部有两段重叠的时间").format(person=names["id"][row])
        )
        found = _("{what}，与{place}重叠").format(
            what=what, place=checked.places("members").beside(earlier)
        )
        return found, _("后一段应从前一段结束的次日开始")

    for chosen, code in ((elsewhere, "two_branches"), (~elsewhere, "overlap")):
        rows = np.flatnonzero((other >= 0) & chosen)
        checked.report("members", "from_on", rows, say, code)


def _check_posts(checked: Checked) -> None:
    posts = checked.facts["posts"]
    keys = np.stack(
        [posts["person"], posts["organization"], posts["post"], posts["oversees"]], axis=1
    )
    valid = (keys[:, :3] >= 0).all(axis=1) & checked.sound("posts")
    owners = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1)
    other = _overlapped(np.where(valid, owners, -1), *bounds(posts, "from_on", "until_on"))

    def say(row: int) -> tuple[str, str]:
        found = _("与{place}是同一人的同一职务，时间重叠").format(
            place=checked.places("posts").beside(int(other[row]))
        )
        return found, _("同一职务的两段任职不能重叠")

    checked.report("posts", "from_on", np.flatnonzero(other >= 0), say, "overlap")


def _check_terms(checked: Checked) -> None:
    terms = checked.facts["terms"]
    start, end = terms["elected_on"], terms["ends_on"]
    # A term ends with the next election, be it early; that day belongs to the next term.
    elected = terms["next_elected_on"]
    end = np.where((elected != NULL_DAY) & (elected < end), elected, end)
    known = (start != NULL_DAY) & (end != NULL_DAY) & checked.sound("terms")
    owners = np.where(known, terms["organization"], -1)
    other = _overlapped(owners, start, end - 1)

    def say(row: int) -> tuple[str, str]:
        earlier = int(other[row])
        found = _("选举日期 {day} 在{place}那一届（{first} 至 {last}）之内").format(
            day=checked.value("terms", "elected_on", row),
            place=checked.places("terms").beside(earlier),
            first=checked.value("terms", "elected_on", earlier),
            last=checked.value("terms", "ends_on", earlier),
        )
        return found, _("两届不能重叠；提前换届时请填写前一届的“{heading}”").format(
            heading=heading("terms", "next_elected_on")
        )

    checked.report("terms", "elected_on", np.flatnonzero(other >= 0), say, "overlap")


def _overlapped(owners: Array, start: Array, end: Array) -> Array:
    """For each spell an earlier one of the same owner that has not ended when it begins, or -1.

    Ends are days that still belong to a spell; owners below 0 are not looked at.
    """
    other = np.full(len(owners), -1, dtype=np.int64)
    rows = np.flatnonzero(owners >= 0)
    order = rows[np.lexsort((rows, start[rows], owners[rows]))]
    if len(order) < 2:
        return other
    base = owners[order].astype(np.int64) * _SPAN - FIRST_DAY
    starts = base + np.clip(start[order], FIRST_DAY, LAST_DAY)
    ends = base + np.clip(end[order], FIRST_DAY, LAST_DAY)
    latest = np.maximum.accumulate(ends)
    # Which spell it is that lasts longest so far.
    holder = np.maximum.accumulate(np.where(ends == latest, np.arange(len(order)), 0))
    overlaps = starts[1:] <= latest[:-1]
    other[order[1:][overlaps]] = order[holder[:-1][overlaps]]
    return other


def check_occasions(checked: Checked) -> None:
    """Report occasions of organizations that were closed, or not open yet."""
    occasions, organizations = checked.facts["occasions"], checked.facts["organizations"]
    owner, held = occasions["organization"], occasions["held_on"]
    known = (owner >= 0) & (held != NULL_DAY)
    if not known.any():
        return
    opened, closed = bounds(organizations, "opened_on", "closed_on")
    for wrong, column, found in (
        (held > closed[owner], "closed_on", _("{day} 已在组织撤销日期 {other} 之后")),
        (held < opened[owner], "opened_on", _("{day} 还在组织成立日期 {other} 之前")),
    ):

        def say(row: int, column: str = column, found: str = found) -> tuple[str, str]:
            other = checked.value("organizations", column, int(owner[row]))
            day = checked.value("occasions", "held_on", row)
            return found.format(day=day, other=other), _("应为组织存在期间的日期")

        checked.report(
            "occasions", "held_on", np.flatnonzero(known & wrong), say, "organization_not_open"
        )


def check_attendance(checked: Checked) -> None:
    """Report people who attended without being on the roster, or in a post, that day.

    The roster is that of the organization that met and of all below it; a Party group's
    is that of its members, and of its branch for those whose group is not written.
    """
    if checked.faults.lost & {"members", "posts", "organizations"}:
        return
    attendance, occasions = checked.facts["attendance"], checked.facts["occasions"]
    occasion, person = attendance["occasion"], attendance["person"]
    rows = np.flatnonzero((occasion >= 0) & (person >= 0) & (attendance["person_class"] < 0))
    organization = occasions["organization"][occasion[rows]]
    day = occasions["held_on"][occasion[rows]]
    sound = (organization >= 0) & (day != NULL_DAY)
    rows, organization, day = rows[sound], organization[sound], day[sound]
    if not len(rows):
        return
    people = person[rows]
    missing = ~_on_roster(checked, people, organization, day)
    every_post = checked.facts.codes("post")
    missing &= ~checked.facts.posts.held_by(every_post, people, organization, day)
    missing &= _certain(checked, people)
    # What else is known of people from elsewhere is for the database to say.
    elsewhere = checked.known_ids("people")
    if len(elsewhere):
        named = checked.table("attendance")["person"].take(pa.array(rows))
        missing &= ~pc.is_in(named, value_set=elsewhere).to_numpy()

    def say(row: int) -> tuple[str, str]:
        place = int(occasion[row])
        found = _("{person}在 {day} 不在{organization}的名册上").format(
            person=checked.value("attendance", "person", row),
            day=checked.value("occasions", "held_on", place),
            organization=checked.value("occasions", "organization", place),
        )
        return found, _("应为当日名册上的人员；其他人员请填写“{heading}”").format(
            heading=heading("attendance", "person_class")
        )

    checked.report("attendance", "person", rows[missing], say, "not_on_roster")


def _on_roster(checked: Checked, people: Array, organization: Array, day: Array) -> Array:
    """Whether each person is a member of ``organization``, or of one below it, that day."""
    members = checked.facts["members"]
    parents = checked.facts["organizations"]["parent"]
    # Nobody has two spells at once, or that is a fault of its own: the latest will do.
    spell = checked.facts.roster.of_person.latest(people, day)
    branch, group = _taken(members["organization"], spell), _taken(members["group"], spell)
    ungrouped = (branch >= 0) & (group < 0) & (organization >= 0)
    found = ungrouped & (parents[organization] == branch) & _is_group(checked, organization)
    above = np.stack([branch, group])
    for _level in range(limits.TREE_DEPTH):
        found |= ((above >= 0) & (above == organization)).any(axis=0)
        above = _taken(parents, above)
    return np.asarray(found)


def _taken(values: Array, rows: Array) -> Array:
    """The values of ``rows``, -1 for rows below 0."""
    return np.append(values, -1)[np.where(rows >= 0, rows, len(values))]


def _certain(checked: Checked, people: Array) -> Array:
    """Whether each person is known, and all rows of their membership and posts were read."""
    known, lacking = [], []
    for table, column in (("members", "id"), ("posts", "person")):
        holders = checked.facts[table][column]
        known.append(holders)
        lacking.append(holders[~checked.sound(table)])
    return np.isin(people, np.concatenate(known)) & ~np.isin(people, np.concatenate(lacking))


def _is_group(checked: Checked, organization: Array) -> Array:
    kinds = checked.facts["organizations"]["kind"]
    return np.asarray(
        kinds[organization] == checked.facts.position("organization_kind", "party_group")
    )
