"""Drafts: kept as typed, shared by a unit, and never overwritten unseen."""

import pytest
import sqlalchemy as sa

from guiju.activities import drafts
from guiju.activities.access import Conflict, NotAllowed, NotVisible
from guiju.activities.models import Occasion
from guiju.organizations.models import DirtyMark
from guiju.rules.problems import BadInput

HALF_TYPED = {"held_on": "2021-13-", "attendance": [{"person": "nobody"}], "note": "…"}


@pytest.fixture
def draft(session, city, who):
    return drafts.save_draft(session, who("secretary"), city.units["b1"], HALF_TYPED)


def test_whatever_was_typed_is_kept_and_is_no_fact(session, draft):
    assert draft.payload == HALF_TYPED
    assert (draft.revision, draft.author) == (1, "secretary")
    assert session.scalar(sa.select(sa.func.count()).select_from(Occasion)) == 0


def test_a_draft_is_not_judged(session, city, who):
    session.execute(sa.delete(DirtyMark))
    session.commit()
    drafts.save_draft(session, who("secretary"), city.units["b1"], HALF_TYPED)
    assert session.scalar(sa.select(sa.func.count()).select_from(DirtyMark)) == 0


def test_saving_again_counts_only_what_changed(session, city, who, draft):
    args = session, who("secretary"), city.units["b1"]
    same = drafts.save_draft(*args, HALF_TYPED, draft.draft_id, 1)
    assert same.revision == 1
    changed = drafts.save_draft(*args, {"theme": "学习"}, draft.draft_id, 1)
    assert (changed.revision, changed.payload) == (2, {"theme": "学习"})


def test_who_saves_over_anothers_words_is_told_and_loses_nothing(session, city, who, draft):
    unit = city.units["b1"]
    drafts.save_draft(session, who("colleague"), unit, {"theme": "甲"}, draft.draft_id, 1)
    with pytest.raises(Conflict) as caught:
        drafts.save_draft(session, who("secretary"), unit, {"theme": "乙"}, draft.draft_id, 1)
    told = caught.value
    assert (told.revision, told.payload, told.author) == (2, {"theme": "甲"}, "colleague")
    assert told.changed_at is not None
    assert drafts.find_draft(session, who("secretary"), draft.draft_id).payload == {"theme": "甲"}
    kept = drafts.save_draft(session, who("secretary"), unit, {"theme": "乙"}, draft.draft_id, 2)
    assert kept.revision == 3


def test_lists_and_discarding(session, city, who, draft):
    assert [one.draft_id for one in drafts.drafts_of(session, who("colleague"))] == [draft.draft_id]
    assert drafts.drafts_of(session, who("neighbour")) == []
    assert drafts.drafts_of(session, who("committee")) == []
    drafts.discard_draft(session, who("colleague"), draft.draft_id)
    assert drafts.drafts_of(session, who("secretary")) == []


@pytest.mark.parametrize("name", ["neighbour", "committee", "reader", "auditor"])
def test_a_draft_of_another_is_as_if_it_were_not_there(session, city, who, draft, name):
    visitor = who(name)
    for attempt in (
        lambda: drafts.find_draft(session, visitor, draft.draft_id),
        lambda: drafts.save_draft(session, visitor, city.units["b1"], {}, draft.draft_id, 1),
        lambda: drafts.discard_draft(session, visitor, draft.draft_id),
    ):
        with pytest.raises(NotVisible):
            attempt()
    assert drafts.find_draft(session, who("secretary"), draft.draft_id).payload == HALF_TYPED


def test_another_tenant_finds_nothing(elsewhere, stranger, city, draft):
    with elsewhere() as session:
        with pytest.raises(NotVisible):
            drafts.find_draft(session, stranger, draft.draft_id)
        with pytest.raises(NotVisible):
            drafts.save_draft(session, stranger, city.units["b1"], {})
        assert drafts.drafts_of(session, stranger) == []


@pytest.mark.parametrize(("name", "error"), [("neighbour", NotVisible), ("reader", NotAllowed)])
def test_only_recorders_of_the_unit_begin_one(session, city, who, name, error):
    with pytest.raises(error):
        drafts.save_draft(session, who(name), city.units["b1"], {})


def test_a_draft_stays_with_its_unit(session, city, who, draft):
    with pytest.raises(NotVisible):
        drafts.save_draft(session, who("department"), city.units["b2"], {}, draft.draft_id, 1)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (["theme"], "wrong_type"),
        ({"number": float("nan")}, "wrong_type"),
        ({"content": "字" * 200_000}, "too_large"),
    ],
)
def test_what_cannot_be_kept_is_refused(session, city, who, payload, code):
    with pytest.raises(BadInput) as caught:
        drafts.save_draft(session, who("secretary"), city.units["b1"], payload)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_signs_that_are_no_characters_are_left_out(session, city, who):
    typed = {"theme": "学\x00习\ud800", "rows": [{"a\x00": "b"}]}
    kept = drafts.save_draft(session, who("secretary"), city.units["b1"], typed)
    assert kept.payload == {"theme": "学习", "rows": [{"a": "b"}]}
