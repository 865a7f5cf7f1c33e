"""Deciding, giving reasons, objecting: what follows, what is kept, and who may not."""

import json
import re
from datetime import date

import pytest
import sqlalchemy as sa

from guiju.accounts.operations import create_user
from guiju.activities.operations import store_facts
from guiju.appraisals.models import judgements
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.decisions.models import Matter, MatterStep
from guiju.decisions.reviewing import review
from guiju.organizations.models import Organization
from guiju.scoring import queries
from guiju.scoring.operations import drain

ACTOR = Actor("test")
PASSWORD = "Plain-words-2021"
AS_OF = date(2021, 11, 10)
#: What records leave open at every branch; each test takes a unit and requirement of its own.
SYSTEM = "xian.main.decision_making.system"
POINTS = "xian.main.member_points.rollout"
BIRTHDAYS = "xian.main.political_birthday.rollout"
GROUPS = "xian.branch_setup.party_groups"
FRONT_LINE = "xian.agency.branch_setup.front_line"
REASON = "查阅了支委会的议事记录，制度已经建立。"


@pytest.fixture(scope="module")
def packs(app):
    return app.extensions["guiju_plugins"].packs


@pytest.fixture(scope="module")
def ours(create_office, engine, packs):
    """An office of these tests' own, judged, with a second official and more people in it."""
    office = create_office(recorded=True)
    at = "@" + office.tenant.sign_in_name.partition("@")[2]
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        for name, role, unit in (
            ("deputy", "reviewer", "root"),
            ("second", "recorder", "finance-2"),
            ("elsewhere", "administrator", "justice"),
        ):
            unit_id = office.units[unit]
            create_user(session, ACTOR, name, name, [(role, unit_id)], password=PASSWORD)
            office.users[name] = name + at
    drain(engine, packs, office.tenant.tenant_id, AS_OF, reason="test")
    return office


@pytest.fixture(scope="module")
def client(ours, sign_in):
    """A client signed in as somebody of the office."""
    known = {}
    return lambda name: known.setdefault(name, sign_in(name, ours))


@pytest.fixture(scope="module")
def look(ours, engine):
    """Ask something of the office's tables."""

    def look(question, *, restricted=False):
        scope = tenant_scope(ours.tenant.tenant_id, restricted=restricted)
        with scope, ScopedSession(engine) as session:
            return question(session)

    return look


@pytest.fixture
def judge(ours, engine, packs):
    return lambda: drain(engine, packs, ours.tenant.tenant_id, AS_OF, reason="test")


@pytest.fixture
def matters(ours, look):
    """The matters about a unit's requirement."""

    def matters(unit, requirement):
        mine = sa.select(Matter).where(
            Matter.organization_id == ours.units[unit], Matter.requirement == requirement
        )
        return look(lambda session: session.scalars(mine).all())

    return matters


def address(ours, unit, requirement, period=None):
    query = f"?period={period}" if period else ""
    return f"/organizations/{ours.units[unit]}/findings/{requirement}{query}"


def hidden(text: str, name: str) -> str:
    return re.search(rf'name="{name}" value="([^"]*)"', text)[1]


@pytest.fixture
def act(ours):
    """Fill in a form of a finding's page and press its button."""

    def act(client, unit, requirement, action, *, period=None, **given):
        page = client.get(address(ours, unit, requirement, period)).text
        names = ("csrf_token", "part", "period", "basis", "matter", "revision")
        fields = {name: hidden(page, name) for name in names}
        fields |= {"action": action, **given}
        return client.post(address(ours, unit, requirement).partition("?")[0], data=fields)

    return act


def verdict_of(look, packs, ours, unit, requirement, period=None):
    def ask(session):
        found = queries.findings(session, packs, ours.units[unit], within=["/"], year=2021)
        return [
            view.verdict
            for view in found
            if (view.finding["requirement"], view.finding["period"]) == (requirement, period)
        ]

    return look(ask)


