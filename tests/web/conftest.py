"""The served application for the browser tests of this folder; counting what pages ask."""

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser
from serving import SCREENS, Pictures, Site, Visit, open_site, served

from guiju.db import db, registries
from guiju.web import sessions


@pytest.fixture(scope="module")
def address(browser, environment) -> Iterator[str]:
    """Where the application is; ``browser`` comes first, so that nothing starts without one.

    Its worker would take the jobs of other modules, so it ends with this one.
    """
    with served(environment) as url:
        yield url


@pytest.fixture(scope="module")
def site(address, engine, create_office) -> Site:
    """The served application with an office whose year is judged."""
    return open_site(address, engine, create_office(recorded=True))


@pytest.fixture
def own(address, engine, create_office) -> Site:
    """An office of the test's own: nobody has recorded what is due, nothing waits to be judged."""
    return open_site(address, engine, create_office(recorded=True))


@pytest.fixture(scope="session")
def pictures(pytestconfig) -> Pictures:
    """What is done with pictures of pages."""
    folder = pytestconfig.rootpath / "var" / "browser-tests"
    return Pictures(folder, pytestconfig.getoption("pictures"))


@pytest.fixture(params=SCREENS)
def visit(request, browser: Browser, site: Site, pictures: Pictures) -> Iterator[Visit]:
    """Somebody at a desk, then somebody with a telephone, who looks at the module's site."""
    width, height = SCREENS[request.param]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="zh-CN",
        has_touch=request.param == "telephone",
    )
    yield Visit(context.new_page(), site, pictures, request.param)
    context.close()


@pytest.fixture
def statements(app, monkeypatch):
    """How many statements a call sends while the clock stands still.

    Otherwise a minute may end between two calls, and what is noted or read once a minute would
    be counted in one of them only.
    """
    now, tick = time.time(), time.monotonic()
    monkeypatch.setattr(sessions, "time", SimpleNamespace(time=lambda: now))
    monkeypatch.setattr(registries, "time", SimpleNamespace(monotonic=lambda: tick))
    with app.app_context():
        engine = db.engine
    seen: list[str] = []

    def note(_connection, _cursor, statement, *_rest):
        seen.append(statement)

    def statements(call, *, status=200):
        seen.clear()
        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            assert call().status_code == status
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)
        return len(seen)

    return statements
