"""An organization's terms, and the ways to change them."""

from datetime import date

import pytest

from guiju.profiles.terms import Choose, Enable, End, Term, Withdraw
from guiju.rules.problems import BadInput

XIAN = Term("xian", date(2021, 1, 1), None, {"branch_size": "full_members"})
JIAOZUO = Term("jiaozuo", date(2021, 7, 1))


def refused(edit, terms) -> tuple[str, str]:
    with pytest.raises(BadInput) as caught:
        edit.apply(terms)
    (problem,) = caught.value.problems
    return problem.place, problem.code


def test_the_first_profile():
    assert Enable(XIAN).apply(()) == (XIAN,)


def test_another_profile_ends_the_one_that_goes_on_the_day_before():
    former = Term("xian", date(2021, 1, 1), date(2021, 6, 30), XIAN.settings)
    assert Enable(JIAOZUO).apply((XIAN,)) == (former, JIAOZUO)


def test_two_profiles_never_share_a_day():
    terms = (Term("xian", date(2021, 1, 1), date(2021, 12, 31)),)
    within = Term("jiaozuo", date(2021, 3, 1), date(2021, 3, 31))
    assert refused(Enable(within), terms) == ("/judge_from", "overlapping")
    before = Term("jiaozuo", date(2020, 3, 1), date(2021, 1, 1))
    assert refused(Enable(before), terms) == ("/judge_from", "overlapping")
    same_day = Term("jiaozuo", date(2021, 1, 1))
    assert refused(Enable(same_day), terms) == ("/judge_from", "overlapping")
    apart = Term("jiaozuo", date(2020, 3, 1), date(2020, 12, 31))
    assert Enable(apart).apply(terms) == (apart, *terms)


def test_an_end_is_not_before_the_beginning_nor_after_an_earlier_end():
    ended = End(date(2021, 1, 1), date(2021, 3, 31)).apply((XIAN,))
    assert [term.until for term in ended] == [date(2021, 3, 31)]
    assert refused(End(date(2021, 1, 1), date(2020, 12, 31)), (XIAN,)) == ("/until", "invalid")
    assert refused(End(date(2021, 1, 1), date(2021, 4, 1)), ended) == ("/until", "invalid")
    assert refused(End(date(2021, 1, 2), date(2021, 4, 1)), ended) == ("/judge_from", "unknown")
    backwards = Enable(Term("xian", date(2021, 2, 1), date(2021, 1, 1)))
    assert refused(backwards, ()) == ("/until", "invalid")


def test_what_is_withdrawn_has_never_been():
    assert Withdraw(date(2021, 7, 1)).apply((XIAN, JIAOZUO)) == (XIAN,)


def test_other_readings_for_all_of_a_term_or_from_a_day_on():
    other = {"branch_size": "all_members"}
    (whole,) = Choose(date(2021, 1, 1), other).apply((XIAN,))
    assert (whole.judge_from, whole.until, whole.settings) == (date(2021, 1, 1), None, other)
    first, second = Choose(date(2021, 1, 1), other, date(2022, 1, 1)).apply((XIAN,))
    assert (first.settings, first.until) == (XIAN.settings, date(2021, 12, 31))
    assert (second.settings, second.judge_from, second.until) == (other, date(2022, 1, 1), None)
    ended = (Term("xian", date(2021, 1, 1), date(2021, 6, 30)),)
    late = Choose(date(2021, 1, 1), other, date(2021, 7, 1))
    assert refused(late, ended) == ("/since", "invalid")


def test_a_term_is_stored_and_read():
    term = Term("xian", date(2021, 1, 1), date(2021, 6, 30), {"branch_size": "all_members"})
    assert Term.from_json(term.as_json()) == term