def test_a_decision_settles_what_records_leave_open(client, ours, act, look, judge, packs, matters):
    department, here = client("department"), address(ours, "finance-1", SYSTEM)
    desk = f"/organizations/{ours.units['root']}/desk"
    assert here in department.get(desk).text

    answer = act(department, "finance-1", SYSTEM, "decide", verdict="met", reason=REASON)
    assert answer.status_code == 302
    judge()

    assert verdict_of(look, packs, ours, "finance-1", SYSTEM) == ["met"]
    assert here not in department.get(desk).text
    assert REASON in department.get(here).text
    [matter] = matters("finance-1", SYSTEM)
    assert (matter.state, matter.verdict, matter.decided_by) == ("decided", "met", "department")
    assert matter.snapshot["verdict"] == "needs_judgement"
    assert matter.snapshot["clause"]
    entry = sa.select(AuditEntry).where(
        AuditEntry.action == "finding.decide", AuditEntry.subject == str(matter.id)
    )
    assert look(lambda session: session.scalars(entry).one()).after["reason"] == REASON


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"verdict": "met", "reason": " "}, "请写明情况或理由"),
        ({"verdict": "", "reason": REASON}, "请选择认定的结论"),
        ({"verdict": "pending", "reason": REASON}, "请选择认定的结论"),
        ({"verdict": "met", "reason": "长" * 2001}, "请写明情况或理由"),
    ],
)
def test_what_is_missing_is_said_at_its_field(client, act, matters, given, message):
    answer = act(client("department"), "finance-1", POINTS, "decide", **given)
    assert answer.status_code == 422
    assert message in answer.text
    assert given["reason"] in answer.text
    assert matters("finance-1", POINTS) == []


def test_a_decision_upon_facts_that_have_changed_is_refused(client, act, matters):
    given = {"verdict": "met", "reason": REASON, "basis": "0" * 32}
    answer = act(client("department"), "finance-1", POINTS, "decide", **given)
    assert answer.status_code == 409
    assert "情况已有变化" in answer.text
    assert REASON in answer.text
    assert matters("finance-1", POINTS) == []


def test_the_second_of_two_is_told(client, ours, act, matters):
    department, deputy = client("department"), client("deputy")
    here = address(ours, "finance-1", BIRTHDAYS)
    page = deputy.get(here).text
    names = ("csrf_token", "part", "period", "basis", "matter", "revision")
    fields = {name: hidden(page, name) for name in names}
    act(department, "finance-1", BIRTHDAYS, "decide", verdict="met", reason=REASON)
    fields |= {"action": "decide", "verdict": "not_met", "reason": "没有看到制度文本。"}
    answer = deputy.post(here, data=fields)
    assert answer.status_code == 409
    assert "情况已有变化" in answer.text
    assert [matter.verdict for matter in matters("finance-1", BIRTHDAYS)] == ["met"]


@pytest.mark.parametrize(
    ("name", "unit", "status"),
    [
        ("committee", "finance-1", 403),
        ("secretary", "finance-1", 403),
        ("elsewhere", "finance-1", 404),
        ("second", "finance-1", 404),
        ("auditor", "finance-1", 404),
        # One's own unit is for who is above it.
        ("elsewhere", "justice", 403),
    ],
)
def test_who_may_not_decide(client, ours, matters, name, unit, status):
    requirement = "xian.main.demonstration.branches" if unit == "justice" else POINTS
    here = address(ours, unit, requirement)
    somebody = client(name)
    fields = {
        "csrf_token": hidden(somebody.get("/notices").text, "csrf_token"),
        "basis": hidden(client("department").get(here).text, "basis"),
        "revision": "0",
        "action": "decide",
        "verdict": "met",
        "reason": REASON,
    }
    assert somebody.post(here, data=fields).status_code == status
    assert 'value="decide"' not in somebody.get(here).text
    assert matters(unit, requirement) == []


