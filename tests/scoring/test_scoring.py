"""Stored findings are those of a plain evaluation, whatever way they came about."""

from collections import Counter
from datetime import date
from functools import partial
from itertools import groupby

import numpy as np
import pytest
import sqlalchemy as sa

from guiju.activities.operations import record_occasion, store_facts
from guiju.organizations.models import DirtyMark, Organization
from guiju.organizations.operations import add_member, appoint, move_organization
from guiju.rules.engine import compile_rules, evaluate
from guiju.rules.facts import Facts
from guiju.scoring import operations, queries, views
from guiju.scoring.models import ScoringRun
from guiju.scoring.sheets import is_restricted
from guiju.tenancy.operations import end_profile


@pytest.fixture(scope="module")
def plain(town_facts, packs, town_template):
    """Findings of a plain evaluation of the town's facts, in the contract's form."""
    facts = Facts(town_facts)
    codes = facts.ids("organizations").to_pylist()
    parent = facts["organizations"]["parent"]
    b = codes.index("b")
    in_b = np.array(
        [code == b or parent[code] == b or parent[parent[code]] == b for code in range(len(codes))]
    )
    found = []
    for profile, scope in (("jiaozuo", in_b), ("xian", ~in_b)):
        found += evaluate(
            packs[profile],
            facts,
            date(2021, 11, 20),
            scope=scope,
            judge_from=date(2021, 1, 1),
            not_applicable=False,
            complete_after=10,
        )
    return [finding.as_dict() for finding in found]


def comparable(finding):
    """A finding without what depends on how its records are called."""
    keep = {k: v for k, v in finding.items() if k != "evidence"}
    keep["evidence"] = sorted(e for e in finding["evidence"] if "#" not in e)
    keep["evidence_count"] = len(finding["evidence"])
    return repr(sorted(keep.items()))


def stored_findings(town, packs):
    with town.scope(restricted=True), town.session() as session:
        root = session.scalars(
            sa.select(Organization).where(Organization.parent_id.is_(None))
        ).one()
        organizations = session.scalars(
            sa.select(Organization.id).where(Organization.kind != "party_group")
        ).all()
        return [
            dict(view.finding)
            for organization in organizations
            for view in queries.findings(session, packs, organization, within=[root.path])
        ]


ABOUT_ORGANIZATIONS = {"organization", "group", "team", "city"}


def test_what_is_stored_is_what_a_plain_evaluation_finds(scored, packs, plain):
    expected = [
        comparable(finding)
        for finding in plain
        if finding["subject"]["type"] in ABOUT_ORGANIZATIONS or finding["verdict"] != "met"
    ]
    stored = [comparable(finding) for finding in stored_findings(scored, packs)]
    missing = Counter(expected) - Counter(stored)
    surplus = Counter(stored) - Counter(expected)
    assert list(missing.elements())[:3] == list(surplus.elements())[:3] == []


@pytest.fixture(scope="module")
def restricted_requirements(packs):
    """Requirements that rest on restricted records."""
    return {
        rule.id
        for pack in packs.values()
        for rule in compile_rules(pack, pack.choices({}))
        if is_restricted(rule)
    }


def _by_verdict(counts):
    """Without what is counted a second time."""
    return {code: number for code, number in counts.items() if code != views.LATE}


def test_totals_are_the_sums_of_all_findings(scored, packs, plain, restricted_requirements):
    with scored.scope(), scored.session() as session:
        root = scored.number("root")
        newest = queries.overview(session, packs, root, within=[f"/{root}/"])
        years = [
            queries.overview(session, packs, root, within=[f"/{root}/"], year=year)
            for year in newest.years
        ]
    assert newest.year == 2021
    counts, by_requirement = Counter(), Counter()
    for found in years:
        counts.update(_by_verdict(found.counts))
        for row in found.by_requirement:
            numbers = _by_verdict(row.counts).values()
            by_requirement[row.requirement, row.part] += sum(numbers)
        children = Counter()
        for child in found.by_child:
            children.update(child.counts)
        # What is left is the root's own.
        assert not children - Counter(found.counts)
    # Matters of discipline are not even counted.
    is_open = [
        finding for finding in plain if finding["requirement"] not in restricted_requirements
    ]
    assert counts == Counter(finding["verdict"] for finding in is_open)
    assert by_requirement == Counter((f["requirement"], f["part"]) for f in is_open)


def test_scoring_again_changes_nothing(scored, packs):
    before = scored.stored()
    assert scored.drain(packs).runs == 0
    outcome = scored.drain(packs, complete=True)
    assert (outcome.runs, outcome.changed) == (1, 0)
    assert scored.stored() == before


def waiting(town):
    with town.scope(), town.session() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(DirtyMark))


