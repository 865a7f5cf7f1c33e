"""Everything that makes something, asked twice under one key: it is made once.

The walk goes over the OpenAPI document: an operation added later fails here until it has a
request in ``REQUESTS``, and until it does what the others do.
"""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import psycopg
import pytest
import sqlalchemy as sa
from PIL import Image
from psycopg import sql

from guiju.accounts.models import User
from guiju.api.addresses import DOCUMENT
from guiju.clock import today
from guiju.db import ScopedSession, tenant_scope
from guiju.db.models import metadata

BRANCH = "/organizations/finance-1"
THEME_DAY = "xian.theme_day.monthly"
#: Not from today: it may be yesterday by the time that it is asked for.
DAYS = {
    "from_on": (today() + timedelta(days=2)).isoformat(),
    "until_on": (today() + timedelta(days=4)).isoformat(),
}
TYPED = {"kinds": ["theme_day"], "held_on": "2021-11-03"}
TALK = {"held_on": "2021-06-01", "person": "finance-1-1", "partner": "finance-1-2"}
UNIT = {"id": "finance-7", "name": "第七党支部", "kind": "branch", "parent": "finance"}
MEMBER = {
    "id": "newcomer",
    "name": "新党员",
    "organization": "finance-1",
    "membership_class": "probationary",
    "from_on": "2021-01-01",
}
ITEMS = [{"organization": "finance-2", "requirement": THEME_DAY, "period": "2021-03"}]
DECISION = {
    "requirement": "xian.branch_setup.party_groups",
    "verdict": "met",
    "reason": "查阅了支委会的议事记录，制度已经建立。",
    "items": [{"organization": "finance-2"}],
}
ROW = {"username": "listed", "name": "名单", "role": "recorder", "organization": "finance-1"}

#: What makes something but takes no key, and why.
WITHOUT_KEY = {
    "/invitation-lists/preview": "only looks at what would be made",
}


class Making(NamedTuple):
    """A request that makes something."""

    path: str
    #: What is sent: ``json``, or ``data`` with its ``content_type``; nothing where that is so.
    sent: dict[str, Any] = {}  # noqa: RUF012 - never changed
    asked_by: str = "secretary"


class World:
    """What the requests name, made when one needs it."""

    def __init__(self, ask, office, engine, work) -> None:
        self._ask, self._office, self._engine, self._work = ask, office, engine, work

    def made(self, path: str, body: dict[str, Any], by: str = "secretary") -> Any:
        """Something that was made before, without a key."""
        answer = self._ask(by).post(path, body)
        assert answer.status_code == 201, answer.text
        return answer

    def user(self, name: str) -> int:
        with tenant_scope(self._office.tenant.tenant_id), ScopedSession(self._engine) as session:
            return session.scalars(sa.select(User.id).where(User.username == name)).one()

    def invited(self, name: str) -> int:
        body = {**invitation(name), "roles": [{"role": "recorder", "organization": "finance-2"}]}
        return self.made("/invitations", body, "department").json["user"]

    def role(self) -> int:
        return self._ask("department").get("/me").json["roles"][0]["id"]

    def done(self, path: str, **sent: Any) -> int:
        """The number of a job that was asked for and is done."""
        answer = self._ask("department")("POST", path, **sent)
        assert answer.status_code == 202, answer.text
        self._work(self._office, answer.json["id"])
        return answer.json["id"]

    def previewed(self, code: str) -> int:
        return self.done("/imports?organization=finance", **document(code))

    def imported(self, code: str) -> int:
        job = self.done(f"/imports/{self.previewed(code)}/confirm")
        return self._ask("department").get(f"/jobs/{job}").json["result"]["import"]


def as_json(body: Any) -> dict[str, Any]:
    return {"json": body}


def invitation(name: str) -> dict[str, Any]:
    roles = [{"role": "reader", "organization": "finance-1"}]
    return {"username": name, "name": f"姓名{name}", "roles": roles}


def document(code: str) -> dict[str, Any]:
    """A facts document with one new unit."""
    data = json.dumps({"organizations": [{**UNIT, "id": code, "name": f"支部{code}"}]})
    return {"data": data.encode(), "content_type": "application/json"}