def test_nothing_of_another_tenant(ours, judged, sign_in):
    stranger = sign_in("department", judged)
    own = f"/organizations/{judged.units['root']}"
    token = hidden(stranger.get(f"{own}/desk").text, "csrf_token")
    for page in ("desk", "desk/matters", "tasks"):
        there = f"/organizations/{ours.units['root']}/{page}"
        for address in (there, f"{there}?format=csv", f"{there}?format=xlsx"):
            assert stranger.get(address).status_code == 404
    item = json.dumps([ours.units["finance-1"], SYSTEM, None, None])
    given = {"csrf_token": token, "item": item, "verdict": "met", "reason": REASON}
    assert stranger.post(f"{own}/desk", data=given).status_code == 404
    given = {"csrf_token": token, "item": item, "kind": "remind"}
    assert stranger.post(f"{own}/tasks", data=given).status_code == 404


def test_a_deviation_is_explained_and_accepted(client, ours, act, look, judge, packs, matters):
    requirement, period = "xian.branch_assembly.quarterly", "2021-Q2"
    desk = f"/organizations/{ours.units['root']}/desk?verdict=deviation"
    here = address(ours, "finance-2", requirement, period)
    department = client("department")
    assert here in department.get(desk).text
    text = "五月因防汛停会，六月已补开。"
    where = ("finance-2", requirement)
    answer = act(client("second"), *where, "explain", reason=text, period=period)
    assert answer.status_code == 302
    assert "已说明理由，待答复" in department.get(desk).text
    assert text in department.get(here).text
    answer = act(department, *where, "accept", reason="情况属实。", period=period)
    assert answer.status_code == 302
    judge()
    # It is what it is; but nobody has to do anything about it any more.
    assert verdict_of(look, packs, ours, *where, period) == ["deviation"]
    assert here not in department.get(desk).text
    [matter] = matters(*where)
    steps = sa.select(MatterStep.action).where(MatterStep.matter_id == matter.id)
    assert look(lambda session: session.scalars(steps).all()) == ["explain", "accept"]


def test_what_a_group_deviates_in_is_answered_once(create_office, sign_in, engine, packs):
    office = create_office(recorded=True)
    group = {"id": "g", "name": "第一党小组", "kind": "party_group", "parent": "finance-2"}
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        store_facts(session, ACTOR, {"organizations": [group]})
        units = sa.select(Organization.id).where(Organization.code == "g")
        office.units["g"] = session.scalars(units).one()
    drain(engine, packs, office.tenant.tenant_id, AS_OF, reason="test")
    department = sign_in("department", office)
    desk = f"/organizations/{office.units['g']}/desk?verdict=deviation"
    listed = re.compile(rf"/organizations/{office.units['g']}/cells/([\w.]+)\?period=([\w-]+)")
    (requirement, period), *others = listed.findall(department.get(desk).text)
    page = department.get(address(office, "g", requirement, period)).text
    names = ("csrf_token", "part", "period", "basis", "matter", "revision")
    fields = {name: hidden(page, name) for name in names}
    fields |= {"action": "accept", "reason": "属实。"}
    assert department.post(address(office, "g", requirement), data=fields).status_code == 302
    drain(engine, packs, office.tenant.tenant_id, AS_OF, reason="test")
    assert listed.findall(department.get(desk).text) == others


