"""Windows: months of the year, and one weekday of the month with its holidays."""

from datetime import date

import pytest

from guiju.rules.calendars import Calendar

BRANCH = [{"id": "b", "kind": "branch"}]
Q4 = {"kinds": ["organizational_life_meeting"], "per": "year", "months": [10, 11, 12]}
FRIDAY = {"kinds": ["theme_day"], "per": "month", "weekday": "friday"}


def held(kind, *days, **more):
    return [
        {"id": f"o{number}", "organization": "b", "kinds": [kind], "held_on": day, **more}
        for number, day in enumerate(days)
    ]


def run(judge, parameters, occasions, as_of, period, attested=(), **options):
    rows = {
        "organizations": BRANCH,
        "occasions": occasions,
        "attestations": [
            {"organization": "b", "period": label, "attested_on": as_of} for label in attested
        ],
    }
    judged = judge("window", parameters, rows, as_of, strictness="general", **options)
    [finding] = [finding for finding in judged if finding["period"] == period]
    return finding


NEXT_YEAR = date(2022, 1, 1)


@pytest.mark.parametrize(
    ("day", "as_of", "expected"),
    [
        (date(2021, 10, 1), NEXT_YEAR, "met"),
        (date(2021, 12, 31), NEXT_YEAR, "met"),
        (date(2021, 9, 30), NEXT_YEAR, "deviation"),
        # Held early, but the window is still open.
        (date(2021, 9, 30), date(2021, 12, 31), "pending"),
        (date(2022, 1, 1), NEXT_YEAR, "no_data"),
    ],
)
def test_months_of_the_year(judge, day, as_of, expected):
    meetings = held("organizational_life_meeting", day)
    assert run(judge, Q4, meetings, as_of, "2021")["verdict"] == expected


def test_nothing_held_in_a_complete_year_is_another_rules_question(judge):
    assert run(judge, Q4, [], NEXT_YEAR, "2021", ["2021"])["verdict"] == "not_applicable"


def test_another_time_with_a_reason(judge):
    meetings = held("organizational_life_meeting", date(2021, 5, 1), outside_reason="专项教育")
    assert run(judge, Q4, meetings, NEXT_YEAR, "2021")["verdict"] == "deviation"
    allowing = {**Q4, "reason_allows": True}
    assert run(judge, allowing, meetings, NEXT_YEAR, "2021")["verdict"] == "met"


def test_a_campaigns_meeting_is_left_to_the_superiors_document(judge):
    meetings = held("organizational_life_meeting", date(2021, 5, 1), campaign_document="示例1号")
    exempt = {**Q4, "campaign_exempt": True}
    assert run(judge, exempt, meetings, NEXT_YEAR, "2021")["verdict"] == "not_applicable"


def test_the_year_that_a_meeting_is_held_for(judge):
    meetings = held("organizational_life_meeting", date(2022, 1, 10), for_year=2021)
    as_of = date(2022, 2, 1)
    assert run(judge, Q4, meetings, as_of, "2021")["verdict"] == "no_data"
    labelled = {**Q4, "year_by": "label"}
    assert run(judge, labelled, meetings, as_of, "2021")["verdict"] == "deviation"
    # One meeting never serves two years.
    assert run(judge, labelled, meetings, as_of, "2022")["verdict"] == "pending"


@pytest.mark.parametrize(
    ("year", "month", "first", "full"),
    [
        (2021, 1, "2021-01-01", "2021-01-08"),
        (2021, 2, "2021-02-05", "2021-02-05"),
        (2020, 2, "2020-02-07", "2020-02-07"),
        (2020, 5, "2020-05-01", "2020-05-08"),
        (2021, 8, "2021-08-06", "2021-08-06"),
        (2021, 10, "2021-10-01", "2021-10-08"),
    ],
)
def test_the_friday_of_the_first_week(judge, year, month, first, full):
    label, as_of = f"{year}-{month:02d}", date(year, month, 28)
    assert run(judge, FRIDAY, [], as_of, label)["required"] == first
    assert run(judge, {**FRIDAY, "week": "full_week"}, [], as_of, label)["required"] == full


# A holiday on Friday, 4 June 2021, and a working weekend after it.
INVENTED = Calendar(
    years=frozenset({2021}),
    holidays=frozenset({18782, 18783, 18784}),
    workdays=frozenset({18790}),
)


@pytest.mark.parametrize(
    ("policy", "day", "expected"),
    [
        ("needs_judgement", date(2021, 6, 4), "met"),
        ("needs_judgement", date(2021, 6, 11), "needs_judgement"),
        ("next_weekday", date(2021, 6, 11), "met"),
        ("next_weekday", date(2021, 6, 7), "deviation"),
        ("next_working_day", date(2021, 6, 7), "met"),
        ("next_working_day", date(2021, 6, 11), "deviation"),
    ],
)
def test_a_holiday(judge, policy, day, expected):
    parameters = {**FRIDAY, "on_holiday": policy}
    finding = run(
        judge, parameters, held("theme_day", day), date(2021, 7, 1), "2021-06", calendar=INVENTED
    )
    assert finding["verdict"] == expected


def test_a_year_without_a_calendar_warns_and_judges_nothing_by_holidays(judge):
    rows = {"organizations": BRANCH, "occasions": held("theme_day", date(2021, 6, 11))}
    judged = judge("window", FRIDAY, rows, date(2021, 7, 1), calendar=Calendar())
    assert judged.verdicts()["b 2021-06"] == "needs_judgement"
    assert "没有 2019、2020、2021 年的节假日安排，“示例要求”遇其他日期由人认定。" in judged.warnings
    on_the_day = {**rows, "occasions": held("theme_day", date(2021, 6, 4))}
    judged = judge("window", FRIDAY, on_the_day, date(2021, 7, 1), calendar=Calendar())
    assert judged.verdicts()["b 2021-06"] == "met"


def test_a_filed_plans_day(judge):
    meetings = held("theme_day", date(2021, 6, 10), planned_on=date(2021, 6, 10))
    as_of = date(2021, 7, 1)
    assert run(judge, FRIDAY, meetings, as_of, "2021-06")["verdict"] == "deviation"
    planned = {**FRIDAY, "accept_plan": True}
    assert run(judge, planned, meetings, as_of, "2021-06")["verdict"] == "met"


@pytest.mark.parametrize(
    ("as_of", "expected", "due"),
    [
        (date(2021, 6, 4), "pending", "2021-06-04"),
        (date(2021, 6, 5), "pending", "2021-06-30"),
        (date(2021, 7, 1), "no_data", None),
    ],
)
def test_before_and_after_the_day(judge, as_of, expected, due):
    finding = run(judge, FRIDAY, [], as_of, "2021-06")
    assert (finding["verdict"], finding["due"]) == (expected, due)


def test_messages(judge):
    meetings = held("theme_day", date(2021, 6, 10))
    assert run(judge, FRIDAY, meetings, date(2021, 7, 1), "2021-06")["message"] == (
        "2021年6月“示例要求”于2021年6月10日举行，不在规定的2021年6月4日；属于一般要求，请说明原因。"
    )