def picture() -> dict[str, Any]:
    kept = io.BytesIO()
    Image.new("RGB", (8, 8)).save(kept, "PNG")
    return {"data": kept.getvalue(), "content_type": "image/png"}


def _department(path: str, body: Any = None) -> Making:
    return Making(path, {} if body is None else as_json(body), "department")


def _draft(world: World) -> str:
    body = {"organization": "finance-1", "typed": TYPED}
    return world.made("/drafts", body).headers["Location"]


#: A request for each operation that makes something, by its path in the document.
REQUESTS: dict[str, Callable[[World], Making]] = {
    "/organizations": lambda _world: _department(
        "/organizations", {**UNIT, "id": "finance-3", "opened_on": "2021-01-01"}
    ),
    "/members": lambda _world: Making("/members", as_json(MEMBER)),
    "/posts": lambda _world: Making(
        "/posts",
        as_json(
            {
                "person": "finance-1-3",
                "organization": "finance-1",
                "post": "publicity_member",
                "from_on": "2021-02-01",
            }
        ),
    ),
    "/occasions": lambda _world: Making(
        "/occasions", as_json({"organization": "finance-1", **TYPED})
    ),
    "/drafts": lambda _world: Making(
        "/drafts", as_json({"organization": "finance-1", "typed": TYPED})
    ),
    "/occasions/{occasion_id}/drafts": lambda _world: Making(
        "/occasions/finance-1-theme_day-4/drafts"
    ),
    "/occasions/{occasion_id}/files": lambda _world: Making(
        "/occasions/finance-1-theme_day-2/files?name=a.png&reason=%E8%A1%A5%E5%85%85", picture()
    ),
    "/drafts/{draft_id}/files": lambda world: Making(
        f"{_draft(world)}/files?name=a.png", picture()
    ),
    "/occasions/{occasion_id}/follow-ups": lambda _world: Making(
        "/occasions/finance-1-theme_day-2/follow-ups",
        as_json({"what": "补交学习心得", "who": "党员3"}),
    ),
    "/organizations/{organization_id}/entries/{table}": lambda _world: Making(
        f"{BRANCH}/entries/talks", as_json(TALK)
    ),
    "/organizations/{organization_id}/announcements": lambda _world: Making(
        f"{BRANCH}/announcements", as_json({"text": "开会", "meets_on": DAYS["until_on"]})
    ),
    "/decisions": lambda _world: _department("/decisions", DECISION),
    "/tasks": lambda _world: _department(
        "/tasks", {"kind": "remind", "text": "请补开", "items": ITEMS}
    ),
    "/organizations/{organization_id}/profiles/previews": lambda _world: _department(
        f"{BRANCH}/profiles/previews",
        {"action": "enable", "profile": "jiaozuo", "judge_from": "2021-03-01"},
    ),
    "/imports": lambda _world: Making(
        "/imports?organization=finance", document("finance-4"), "department"
    ),
    "/imports/{job_id}/confirm": lambda world: _department(
        f"/imports/{world.previewed('finance-5')}/confirm"
    ),
    "/imports/{import_id}/undo": lambda world: _department(
        f"/imports/{world.imported('finance-6')}/undo"
    ),
    "/organizations/{organization_id}/reports": lambda _world: _department(
        f"{BRANCH}/reports", {"format": "xian.standard_ledger"}
    ),
    "/exports": lambda _world: _department("/exports"),
    "/invitations": lambda _world: _department("/invitations", invitation("once")),
    "/users/{user_id}/roles": lambda world: _department(
        f"/users/{world.user('committee')}/roles",
        {"role": "reviewer", "organization": "finance"},
    ),
    "/invitation-lists": lambda _world: _department("/invitation-lists", {"rows": [ROW]}),
    "/users/{user_id}/links": lambda world: _department(f"/users/{world.user('second')}/links"),
    "/users/{user_id}/hand-over": lambda world: _department(
        f"/users/{world.invited('leaving')}/hand-over",
        {
            "organization": "finance-2",
            "newcomer": {"username": "coming", "name": "接任"},
            "reason": "换届",
        },
    ),
    "/delegations": lambda world: _department(
        "/delegations", {"role": world.role(), "username": "deputy", "reason": "出差", **DAYS}
    ),
    "/support-accesses": lambda _world: _department(
        "/support-accesses", {"organization": "finance", "purpose": "查看记录", "hours": 1}
    ),
    "/audit/exports": lambda _world: Making("/audit/exports", as_json({}), "auditor"),
}

