"""Every address of the application, asked as everybody: nothing of others ever appears.

The walk goes over ``app.url_map``, so that a page or an operation added later is walked
without anybody thinking of it.  Where an address has a parameter that the walk does not know,
the test fails and says what to add.

Whoever asks for what is not theirs gets the very answer of what is not there: the same status
and the same body, but for the id that was asked and the number of the request.
"""

from __future__ import annotations

import difflib
import inspect
import io
import json
import logging
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import redis
import structlog
from flask import Flask
from flask.testing import FlaskClient
from offices import PASSWORD
from psycopg import sql
from twins import PROFILE, ROLES, Part, Twin
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

import guiju.web
from guiju.accounts.support import redeem
from guiju.api.addresses import DOCUMENT, IdConverter
from guiju.audit.operations import Actor
from guiju.db import ScopedSession
from guiju.db.models import metadata

#: Addresses that are not walked, and why.
LEFT_OUT = {
    "static": "files of the release, the same for everybody",
    "health.alive": "shows nothing but that the process is alive",
    "health.ready": "shows nothing but that the process is ready",
    "api_document": "made of the code alone",
}

#: Addresses that end the session of who asks; they are asked by nobody in particular.
ENDING = {"sign_in.submit", "sign_in.sign_out"}

#: Parameters that name something a tenant keeps.  The value is a key of ``Part.things``; for
#: ids of authors (``<id:…>``) it is made from the name of the side.
THINGS = {
    "announcement_id",
    "batch",
    "delegation_id",
    "draft_id",
    "entry_id",
    "file_id",
    "follow_up_id",
    "import_id",
    "job_id",
    "member_id",
    "notice_id",
    "occasion_id",
    "organization_id",
    "post_id",
    "preview_id",
    "record_file_id",
    "report_id",
    "role_id",
    "session_id",
    "support_id",
    "task_id",
    "token_id",
    "user_id",
}
IDS = {"organization_id": "{}-1", "occasion_id": "{}-record"}

#: Things of the same name that are of different kinds, by endpoint.
NAMED_ALIKE = {
    ("api_enabling.show_change", "change_id"): "profile_change_id",
    ("api_enabling.undo", "change_id"): "profile_change_id",
    ("api_tree_changes.show_change", "change_id"): "tree_change_id",
    ("api_tree_changes.undo", "change_id"): "tree_change_id",
    ("tree.undo", "change_id"): "tree_change_id",
    ("profiles.undo", "change_id"): "profile_change_id",
}

#: Parameters that name nothing of anybody's, with a value that there is; by endpoint where
#: each has words of its own.
PLAIN = {
    "requirement": f"{PROFILE}.branch_assembly.quarterly",
    "profile": PROFILE,
    "code": "en",
    "table": "talks",
    "month": "2021-08",
    # Whoever has a link has what it is for; nobody has another's.
    "secret": "1-" + "a" * 43,
}
WORDS = {
    ("members.change", "action"): "transfer",
    ("tree.ask", "action"): "rename",
    ("tree.change", "action"): "rename",
}

#: The id under which everybody tries to make something.
NEW = "made-by-the-walk"

#: What is asked besides: parameters of lists and forms that name something, by the kind of it.
CODES = {
    "organization": "{}-1",
    "within": "{}-1",
    "parent": "{}",
    "group": "{}-g",
    "target": "{}-1",
    "recipient": "{}-1",
    "decided_by": "{}-1",
    "person": "{}-p1",
    "member": "{}-p1",
    "chair": "{}-p1",
    "lecturer": "{}-p1",
    "subject": "{}-p1",
    "occasion": "{}-o3",
    "members": "{}-p1",
    "sources": "{}-2",
    "oversees": "{}-1",
}

#: The same for numbers in bodies of programs, by the key of ``Part.things``.
NUMBERS = {"posts": "post_id", "role": "role_id", "successor": "user_id"}

#: What the addresses of pages are asked with: something that a tenant keeps, by the key of
#: ``Part.things``, or (None) an organization's code.
QUERIES = {"batch": "batch", "entry": "entry_id", "q": None, "unit": None}

#: What else pages are asked with, which names nothing of anybody's.
HARMLESS = {
    "a", "all", "automation", "b", "before", "below", "class", "closed", "cursor", "due_until",
    "ended", "first", "format", "from", "in", "kind", "list", "month", "names", "next", "own",
    "part", "people", "period", "profile", "relation", "requirement", "rule", "rules", "seen",
    "show", "sort", "state", "strictness", "tenant", "term", "to", "units", "username", "variant",
    "verdict", "waiting", "year",
}  # fmt: skip

