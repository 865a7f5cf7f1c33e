"""The story of a tenant's administrator, who has read no manual: a roster, a notice, a person.

From an empty tenant to a judged one with a secretary in it; clicks and fields are counted.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import expect
from serving import SCREENS, Site, Visit

from guiju.demo import Habits, People, Scenario

AS_OF = date(2021, 11, 20)


@pytest.fixture(scope="module")
def roster(tmp_path_factory) -> Path:
    """The workbook of a committee with two branches and what they recorded."""
    random = Random(3)  # noqa: S311 - the same roster every time
    made = Scenario(random, AS_OF, Habits(("study",), {}), People(random, "p", AS_OF))
    committee = made.unit("finance", "市财政局机关党委", "committee", "root", sector="agency")
    for number, name in enumerate(("第一", "第二"), 1):
        made.branch(f"finance-{number}", f"市财政局{name}党支部", committee, 8)
    made.live(AS_OF.year)
    path = tmp_path_factory.mktemp("roster") / "名册.xlsx"
    made.write(path)
    return path


class Official(Visit):
    """Somebody whose clicks and fields are counted."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.clicks = self.fields = 0

    def click(self, role: str, name: str) -> None:
        self.page.get_by_role(role, name=name).first.click()
        self.clicks += 1

    def menu(self, name: str) -> None:
        if self.device == "telephone":
            self.click("button", "菜单")
        self.page.get_by_role("navigation", name="主菜单").get_by_role("link", name=name).click()
        self.clicks += 1

    def fill(self, label: str, text: str) -> None:
        self.page.get_by_label(label, exact=True).fill(text)
        self.fields += 1


@pytest.fixture(params=SCREENS)
def official(request, browser, address, create_tenant, pictures):
    tenant = create_tenant()
    width, height = SCREENS[request.param]
    context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    users = {"administrator": tenant.sign_in_name}
    site = Site(address, users, {}, None, None, {"administrator": tenant.password})
    visit = Official(context.new_page(), site, pictures, request.param)
    visit.sign_in("administrator")
    yield visit
    context.close()


def test_an_empty_tenant_comes_to_work(official, roster):
    import_roster(official, roster)
    enable_notice(official)
    invite_secretary(official)
    opened = 3 if official.device == "telephone" else 0  # the menu
    assert (official.clicks, official.fields) == (12 + opened, 6)


def import_roster(official: Official, roster: Path) -> None:
    page = official.page
    official.menu("组织树")
    official.click("link", "导入工作簿")
    page.get_by_label("工作簿（.xlsx）").set_input_files(roster)
    official.fields += 1
    official.click("button", "上传并预览")
    # Nothing is written before one has seen what would be.
    expect(page.get_by_text("检查通过，没有错误。还没有写入任何内容")).to_be_visible()
    organizations = page.get_by_role("row").filter(has_text="组织").first
    expect(organizations).to_contain_text("3")
    official.inspect("story-import-preview")
    official.click("button", "确认导入")
    expect(page.get_by_text("导入完成。")).to_be_visible()


def enable_notice(official: Official) -> None:
    page = official.page
    official.menu("地方规则")
    official.click("link", "启用地方规则")
    official.click("link", "选这份 西安市")
    official.fill("从哪一天起评判", "2021-01-01")
    official.click("button", "预览哪些单位会改变")
    # From nothing judged to everything: both branches.
    expect(page.get_by_text("这 2 个党支部的结论会改变")).to_be_visible()
    official.inspect("story-profile-preview")
    official.click("button", "确认，让改动生效")
    expect(page.get_by_text("西安市").first).to_be_visible()


def invite_secretary(official: Official) -> None:
    page = official.page
    official.menu("人员与权限")
    official.click("link", "邀请人员")
    official.fill("姓名", "孙雨")
    official.fill("用户名", "sunyu")
    official.fill("单位", "finance-1")
    page.get_by_role("checkbox", name=re.compile("^填报人")).check()
    official.fields += 1
    official.click("button", "生成邀请链接")
    link = page.locator(".secret")
    expect(link).to_be_visible()
    official.inspect("story-invitation")
    # Whoever has the link chooses a password, and sees their branch.
    context = page.context.browser.new_context(locale="zh-CN")
    guest = context.new_page()
    guest.goto(link.inner_text().strip())
    expect(guest.get_by_role("heading", level=1)).to_contain_text("孙雨")
    guest.get_by_label("新密码").fill("Plain-words-2021")
    guest.get_by_label("再输入一次").fill("Plain-words-2021")
    guest.get_by_role("button", name="设置密码").click()
    code = official.site.users["administrator"].partition("@")[2]
    guest.get_by_label("用户名").fill(f"sunyu@{code}")
    guest.get_by_label("密码").fill("Plain-words-2021")
    guest.get_by_role("button", name="登录").click()
    expect(guest.get_by_role("heading", level=1)).to_have_text("市财政局第一党支部")
    context.close()