#: Answers that hold a secret are shown once, and not again.
SECRET = {
    "/invitations",
    "/invitation-lists",
    "/users/{user_id}/links",
    "/users/{user_id}/hand-over",
    "/support-accesses",
}


@pytest.fixture(scope="module")
def operations(app) -> dict[str, dict[str, Any]]:
    """Every operation that is asked for by POST, by its path."""
    document = json.loads(app.test_client().get(DOCUMENT).text)
    root = DOCUMENT.rpartition("/")[0]
    return {
        path.removeprefix(root): methods["post"]
        for path, methods in document["paths"].items()
        if "post" in methods
    }


def takes(operation: dict[str, Any], header: str) -> bool:
    """Whether an operation reads a header."""
    return any(one.get("name") == header for one in operation.get("parameters", []))


@pytest.fixture
def kept(migrated, staffed) -> Callable[[], dict[str, tuple[int, str]]]:
    """Rows of the tenant by table, and a digest of them."""

    def kept() -> dict[str, tuple[int, str]]:
        found = {}
        with psycopg.connect(migrated.url) as connection:
            connection.execute(
                "SELECT set_config('guiju.tenant', %s, false),"
                " set_config('guiju.restricted', 'on', false)",
                (str(staffed.tenant.tenant_id),),
            )
            for name, table in metadata.tables.items():
                # When a token was used last is kept with it.
                if "tenant_id" in table.c and name != "api_tokens":
                    query = sql.SQL(
                        "SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} t"
                    )
                    row = connection.execute(query.format(sql.Identifier(name))).fetchone()
                    assert row is not None
                    found[name] = row
        return found

    return kept


def test_whatever_makes_something_is_asked_here(operations):
    keyed = {path for path in operations if takes(operations[path], "Idempotency-Key")}
    assert keyed == set(REQUESTS), "give what is missing a request in REQUESTS"
    # What changes something that was read cannot be done twice: its tag is another then.
    without = {
        path
        for path, operation in operations.items()
        if path not in keyed
        and not takes(operation, "If-Match")
        and not path.endswith("/rehearsal")
    }
    assert without == set(WITHOUT_KEY), "let it take a key, or say in WITHOUT_KEY why not"
    for path, operation in operations.items():
        made = {"201", "202"} & operation["responses"].keys()
        assert (path in keyed) == bool(made), path
    assert all({"409", "422"} <= operations[path]["responses"].keys() for path in keyed)


@pytest.mark.parametrize("path", REQUESTS)
def test_asked_twice_it_is_made_once(ask, staffed, engine, work, kept, path):
    making = REQUESTS[path](World(ask, staffed, engine, work))
    headers = {"Idempotency-Key": "twice"}
    asking = ask(making.asked_by)

    before = kept()
    first = asking("POST", making.path, headers=headers, **making.sent)
    assert first.status_code in {201, 202}, first.text
    after = kept()
    assert sum(rows for rows, _digest in after.values()) > sum(
        rows for rows, _digest in before.values()
    )

    again = asking("POST", making.path, headers=headers, **making.sent)
    if path in SECRET:
        assert again.status_code == 409, again.text
    else:
        assert (again.status_code, again.data) == (first.status_code, first.data)
        told = {name: again.headers.get(name) for name in ("Location", "ETag")}
        assert told == {name: first.headers.get(name) for name in told}
        assert again.headers["Idempotency-Replayed"] == "true"
    assert kept() == after

    other = asking("POST", making.path, headers=headers, **otherwise(making.sent))
    assert other.status_code == 422, other.text
    (error,) = other.json["errors"]
    assert (error["header"], error["code"]) == ("Idempotency-Key", "reused")
    assert kept() == after


def otherwise(sent: dict[str, Any]) -> dict[str, Any]:
    """The same with a blank more: another body, with which nothing else is wrong."""
    data = json.dumps(sent["json"]).encode() if "json" in sent else sent.get("data", b"")
    return {"data": data + b" ", "content_type": sent.get("content_type", "application/json")}
