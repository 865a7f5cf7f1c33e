"""What is derived of an occasion when it, its roster or its papers change.

Who is expected follows from the meeting's body on that day: the branch's Party members,
the members of a Party group, the committee, or the team; the body is the recorded form, else what
the kind implies.  Who came follows from the
attendance.  What the author stated stays, and what nothing is known of is null.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from numpy.typing import NDArray

from guiju.activities.models import Occasion
from guiju.db.arrays import any_of
from guiju.db.codes import bits
from guiju.db.copying import copy_out
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.organizations.models import Member, Post
from guiju.rules import vocabulary as v
from guiju.rules.periods import FIRST_DAY, LAST_DAY

#: Occasions derived by one statement: enough to be quick, few enough to fit in memory.
_CHUNK = 20_000

_DERIVE = sa.text("""
WITH wanted AS (
    SELECT o.tenant_id, o.id, o.organization_id, o.held_on,
        coalesce(
            o.form,
            CASE
                WHEN o.kinds & :assembly <> 0 THEN 'assembly'
                WHEN o.kinds & :committee <> 0 THEN 'committee'
                WHEN o.kinds & :group <> 0 THEN 'group'
                WHEN o.kinds & :team <> 0 THEN 'team'
                ELSE 'assembly'
            END
        ) AS body
    FROM occasions o
    WHERE o.tenant_id = :tenant AND o.id = ANY(:ids)
),
roster AS (
    SELECT w.id, m.person_id, coalesce(m.voting, m.membership_class = 'full') AS voting
    FROM wanted w
    JOIN members m ON m.tenant_id = w.tenant_id AND m.organization_id = w.organization_id
    WHERE w.body = 'assembly'
        AND m.membership_class IN ('full', 'probationary')
        AND (m.from_on IS NULL OR m.from_on <= w.held_on)
        AND (m.until_on IS NULL OR m.until_on >= w.held_on)
    UNION ALL
    SELECT w.id, m.person_id, coalesce(m.voting, m.membership_class = 'full')
    FROM wanted w
    JOIN members m ON m.tenant_id = w.tenant_id AND m.group_id = w.organization_id
    WHERE w.body = 'group'
        AND m.membership_class IN ('full', 'probationary')
        AND (m.from_on IS NULL OR m.from_on <= w.held_on)
        AND (m.until_on IS NULL OR m.until_on >= w.held_on)
    UNION ALL
    -- One person may hold two posts.
    SELECT DISTINCT w.id, p.person_id, true
    FROM wanted w
    JOIN posts p ON p.tenant_id = w.tenant_id AND p.organization_id = w.organization_id
    WHERE (
            w.body = 'committee' AND p.post = ANY(:committee_posts)
            OR w.body = 'team' AND p.post = ANY(:team_posts)
        )
        AND (p.from_on IS NULL OR p.from_on <= w.held_on)
        AND (p.until_on IS NULL OR p.until_on >= w.held_on)
),
counted AS (
    SELECT r.id,
        count(*) AS expected,
        count(*) FILTER (WHERE r.voting) AS voting_expected,
        count(*) FILTER (WHERE a.status IN ('present', 'remote')) AS present,
        count(*) FILTER (WHERE r.voting AND a.status IN ('present', 'remote')) AS voting_present,
        count(a.status) > 0 AS attendance_taken
    FROM roster r
    LEFT JOIN attendance a
        ON a.tenant_id = :tenant AND a.occasion_id = r.id AND a.person_id = r.person_id
            AND a.person_class IS NULL
    GROUP BY r.id
),
papers AS (
    SELECT w.id, bit_or(1::bigint << b.bit) AS mask
    FROM wanted w
    JOIN documents d ON d.tenant_id = w.tenant_id AND d.occasion_id = w.id
    JOIN code_bits b ON b.vocabulary = 'document_kind' AND b.code = d.kind
    GROUP BY w.id
),
derived AS (
    SELECT o.tenant_id, o.id,
        coalesce(o.given_expected, c.expected) AS expected,
        coalesce(o.given_voting_expected, c.voting_expected) AS voting_expected,
        coalesce(o.given_present, CASE WHEN c.attendance_taken THEN c.present END) AS present,
        coalesce(
            o.given_voting_present, CASE WHEN c.attendance_taken THEN c.voting_present END
        ) AS voting_present,
        coalesce(p.mask, 0) AS document_mask
    FROM occasions o
    LEFT JOIN counted c ON c.id = o.id
    LEFT JOIN papers p ON p.id = o.id
    WHERE o.tenant_id = :tenant AND o.id = ANY(:ids)
)
UPDATE occasions o
SET expected = d.expected, voting_expected = d.voting_expected,
    present = d.present, voting_present = d.voting_present, document_mask = d.document_mask