#: Values of other fields, where any would not do.
SAMPLES = {"id": NEW, "kinds": ["theme_day"], "kind": "branch", "name": "新建"}

NOT_THERE_NUMBER = 2**53 + 11
NOT_THERE_CODE = "nothing-such"

_HOW_TO_ADD = (
    "{rule} has a parameter that the walk does not know: {name}. If it names something that a"
    " tenant keeps, make one for each part in tests/support/twins.py and add the name to THINGS;"
    " if it names nothing of anybody's, add a value to PLAIN or WORDS."
)


_HOW_TO_SORT = (
    "pages are asked with {name}, which the walk does not know: if it names something that a"
    " tenant keeps, add it to QUERIES, else to HARMLESS."
)


@dataclass(frozen=True)
class Request:
    """One request of the walk."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any = None

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")

    def send(self, asking: Asking) -> TestResponse:
        given = {"If-Match": "*"}
        options: dict[str, Any] = {"query_string": dict(self.query), "headers": given}
        options["buffered"] = True
        if self.method not in {"GET", "DELETE"}:
            options["json" if self.is_api else "data"] = self.body
        if not self.is_api:
            return asking.pages.open(self.path, method=self.method, **options)
        if asking.token is not None:
            given["Authorization"] = f"Bearer {asking.token}"
        return asking.programs.open(self.path, method=self.method, **options)


@dataclass(frozen=True)
class Asking:
    """Somebody who asks, in a browser and by a program; nobody has neither session nor token."""

    name: str
    pages: FlaskClient
    programs: FlaskClient
    token: str | None


#: Those who ask without a token.
NOBODY, SUPPORT = "nobody", "support"


@pytest.fixture(scope="module", autouse=True)
def _in_silence() -> Iterator[None]:
    """Thousands of requests, and a trace in colours for each that fails, take longest to print."""
    known = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**known)


@pytest.fixture(scope="module")
def open_app(make_app) -> Flask:
    """The application with forms that need no token: those are tested elsewhere."""
    app = make_app(GUIJU_API_REQUESTS_PER_MINUTE="1000000")
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture(scope="module")
def asking_as(open_app):
    """Somebody of a tenant, signed in; or nobody."""

    def ask(twin: Twin | None, name: str) -> Asking:
        pages = open_app.test_client()
        if twin is None:
            return Asking(name, pages, open_app.test_client(), None)
        fields = {"username": twin.users[name], "password": PASSWORD}
        assert pages.post("/sign-in", data=fields).status_code == 302
        return Asking(name, pages, open_app.test_client(), twin.tokens[name])

    return ask


# -- what is asked ---------------------------------------------------------------------------


def rules(app: Flask) -> list[Rule]:
    """The rules that are walked, reading ones first."""
    found = [rule for rule in app.url_map.iter_rules() if rule.endpoint not in LEFT_OUT]
    return sorted(found, key=lambda rule: (rule.rule, rule.endpoint))


def is_api(rule: Rule) -> bool:
    return rule.rule.startswith("/api/")


def methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def value_of(rule: Rule, name: str, part: Part | None) -> Any:
    """What stands for a parameter: of ``part``, or (None) of nobody."""
    if is_id(rule, name):
        return NOT_THERE_CODE if part is None else IDS[name].format(part.side)
    if thing := thing_of(rule, name):
        return NOT_THERE_NUMBER if part is None else part.things[thing]
    word = WORDS.get((rule.endpoint, name), PLAIN.get(name))
    assert word is not None, _HOW_TO_ADD.format(rule=rule.rule, name=name)
    return word


def thing_of(rule: Rule, name: str) -> str | None:
    """The key of ``Part.things`` that a parameter names; None for one that names nothing."""
    return NAMED_ALIKE.get((rule.endpoint, name), name if name in THINGS else None)


def is_id(rule: Rule, name: str) -> bool:
    """Whether a parameter is an author's own id."""
    return name in IDS and isinstance(rule._converters[name], IdConverter)


def is_owned(rule: Rule, name: str) -> bool:
    return thing_of(rule, name) is not None or is_id(rule, name)


