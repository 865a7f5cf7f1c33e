"""``python -m benchmarks.stories``: how long three people take for what they come for.

In a real browser, on a phone and on a desk, on the demo.  Whoever plays them knows where to
click and neither reads nor thinks: what is measured is what the platform takes of a person's
time, from the page after signing in to the page that says that it is done.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from playwright.sync_api import Browser, Page, expect

from guiju.demo import Habits, People, Scenario
from guiju.testing.browser import chromium, find_chromium
from guiju.testing.demo import running_demo, sign_in
from guiju_xian.demo import AS_OF

SCREENS = {"telephone": (390, 844), "desk": (1440, 900)}
#: What a background job may take.
_PATIENCE_MS = 120_000


@dataclass
class Story:
    """One person at one screen; seconds by what they did."""

    page: Page
    device: str
    #: The code of the person's organization.
    organization: str
    folder: Path
    seconds: dict[str, float] = field(default_factory=dict)

    def step(self, what: str, do: Callable[[], Any]) -> None:
        """Do something and wait until the page that comes of it stands."""
        began = time.perf_counter()
        do()
        self.page.wait_for_load_state("load")
        self.seconds[what] = time.perf_counter() - began

    def link(self, name: str | re.Pattern[str]) -> None:
        self.page.get_by_role("main").get_by_role("link", name=name).first.click()

    def button(self, name: str) -> None:
        self.page.get_by_role("button", name=name).first.click()

    def menu(self, name: str) -> None:
        if self.device == "telephone":
            self.button("菜单")
        self.page.get_by_role("navigation", name="主菜单").get_by_role("link", name=name).click()


def secretary(story: Story) -> None:
    """Record a meeting that is due."""
    page = story.page
    story.step("open the form of what is due", lambda: story.link(re.compile("^去记录")))
    everything = page.get_by_role("button", name="要求的全部都有")
    if everything.count():
        everything.first.click()
    day = page.locator('[name="held_on"]')
    if not day.input_value():
        day.fill(AS_OF.isoformat())
    form = page.get_by_role("heading", level=1, name="记录活动")

    def hand_in() -> None:
        story.button("提交")
        expect(form).to_be_hidden()

    story.step("hand it in", hand_in)


def official(story: Story) -> None:
    """Find which branches fall short of what, and why."""
    page = story.page
    short = page.locator('main a[href*="verdict=not_met"]:visible')
    story.step("which branches fall short", short.first.click)
    finding = page.locator('main a[href*="/findings/"]:visible')
    story.step("why", lambda: page.goto(finding.first.evaluate("a => a.href")))
    expect(page.get_by_role("main")).to_contain_text("要求")


def administrator(story: Story) -> None:
    """Import a roster, put a notice into force for it, invite its secretary."""
    page, name = story.page, f"bench-{story.device}-{int(time.time()) % 1000}"
    workbook = _roster(name, story)
    story.menu("组织树")
    story.link("导入工作簿")
    page.get_by_label("工作簿（.xlsx）").set_input_files(workbook)
    done = page.get_by_text("检查通过，没有错误。还没有写入任何内容")
    story.step("check a roster", lambda: _wait(story, "上传并预览", done))
    done = page.get_by_text("导入完成。")
    story.step("import it", lambda: _wait(story, "确认导入", done))
    story.menu("地方规则")
    story.link("启用地方规则")
    story.link("选这份 焦作市")
    page.get_by_label("从哪一天起评判", exact=True).fill("2021-10-01")
    done = page.get_by_role("heading", name="结论的数量")
    story.step("see what a notice would change", lambda: _wait(story, "预览哪些单位会改变", done))
    story.menu("人员与权限")
    story.link("邀请人员")
    page.get_by_label("姓名", exact=True).fill("孙雨")
    page.get_by_label("用户名", exact=True).fill(name)
    page.get_by_label("单位", exact=True).fill(f"{name}-1")
    page.get_by_role("checkbox", name=re.compile("^填报人")).check()
    story.step("invite", lambda: _wait(story, "生成邀请链接", page.locator(".secret")))


def _wait(story: Story, button: str, done: Any) -> None:
    story.button(button)
    expect(done).to_be_visible(timeout=_PATIENCE_MS)


def _roster(name: str, story: Story) -> Path:
    """The workbook of a committee with two branches and their members."""
    random = Random(3)
    made = Scenario(random, AS_OF, Habits(("study",), {}), People(random, name, AS_OF))
    committee = made.unit(name, f"{name}机关党委", "committee", story.organization, sector="agency")
    for number in (1, 2):
        made.branch(f"{name}-{number}", f"{name}第{number}党支部", committee, 8)
    made.rows = {table: made.rows[table] for table in ("organizations", "members", "posts")}
    path = story.folder / f"{name}.xlsx"
    made.write(path)
    return path


#: Whom the demo lets play each, and the story.
STORIES = (
    ("secretary", secretary),
    ("administrator", official),
    ("administrator", administrator),
)


def main() -> None:
    """Play the stories and print what each step took."""
    program = find_chromium()
    if program is None:
        print("no stories: no Chromium on this machine (Debian: apt-get install chromium)")
        return
    with running_demo() as demo, chromium(program) as browser, tempfile.TemporaryDirectory() as at:
        for device in SCREENS:
            for role, play in STORIES:
                story = _play(browser, demo, role, device, play, Path(at))
                print(f"{play.__name__}, {device}: {sum(story.seconds.values()):.1f} s")
                for what, seconds in story.seconds.items():
                    print(f"  {what:<40}{seconds:6.2f} s")


def _play(
    browser: Browser,
    demo: dict[str, Any],
    role: str,
    device: str,
    play: Callable[[Story], None],
    folder: Path,
) -> Story:
    (account,) = (
        one for one in demo["accounts"] if one["role"] == role and one["tenant"] == "xian"
    )
    width, height = SCREENS[device]
    context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    story = Story(context.new_page(), device, account["organization"], folder)
    sign_in(story.page, demo["url"], account)
    play(story)
    context.close()
    return story


if __name__ == "__main__":
    main()