FROM derived d
WHERE o.tenant_id = d.tenant_id AND o.id = d.id
    AND (o.expected, o.voting_expected, o.present, o.voting_present, o.document_mask)
        IS DISTINCT FROM
        (d.expected, d.voting_expected, d.present, d.voting_present, d.document_mask)
""")


def derive(session: AnySession, occasions: Collection[int]) -> None:
    """Bring the derived columns of these occasions (by number) up to date."""
    if not occasions:
        return
    kinds = bits(session, v.OCCASION_KINDS.name)
    parameters = {
        "tenant": current_tenant_id(),
        "assembly": 1 << kinds["branch_assembly"],
        "committee": 1 << kinds["branch_committee"],
        "group": 1 << kinds["party_group_meeting"],
        "team": 1 << kinds["democratic_life_meeting"],
        "committee_posts": list(v.COMMITTEE_POSTS),
        "team_posts": list(v.TEAM_POSTS),
    }
    ids = sorted(occasions)
    for start in range(0, len(ids), _CHUNK):
        session.execute(_DERIVE, {**parameters, "ids": ids[start : start + _CHUNK]})


def occasions_of(session: AnySession, organizations: Collection[int]) -> set[int]:
    """The numbers of all occasions of these organizations (by number)."""
    if not organizations:
        return set()
    return set(
        session.scalars(
            sa.select(Occasion.id).where(any_of(Occasion.organization_id, organizations))
        )
    )


# -- many new occasions at once ------------------------------------------------------------

_Numbers = NDArray[np.int64]

#: Bodies that meet, by number; see ``_DERIVE``.
_BODIES = ("assembly", "committee", "group", "team")

_SPELL = {
    "place": pa.int64(),
    "person": pa.int64(),
    "from_on": pa.date32(),
    "until_on": pa.date32(),
    "voting": pa.bool_(),
}


def counted(
    session: AnySession,
    occasions: pa.Table,
    attendance: pa.Table | None,
    documents: pa.Table | None,
) -> pa.Table:
    """New occasions, columns as stored, with those that are derived.

    ``attendance`` and ``documents`` (as stored, too) are all there is about them: what
    ``derive`` would find afterwards, at a fraction of the time.
    """
    body = _bodies(session, occasions)
    occasion, person, voting = _expected(session, occasions, body)
    number = len(body)
    held, came = _attending(occasions, attendance, occasion, person)
    taken = np.bincount(occasion[held], minlength=number) > 0
    for name, counts, known in (
        ("expected", np.bincount(occasion, minlength=number), None),
        ("voting_expected", np.bincount(occasion[voting], minlength=number), None),
        ("present", np.bincount(occasion[came], minlength=number), taken),
        ("voting_present", np.bincount(occasion[came & voting], minlength=number), taken),
    ):
        somebody = np.bincount(occasion, minlength=number) > 0
        unknown = ~(somebody if known is None else known)
        found = pa.array(counts.astype(np.int64), mask=unknown)
        given = f"given_{name}"
        if given in occasions.column_names:
            found = pc.coalesce(occasions[given], found)
        occasions = occasions.append_column(name, found)
    mask = _document_mask(session, occasions["id"].to_numpy(), documents)
    return occasions.append_column("document_mask", pa.array(mask))


def _bodies(session: AnySession, occasions: pa.Table) -> _Numbers:
    bit = bits(session, v.OCCASION_KINDS.name)
    kinds = occasions["kinds"].to_numpy()
    kind_of = {
        "team": "democratic_life_meeting",
        "group": "party_group_meeting",
        "committee": "branch_committee",
        "assembly": "branch_assembly",
    }
    body = np.zeros(len(kinds), dtype=np.int64)
    # The first that holds counts, so it is written last.
    for name, kind in kind_of.items():
        body[kinds & (1 << bit[kind]) != 0] = _BODIES.index(name)
    if "form" in occasions.column_names:
        form = pc.fill_null(pc.index_in(occasions["form"], value_set=pa.array(_BODIES)), -1)
        form = form.to_numpy()
        body = np.where(form >= 0, form, body)
    return body


def _expected(
    session: AnySession, occasions: pa.Table, body: _Numbers
) -> tuple[_Numbers, _Numbers, NDArray[np.bool_]]:
    """Positions of occasions, people and whether they vote: one entry for everybody expected."""
    place = occasions["organization_id"].to_numpy()
    day = _days(occasions["held_on"], 0)
    found = []
    for number, roster in enumerate(_rosters(session, set(body.tolist()))):
        if roster is None:
            continue
        chosen = np.flatnonzero(body == number)
        position, row = _pairs(place[chosen], roster["place"].to_numpy())
        position = chosen[position]
        in_force = (_days(roster["from_on"], FIRST_DAY)[row] <= day[position]) & (
            day[position] <= _days(roster["until_on"], LAST_DAY)[row]
        )
        position, row = position[in_force], row[in_force]
        person = roster["person"].to_numpy()[row]
        voting = np.asarray(roster["voting"])[row].astype(np.bool_)
        if _BODIES[number] in {"committee", "team"}:
            # One person may hold two posts.
            once = np.unique(np.stack([position, person]), axis=1, return_index=True)[1]
            position, person, voting = position[once], person[once], voting[once]
        found.append((position, person, voting))
    columns = zip(*found, strict=True) if found else [[], [], []]
    position, person, voting = (np.concatenate([[], *column]) for column in columns)
    return position.astype(np.int64), person.astype(np.int64), voting.astype(np.bool_)


def _rosters(session: AnySession, bodies: set[int]) -> list[pa.Table | None]:
    """Who belongs to each of :data:`_BODIES`, sorted by place; None for those not asked for."""

    def members(place: sa.ColumnElement[Any]) -> sa.Select[Any]:
        m = Member.__table__.c
        voting = sa.func.coalesce(m.voting, m.membership_class == sa.literal_column("'full'"))
        classes = m.membership_class.in_(
            [sa.literal_column("'full'"), sa.literal_column("'probationary'")]
        )
        return (
            sa.select(place, m.person_id, m.from_on, m.until_on, voting)
            .where(classes, place.is_not(None))
            .order_by(place)
        )

    def posts(codes: Collection[str]) -> sa.Select[Any]:
        p = Post.__table__.c
        listed: list[Any] = [sa.literal_column(f"'{code}'") for code in codes]
        place = p.organization_id
        true: Any = sa.literal_column("true")
        return (
            sa.select(place, p.person_id, p.from_on, p.until_on, true)
            .where(p.post.in_(listed))
            .order_by(place)
        )

    m = Member.__table__.c
    selects = {
        "assembly": lambda: members(m.organization_id),
        "group": lambda: members(m.group_id),
        "committee": lambda: posts(v.COMMITTEE_POSTS),
        "team": lambda: posts(v.TEAM_POSTS),
    }
    return [
        copy_out(session, selects[name](), _SPELL) if number in bodies else None
        for number, name in enumerate(_BODIES)
    ]


def _pairs(wanted: _Numbers, places: _Numbers) -> tuple[_Numbers, _Numbers]:
    """Every position in ``wanted`` with every row of ``places`` (sorted) that is the same."""
    first = np.searchsorted(places, wanted, "left")
    length = np.searchsorted(places, wanted, "right") - first
    position = np.repeat(np.arange(len(wanted)), length)
    start = np.repeat(first - np.concatenate([[0], np.cumsum(length)[:-1]]), length)
    return position, start + np.arange(len(position))


def _attending(
    occasions: pa.Table, attendance: pa.Table | None, occasion: _Numbers, person: _Numbers
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of each expected person, whether anything is said of their coming, and whether they came."""
    nothing = np.zeros(len(occasion), dtype=np.bool_)
    if attendance is None or "person_id" not in attendance.column_names or not len(occasion):
        return nothing, nothing
    of_roster = attendance["person_id"].is_valid()
    if "person_class" in attendance.column_names:
        of_roster = pc.and_(of_roster, attendance["person_class"].is_null())
    attendance = attendance.filter(of_roster)
    ids = occasions["id"].to_numpy()
    order = np.argsort(ids)
    place = np.searchsorted(ids, attendance["occasion_id"].to_numpy(), sorter=order)
    place = order[np.minimum(place, len(ids) - 1)]
    ours = ids[place] == attendance["occasion_id"].to_numpy()
    people = attendance["person_id"].to_numpy()
    base = 1 + max(int(person.max(initial=0)), int(people.max(initial=0)))
    said = (place * base + people)[ours]
    came = pc.is_in(attendance["status"], value_set=pa.array(["present", "remote"])).to_numpy()
    expected = occasion * base + person
    return np.isin(expected, said), np.isin(expected, said[came[ours]])


def _document_mask(session: AnySession, ids: _Numbers, documents: pa.Table | None) -> _Numbers:
    mask = np.zeros(len(ids), dtype=np.int64)
    if documents is None or "occasion_id" not in documents.column_names:
        return mask
    documents = documents.filter(documents["occasion_id"].is_valid())
    bit = bits(session, v.DOCUMENT_KINDS.name)
    values = np.array([1 << number for number in bit.values()] + [0], dtype=np.int64)
    kind = pc.fill_null(pc.index_in(documents["kind"], value_set=pa.array(list(bit))), -1)
    order = np.argsort(ids)
    wanted = documents["occasion_id"].to_numpy()
    place = order[np.minimum(np.searchsorted(ids, wanted, sorter=order), len(ids) - 1)]
    ours = ids[place] == wanted
    np.bitwise_or.at(mask, place[ours], values[kind.to_numpy()[ours]])
    return mask


def _days(column: pa.ChunkedArray, blank: int) -> NDArray[np.int32]:
    days: NDArray[np.int32] = column.cast(pa.int32()).fill_null(blank).to_numpy()
    return days
