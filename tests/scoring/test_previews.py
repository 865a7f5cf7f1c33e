"""What a change would do is what it does; and looking at it changes nothing."""

from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

import guiju_xian
from guiju.activities.models import Occasion
from guiju.organizations.dirty import mark_dirty
from guiju.organizations.models import Organization
from guiju.profiles import keeping, operations, previews, queries
from guiju.profiles.models import PreviewRow, ProfilePreview
from guiju.profiles.terms import Choose, Enable, End, Term, Withdraw
from guiju.rules import loader
from guiju.rules.problems import BadInput
from guiju.scoring import queries as scoring_queries

YEAR = date(2021, 1, 1)


@pytest.fixture(scope="module")
def enabled(shared_town, packs):
    """What was enabled at first in the town, once it is scored."""
    shared_town.drain(packs)
    return {code: terms(shared_town, code) for code in ("root", "a", "b")}


@pytest.fixture
def scored(shared_town, enabled, packs):
    """The town; what a test changes about its profiles is put back."""
    yield shared_town
    for code, before in enabled.items():
        present = terms(shared_town, code)
        if present != before:
            with shared_town.scope(), shared_town.session() as session:
                number = shared_town.number(code)
                back = operations.Proposal(number, "test", present, before)
                operations.adopt(session, shared_town.actor, back)
    shared_town.drain(packs)


def terms(town, code):
    with town.scope(), town.session() as session:
        return operations.terms_of(session, town.number(code))


def proposal(session, packs, town, code, edit):
    return operations.propose(session, packs, town.number(code), edit)


def looked_at(town, packs, code, edit) -> previews.Preview:
    with town.scope(), town.session() as session:
        found = proposal(session, packs, town, code, edit)
        laws = previews.laws(session, packs, found, town.as_of)
        session.rollback()
        return previews.preview(session, laws, found.organization_id)


def adopted(town, packs, code, edit) -> int:
    with town.scope(), town.session() as session:
        return operations.adopt(session, town.actor, proposal(session, packs, town, code, edit))


def standing(town, packs, code, left_out) -> dict[str, int]:
    """Findings by verdict of an organization and everything below it, as stored."""
    with town.scope(), town.session() as session:
        number = session.scalars(sa.select(Organization.id).where(Organization.code == code)).one()
        sums: dict[str, int] = {}
        years = scoring_queries.overview(session, packs, number, within=["/"]).years
        for year in years:
            found = scoring_queries.overview(session, packs, number, within=["/"], year=year)
            for row in found.by_requirement:
                if row.requirement not in left_out:
                    for verdict, count in row.counts.items():
                        sums[verdict] = sums.get(verdict, 0) + count
        # How many were met late is told beside the verdicts.
        sums.pop("late", None)
        return {verdict: count for verdict, count in sums.items() if count}


EDITS = {
    "another notice below": ("a", Enable(Term("jiaozuo", date(2021, 3, 1)))),
    "another notice for all": ("root", Enable(Term("jiyuan", date(2021, 6, 1)))),
    "an end": ("b", End(YEAR, date(2021, 6, 30))),
    "nothing nearer": ("b", Withdraw(YEAR)),
    "other readings": ("root", Choose(YEAR, {"talk_pairs": "every_pair"})),
    "other readings from a day": ("b", Choose(YEAR, {"first_week": "full_week"}, date(2021, 7, 1))),
}  # fmt: skip


@pytest.mark.parametrize(("code", "edit"), EDITS.values(), ids=EDITS)
def test_it_foretells_what_scoring_finds(scored, packs, code, edit):
    seen = looked_at(scored, packs, code, edit)
    before = standing(scored, packs, code, seen.summary.left_out)
    assert seen.summary.before == before
    assert seen.summary.rules, "the change changes something"
    adopted(scored, packs, code, edit)
    scored.drain(packs)
    assert seen.summary.after == standing(scored, packs, code, seen.summary.left_out)
    assert seen.summary.after != before or code == "root"


def test_it_says_which_organizations_change_from_what_to_what(scored, packs):
    edit = Choose(YEAR, {"first_week": "full_week", "holiday": "next_friday"})
    seen = looked_at(scored, packs, "b", edit)
    moves = seen.comparison
    changed = {scored.number(f"b{place}") for place in range(4)}
    assert set(moves.organization.tolist()) <= changed | {scored.number("b")}
    (rule,) = seen.summary.rules
    assert rule.requirement == "jiaozuo.theme_day.window"
    assert rule.why == [
        "““第一周的周五”是哪一天”由“每月1日至7日中的周五”改为“当月第一个完整的周一至周日中的周五”",
        "“主题党日遇法定节假日”由“文件没有规定顺延，由人认定”改为“顺延到下一个上班的周五”",
    ]
    assert rule.findings == sum(number for _, _, number in rule.moves)
    assert all(from_ != to for from_, to, _ in rule.moves)


def test_looking_changes_nothing(scored, packs):
    before = scored.stored()
    looked_at(scored, packs, "root", EDITS["another notice for all"][1])
    assert scored.stored() == before
    assert not scored.drain(packs).runs


