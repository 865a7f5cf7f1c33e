"""Cases in which nobody is named: each a subject of its own, stored, explained and judged."""

from datetime import date

import pytest
import sqlalchemy as sa

from guiju.activities.operations import store_facts
from guiju.organizations.models import Organization
from guiju.scoring import queries
from guiju.tenancy.operations import enable_profile

REQUIREMENT = "shendingshan.member_admission.record"
#: What a person has decided about one case of the first branch.
JUDGED = {
    "requirement": REQUIREMENT,
    "organization": "c0",
    "subject_type": "case",
    "subject": "甲案",
    "verdict": "met",
    "judged_on": date(2021, 7, 1),
    "judged_by": "组织科",
    "reason": "该案按程序另行办理。",
}


def paper(organization: str, case: str) -> dict:
    kept = {"organization": organization, "kind": "application", "kept_on": date(2021, 6, 1)}
    return {**kept, "case": case}


@pytest.fixture
def cases(town, packs):
    """Two cases of one branch and one of another, which has the name of the first."""
    with town.scope(restricted=True), town.session() as session:
        c = session.scalars(sa.select(Organization.id).where(Organization.code == "c")).one()
        enable_profile(session, town.actor, c, "shendingshan", date(2021, 1, 1))
        papers = [paper("c0", "甲案"), paper("c0", "乙案"), paper("c1", "甲案")]
        store_facts(session, town.actor, {"documents": papers, "judgements": [JUDGED]})
    town.drain(packs)
    return town


def test_a_judgement_on_one_leaves_the_others_alone(cases, packs):
    within = [f"/{cases.number('root')}/"]
    with cases.scope(restricted=True), cases.session() as session:
        found = {}
        for branch in ("c0", "c1"):
            number = cases.number(branch)
            for view in queries.findings(session, packs, number, within=within):
                finding = view.finding
                if finding["requirement"] != REQUIREMENT:
                    continue
                subject = (finding["subject"]["type"], finding["subject"]["id"])
                found[branch, *subject] = finding["verdict"]
                explained = queries.explain(
                    session, packs, number, REQUIREMENT, within=within, subject=subject
                )
                assert explained.view.finding == finding
                assert explained.view.finding["organization"] == branch
        settled = queries.explain(
            session, packs, cases.number("c0"), REQUIREMENT, within=within, subject=("case", "甲案")
        )
    # What is met is counted, not kept.
    assert found == {("c0", "case", "乙案"): "pending", ("c1", "case", "甲案"): "pending"}
    assert settled.view.finding["verdict"] == "met"


def test_a_judgement_reaches_a_case_whose_papers_are_of_a_group_s_meeting(town, packs):
    """The branch answers for its group: the case is the branch's, and so is the judgement."""
    group = {"id": "c0g", "name": "第一党小组", "kind": "party_group", "parent": "c0"}
    meeting = {"id": "c0gm", "organization": "c0g", "kinds": ["party_group_meeting"]}
    hung = {"occasion": "c0gm", "kind": "application", "case": "丙案"}
    with town.scope(restricted=True), town.session() as session:
        c = session.scalars(sa.select(Organization.id).where(Organization.code == "c")).one()
        enable_profile(session, town.actor, c, "shendingshan", date(2021, 1, 1))
        rows = {
            "organizations": [group],
            "occasions": [{**meeting, "held_on": date(2021, 6, 1)}],
            "documents": [hung],
            "judgements": [{**JUDGED, "subject": "丙案"}],
        }
        store_facts(session, town.actor, rows)
    town.drain(packs)
    within = [f"/{town.number('root')}/"]
    with town.scope(restricted=True), town.session() as session:
        explained = queries.explain(
            session, packs, town.number("c0"), REQUIREMENT, within=within, subject=("case", "丙案")
        )
        pending = [
            view.finding["subject"]
            for view in queries.findings(session, packs, town.number("c0"), within=within)
            if view.finding["requirement"] == REQUIREMENT
        ]
    assert explained.view.finding["verdict"] == "met"
    assert explained.view.finding["organization"] == "c0"
    assert pending == []