def assert_settled(town, packs):
    """Nothing waits, and scoring everything afresh would change nothing."""
    assert waiting(town) == 0
    before = town.stored()
    assert town.drain(packs, complete=True).changed == 0
    assert town.stored() == before


@pytest.mark.usefixtures("by_steps")
def test_one_meeting_judged_by_itself_gives_what_judging_everything_gives(scored, packs):
    before = scored.stored()
    with scored.scope(), scored.session() as session:
        row = {
            "id": "new",
            "organization": "a0",
            "kinds": ["branch_assembly", "party_lecture"],
            "held_on": date(2021, 8, 5),
        }
        record_occasion(session, scored.actor, row)
    outcome = scored.drain(packs)
    assert 0 < outcome.judged < 10
    assert scored.stored() != before
    assert_settled(scored, packs)


@pytest.mark.usefixtures("by_steps")
@pytest.mark.parametrize(
    "membership",
    [
        {"id": "p-new", "organization": "c1", "membership_class": "full"},
        {"id": "p-new", "organization": "b2", "membership_class": "probationary"},
    ],
)
def test_a_new_member_judged_by_itself_gives_what_judging_everything_gives(
    scored, packs, membership
):
    with scored.scope(), scored.session() as session:
        add_member(session, scored.actor, {**membership, "from_on": date(2021, 2, 1)})
    scored.drain(packs)
    assert_settled(scored, packs)


@pytest.mark.usefixtures("by_steps")
def test_a_change_at_a_superior_reaches_those_below_it(scored, packs):
    with scored.scope(), scored.session() as session:
        post = {"person": "boss", "organization": "a", "post": "secretary"}
        appoint(session, scored.actor, {**post, "from_on": date(2021, 3, 1)})
    scored.drain(packs)
    assert_settled(scored, packs)


@pytest.mark.usefixtures("by_steps")
def test_superiors_can_wait_for_what_is_below_them(scored, packs):
    with scored.scope(), scored.session() as session:
        row = {"id": "new", "organization": "c0", "kinds": ["theme_day"]}
        record_occasion(session, scored.actor, {**row, "held_on": date(2021, 8, 5)})
    assert scored.drain(packs, settle=False).runs == 1
    assert waiting(scored) == 2
    assert scored.drain(packs, settle=False).runs == 0
    assert scored.drain(packs).runs == 1
    assert_settled(scored, packs)


def test_an_organization_that_moved_keeps_its_past_with_its_old_superior(scored, packs):
    a, c, a0, root = (scored.number(code) for code in ("a", "c", "a0", "root"))
    with scored.scope(), scored.session() as session:
        move_organization(session, scored.actor, a0, c, date(2021, 7, 1))
    scored.drain(packs)
    assert_settled(scored, packs)
    with scored.scope(), scored.engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT path, superior_id FROM organization_findings"
                " WHERE organization_id = :id AND year = 2021 ORDER BY path"
            ),
            {"id": a0},
        ).all()
    assert rows == sorted([(f"/{root}/{a}/{a0}/", a), (f"/{root}/{c}/{a0}/", c)])
    with scored.scope(), scored.session() as session:
        for committee in (a, c):
            found = queries.overview(session, packs, committee, within=[f"/{root}/"])
            assert {row.unit.code: row.counts for row in found.by_child}["a0"]


def test_what_a_profile_judged_stays_when_it_ends_but_nothing_is_pending(scored, packs):
    with scored.scope(), scored.session() as session:
        enabled = session.scalar(
            sa.text("SELECT id FROM enabled_profiles WHERE profile = 'jiaozuo'")
        )
        end_profile(session, scored.actor, enabled, date(2021, 6, 30))
    scored.drain(packs)
    assert_settled(scored, packs)
    with scored.scope(), scored.session() as session:
        b0, root = scored.number("b0"), scored.number("root")
        found = queries.organization_grid(session, packs, b0, within=[f"/{root}/"])
    by_profile = {}
    for row in found.rows:
        for cell in row.cells:
            by_profile.setdefault(row.profile, Counter()).update(cell.counts)
    assert set(by_profile) == {"jiaozuo", "xian"}
    assert "pending" not in by_profile["jiaozuo"]
    assert by_profile["jiaozuo"]["met"] > 0


def test_another_day_judges_everything_again(scored, packs):
    outcome = operations.drain(
        scored.engine, packs, scored.tenant_id, date(2021, 12, 1), reason="test"
    )
    assert outcome.runs == 1
    with scored.scope(), scored.session() as session:
        assert queries.standing(session, None).as_of == date(2021, 12, 1)
        assert [run.complete for run in session.scalars(sa.select(ScoringRun))] == [True, True]