def address(rule: Rule, owners: Mapping[str, Part | None]) -> str:
    """The address with each parameter of the part that is named for it."""
    found = rule.rule
    for name in rule.arguments:
        value = quote(str(value_of(rule, name, owners.get(name))), safe="")
        found = re.sub(rf"<(?:[^:<>]+:)?{name}>", value, found)
    return found


def codes(part: Part | None) -> dict[str, str]:
    """Arguments that name something of a part, or of nobody."""
    return {
        name: NOT_THERE_CODE if part is None else pattern.format(part.side)
        for name, pattern in CODES.items()
    }


class Forms:
    """What requests carry: fields of forms as the templates name them, bodies as documented."""

    def __init__(self, app: Flask) -> None:
        templates = Path(guiju.web.__file__).parent / "templates"
        texts = (file.read_text(encoding="utf-8") for file in templates.rglob("*.html"))
        self._fields = {
            name for text in texts for name in re.findall(r'name="([\w.-]+)"', text)
        } - {"csrf_token"}
        self._document = json.loads(app.test_client().get(DOCUMENT).text)
        self._views = app.view_functions
        self._queries: dict[ModuleType, set[str]] = {}

    def form(self, part: Part | None) -> dict[str, str]:
        """Every field that any form has, with ids of ``part`` where it is one."""
        filled = {}
        for name in self._fields:
            if name in THINGS:
                filled[name] = str(NOT_THERE_NUMBER if part is None else part.things[name])
            elif name in CODES:
                filled[name] = codes(part)[name]
            else:
                filled[name] = "1"
        return filled

    def queries(self, rule: Rule) -> set[str]:
        """What the page may be asked with that names something, as its module reads it."""
        module = inspect.getmodule(inspect.unwrap(self._views[rule.endpoint]))
        assert module is not None
        if module not in self._queries:
            read = re.findall(r'\bargs\.get(?:list)?\("(\w+)"', inspect.getsource(module))
            # Whatever is listed can be searched.
            names = {*read, "q"} if "lists." in inspect.getsource(module) else set(read)
            for name in names - HARMLESS:
                assert name in QUERIES, _HOW_TO_SORT.format(name=name)
            self._queries[module] = names & set(QUERIES)
        return self._queries[module]

    def parameters(self, rule: Rule, method: str) -> set[str]:
        """Names of an operation's query parameters that name something."""
        operation = self._operation(rule, method)
        listed = {entry["name"] for entry in operation.get("parameters", []) if "name" in entry}
        return listed & set(CODES)

    def body(self, rule: Rule, method: str, part: Part | None) -> Any:
        """A body with everything required, and every reference filled in with ids of ``part``."""
        content = self._operation(rule, method).get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            return {}
        schema = content["application/json"]["schema"]
        # Of bodies that differ by table that of the first one, which the walk asks for.
        return self._filled(schema.get("anyOf", [schema])[0], part)

    def statuses(self, rule: Rule, method: str) -> set[str]:
        """What an operation says it answers with."""
        return set(self._operation(rule, method)["responses"])

    def _operation(self, rule: Rule, method: str) -> dict[str, Any]:
        path = re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        return self._document["paths"][path][method.lower()]

    def _filled(self, schema: Mapping[str, Any], part: Part | None, name: str = "") -> Any:
        if "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        if name in SAMPLES:
            return SAMPLES[name]
        kind = schema.get("type", "string")
        kind = kind[0] if isinstance(kind, list) else kind
        if name in CODES and kind == "string":
            return codes(part)[name]
        match kind:
            case "object":
                properties = schema.get("properties", {})
                wanted = {
                    key
                    for key in properties
                    if key in schema.get("required", []) or key in CODES or key in NUMBERS
                }
                return {key: self._filled(properties[key], part, key) for key in sorted(wanted)}
            case "array":
                return [self._filled(schema["items"], part, name)]
            case "integer" if name in NUMBERS:
                return NOT_THERE_NUMBER if part is None else part.things[NUMBERS[name]]
            case "integer" | "number":
                return schema.get("minimum", 1)
            case "boolean":
                return False
        if "enum" in schema:
            return schema["enum"][0]
        return {"date": "2021-10-08", "date-time": "2021-10-08T08:00:00+08:00"}.get(
            schema.get("format", ""), "1"
        )


@pytest.fixture(scope="module")
def forms(open_app) -> Forms:
    return Forms(open_app)


# -- what is answered --------------------------------------------------------------------------


