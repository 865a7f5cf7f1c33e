"""What people decided: it settles what records leave open, and the finding says so."""

from datetime import date

import pytest

DAY = date(2021, 3, 1)
REGISTER = {"items": ["decision_system"], "absent": "needs_judgement"}
MONTHLY = {"kinds": ["theme_day"], "per": "month", "min": 1}


@pytest.fixture
def found(judge):
    def found(check, parameters, *, period=None, judged_on=DAY, **facts):
        judgement = {
            "requirement": "x.matter.name",
            "part": None,
            "organization": "b",
            "subject_type": "organization",
            "subject": "b",
            "period": period,
            "verdict": "met",
            "reason": "查看了实物",
            "judged_by": "机关党委",
            "judged_on": judged_on,
        }
        branch = {"id": "b", "name": "支部", "kind": "branch"}
        rows = {"organizations": [branch], "judgements": [judgement], **facts}
        findings = judge(check, parameters, rows, DAY)
        return next(one for one in findings if one["period"] == period)

    return found


def test_what_a_person_decided_is_not_said_to_be_on_record(found):
    settled = found("register", REGISTER)
    assert settled["verdict"] == "met"
    assert settled["message"] == "“示例要求”：已由人认定为“符合”，理由见认定记录。"


def test_what_is_settled_is_no_longer_due(found):
    settled = found("count", MONTHLY, period="2021-03")
    assert (settled["verdict"], settled["due"]) == ("met", None)
    assert settled["message"].startswith("2021年3月“示例要求”：已由人认定")


def test_a_judgement_counts_from_its_day(found):
    assert found("register", REGISTER, judged_on=date(2021, 3, 2))["verdict"] == "needs_judgement"


def test_what_records_show_stands(found):
    attested = [{"organization": "b", "period": "2021-02", "attested_on": DAY}]
    shown = found("count", MONTHLY, period="2021-02", attestations=attested)
    assert shown["verdict"] == "not_met"
    assert "认定" not in shown["message"]
