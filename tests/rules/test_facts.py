"""Facts as encoded columns: from strings and from a database's integers."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiju.rules.facts import Facts
from guiju.rules.problems import BadInput
from guiju.rules.spells import Spells


def test_ids_become_codes_and_unknown_ids_minus_one():
    facts = Facts(
        {
            "organizations": pa.table({"id": ["a", "b"], "parent": [None, "a"]}),
            "occasions": pa.table({"id": ["o", "p", "q"], "organization": ["b", "zz", None]}),
        }
    )
    assert facts["occasions"]["organization"].tolist() == [1, -1, -1]
    assert facts["organizations"]["parent"].tolist() == [-1, 0]
    assert facts.external("organizations", 1) == "b"


@pytest.mark.parametrize("ids", [[7, 5, 9], [10**12, 3, 10**6]])
def test_a_databases_numbers_become_the_same_codes(ids):
    facts = Facts(
        {
            "organizations": pa.table({"id": ids}),
            "occasions": pa.table(
                {"id": [1, 2, 3, 4], "organization": pa.array([ids[2], ids[0], None, 4])}
            ),
        }
    )
    assert facts["occasions"]["organization"].tolist() == [2, 0, -1, -1]


def test_kinds_are_masks_from_lists_and_from_bits():
    listed = Facts(
        {"occasions": pa.table({"id": ["o"], "kinds": [["theme_day", "party_lecture"]]})}
    )
    bits = {"occasion_kind": ["party_lecture", "theme_day"]}
    stored = Facts({"occasions": pa.table({"id": [1], "kinds": [3]})}, bits=bits)
    for facts in (listed, stored):
        (mask,) = facts["occasions"]["kinds"].tolist()
        assert set(facts.unmask("occasion_kind", mask)) == {"theme_day", "party_lecture"}
        assert mask == facts.mask("occasion_kind", ["party_lecture", "theme_day"])


def test_missing_columns_are_unknown():
    facts = Facts({"occasions": pa.table({"id": ["o"]})})
    rows = facts["occasions"]
    assert rows["chair_entrusted"].tolist() == [-1]
    assert rows["present"].tolist() == [-1]
    assert len(facts["talks"]) == 0


def test_an_unknown_table_is_refused():
    with pytest.raises(BadInput, match="没有这张表"):
        Facts({"meetings": pa.table({"id": ["o"]})})


def test_sectors_are_inherited():
    facts = Facts(
        {
            "organizations": pa.table(
                {
                    "id": ["top", "mid", "low", "other"],
                    "parent": [None, "top", "mid", None],
                    "sector": ["agency", None, None, None],
                }
            )
        }
    )
    names = facts.codes("sector")
    assert [names[c] if c >= 0 else None for c in facts.sectors.tolist()] == [
        *("agency", "agency", "agency"),
        None,
    ]


def test_a_member_counts_on_the_first_and_last_day():
    facts = Facts(
        {
            "organizations": pa.table({"id": ["b"]}),
            "members": pa.table(
                {
                    "id": ["m", "n"],
                    "organization": ["b", "b"],
                    "membership_class": ["full", "probationary"],
                    "from_on": [date(2020, 1, 10), None],
                    "until_on": [date(2020, 2, 20), None],
                }
            ),
        }
    )
    days = np.array(
        [
            (day - date(1970, 1, 1)).days
            for day in (date(2020, 1, 9), date(2020, 1, 10), date(2020, 2, 20), date(2020, 2, 21))
        ],
        dtype=np.int32,
    )
    branch = np.zeros(4, dtype=np.int32)
    assert facts.roster.count("full", branch, days).tolist() == [0, 1, 1, 0]
    assert facts.roster.count("party", branch, days).tolist() == [1, 2, 2, 1]
    assert facts.roster.count("voting", branch, days).tolist() == [0, 1, 1, 0]


SPELLS = st.lists(
    st.tuples(st.integers(-1, 3), st.integers(0, 30), st.integers(0, 30)).map(
        lambda spell: (spell[0], min(spell[1:]), max(spell[1:]))
    ),
    max_size=12,
)


@given(SPELLS, st.integers(0, 3), st.integers(-5, 40))
def test_counting_spells_agrees_with_looking_at_each(spells, owner, day):
    columns = np.array(spells, dtype=np.int32).reshape(-1, 3)
    found = Spells(columns[:, 0], columns[:, 1], columns[:, 2])
    owners, days = np.array([owner], dtype=np.int32), np.array([day], dtype=np.int32)
    covering = [
        n for n, (who, first, last) in enumerate(spells) if who == owner and first <= day <= last
    ]
    assert found.count(owners, days).tolist() == [len(covering)]
    (latest,) = found.latest(owners, days).tolist()
    begun = [n for n, (who, first, _last) in enumerate(spells) if who == owner and first <= day]
    if begun:
        newest = max(begun, key=lambda n: (spells[n][1], n))
        assert latest == (newest if spells[newest][2] >= day else -1)
    else:
        assert latest == -1