def test_what_is_not_below_is_not_looked_at(scored, packs):
    seen = looked_at(scored, packs, "a", EDITS["another notice below"][1])
    below = {scored.number(code) for code in ("a", "a0", "a1", "a2", "a3")}
    assert set(seen.comparison.organization.tolist()) <= below
    assert seen.summary.judged >= len(below)


def test_the_same_by_steps_as_in_one_piece(scored, packs, monkeypatch):
    edit = EDITS["other readings"][1]
    whole = looked_at(scored, packs, "root", edit)
    monkeypatch.setattr("guiju.scoring.dirty.SMALL", 0)
    monkeypatch.setattr("guiju.scoring.dirty.CHUNK", 3)
    assert looked_at(scored, packs, "root", edit).summary == whole.summary


def test_matters_of_discipline_are_left_out_by_name(scored, packs):
    seen = looked_at(scored, packs, "root", EDITS["another notice for all"][1])
    assert seen.summary.left_out
    compared = {rule.requirement for rule in seen.summary.rules}
    assert not compared & set(seen.summary.left_out)


class TestANewerVersionOfAPack:
    @pytest.fixture
    def newer(self):
        """Xi'an's notice as if it asked for a theme day in every quarter only."""
        text = Path(guiju_xian.__file__).with_name("pack.toml").read_text("utf-8")
        head, id_, rest = text.partition('id = "xian.theme_day.monthly"')
        changed = rest.replace('per = "month"', 'per = "quarter"', 1)
        assert changed != rest
        return loader.loads(head + id_ + changed)

    def test_is_looked_at_before_it_is_installed(self, scored, packs, newer):
        with scored.scope(), scored.session() as session:
            laws = previews.laws(session, packs, None, scored.as_of, [newer])
            session.rollback()
            seen = previews.preview(session, laws, None)
        assert {rule.requirement for rule in seen.summary.rules} == {"xian.theme_day.monthly"}
        assert seen.summary.rules[0].why == ["参数 per 由 month 改为 quarter"]
        units = set(seen.comparison.organization.tolist())
        assert scored.number("a0") in units
        assert scored.number("b0") not in units, "judged by another notice"
        scored.drain({**packs, "xian": newer})
        after = standing(scored, packs, "root", seen.summary.left_out)
        assert seen.summary.after == after


class TestKept:
    @pytest.fixture
    def kept(self, scored, packs):
        """Number of a preview of other readings in ``b``."""
        with scored.scope(), scored.session() as session:
            edit = Choose(YEAR, {"first_week": "full_week"})
            found = proposal(session, packs, scored, "b", edit)
            return keeping.request_preview(session, packs, scored.actor, found, scored.as_of)

    def confirmed(self, town, packs, number, **options):
        with town.scope(), town.session() as session:
            return keeping.confirm(session, packs, town.actor, number, town.as_of, **options)

    def refused(self, town, packs, number, **options) -> str:
        with pytest.raises(BadInput) as caught:
            self.confirmed(town, packs, number, **options)
        return caught.value.problems[0].code

    def test_lists_the_organizations_that_change(self, scored, packs, kept):
        with scored.scope(), scored.session() as session:
            head = queries.preview(session, kept)
            path = head.path
            all_, branches = queries.changed_counts(session, kept, [path])
            page = queries.changed(session, head, [path], limit=1)
            assert (all_, branches) == (page.total, page.total)
            assert len(page.units) == 1
            (unit,) = page.units
            assert unit.changed == sum(move.number for move in unit.moves)
            assert unit.moves[0].rule.requirement == "jiaozuo.theme_day.window"
            to = unit.moves[0].to
            some = queries.changed(session, head, [path], rule=0, to=to)
            assert unit.code in {found.code for found in some.units}

    def test_shows_nobody_what_is_not_theirs(self, scored, kept):
        with scored.scope(), scored.session() as session:
            path = session.scalars(
                sa.select(Organization.path).where(Organization.code == "b0")
            ).one()
            assert queries.changed_counts(session, kept, [path]) <= (1, 1)
            head = queries.preview(session, kept)
            assert {unit.code for unit in queries.changed(session, head, [path]).units} <= {"b0"}
            assert queries.changed_counts(session, kept, []) == (0, 0)

    def test_is_confirmed_once(self, scored, packs, kept):
        self.confirmed(scored, packs, kept)
        assert self.refused(scored, packs, kept) == "confirmed"
        with scored.scope(), scored.session() as session:
            (term,) = operations.terms_of(session, scored.number("b"))
            assert term.settings == {"first_week": "full_week"}

    def test_tells_of_records_that_changed_since(self, scored, packs, kept):
        with scored.scope(), scored.session() as session:
            mark_dirty(session, [scored.number("b0")], "occasion.update")
            session.commit()
        assert self.refused(scored, packs, kept) == "drifted"
        scored.drain(packs)
        assert self.refused(scored, packs, kept) == "drifted", "judged meanwhile, but not seen"
        self.confirmed(scored, packs, kept, despite_drift=True)

    def test_knows_what_waited_when_it_was_taken(self, scored, packs):
        with scored.scope(), scored.session() as session:
            mark_dirty(session, [scored.number("b0")], "occasion.update")
            session.commit()
            edit = Choose(YEAR, {"first_week": "full_week"})
            found = proposal(session, packs, scored, "b", edit)
            number = keeping.request_preview(session, packs, scored.actor, found, scored.as_of)
        scored.drain(packs)
        self.confirmed(scored, packs, number)

    def test_tells_that_it_is_not_of_this_day(self, scored, packs, kept):
        with scored.scope(), scored.session() as session, pytest.raises(BadInput) as caught:
            keeping.confirm(session, packs, scored.actor, kept, date(2021, 11, 21))
        assert caught.value.problems[0].code == "drifted"

    def test_does_not_survive_other_changes_of_profiles(self, scored, packs, kept):
        adopted(scored, packs, "root", EDITS["other readings"][1])
        assert self.refused(scored, packs, kept, despite_drift=True) == "changed"

    def test_is_made_by_a_job_for_many_organizations(self, scored, packs, monkeypatch):
        monkeypatch.setattr("guiju.scoring.dirty.SMALL", 0)
        with scored.scope(), scored.session() as session:
            edit = Choose(YEAR, {"first_week": "full_week"})
            found = proposal(session, packs, scored, "b", edit)
            number = keeping.request_preview(session, packs, scored.actor, found, scored.as_of)
            head = queries.preview(session, number)
            assert head.summary is None
            assert head.row.job_id is not None
        assert self.refused(scored, packs, number) == "unfinished"
        steps = []
        with scored.scope(), scored.session() as session:
            keeping.make(session, packs, number, lambda *step: steps.append(step))
            assert queries.preview(session, number).summary is not None
        assert steps

    def test_is_forgotten_after_a_while(self, scored, packs, kept):
        with scored.scope(), scored.session() as session:
            session.execute(
                sa.update(ProfilePreview).values(
                    requested_at=ProfilePreview.requested_at - keeping.KEPT * 2
                )
            )
            session.commit()
            edit = Choose(YEAR, {"holiday": "next_friday"})
            found = proposal(session, packs, scored, "b", edit)
            keeping.request_preview(session, packs, scored.actor, found, scored.as_of)
            assert queries.preview(session, kept) is None
            assert not session.scalar(
                sa.select(sa.func.count()).where(PreviewRow.preview_id == kept)
            )