def texts(answer: TestResponse) -> Iterator[bytes]:
    """Everything that an answer says: its headers, its body, and what is packed in it."""
    yield str(answer.headers).encode()
    yield answer.data
    if answer.data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(answer.data)) as packed:
            for name in packed.namelist():
                yield name.encode()
                yield packed.read(name)


def leaks(answer: TestResponse, markers: list[str]) -> list[str]:
    found = list(texts(answer))
    return [marker for marker in markers if any(marker.encode() in text for text in found)]


def said(answer: TestResponse, ids: list[Any]) -> tuple[int, str]:
    """What an answer says but for the ids that were asked and what changes with every request."""
    text = answer.text if answer.data[:2] != b"PK" else "packed"
    text = re.sub(r'("request_id": ")\w+', r"\1…", text)
    text = re.sub(r'(csrf[\w-]*"[^>]*(?:value|content)=")[^"]*', r"\1…", text)
    # What an earlier request had to say is told on the next page, whichever that is.
    text = re.sub(r'<div class="notice" role="status">.*?</div>', "", text, flags=re.DOTALL)
    # What was asked stands in the address to come back to after signing in.
    text = re.sub(r"\s+", " ", text.replace("%3D", "="))
    for value in sorted({str(value) for value in ids}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", text)
    return answer.status_code, text


def differing(first: TestResponse, second: TestResponse) -> str:
    """The lines in which two answers differ, a few of them."""
    lines = difflib.unified_diff(first.text.splitlines(), second.text.splitlines(), n=0)
    return "\n".join(line[:300] for line in list(lines)[2:12])


def digests(url: str, tenant_id: int) -> dict[str, str]:
    """What every table holds of a tenant, in short."""
    found = {}
    with psycopg.connect(url) as connection:
        connection.execute(
            "SELECT set_config('guiju.tenant', %s, false),"
            " set_config('guiju.restricted', 'on', false)",
            (str(tenant_id),),
        )
        for name, table in metadata.tables.items():
            if "tenant_id" not in table.c:
                continue
            (found[name],) = connection.execute(
                sql.SQL("SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} t").format(
                    sql.Identifier(name)
                )
            ).fetchone()
    return found


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return [name for name in before if before[name] != after[name]]


# -- the walk -----------------------------------------------------------------------------------


def variants(rule: Rule, own: Part, other: Part) -> Iterator[tuple[dict[str, Part | None], str]]:
    """Whose things the parameters are: each in turn the other's, and in turn nobody's."""
    owned = [name for name in sorted(rule.arguments) if is_owned(rule, name)]
    for name in owned:
        yield {**dict.fromkeys(owned, own), name: other}, name


class Walk:
    """One asker's way over every rule; ``problems`` are what was found on it.

    ``twins`` says that the other's ids are ids of one's own too: what is asked by them is
    there, and need only show nothing of the other.  Unless it is ``thorough`` an answer that was
    given for something that is not there is not asked for again at every address.
    """

    def __init__(
        self,
        asking: Asking,
        own: Part,
        other: Part,
        forms: Forms,
        markers: list[str],
        *,
        twins: bool = False,
        thorough: bool = False,
    ) -> None:
        self.problems: list[str] = []
        self._twins = twins
        self._thorough = thorough
        #: What is said of things that are not there: the same at most addresses.
        self._not_there: set[tuple[int, str]] = set()
        self._asking = asking
        self._own = own
        self._other = other
        self._forms = forms
        self._markers = markers
        self._ids = [
            *codes(other).values(),
            *other.things.values(),
            *(pattern.format(other.side) for pattern in IDS.values()),
            NOT_THERE_CODE,
            NOT_THERE_NUMBER,
        ]

    def over(self, app: Flask) -> None:
        """Ask at every rule for the other's things, and for what is not there.

        Support has no token: what programs are told who have none, nobody is told.
        """
        for rule in rules(app):
            if self._asking.name == SUPPORT and is_api(rule):
                continue
            if self._asking.name != NOBODY and rule.endpoint in ENDING:
                continue
            for name in rule.arguments:
                value_of(rule, name, None)
            for method in methods(rule):
                self._compare(rule, method)
        if self._asking.token is not None:
            self._check_still_there()

    def _check_still_there(self) -> None:
        """Whoever was signed out on the way has not seen what they should have been refused."""
        if "/sign-in" in self._asking.pages.get("/").headers.get("Location", ""):
            self.problems.append("something on the way ended the session: name it in ENDING")
        me = Request("GET", "/api/v1/organizations", {})
        if me.send(self._asking).status_code == 401:
            self.problems.append("something on the way revoked the token: name it in ENDING")

    def _compare(self, rule: Rule, method: str) -> None:
        mine = {name: self._own for name in rule.arguments if is_owned(rule, name)}
        for owners, name in variants(rule, self._own, self._other):
            self._compare_place(rule, method, owners, name)
        if method == "GET":
            self._ask(rule, method, mine)
        self._compare_queries(rule, method, mine)
        if method != "GET" and self._names_something(rule, method):
            other = self._ask(rule, method, mine, self._other)
            absent = self._ask(rule, method, mine)
            if not self._twins:
                self._same(rule, method, "the body", other, absent)

    def _compare_queries(self, rule: Rule, method: str, mine: Mapping[str, Part | None]) -> None:
        """Filter one's own by the other's things, and by what is not there."""
        if is_api(rule):
            for name in self._forms.parameters(rule, method):
                other = self._ask(rule, method, mine, self._other, name)
                absent = self._ask(rule, method, mine, None, name)
                if not self._twins:
                    self._same(rule, method, name, other, absent)
        elif method == "GET":
            for name in self._forms.queries(rule):
                other = self._look_for(rule, mine, name, self._other)
                absent = self._look_for(rule, mine, name, None)
                if not (self._twins and QUERIES[name] is None):
                    self._same(rule, method, name, other, absent)

    def _compare_place(
        self, rule: Rule, method: str, owners: Mapping[str, Part | None], name: str
    ) -> None:
        """Ask with the other's thing in one place, and with what is not there."""
        other = self._ask(rule, method, owners, self._other)
        if (self._twins and is_id(rule, name)) or said(other, self._ids) in self._not_there:
            return
        absent = self._ask(rule, method, {**owners, name: None})
        self._same(rule, method, name, other, absent)
        if absent.status_code == 404 and not self._thorough:
            self._not_there.add(said(absent, self._ids))

    def _names_something(self, rule: Rule, method: str) -> bool:
        """Whether what is sent says whose it is; sent to one's own address, it may be done."""
        if not is_api(rule):
            return not any(is_owned(rule, name) for name in rule.arguments)
        bodies = [self._forms.body(rule, method, part) for part in (self._other, None)]
        return bodies[0] != bodies[1]

    def _ask(
        self,
        rule: Rule,
        method: str,
        owners: Mapping[str, Part | None],
        part: Part | None = None,
        *names: str,
    ) -> TestResponse:
        """Ask with arguments of ``part``; ``names`` are those of the query."""
        query = {name: codes(part)[name] for name in names}
        body = None
        if method not in {"GET", "DELETE"}:
            forms = self._forms
            body = forms.body(rule, method, part) if is_api(rule) else forms.form(part)
        return self._send(Request(method, address(rule, owners), query, body))

    def _send(self, request: Request) -> TestResponse:
        answer = request.send(self._asking)
        where = f"{request.method} {request.path} {request.query}"
        self.problems += [f"{where} shows {marker}" for marker in leaks(answer, self._markers)]
        if answer.status_code >= 500:
            self.problems.append(f"{where} fails with {answer.status_code}")
        return answer

    def _look_for(
        self, rule: Rule, owners: Mapping[str, Part | None], name: str, part: Part | None
    ) -> TestResponse:
        """Ask a page of one's own with something of ``part`` in its query."""
        thing = QUERIES[name]
        if thing is None:
            value = codes(part)["organization"]
        else:
            value = str(NOT_THERE_NUMBER if part is None else part.things[thing])
        return self._send(Request("GET", address(rule, owners), {name: value}))

    def _same(
        self, rule: Rule, method: str, what: str, first: TestResponse, second: TestResponse
    ) -> None:
        if said(first, self._ids) != said(second, self._ids):
            self.problems.append(
                f"{method} {rule.rule} tells {what} of others from what is not there:"
                f" {first.status_code} and {second.status_code}\n{differing(first, second)}"
            )


@pytest.mark.parametrize("role", ROLES)
def test_one_part_of_a_tree_sees_nothing_of_another(role, open_app, asking_as, forms, twins):
    mine = twins["mine"]
    own, other = mine.parts["left"], mine.parts["right"]
    asking = asking_as(mine, f"{role}-left")
    markers = [other.marker, *(part.marker for part in twins["theirs"].parts.values())]
    walk = Walk(asking, own, other, forms, markers, thorough=role == "administrator")
    walk.over(open_app)
    assert not walk.problems, "\n\n".join(walk.problems)


def test_one_tenant_sees_and_changes_nothing_of_another(
    open_app, asking_as, forms, twins, migrated
):
    mine, theirs = twins["mine"], twins["theirs"]
    own, other = theirs.parts["left"], mine.parts["left"]
    markers = [part.marker for part in mine.parts.values()]
    before = digests(migrated.url, mine.tenant.tenant_id)
    asking = asking_as(theirs, "everything")
    walk = Walk(asking, own, other, forms, markers, twins=True)
    walk.over(open_app)
    assert not walk.problems, "\n\n".join(walk.problems)
    assert changed(before, digests(migrated.url, mine.tenant.tenant_id)) == []


def test_nobody_sees_and_changes_anything(open_app, asking_as, forms, twins, migrated):
    mine = twins["mine"]
    part = mine.parts["left"]
    markers = [part.marker for twin in twins.values() for part in twin.parts.values()]
    before = digests(migrated.url, mine.tenant.tenant_id)
    asking = asking_as(None, NOBODY)
    walk = Walk(asking, part, part, forms, markers)
    walk.over(open_app)
    assert not walk.problems, "\n\n".join(walk.problems)
    assert changed(before, digests(migrated.url, mine.tenant.tenant_id)) == []


def test_support_reads_a_part_without_names_and_changes_nothing(
    open_app, forms, twins, engine, migrated
):
    mine = twins["mine"]
    own, other = mine.parts["left"], mine.parts["right"]
    with ScopedSession(engine) as session:
        secret = redeem(session, Actor("operator"), own.support_code, "支持")
    pages = open_app.test_client()
    assert pages.post(f"/support/{secret}").status_code == 302
    markers = [other.marker, *(part.marker for part in twins["theirs"].parts.values())]
    names = [f"党员{number}{own.marker}" for number in range(1, 5)]
    # Who works here, what was written about a person or in confidence, and files.
    names += [f"{what}{own.marker}" for what in ("用户", "文号", "个案", "内容", "照片", "出差")]
    before = digests(migrated.url, mine.tenant.tenant_id)
    walk = Walk(
        Asking(SUPPORT, pages, open_app.test_client(), None), own, other, forms, markers + names
    )
    walk.over(open_app)
    assert not walk.problems, "\n\n".join(walk.problems)
    assert pages.get(f"/organizations/{own.things['organization_id']}").status_code == 200
    # That it looked is all that is left of it.
    left = set(changed(before, digests(migrated.url, mine.tenant.tenant_id)))
    assert {"audit_entries"} <= left <= {"audit_entries", "user_sessions"}


def test_the_queues_server_keeps_no_text_of_a_tenant(twins, redis_url):
    markers = [part.marker.encode() for twin in twins.values() for part in twin.parts.values()]
    with redis.Redis.from_url(redis_url) as queue:
        for key in queue.scan_iter():
            held = queue.dump(key) or b""
            assert not [mark for mark in markers if mark in key or mark in held], key


def test_what_was_read_otherwise_is_not_changed(open_app, asking_as, forms, twins, migrated):
    """Whatever asks for a tag refuses a stale one, before it looks at what is to be changed."""
    mine = twins["mine"]
    own = mine.parts["left"]
    asking = asking_as(mine, "everything")
    before = digests(migrated.url, mine.tenant.tenant_id)
    answers = {}
    for rule in rules(open_app):
        for method in methods(rule):
            if not is_api(rule) or "412" not in forms.statuses(rule, method):
                continue
            path = address(rule, dict.fromkeys(rule.arguments, own))
            headers = {"Authorization": f"Bearer {asking.token}", "If-Match": '"stale"'}
            body = forms.body(rule, method, own)
            answer = asking.programs.open(path, method=method, headers=headers, json=body)
            answers[f"{method} {rule.rule}"] = answer.status_code
    assert len(answers) > 50
    # Tokens, notices and what was asked in one go are their user's alone.
    others = ("/tokens/<", "/notices/<", "/tasks/batches/<")
    found = {
        what for what in answers if answers[what] != 412 and not any(o in what for o in others)
    }
    assert not found, {what: answers[what] for what in found}
    # When a token was used last is kept with it.
    assert set(changed(before, digests(migrated.url, mine.tenant.tenant_id))) <= {"api_tokens"}
