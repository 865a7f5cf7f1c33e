"""Take pictures of the demo's pages: ``make screenshots``.

Starts ``guiju demo`` in a folder of its own and saves, on a desk and on a telephone, the ten
main pages that ``docs/pages.md`` shows in ``docs/pictures``, and whole pages of each tenant's
administrator and secretary in ``var/screenshots``.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image
from playwright.sync_api import Browser, Page

from guiju.testing.browser import chromium, find_chromium
from guiju.testing.demo import running_demo, sign_in

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "var" / "screenshots"
PICTURES = ROOT / "docs" / "pictures"
WIDTHS = {"desk": 1440, "telephone": 390}
HEIGHTS = {"desk": 900, "telephone": 844}

#: Whose demonstration the pictures show.
TENANT = "xian"
#: Colours that a picture in the documentation may have; the pages have fewer.
COLOURS = 128


class Picture(NamedTuple):
    """One picture: what it is called, who sees it, and how they come to it from their page."""

    name: str
    role: str
    come: Callable[[Page], None]


def stay(_page: Page) -> None:
    """The page after signing in."""


def press(*links: str) -> Callable[[Page], None]:
    """Follow links of the page, one after the other, each by its words."""

    def come(page: Page) -> None:
        for link in links:
            page.get_by_role("main").get_by_role("link", name=link).first.click()
            page.wait_for_load_state("networkidle")

    return come


def choose(item: str, *links: str) -> Callable[[Page], None]:
    """Go to an item of the menu, then follow links."""

    def come(page: Page) -> None:
        page.goto(page.locator("#menu").get_by_text(item, exact=True).evaluate("a => a.href"))
        press(*links)(page)

    return come


def ask_why(page: Page) -> None:
    """Open the first cell of the year that deviates, on its own page."""
    page.goto(page.locator("#glance a.v-deviation").first.evaluate("a => a.href"))


def answer_appeal(page: Page) -> None:
    """Open the decision that was objected to."""
    choose("认定台", "待复核")(page)
    page.goto(page.locator("table .what a").first.evaluate("a => a.href"))


def preview(page: Page) -> None:
    """Ask what another notice would change for the first committee."""
    choose("组织树", "市直机关工委")(page)
    page.goto(page.url.replace("/tree", "/profiles/enable?profile=jiaozuo"))
    page.get_by_role("button", name="预览哪些单位会改变").click()
    page.get_by_role("heading", name="结论的数量").wait_for(timeout=120_000)


#: The ten main pages.
MAIN = (
    Picture("workbench", "secretary", stay),
    Picture("record-form", "secretary", press("去记录 主题党日每月一次")),
    Picture("branch", "secretary", choose("本单位")),
    Picture("explanation", "secretary", ask_why),
    Picture("overview", "administrator", stay),
    Picture("heat", "administrator", press("要求与单位")),
    Picture("attention", "administrator", choose("待处理")),
    Picture("desk", "administrator", answer_appeal),
    Picture("preview", "administrator", preview),
    Picture("library", "administrator", choose("规则库", "西安市")),
)


def main() -> None:
    """Save the pictures and print where they are."""
    program = find_chromium()
    if program is None:
        sys.exit("No Chromium on this machine (Debian: apt-get install chromium).")
    FOLDER.mkdir(parents=True, exist_ok=True)
    PICTURES.mkdir(parents=True, exist_ok=True)
    with running_demo() as running, chromium(program) as browser:
        for device, width in WIDTHS.items():
            show(browser, running, device)
            for account in running["accounts"]:
                if account["role"] in {"administrator", "secretary"}:
                    name = f"{account['tenant']}-{account['role']}-{device}"
                    take(browser, running["url"], account, name, width)


def show(browser: Browser, running: dict[str, Any], device: str) -> None:
    """Save the main pages as one screen shows them."""
    found = {account["role"]: account for account in running["accounts"] if is_shown(account)}
    for picture in MAIN:
        context = browser.new_context(
            viewport={"width": WIDTHS[device], "height": HEIGHTS[device]}, locale="zh-CN"
        )
        page = context.new_page()
        sign_in(page, running["url"], found[picture.role])
        picture.come(page)
        page.wait_for_load_state("networkidle")
        file = PICTURES / f"{picture.name}-{device}.png"
        page.screenshot(path=file)
        with Image.open(file) as taken:
            small = fewer_colours(taken.convert("RGB"))
        small.save(file, optimize=True)
        print(file.relative_to(ROOT))
        context.close()


def fewer_colours(picture: Image.Image) -> Image.Image:
    """The picture with a palette: its commonest colours as they are, and a spread of the others.

    A few red or violet dots are the point of a page, and its ground is no other grey: neither
    may be taken for its neighbour.
    """
    counted = picture.getcolors(picture.width * picture.height) or []
    common = [colour for _times, colour in sorted(counted, reverse=True)[: COLOURS // 2]]
    spread = picture.quantize(COLOURS // 2, method=Image.Quantize.MAXCOVERAGE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for colour in common for part in colour] + spread)
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def is_shown(account: dict[str, str]) -> bool:
    """Whether an account is of the tenant in the pictures."""
    return account["tenant"] == TENANT


def take(browser: Browser, url: str, account: dict[str, str], name: str, width: int) -> None:
    """Save the account's first page, its organization's page, and one explanation."""
    context = browser.new_context(viewport={"width": width, "height": 900}, locale="zh-CN")
    page = context.new_page()
    sign_in(page, url, account)
    save(page, f"{name}-1-home")
    page.goto(page.url.removesuffix("/overview").removesuffix("/workbench"))
    save(page, f"{name}-2-organization")
    opening = page.locator("[data-drawer]").first
    if opening.count():
        opening.click()
        save(page, f"{name}-3-explanation")
    context.close()


def save(page: Page, name: str) -> None:
    """Save the page as it looks when nothing loads any more."""
    page.wait_for_load_state("networkidle")
    file = FOLDER / f"{name}.png"
    page.screenshot(path=file, full_page=True)
    print(file.relative_to(ROOT))


if __name__ == "__main__":
    main()
