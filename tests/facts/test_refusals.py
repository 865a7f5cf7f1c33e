"""Contradictions and wrong values in an otherwise sound document: found where they are."""

import pytest

from guiju import facts
from guiju.facts import limits


def test_sound(document, as_json):
    assert facts.read(as_json(document)).counts()["attendance"] == 8


def change(table, row, **values):
    def apply(document):
        document[table][row] |= values

    return apply


def add(table, **values):
    def apply(document):
        document.setdefault(table, []).append(values)

    return apply


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        # Values
        (change("organizations", 0, id=7), ("/organizations/0/id", "wrong_type")),
        (change("organizations", 0, name=None), ("/organizations/0/name", "missing_value")),
        (change("organizations", 0, name=" "), ("/organizations/0/name", "missing_value")),
        (change("organizations", 0, name="长" * 501), ("/organizations/0/name", "too_long")),
        (change("organizations", 0, name="a\x00b"), ("/organizations/0/name", "control_character")),
        (change("organizations", 0, kind="党委委"), ("/organizations/0/kind", "unknown_code")),
        (
            change("organizations", 0, has_committee=1),
            ("/organizations/0/has_committee", "wrong_type"),
        ),
        (
            change("organizations", 0, has_committee="是"),
            ("/organizations/0/has_committee", "wrong_type"),
        ),
        (change("occasions", 0, held_on="2021-02-29"), ("/occasions/0/held_on", "wrong_type")),
        (change("occasions", 0, held_on="2021-3-5"), ("/occasions/0/held_on", "wrong_type")),
        (change("occasions", 0, held_on="20210305"), ("/occasions/0/held_on", "wrong_type")),
        (
            change("occasions", 0, planned_on="1920-12-31"),
            ("/occasions/0/planned_on", "out_of_range"),
        ),
        (
            change("occasions", 0, planned_on="2201-01-01"),
            ("/occasions/0/planned_on", "out_of_range"),
        ),
        (change("occasions", 0, expected=3.0), ("/occasions/0/expected", "wrong_type")),
        (change("occasions", 0, expected=True), ("/occasions/0/expected", "wrong_type")),
        (change("occasions", 0, expected="3"), ("/occasions/0/expected", "wrong_type")),
        (change("occasions", 0, for_year=-1), ("/occasions/0/for_year", "out_of_range")),
        (change("occasions", 0, for_year=10**30), ("/occasions/0/for_year", "out_of_range")),
        (change("occasions", 0, start_minute=1440), ("/occasions/0/start_minute", "out_of_range")),
        (change("occasions", 0, kinds="theme_day"), ("/occasions/0/kinds", "wrong_type")),
        (change("occasions", 0, kinds=[]), ("/occasions/0/kinds", "missing_value")),
        (change("occasions", 0, kinds=["theme_day", 1]), ("/occasions/0/kinds", "wrong_type")),
        (change("occasions", 0, kinds=[["theme_day"]]), ("/occasions/0/kinds", "wrong_type")),
        (change("occasions", 0, kinds=[{"a": 1}]), ("/occasions/0/kinds", "wrong_type")),
        (change("occasions", 0, theme={"a": {}}), ("/occasions/0/theme", "wrong_type")),
        (change("occasions", 0, theme=float("nan")), ("/occasions/0/theme", "wrong_type")),
        (change("dues", 0, month="2021"), ("/dues/0/month", "wrong_type")),
        (change("attestations", 0, period="2021-Q5"), ("/attestations/0/period", "wrong_type")),
        (change("attestations", 0, period="1900-Q1"), ("/attestations/0/period", "wrong_type")),
        # References
        (change("organizations", 1, parent="zz"), ("/organizations/1/parent", "unknown_reference")),
        (change("occasions", 0, chair="p9"), ("/occasions/0/chair", "unknown_reference")),
        (
            change("occasions", 0, merged_with=["o2", "o9"]),
            ("/occasions/0/merged_with", "unknown_reference"),
        ),
        (change("documents", 0, occasion="o9"), ("/documents/0/occasion", "unknown_reference")),
        # Ids
        (
            add("organizations", id="b2", name="又一个", kind="branch"),
            ("/organizations/4/id", "duplicate"),
        ),
        (change("occasions", 2, id="o；3"), ("/occasions/2/id", "separator_in_id")),
        (
            add("attendance", occasion="o1", person="p1", status="remote"),
            ("/attendance/8/person", "duplicate"),
        ),
        (add("settings", key="first_friday", value="x"), ("/settings/1/key", "duplicate")),
        (
            add("attestations", organization="b1", period="2021-Q1", attested_on="2021-05-01"),
            ("/attestations/1/period", "duplicate"),
        ),
        # The tree
        (change("organizations", 0, parent="dw"), ("/organizations/0/parent", "cycle")),
        (change("organizations", 0, parent="g1"), ("/organizations/0/parent", "cycle")),
        # Times
        (
            change("organizations", 1, opened_on="2022-01-01"),
            ("/organizations/1/closed_on", "days_out_of_order"),
        ),
        (change("posts", 0, until_on="2019-12-31"), ("/posts/0/until_on", "days_out_of_order")),
        (change("members", 2, from_on="2021-06-30"), ("/members/2/from_on", "two_branches")),
        (change("members", 1, until_on=None), ("/members/2/from_on", "two_branches")),
        (
            add(
                "members",
                id="p3",
                organization="b2",
                membership_class="probationary",
                from_on="2021-01-01",
            ),
            ("/members/4/from_on", "overlap"),
        ),
        (
            add("posts", person="p1", organization="b1", post="secretary", from_on="2021-01-01"),
            ("/posts/2/from_on", "overlap"),
        ),
        (change("terms", 1, elected_on="2019-04-30"), ("/terms/1/elected_on", "overlap")),
        (change("terms", 1, next_elected_on=None), ("/terms/2/elected_on", "overlap")),
        (
            change("occasions", 0, held_on="2022-01-01"),
            ("/occasions/0/held_on", "organization_not_open"),
        ),
        (
            change("occasions", 3, organization="b1", held_on="2018-12-31"),
            ("/occasions/3/held_on", "organization_not_open"),
        ),
        # Counts
        (change("votes", 0, ayes=4), ("/votes/0/ayes", "more_than_whole")),
        (change("votes", 0, should_attend=4), ("/votes/0/present", "more_than_whole")),
        (
            change("occasions", 0, voting_present=2),
            ("/occasions/0/voting_present", "more_than_whole"),
        ),
        # Who and what
        (
            add("attendance", occasion="o1", status="present"),
            ("/attendance/8/person", "missing_value"),
        ),
        (
            add("attendance", occasion="o1", person="p3", status="present"),
            ("/attendance/8/person", "not_on_roster"),
        ),
        (
            add("attendance", occasion="o1", person="x1", status="present"),
            ("/attendance/8/person", "not_on_roster"),
        ),
        (change("attendance", 0, occasion="o2"), ("/attendance/0/person", "not_on_roster")),
        (add("documents", kind="minutes"), ("/documents/1/occasion", "missing_value")),
        (
            add("appraisals", subject_type="member", organization="b1", year=2021),
            ("/appraisals/0/person", "missing_value"),
        ),
    ],
)
def test_found_where_it_is(spoil, expected, document, as_json, refused):
    spoil(document)
    assert expected in refused(as_json(document))