class TestUndone:
    def test_the_former_state_is_back(self, scored, packs):
        before = scored.stored()
        change = adopted(scored, packs, "a", EDITS["another notice below"][1])
        scored.drain(packs)
        assert scored.stored() != before
        with scored.scope(), scored.session() as session:
            operations.undo(session, scored.actor, change)
            assert operations.terms_of(session, scored.number("a")) == ()
        scored.drain(packs)
        assert scored.stored() == before

    def test_only_the_last_change_of_an_organization(self, scored, packs):
        first = adopted(scored, packs, "a", EDITS["another notice below"][1])
        second = adopted(scored, packs, "a", End(date(2021, 3, 1), date(2021, 5, 31)))
        elsewhere = adopted(scored, packs, "b", EDITS["an end"][1])
        with scored.scope(), scored.session() as session:
            root = session.scalars(sa.select(Organization).where(Organization.code == "root")).one()
            undoable = {found.id: found.undoable for found in queries.history(session, root.path)}
            assert undoable[second]
            assert undoable[elsewhere]
            assert not undoable[first]
            with pytest.raises(BadInput) as caught:
                operations.undo(session, scored.actor, first)
            assert caught.value.problems[0].code == "changed"
            operations.undo(session, scored.actor, second)
            (term,) = operations.terms_of(session, scored.number("a"))
            assert term == Term("jiaozuo", date(2021, 3, 1))


def test_a_setting_that_names_an_organization_is_judged_by_its_number(scored, packs):
    edit = Choose(YEAR, {"city_organization": "root"})
    seen = looked_at(scored, packs, "root", edit)
    named = "xian.main.standardization.target_2021_06"
    assert named not in {rule.requirement for rule in seen.summary.rules}
    other = looked_at(scored, packs, "root", Choose(YEAR, {"city_organization": "a"}))
    assert named in {rule.requirement for rule in other.summary.rules}


def test_settings_name_no_organization_out_of_reach(scored, packs):
    with scored.scope(), scored.session() as session:
        path = session.scalars(sa.select(Organization.path).where(Organization.code == "a")).one()
        edit = Enable(Term("xian", YEAR, None, {"city_organization": "b"}))
        with pytest.raises(BadInput):
            operations.propose(session, packs, scored.number("a"), edit, [path])


def test_the_records_are_left_alone(scored, packs):
    with scored.scope(), scored.session() as session:
        before = session.scalar(sa.select(sa.func.count()).select_from(Occasion))
    looked_at(scored, packs, "root", EDITS["other readings"][1])
    with scored.scope(), scored.session() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Occasion)) == before
