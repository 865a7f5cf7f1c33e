"""Which profile judges which organization, and when."""

from datetime import date

import numpy as np
import pyarrow as pa

from guiju.rules import periods
from guiju.rules.pack import Choices
from guiju.scoring.places import Move, Places, Slices
from guiju.scoring.profiles import Enabled, assign, inherited
from guiju.tenancy.queries import ProfileInForce

IDS = np.array([1, 2, 3, 4], dtype=np.int64)
PATHS = ["/1/", "/1/2/", "/1/2/3/", "/1/4/"]
PARENTS = {1: None, 2: 1, 3: 2, 4: 1}
DAY = date(2021, 12, 31)


def enabled(organization, profile, begin, until=None):
    return Enabled(organization, profile, begin, until, Choices({}, {}))


def judged(assignments):
    return sorted(
        (a.enabled.profile, a.judge_from, a.as_of, a.over, IDS[a.scope].tolist())
        for a in assignments
    )


def test_a_profile_judges_what_is_below_it():
    found = assign([enabled(1, "xian", date(2021, 1, 1))], Places(IDS, PATHS), DAY)
    assert judged(found) == [("xian", date(2021, 1, 1), DAY, False, [1, 2, 3, 4])]


def test_the_nearer_profile_counts():
    both = [enabled(1, "xian", date(2021, 1, 1)), enabled(2, "jiaozuo", date(2021, 1, 1))]
    found = assign(both, Places(IDS, PATHS), DAY)
    assert judged(found) == [
        ("jiaozuo", date(2021, 1, 1), DAY, False, [2, 3]),
        ("xian", date(2021, 1, 1), DAY, False, [1, 4]),
    ]


def test_a_nearer_profile_takes_over_on_its_first_day_and_gives_back_after_its_last():
    both = [
        enabled(1, "xian", date(2021, 1, 1)),
        enabled(2, "jiaozuo", date(2021, 4, 1), date(2021, 6, 30)),
    ]
    found = assign(both, Places(IDS, PATHS), DAY)
    assert judged(found) == [
        ("jiaozuo", date(2021, 4, 1), date(2021, 6, 30), True, [2, 3]),
        ("xian", date(2021, 1, 1), date(2021, 3, 31), True, [2, 3]),
        ("xian", date(2021, 1, 1), DAY, False, [1, 4]),
        ("xian", date(2021, 7, 1), DAY, False, [2, 3]),
    ]


def test_nothing_is_judged_before_the_first_day():
    later = enabled(1, "xian", date(2022, 1, 1))
    assert assign([later], Places(IDS, PATHS), DAY) == []


def test_the_tree_of_the_day_decides():
    moved = Move.of(3, date(2021, 7, 1), 4)
    places = Places(IDS, PATHS, [moved], PARENTS)
    found = assign([enabled(4, "xian", date(2021, 1, 1))], places, DAY)
    assert judged(found) == [
        ("xian", date(2021, 1, 1), date(2021, 6, 30), True, [3]),
        ("xian", date(2021, 1, 1), DAY, False, [4]),
    ]


def test_findings_go_to_the_place_of_their_day():
    places = Places(IDS, PATHS, [Move.of(2, date(2021, 7, 1), 4)], PARENTS)
    slices = Slices(places, DAY, (2020, 2021))
    days = np.array(
        [periods.day(d) for d in (date(2020, 5, 1), date(2021, 6, 30), date(2021, 7, 1))],
        dtype=np.int32,
    )
    for code, before in ((0, "/1/"), (2, "/1/4/2/3/"), (3, "/1/4/")):
        groups = slices.groups(np.full(3, code, dtype=np.int32), slices.of_days(days))
        found = pa.table(slices.describe(groups)).to_pydict()
        assert found["organization_id"] == [IDS[code]] * 3
        assert found["year"] == [2020, 2021, 2021]
        assert found["path"] == [before, before, PATHS[code]]
        assert found["superior_id"][2] == PARENTS[int(IDS[code])]
        # One row for a year that was spent in one place.
        assert (groups[1] == groups[2]) == (before == PATHS[code])


def in_force(number, path, settings, begin=date(2021, 1, 1), until=None, profile="xian"):
    return ProfileInForce(number, number, path, profile, begin, until, settings)


def test_settings_are_inherited_from_the_same_profile_above():
    root = in_force(1, "/1/", {"branch_size": "full_members", "adjust_days": "5"})
    other = in_force(2, "/1/2/", {"branch_size": "all_members"}, profile="jiaozuo")
    below = in_force(3, "/1/2/3/", {"adjust_days": "9"})
    aside = in_force(4, "/1/22/", {"adjust_days": "1"})
    rows = [root, other, below, aside]
    expected = {"branch_size": "full_members", "adjust_days": "9"}
    assert inherited(below, rows) == [(date(2021, 1, 1), None, expected)]
    assert inherited(other, rows) == [(date(2021, 1, 1), None, {"branch_size": "all_members"})]


def test_what_is_inherited_changes_on_the_day_it_changes_above():
    rows = [
        in_force(1, "/1/", {"adjust_days": "5"}, date(2020, 1, 1), date(2021, 6, 30)),
        in_force(2, "/1/", {"adjust_days": "7"}, date(2021, 7, 1), date(2021, 12, 31)),
        in_force(3, "/1/2/", {"large_branch": "30"}, date(2021, 1, 1)),
    ]
    own = {"large_branch": "30"}
    assert inherited(rows[2], rows) == [
        (date(2021, 1, 1), date(2021, 6, 30), {"adjust_days": "5", **own}),
        (date(2021, 7, 1), date(2021, 12, 31), {"adjust_days": "7", **own}),
        (date(2022, 1, 1), None, own),
    ]


def test_a_change_above_that_is_overridden_is_no_change():
    rows = [
        in_force(1, "/1/", {"adjust_days": "5"}, until=date(2021, 6, 30)),
        in_force(2, "/1/", {"adjust_days": "7"}, date(2021, 7, 1)),
        in_force(3, "/1/2/", {"adjust_days": "9"}, until=date(2021, 9, 30)),
    ]
    assert inherited(rows[2], rows) == [
        (date(2021, 1, 1), date(2021, 9, 30), {"adjust_days": "9"}),
    ]
