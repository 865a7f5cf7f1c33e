"""What is derived of an occasion when it, its roster or its papers change.

Who is expected follows from the meeting's body on that day: the branch's Party members,
the members of a Party group, the committee, or the team; the body is the recorded form, else what
the kind implies.  Who came follows from the
attendance.  What the author stated stays, and what nothing is known of is null.
"""

from collections.abc import Collection

import sqlalchemy as sa

from guiju.activities.models import Occasion
from guiju.db.arrays import any_of
from guiju.db.codes import bits
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.rules import vocabulary as v

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
