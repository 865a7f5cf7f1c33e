"""Every page in a real Chromium, on a desk and on a telephone, with a demonstration in it.

Where each page has its place in the walk, :data:`PAGES` says; a page that has none fails the
first test.  ``--pictures`` keeps pictures of all of them in ``var/browser-tests/pages``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from flask import url_for
from playwright.sync_api import Browser, Response
from serving import MOST_BYTES, SCREENS, Pictures, Site, Visit, weight
from showcase import Showcase, make_showcase


class Stop(NamedTuple):
    """Who comes to a page, and with what besides the parameters of its address.

    ``at`` names the organization: that of the department, the secretary's branch, or the
    unit ``above`` it.
    """

    who: str | None = "administrator"
    query: dict[str, str] = {}  # noqa: RUF012 - never changed
    at: str = "organization_id"
    #: Names of parameters of the address that stand for something else than usually.
    given: dict[str, str] = {}  # noqa: RUF012 - never changed


#: The pages by endpoint.
PAGES = {
    "account_policy.page": Stop(),
    "attention.page": Stop(),
    "audit.page": Stop("auditor"),
    "desk.made": Stop(),
    "desk.page": Stop(),
    "entries.index": Stop("secretary", at="branch"),
    "entries.page": Stop("secretary", at="branch"),
    "findings.cell": Stop("secretary", {"period": "2021-07"}, "branch", {"requirement": "dues"}),
    "findings.page": Stop(query={"period": "2021-09"}, at="branch"),
    "heat.compare": Stop(query={"before": "2021-Q2", "after": "2021-Q3"}),
    "heat.page": Stop(),
    "heat.parts": Stop(),
    "imports.page": Stop(),
    "imports.progress": Stop(),
    "invitation_lists.page": Stop(),
    "jobs.index": Stop(),
    "jobs.page": Stop(given={"job_id": "report"}),
    "library.compare": Stop(query={"a": "jiaozuo", "b": "xian"}),
    "library.index": Stop(),
    "library.notice": Stop(),
    "links.page": Stop(None),
    "members.newcomer": Stop(at="branch"),
    "members.one": Stop(),
    "members.page": Stop(at="branch"),
    "months.listing": Stop(),
    "months.page": Stop("secretary", at="branch"),
    "notices.page": Stop("secretary"),
    "organization.page": Stop("secretary", at="branch"),
    "overview.page": Stop(),
    "own_account.page": Stop("secretary"),
    "own_password.page": Stop("secretary"),
    "own_tokens.page": Stop(),
    "people.handover": Stop(at="branch"),
    "people.index": Stop(),
    "people.invitation": Stop(),
    "people.page": Stop(),
    "permission_matrix.page": Stop(),
    "plans.page": Stop("secretary", at="branch"),
    "profiles.enable": Stop(query={"profile": "xian"}, at="above"),
    "profiles.end": Stop(query={"term": "2021-01-01"}),
    "profiles.page": Stop(),
    "profiles.preview": Stop(),
    "profiles.readings": Stop(query={"term": "2021-01-01"}),
    "record_form.draft": Stop("secretary", at="branch"),
    "record_form.new": Stop("secretary", {"kind": "theme_day"}, "branch"),
    "records.listing": Stop("secretary", at="branch"),
    "records.page": Stop("secretary"),
    "reports.page": Stop(),
    "review_levels.page": Stop(at="above"),
    "reviews.page": Stop("reviewer"),
    "search.page": Stop(query={"q": "财政"}),
    "second_factor.page": Stop(),
    "sign_in.code": Stop("careful"),
    "sign_in.form": Stop(None),
    "support_accesses.page": Stop(),
    "support_visits.offer": Stop(None, given={"secret": "support_secret"}),
    "tasks.page": Stop(),
    "tenant_data.page": Stop(),
    "tree.ask": Stop(at="above"),
    "tree.page": Stop(),
    "workbench.page": Stop("secretary", at="branch"),
}

#: What is read but is no page of its own, and why.
NO_PAGES = {
    "account_provider.page": "there only where providers are allowed: test_provider_sign_in.py",
    "attachments.send": "a file",
    "front.page": "leads on to the visitor's own page",
    "health.alive": "for machines",
    "health.ready": "for machines",
    "imports.state": "a part of a page",
    "imports.template": "a file",
    "invitation_lists.template": "a file",
    "jobs.download": "a file",
    "jobs.listing": "a part of a page",
    "jobs.state": "a part of a page",
    "library.coverage": "a file",
    "links.forgotten": "there only where letters are sent: test_account_mail.py",
    "notices.follow": "leads on to what the notice is about",
    "permission_matrix.holders_csv": "a file",
    "permission_matrix.roles_csv": "a file",
    "permission_matrix.workbook": "a file",
    "profiles.progress": "a part of a page",
    "provider_sign_in.back": "leads on",
    "provider_sign_in.begin_binding": "leads on to the provider",
    "provider_sign_in.choose": "there only where providers are allowed: test_provider_sign_in.py",
    "provider_sign_in.go": "leads on to the provider",
    "reports.download": "a file",
    "reports.listing": "a part of a page",
    "standing.fragment": "a part of a page",
    "static": "files of the release",
    "tree.branches": "a part of a page",
}


def readable(app) -> set[str]:
    """Endpoints of what a browser reads."""
    return {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.rule.startswith("/api/")
    }


def test_every_page_has_its_place_in_the_walk(app):
    known = PAGES.keys() | NO_PAGES.keys()
    added = readable(app) - known
    assert not added, f"add them to PAGES, or to NO_PAGES with the reason: {sorted(added)}"
    gone = known - readable(app)
    assert not gone, f"there are no such pages any more: {sorted(gone)}"


@pytest.fixture(scope="module")
def showcase(address, app, engine, redis_url, tmp_path_factory) -> Showcase:
    plugins = app.extensions["guiju_plugins"]
    return make_showcase(engine, plugins, redis_url, tmp_path_factory.mktemp("demo"))


class Walk:
    """Everybody at their screens, of whom each keeps one page open."""

    def __init__(self, browser: Browser, site: Site, pictures: Pictures) -> None:
        self._browser, self._site, self._pictures = browser, site, pictures
        self._visits: dict[str | None, Visit] = {}

    def come(self, endpoint: str, address: str) -> None:
        """Look at a page on both screens."""
        stop = PAGES[endpoint]
        visit = self._visit_of(stop.who)
        visit.faults.clear()
        heard: list[Response] = []

        def listen(response: Response) -> None:
            heard.append(response)

        visit.page.on("response", listen)
        try:
            for device, (width, height) in SCREENS.items():
                visit.device = device
                visit.page.set_viewport_size({"width": width, "height": height})
                if device == "desk":
                    shown = visit.page.goto(self._site.url + address)
                    assert shown is not None
                    assert shown.ok, f"{shown.status} {address}"
                    title, brand = visit.page.title().rsplit(" · ", 1)
                    assert title.strip(), "a page without a title of its own"
                    assert brand == "规矩"
                    assert visit.page.locator("h1").count() == 1
                visit.inspect(endpoint)
        finally:
            visit.page.remove_listener("response", listen)
        assert weight(heard) <= MOST_BYTES

    def _visit_of(self, who: str | None) -> Visit:
        if who not in self._visits:
            context = self._browser.new_context(locale="zh-CN")
            visit = Visit(context.new_page(), self._site, self._pictures, "desk")
            if who is not None:
                visit.sign_in(who)
            self._visits[who] = visit
        return self._visits[who]

    def end(self) -> None:
        for visit in self._visits.values():
            visit.page.context.close()


def address_of(app, endpoint: str, places: dict[str, Any]) -> str:
    """The address of a page, with what its parameters stand for."""
    stop = PAGES[endpoint]
    (rule,) = (rule for rule in app.url_map.iter_rules(endpoint) if "GET" in (rule.methods or ()))
    named = {"organization_id": stop.at, **stop.given}
    values = {name: places[named.get(name, name)] for name in rule.arguments}
    with app.test_request_context():
        return url_for(endpoint, **values, **stop.query)


@pytest.fixture(scope="module")
def walk(browser, address, showcase, pictures) -> Iterator[Walk]:
    """Somebody in each role, on the way through the demonstration."""
    names = {role: account.username for role, account in showcase.accounts.items()}
    passwords = {role: account.password for role, account in showcase.accounts.items()}
    site = Site(address, names, {}, None, None, passwords)
    walk = Walk(browser, site, pictures._replace(folder=pictures.folder / "pages"))
    yield walk
    walk.end()


# A page that has no place on the way fails the first test.
@pytest.mark.parametrize("endpoint", sorted(PAGES))
def test_every_page(walk, app, showcase, endpoint):
    walk.come(endpoint, address_of(app, endpoint, showcase.places))