def test_a_request_from_before_midnight_does_not_turn_the_day_back(scored, packs):
    with scored.scope(), scored.session() as session:
        asked_at = session.scalar(sa.select(sa.func.now()))
    operations.drain(scored.engine, packs, scored.tenant_id, date(2021, 11, 21), reason="night")
    outcome = scored.drain(packs, asked_at=asked_at)
    assert outcome.runs == 0


def explain(session, packs, number, finding, path):
    """What a unit's page says of a finding to somebody who sees ``path`` and below."""
    subject = finding["subject"]["type"], finding["subject"]["id"]
    return queries.explain(
        session,
        packs,
        number,
        finding["requirement"],
        within=[path],
        part=finding["part"],
        subject=subject,
        period=finding["period"],
    )


def test_an_explanation_agrees_with_what_is_stored(scored, packs):
    root = scored.number("root")
    for code in ("a0", "b1", "a"):
        with scored.scope(restricted=True), scored.session() as session:
            number = scored.number(code)
            found = queries.findings(session, packs, number, within=[f"/{root}/"])
            assert found
            for view in found[::9]:
                explained = explain(session, packs, number, view.finding, f"/{root}/")
                assert explained.view.finding == view.finding
                assert [r.id for r in explained.counted] == view.finding["evidence"]


def test_what_a_group_s_own_page_shows_is_explained_there(scored, packs):
    """Its branch answers for it; who keeps the group's records alone cannot ask the branch."""
    group = {"id": "a0g", "name": "第一党小组", "kind": "party_group", "parent": "a0"}
    with scored.scope(), scored.session() as session:
        store_facts(session, scored.actor, {"organizations": [group]})
    scored.drain(packs)
    number = scored.number("a0g")
    with scored.scope(), scored.session() as session:
        path = session.scalars(sa.select(Organization.path).where(Organization.id == number)).one()
        grid = queries.organization_grid(session, packs, number, within=[path])
        views = [view for row in grid.rows for cell in row.cells for view in cell.findings]
        assert views
        for view in views[::3]:
            assert explain(session, packs, number, view.finding, path).view.finding == view.finding


def test_what_is_below_another_is_not_visible(scored, packs):
    a, b0 = scored.number("a"), scored.number("b0")
    with scored.scope(), scored.session() as session:
        path = session.scalars(sa.select(Organization.path).where(Organization.id == a)).one()
        for ask in (
            queries.overview,
            queries.organization_grid,
            queries.findings,
            queries.attention,
        ):
            with pytest.raises(queries.NotVisible):
                ask(session, packs, b0, within=[path])
        with pytest.raises(queries.NotVisible):
            queries.explain(session, packs, b0, "jiaozuo.branch_assembly.quarterly", within=[path])


@pytest.mark.parametrize("order_by", ["due", "unit"])
def test_the_list_of_what_is_open_comes_in_pages(scored, packs, order_by):
    root = scored.number("root")
    with scored.scope(), scored.session() as session:
        ask = partial(queries.attention, session, packs, root, within=[f"/{root}/"])
        whole = ask(limit=100_000, order_by=order_by)
        paged, cursor = [], None
        while True:
            page = ask(limit=40, cursor=cursor, order_by=order_by)
            paged += page.items
            cursor = page.cursor
            if cursor is None:
                break
        with pytest.raises(ValueError):  # noqa: PT011 - any wording will do
            ask(cursor="bm90IGEgY3Vyc29y", order_by=order_by)
    assert paged == whole.items
    assert Counter(item.verdict for item in paged) == whole.totals == page.totals
    if order_by == "due":
        dues = [item.due for item in paged]
        assert dues == sorted(dues, key=lambda due: (due is None, due or date.min))
    else:
        units = [item.unit.code for item in paged]
        assert [unit for unit, _ in groupby(units)] == list(dict.fromkeys(units))


def test_the_list_can_leave_out_what_is_below(scored, packs):
    root, a = scored.number("root"), scored.number("a")
    with scored.scope(), scored.session() as session:
        ask = partial(queries.attention, session, packs, a, within=[f"/{root}/"], limit=100_000)
        whole, own = ask(), ask(below=False)
    assert own.items == [item for item in whole.items if item.unit.organization_id == a]
    assert len(own.items) < len(whole.items)


def test_members_are_named_only_in_a_restricted_scope(scored, packs):
    root, a0 = scored.number("root"), scored.number("a0")

    def subjects(*, restricted):
        with scored.scope(restricted=restricted), scored.session() as session:
            found = queries.findings(session, packs, a0, within=[f"/{root}/"])
            return {view.finding["subject"]["type"] for view in found}

    assert "member" in subjects(restricted=True)
    assert "member" not in subjects(restricted=False)
