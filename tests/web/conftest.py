"""The served application for the browser tests of this folder."""

from collections.abc import Iterator

import pytest
from serving import Site, open_site, served


@pytest.fixture(scope="module")
def address(browser, environment) -> Iterator[str]:
    """Where the application is; ``browser`` comes first, so that nothing starts without one.

    Its worker would take the jobs of other modules, so it ends with this one.
    """
    with served(environment) as url:
        yield url


@pytest.fixture(scope="module")
def site(address, environment, engine, create_office) -> Site:
    """The served application with an office whose year is judged."""
    return open_site(address, environment, engine, create_office(recorded=True))
