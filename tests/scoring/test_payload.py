"""What is packed comes out again."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from guiju.rules import tables
from guiju.rules.periods import NULL_DAY
from guiju.scoring import payload, varints
from guiju.scoring.payload import Columns

INT64 = st.integers(-(2**63), 2**63 - 1)
FINDING = st.fixed_dictionaries(
    {
        "row": st.integers(0, 4),
        "rule": st.integers(1, 5),
        "place": st.integers(0, 11) | st.just(payload.NO_PERIOD),
        "verdict": st.integers(0, 7),
        "required": INT64,
        "observed": INT64,
        "due": st.none() | st.integers(-30_000, 90_000),
        "note": st.integers(-128, 127),
        "subject": st.integers(1, 2**40),
        "table": st.integers(0, len(payload.EVIDENCE_TABLES)),
        "evidence": st.lists(st.integers(1, 2**40), max_size=4),
        "others": st.lists(st.tuples(st.integers(1, 300), st.integers(0, 7)), max_size=2),
    }
)


def columns_of(findings, *, ordered_by):
    rows = sorted(findings, key=ordered_by)
    others = [(at, *other) for at, row in enumerate(rows) for other in row["others"]]
    return rows, Columns(
        row=np.array([row["row"] for row in rows], dtype=np.int64),
        rule=np.array([row["rule"] for row in rows], dtype=np.uint16),
        place=np.array([row["place"] for row in rows], dtype=np.uint8),
        verdict=np.array([row["verdict"] for row in rows], dtype=np.uint8),
        required=np.array([row["required"] for row in rows], dtype=np.int64),
        observed=np.array([row["observed"] for row in rows], dtype=np.int64),
        due=np.array(
            [NULL_DAY if row["due"] is None else row["due"] for row in rows], dtype=np.int32
        ),
        note=np.array([row["note"] for row in rows], dtype=np.int8),
        subject=np.array([row["subject"] for row in rows], dtype=np.int64),
        table=np.array([row["table"] for row in rows], dtype=np.uint8),
        evidence_count=np.array([len(row["evidence"]) for row in rows], dtype=np.int64),
        evidence=np.array([e for row in rows for e in row["evidence"]], dtype=np.int64),
        other_at=np.array([other[0] for other in others], dtype=np.int64),
        other_reading=np.array([other[1] for other in others], dtype=np.int64),
        other_verdict=np.array([other[2] for other in others], dtype=np.uint8),
    )


def read_back(packed, number, *, subjects):
    found = payload.unpack({name: column[number].as_py() for name, column in packed.items()})
    before = np.concatenate([[0], np.cumsum(found.evidence_count)])
    return [
        {
            "row": number,
            "rule": int(found.rule[i]),
            "place": int(found.place[i]),
            "verdict": int(found.verdict[i]),
            "required": int(found.required[i]),
            "observed": int(found.observed[i]),
            "due": None if found.due[i] == NULL_DAY else int(found.due[i]),
            "note": int(found.note[i]),
            "table": int(found.table[i]),
            "evidence": found.evidence[before[i] : before[i + 1]].tolist(),
            "others": [
                (int(found.other_reading[j]), int(found.other_verdict[j]))
                for j in np.flatnonzero(found.other_at == i)
            ],
            **({"subject": int(found.subject[i])} if subjects else {}),
        }
        for i in range(len(found))
    ]


@given(st.lists(FINDING, max_size=60))
def test_findings_about_many_subjects_come_out_as_they_went_in(findings):
    rows, columns = columns_of(
        findings, ordered_by=lambda f: (f["row"], f["rule"], f["place"], f["subject"])
    )
    packed = payload.pack(columns, 5, subjects=True)
    back = [found for number in range(5) for found in read_back(packed, number, subjects=True)]
    assert back == rows


@given(st.lists(FINDING, max_size=60))
def test_findings_about_the_organization_come_out_as_they_went_in(findings):
    rows, columns = columns_of(findings, ordered_by=lambda f: (f["row"], f["rule"], f["place"]))
    packed = payload.pack(columns, 5, subjects=False)
    back = [found for number in range(5) for found in read_back(packed, number, subjects=False)]
    assert back == [{k: v for k, v in row.items() if k != "subject"} for row in rows]


@given(st.lists(INT64))
def test_integers_of_any_size_come_out_as_they_went_in(values):
    numbers = np.array(values, dtype=np.int64)
    data, starts = varints.encode(varints.fold(numbers))
    assert varints.unfold(varints.decode(data)).tolist() == values
    assert int(starts[-1]) == len(data)


def test_a_small_number_takes_one_byte():
    data, _ = varints.encode(varints.fold(np.array([0, -1, 1, 63, -64])))
    assert len(data) == 5


def test_every_facts_table_can_be_evidence():
    assert set(tables.TABLES) - {"settings"} <= set(payload.EVIDENCE_TABLES)
