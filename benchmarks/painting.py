"""When a browser first shows something of a page: its first contentful paint."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from guiju.testing.browser import chromium, find_chromium

_TIMES = 7
#: Milliseconds from the start of the navigation; waits until the browser has noted it.
_PAINTED = """() => new Promise(resolve => {
  const look = () => {
    const [entry] = performance.getEntriesByName("first-contentful-paint");
    if (entry) resolve(entry.startTime); else setTimeout(look, 10);
  };
  look();
})"""


def painted(
    origin: str, cookies: Mapping[str, str], addresses: Mapping[str, str]
) -> dict[str, float]:
    """Milliseconds to the paint of each page, its scripts and styles being there already.

    ``addresses`` are by what the pages show.  Without a Chromium there is nothing to say.
    """
    program = find_chromium()
    if program is None:
        return {}
    found = {}
    with chromium(program) as browser:
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
        context.add_cookies([{"name": k, "value": v, "url": origin} for k, v in cookies.items()])
        page = context.new_page()
        for what, address in addresses.items():
            taken: list[float] = []
            for _ in range(_TIMES):
                page.goto(origin + address)
                taken.append(page.evaluate(_PAINTED))
            # The first fills the browser's cache.
            found[what] = median(taken[1:])
    return found
