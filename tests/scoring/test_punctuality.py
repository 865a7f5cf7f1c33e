"""What is met counts as late where a record that it rests on was made late."""

from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from guiju.activities.models import LATE_AFTER_DAYS, Occasion
from guiju.organizations.dirty import mark_dirty
from guiju.organizations.models import Organization
from guiju.rules.findings import SUBJECT_TABLES
from guiju.scoring import queries
from guiju.scoring.breakdown import breakdown
from guiju.scoring.heat import heat
from guiju.scoring.models import NO_YEAR

YEARS = [2021, NO_YEAR]


@pytest.fixture
def delay(town, packs):
    """Let the records of a branch be made so many days after the day, all others at once."""
    with town.scope(), town.session() as session:
        session.execute(sa.update(Occasion).values(recorded_on=Occasion.held_on))
        session.commit()

    def delay(code, days):
        number = town.number(code)
        with town.scope(), town.session() as session:
            session.execute(
                sa.update(Occasion)
                .where(Occasion.organization_id == number)
                .values(recorded_on=Occasion.held_on + timedelta(days=days))
            )
            mark_dirty(session, [number], "test")
            session.commit()
        town.drain(packs)

    return delay


def told(town, packs, code):
    """The late ones by requirement, from the findings themselves."""
    root, number = town.number("root"), town.number(code)
    with town.scope(), town.session() as session:
        slow = Occasion.recorded_on - Occasion.held_on > LATE_AFTER_DAYS
        late = set(session.scalars(sa.select(Occasion.code).where(slow)))
        found = queries.findings(session, packs, number, within=[f"/{root}/"], year=2021)
    return Counter(
        view.finding["requirement"]
        for view in found
        if SUBJECT_TABLES[view.finding["subject"]["type"]] == "organizations"
        and view.verdict == "met"
        and late & set(view.finding["evidence"])
    )


def overview(town, packs, code):
    root = town.number("root")
    with town.scope(), town.session() as session:
        return queries.overview(session, packs, town.number(code), within=[f"/{root}/"], year=2021)


def late_by_rule(found):
    rows = {row.requirement: row.counts.get("late", 0) for row in found.by_requirement}
    return {requirement: number for requirement, number in rows.items() if number}


def test_late_records_are_counted_up_the_tree(town, packs, delay):
    delay("a0", LATE_AFTER_DAYS + 1)
    delay("b1", LATE_AFTER_DAYS + 20)
    a0, b1 = told(town, packs, "a0"), told(town, packs, "b1")
    assert a0
    assert b1
    whole = overview(town, packs, "root")
    assert whole.counts["late"] == sum((a0 + b1).values())
    assert late_by_rule(whole) == a0 + b1
    assert sum(row.counts.get("late", 0) for row in whole.by_period) == whole.counts["late"]
    assert {row.unit.code: row.counts.get("late", 0) for row in whole.by_child} == {
        "a": sum(a0.values()),
        "b": sum(b1.values()),
        "c": 0,
    }
    below = overview(town, packs, "a")
    assert {row.unit.code: row.counts.get("late", 0) for row in below.by_child}["a0"] == sum(
        a0.values()
    )
    assert late_by_rule(overview(town, packs, "a0")) == a0


def test_a_record_is_in_time_up_to_the_last_day(town, packs, delay):
    delay("a0", LATE_AFTER_DAYS)
    assert "late" not in overview(town, packs, "a0").counts


def test_the_rate_follows_when_the_days_are_put_right(town, packs, delay):
    delay("a0", LATE_AFTER_DAYS + 1)
    before = town.stored()
    delay("a0", 1)
    assert "late" not in overview(town, packs, "root").counts
    delay("a0", LATE_AFTER_DAYS + 1)
    assert town.stored() == before


def test_the_same_number_in_the_heat_map_and_by_kind_and_sector(town, packs, delay):
    delay("a0", LATE_AFTER_DAYS + 1)
    found = told(town, packs, "a0")
    with town.scope(), town.session() as session:
        map_ = heat(session, packs, town.number("a"), "2021", newest=True)
        at = [unit.code for unit in map_.units].index("a0")
        late = {row.requirement: row.cells[at].get("late", 0) for row in map_.rows}
        path = session.scalars(sa.select(Organization.path).where(Organization.code == "a")).one()
        parts = breakdown(session, path, YEARS)
    assert {requirement: number for requirement, number in late.items() if number} == found
    assert sum(part.counts.get("late", 0) for part in parts) == sum(found.values())


def test_the_year_of_one_unit_is_laid_out_as_before(town, packs, delay):
    delay("a0", LATE_AFTER_DAYS + 1)
    root = town.number("root")
    with town.scope(), town.session() as session:
        grid = queries.organization_grid(
            session, packs, town.number("a0"), within=[f"/{root}/"], year=2021
        )
    assert grid.counts["late"] == sum(told(town, packs, "a0").values())
    assert all("late" not in cell.counts for row in grid.rows for cell in row.cells)