def test_who_decided_does_not_answer_the_appeal(client, ours, act, look, judge, packs, matters):
    department, deputy, branch = map(client, ("department", "deputy", "second"))
    where = ("finance-2", SYSTEM)
    act(department, *where, "decide", verdict="not_met", reason="没有看到制度文本。")
    judge()
    assert verdict_of(look, packs, ours, *where) == ["not_met"]

    objection = "制度文本在党务公开栏，附有照片。"
    assert act(branch, *where, "appeal", reason=objection).status_code == 302
    waiting = f"/organizations/{ours.units['root']}/desk/matters?waiting=1"
    assert "有异议，待复核" in deputy.get(waiting).text
    # Neither who decided nor who objected.
    [matter] = matters(*where)
    for somebody in (department, branch):
        for action in ("reject", "uphold"):
            fields = {
                "csrf_token": hidden(somebody.get("/notices").text, "csrf_token"),
                "matter": matter.id,
                "revision": matter.revision,
                "action": action,
                "reason": REASON,
            }
            answer = somebody.post(address(ours, *where), data=fields)
            assert answer.status_code == 403

    assert act(deputy, *where, "uphold", reason="现场看到了文本。").status_code == 302
    judge()
    assert verdict_of(look, packs, ours, *where) == ["needs_judgement"]
    gone = sa.select(judgements).where(judgements.c.organization_id == ours.units["finance-2"])
    assert look(lambda session: session.execute(gone).all()) == []
    page = branch.get(address(ours, *where)).text
    for text in ("没有看到制度文本。", objection, "现场看到了文本。"):
        assert text in page


def test_an_appeal_that_is_rejected_leaves_the_decision(client, act, matters):
    where = ("finance-2", POINTS)
    act(client("department"), *where, "decide", verdict="not_met", reason=REASON)
    act(client("second"), *where, "appeal", reason="我们不同意。")
    assert act(client("deputy"), *where, "reject", reason="文本不完整。").status_code == 302
    assert [(m.state, m.verdict) for m in matters(*where)] == [("decided", "not_met")]


def test_a_decision_is_reopened(client, ours, act, look, judge, packs):
    department, where = client("department"), ("finance-2", BIRTHDAYS)
    act(department, *where, "decide", verdict="met", reason=REASON)
    page = department.get(address(ours, *where)).text
    assert act(department, *where, "reopen", reason="看错了单位。").status_code == 302
    judge()
    assert verdict_of(look, packs, ours, *where) == ["needs_judgement"]
    # A form that was opened before is no longer good.
    names = ("csrf_token", "part", "period", "basis", "matter", "revision")
    fields = {name: hidden(page, name) for name in names}
    fields |= {"action": "reopen", "reason": "再撤一次。"}
    assert department.post(address(ours, *where), data=fields).status_code == 409


def test_a_decision_upon_other_facts_comes_back(client, ours, act, judge, packs, engine, matters):
    department, where = client("department"), ("justice-1", SYSTEM)
    act(department, *where, "decide", verdict="not_met", reason=REASON)
    judge()

    def look_again():
        scope = tenant_scope(ours.tenant.tenant_id, restricted=True)
        with scope, ScopedSession(engine) as session:
            return review(session, packs)

    assert look_again() > 0
    assert look_again() == 0
    assert [matter.changed for matter in matters(*where)] == [False]

    with tenant_scope(ours.tenant.tenant_id), ScopedSession(engine) as session:
        entry = {
            "organization": "justice-1",
            "item": "decision_system",
            "since_on": date(2021, 1, 1),
        }
        store_facts(session, ACTOR, {"register": [entry]})
    judge()
    assert look_again() == 1
    assert [matter.changed for matter in matters(*where)] == [True]
    waiting = department.get(f"/organizations/{ours.units['root']}/desk/matters?waiting=1")
    assert "事实已变化" in waiting.text
    assert "请复核" in department.get(address(ours, *where)).text


def selection(ours, requirement, *units):
    return [json.dumps([ours.units[unit], requirement, None, None]) for unit in units]


def desk_form(client, ours, **given):
    where = f"/organizations/{ours.units['root']}/desk"
    token = hidden(client.get(where).text, "csrf_token")
    return client.post(where, data={"csrf_token": token, **given})


def test_several_are_decided_with_one_reason(client, ours, matters, look):
    units = ("finance-1", "finance-2", "justice-1")
    items = selection(ours, GROUPS, *units)
    answer = desk_form(client("department"), ours, item=items, verdict="met", reason=REASON)
    assert answer.status_code == 302
    for unit in units:
        [matter] = matters(unit, GROUPS)
        steps = sa.select(MatterStep.text).where(MatterStep.matter_id == matter.id)
        assert look(lambda session, steps=steps: session.scalars(steps).all()) == [REASON]
    given = sa.select(judgements).where(judgements.c.requirement == GROUPS)
    assert len(look(lambda session: session.execute(given).all())) == 3


