"""Creating once under a key, whoever asks at the same time and whatever is lost."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from itertools import count

import pytest
import sqlalchemy as sa

from guiju.api.models import IdempotencyKey
from guiju.db import ScopedSession, tenant_scope

_days = count()


@pytest.fixture(scope="module")
def year(create_office):
    """An office of this module's own, to change."""
    return create_office(recorded=True)


@pytest.fixture(scope="module")
def secretary(caller, year):
    return caller(year, "secretary")


@pytest.fixture
def body() -> dict[str, object]:
    """A record of a day of its own."""
    day = date(2021, 1, 1) + timedelta(days=next(_days))
    return {
        "organization": "finance-1",
        "kinds": ["theme_day"],
        "held_on": day.isoformat(),
        "title_text": f"按键填报{day}",
    }


@pytest.fixture
def written(secretary, body):
    """How many such records there are."""

    def written() -> int:
        day = body["held_on"]
        items = secretary.get(f"/occasions?since={day}&until={day}").json["items"]
        return sum(item["title_text"] == body["title_text"] for item in items)

    return written


@pytest.fixture
def change(engine, year):
    """Change what is kept of a key."""

    def change(key: str, **values) -> None:
        with tenant_scope(year.tenant.tenant_id), ScopedSession(engine) as session:
            update = sa.update(IdempotencyKey).where(IdempotencyKey.key == key).values(values)
            assert session.execute(update).rowcount == 1
            session.commit()

    return change


def ago(**length):
    return sa.func.now() - timedelta(**length)


def test_many_at_once_make_one_record(caller, year, secretary, body, written):
    key = {"Idempotency-Key": "at-once"}

    def ask(_number):
        return caller(year, "secretary").post("/occasions", body, headers=key)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    made = [answer for answer in answers if answer.status_code == 201]
    others = [answer for answer in answers if answer.status_code != 201]
    assert len({answer.data for answer in made}) == 1
    # Asked while the first was about to be answered.
    assert {(answer.status_code, answer.headers["Retry-After"]) for answer in others} <= {
        (409, "1")
    }
    again = secretary.post("/occasions", body, headers=key)
    assert (again.status_code, again.data) == (201, made[0].data)
    assert written() == 1


def test_an_answer_that_was_lost_is_said_to_be(secretary, body, written, change):
    key = {"Idempotency-Key": "lost"}
    assert secretary.post("/occasions", body, headers=key).status_code == 201
    # As a process leaves it that dies between creating and answering.
    change("lost", status=None, headers=None, body=None)
    soon = secretary.post("/occasions", body, headers=key)
    assert (soon.status_code, soon.headers["Retry-After"]) == (409, "1")
    change("lost", created_at=ago(seconds=11))
    later = secretary.post("/occasions", body, headers=key)
    assert (later.status_code, later.json["errors"][0]["code"]) == (409, "answer_lost")
    assert "Retry-After" not in later.headers
    assert written() == 1


def test_what_fails_after_its_transaction_leaves_no_key(secretary, body, written, monkeypatch):
    key = {"Idempotency-Key": "broken"}
    with monkeypatch.context() as patch:
        patch.setattr("guiju.api.resources.occasions.records.create_record", broken)
        assert secretary.post("/occasions", body, headers=key).status_code == 500
    assert written() == 0
    assert secretary.post("/occasions", body, headers=key).status_code == 201
    assert written() == 1


def broken(*_arguments, **_options):
    raise RuntimeError("out of order")


def test_a_key_is_forgotten_after_a_day(secretary, body, written, change):
    key = {"Idempotency-Key": "yesterday"}
    assert secretary.post("/occasions", body, headers=key).status_code == 201
    change("yesterday", created_at=ago(days=1, seconds=1))
    again = secretary.post("/occasions", body, headers=key)
    assert again.status_code == 201, again.text
    assert "Idempotency-Replayed" not in again.headers
    assert written() == 2