def test_a_unit_without_id_is_nobodys_superior(document, as_json, refused):
    add("organizations", id=None, name="无编号", kind="branch")(document)
    add("organizations", id=None, name="又一个", kind="branch")(document)
    found = refused(as_json(document))
    assert {code for _place, code in found} == {"missing_value"}


@pytest.mark.parametrize(
    "allowed",
    [
        add("attendance", occasion="o1", person="p3", status="present", person_class="superior"),
        change("members", 2, from_on="2021-07-02"),
        change("occasions", 0, held_on="2021-12-31", merged_with=[]),
        add("posts", person="p1", organization="b1", post="secretary", oversees="b2"),
        add("votes", occasion="o1", item="1", should_attend=6, present=6, ayes=6),
    ],
)
def test_allowed(allowed, document, as_json):
    del document["attendance"][1]
    del document["attendance"][2]
    allowed(document)
    facts.read(as_json(document))


def test_a_refused_value_draws_no_second_complaint(document, as_json, refused):
    document["members"][2]["from_on"] = "2021-07-32"
    document["organizations"][1]["kind"] = "x"
    document["occasions"][1]["held_on"] = "soon"
    assert refused(as_json(document)) == [
        ("/organizations/1/kind", "unknown_code"),
        ("/members/2/from_on", "wrong_type"),
        ("/occasions/1/held_on", "wrong_type"),
    ]


def test_an_unknown_person_is_not_also_missed_on_the_roster(document, as_json, refused):
    document["attendance"][0]["person"] = "p9"
    assert refused(as_json(document)) == [("/attendance/0/person", "unknown_reference")]


def test_tree_too_deep(as_json, refused):
    rows = [{"id": "o0", "name": "甲", "kind": "unit"}]
    for level in range(1, limits.TREE_DEPTH + 1):
        rows.append({"id": f"o{level}", "name": "甲", "kind": "unit", "parent": f"o{level - 1}"})
    facts.read(as_json({"organizations": rows[:-1]}))
    last = f"/organizations/{limits.TREE_DEPTH}/parent"
    assert refused(as_json({"organizations": rows})) == [(last, "tree_too_deep")]


def test_every_cycle_is_named_once(as_json):
    parents = {"a": "b", "b": "c", "c": "a", "d": "a", "e": "f", "f": "e", "g": None}
    rows = [{"id": i, "name": i, "kind": "unit", "parent": p} for i, p in parents.items()]
    with pytest.raises(facts.FactsError) as caught:
        facts.read(as_json({"organizations": rows}))
    assert [p.found for p in caught.value.problems] == [
        "上下级成了一个圈：a → b → c → a",
        "上下级成了一个圈：e → f → e",
    ]


def test_the_listing_ends_and_the_rest_is_counted(as_json):
    rows = [{"key": f"k{number}", "value": ""} for number in range(1500)]
    with pytest.raises(facts.FactsError) as caught:
        facts.read(as_json({"settings": [*rows, {"key": "k0", "value": "v"}]}))
    assert len(caught.value.problems) == limits.LISTED_PROBLEMS
    assert caught.value.omitted == 501
    assert caught.value.problems[0].place.endswith("/settings/0/value")


def test_problems_come_in_the_order_of_tables_and_rows(document, as_json, refused):
    document["votes"][0]["ayes"] = -1
    document["members"][3]["membership_class"] = "x"
    document["members"][0]["voting"] = "x"
    places = [place for place, _code in refused(as_json(document))]
    assert places == ["/members/0/voting", "/members/3/membership_class", "/votes/0/ayes"]