def test_a_batch_is_all_or_nothing(client, ours, matters):
    mixed = [
        *selection(ours, FRONT_LINE, "finance-1"),
        *selection(ours, POINTS, "justice-1"),
    ]
    given = {"verdict": "met", "reason": REASON}
    answer = desk_form(client("department"), ours, item=mixed, **given)
    assert answer.status_code == 422
    assert "一次只能认定同一项要求的事项" in answer.text
    assert REASON in answer.text
    mine = selection(ours, FRONT_LINE, "finance-1")
    for items, status in (
        ([*mine, json.dumps([2**40, FRONT_LINE, None, None])], 404),
        ([*mine, *selection(ours, FRONT_LINE, "finance")], 404),
        (["x"], 400),
        (["[1]"], 400),
        (['["1", 2, 3, 4]'], 400),
        ([json.dumps([2**70, FRONT_LINE, None, None])], 404),
        ([json.dumps([ours.units["finance-1"], "no.such.requirement", None, None])], 404),
        ([json.dumps([ours.units["finance-1"], FRONT_LINE, None, "2021-99"])], 404),
        ([], 422),
    ):
        answer = desk_form(client("department"), ours, item=items, **given)
        assert answer.status_code == status, items
    assert matters("finance-1", FRONT_LINE) == []


def test_a_forged_subject_is_not_there(client, ours, act, matters):
    department = client("department")
    for subject_type, subject in (
        ("organization", "finance-2"),
        ("member", "nobody"),
        ("moon", "x"),
    ):
        forged = {"subject_type": subject_type, "subject": subject}
        query = f"?subject_type={subject_type}&subject={subject}"
        there = address(ours, "finance-1", POINTS) + query
        assert department.get(there).status_code == 404
        given = {"verdict": "met", "reason": REASON, **forged}
        answer = act(department, "finance-1", POINTS, "decide", **given)
        assert answer.status_code == 404
    assert matters("finance-1", POINTS) == []


def test_decisions_about_members_show_only_where_asked_for(client, ours, look, matters, engine):
    tenant_id, requirement = ours.tenant.tenant_id, "xian.theme_day.five"
    with tenant_scope(tenant_id, restricted=True), ScopedSession(engine) as session:
        session.add(
            Matter(
                organization_id=ours.units["finance-1"],
                profile="xian",
                requirement=requirement,
                subject_type="member",
                subject="finance-1-3",
                year=2021,
                place=15,
                about_people=True,
                state="explained",
                explanation="本人住院。",
            )
        )
        session.commit()
    assert matters("finance-1", requirement) == []
    mine = sa.select(Matter).where(Matter.requirement == requirement)
    assert len(look(lambda session: session.scalars(mine).all(), restricted=True)) == 1
    made = f"/organizations/{ours.units['finance-1']}/desk/matters?waiting=1"
    department = client("department")
    assert "没有等待复核的事项" in department.get(made).text
    assert client("committee").get(f"{made}&people=1").status_code == 404
    assert "待答复" in department.get(f"{made}&people=1").text
    read = sa.select(AuditEntry.after).where(
        AuditEntry.action == "restricted.read",
        AuditEntry.user_id.is_not(None),
    )
    assert {"reason": "finance-1 matters"} in look(lambda session: session.scalars(read).all())


@pytest.mark.parametrize("page", ["desk", "desk/matters", "tasks", "attention"])
def test_lists_take_as_many_queries_for_many_as_for_few(statements, client, ours, page):
    asking = client("department")
    at = [f"/organizations/{ours.units[unit]}/{page}" for unit in ("finance-2", "finance", "root")]
    asking.get(at[0])
    counted = [statements(lambda address=address: asking.get(address)) for address in at]
    assert len(set(counted)) == 1, counted
