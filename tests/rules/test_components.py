"""Components of an activity: set ones, others, and a menu."""

from datetime import date

import pytest

BRANCH = [{"id": "b", "kind": "branch"}]
TWO_PLUS_X = {"kinds": ["theme_day"], "all": ["dues", "oath"], "others": 1}
MAY, JUNE = date(2021, 5, 7), date(2021, 6, 4)


def days(*held):
    return [
        {
            "id": f"o{number}",
            "organization": "b",
            "kinds": ["theme_day"],
            "held_on": day,
            "components": components,
        }
        for number, (day, components) in enumerate(held)
    ]


def run(judge, parameters, *held, as_of=date(2021, 7, 1), attested=(), **options):
    rows = {
        "organizations": BRANCH,
        "occasions": days(*held),
        "attestations": [
            {"organization": "b", "period": period, "attested_on": as_of} for period in attested
        ],
    }
    return judge("components", parameters, rows, as_of, **options).verdicts()


@pytest.mark.parametrize(
    ("components", "expected"),
    [
        (["dues", "oath", "study"], "met"),
        (["dues", "oath"], "not_met"),
        (["dues", "study", "service"], "not_met"),
        ([], "no_data"),
    ],
)
def test_each_occasion(judge, components, expected):
    assert run(judge, TWO_PLUS_X, (MAY, components)) == {"o0": expected}


def test_nothing_recorded_in_a_month_attested_complete_is_a_shortfall(judge):
    assert run(judge, TWO_PLUS_X, (MAY, []), attested=["2021-05"]) == {"o0": "not_met"}


def test_a_month_together(judge):
    parameters = {**TWO_PLUS_X, "per": "month"}
    found = run(judge, parameters, (MAY, ["dues", "oath"]), (date(2021, 5, 21), ["service"]))
    assert found["b 2021-05"] == "met"
    # Nothing was held in June: another rule's question.
    assert found["b 2021-06"] == "not_applicable"
    assert found["b 2021-07"] == "pending"
    assert run(judge, parameters, (MAY, ["dues"]))["b 2021-05"] == "not_met"
    assert run(judge, parameters, (JUNE, ["dues"]), as_of=date(2021, 6, 30))["b 2021-06"] == (
        "pending"
    )


def test_a_menu_asks_for_so_many_of_it(judge):
    menu = {"kinds": ["theme_day"], "menu": ["study", "service", "care"], "at_least": 2}
    assert run(judge, menu, (MAY, ["study", "care"])) == {"o0": "met"}
    assert run(judge, menu, (MAY, ["study", "dues"])) == {"o0": "not_met"}


def test_what_may_be_done_never_fails(judge):
    menu = {"kinds": ["theme_day"], "menu": ["service"], "per": "month"}
    found = run(judge, menu, (MAY, ["dues"]), strictness="may")
    assert set(found.values()) == {"not_applicable"}


def test_messages(judge):
    rows = {"organizations": BRANCH, "occasions": days((MAY, ["dues"]))}
    [finding] = judge("components", TWO_PLUS_X, rows)
    assert finding["message"] == (
        "2021年5月7日主题党日“示例要求”记录的内容是缴纳党费，缺少入党宣誓、其他活动 1 项。"
    )
