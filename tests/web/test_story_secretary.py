"""The story of a branch secretary, and what may go wrong while they type, on a phone mostly.

Counts taps and fields: what is due this month is recorded with three taps and one field, the
names that were tapped apart.
"""

import io
import re
from collections.abc import Callable, Iterator
from datetime import date
from urllib.parse import parse_qs

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect
from serving import SCREENS, Pictures, Site, Visit

from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope
from guiju.tenancy.operations import enable_profile

FRIDAY = "2021-11-05"


class Hand(Visit):
    """Somebody with a phone in their hand, whose taps and fields are counted."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.taps = self.fields = 0

    def tap(self, role: str, name) -> None:
        self.page.get_by_role(role, name=name).first.tap()
        self.taps += 1

    def fill(self, name: str, text: str) -> None:
        self.field(name).fill(text)
        self.fields += 1

    def field(self, name: str):
        return self.page.locator(f'[name="{name}"]')

    def begin(self, requirement="主题党日每月一次") -> None:
        """From the workbench to the form of what is due."""
        due = self.page.locator("#due .duty").filter(has_text=requirement)
        due.get_by_role("link", name="去记录").tap()
        self.taps += 1
        expect(self.page.get_by_role("heading", level=1)).to_have_text("记录活动")
        self.settle()

    def write(self) -> None:
        """To the form of a lecture by its address, whatever is due."""
        unit = self.site.units["finance-1"]
        self.go(f"/organizations/{unit}/records/new?kind=party_lecture")
        self.settle()

    def seat(self, name: str):
        return self.page.locator(".seat").filter(has_text=re.compile(rf"^\s*{name}\b"))

    def saving(self, wanted: Callable[[dict[str, list[str]]], bool]):
        """Wait until the server has what is typed in the block.

        ``wanted`` says of the fields that were sent whether it was all: whoever types slowly is
        saved on the way.
        """

        def saved(answer: Response) -> bool:
            if not (answer.url.endswith("/save") and answer.ok):
                return False
            return wanted(parse_qs(answer.request.post_data or ""))

        return self.page.expect_response(saved)


@pytest.fixture
def hands(browser: Browser, site: Site, pictures: Pictures) -> Iterator:
    """People at phones, signed in, each with a browser of their own."""
    contexts: list[BrowserContext] = []

    def hand(user="secretary", *, device="telephone", office=site) -> Hand:
        width, height = SCREENS[device]
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale="zh-CN", has_touch=True
        )
        contexts.append(context)
        somebody = Hand(context.new_page(), office, pictures, device)
        somebody.sign_in(user)
        return somebody

    yield hand
    for context in contexts:
        context.close()


@pytest.mark.parametrize("device", SCREENS)
def test_a_theme_day_is_recorded_with_three_taps(hands, own, device):
    hand, site = hands(device=device, office=own), own
    soon = hand.page.locator("#due .duty").filter(has_text="主题党日每月一次")
    expect(soon).to_contain_text("还有 20 天")
    expect(soon).to_contain_text("附件1·13; 附件2·13")
    hand.inspect("story-workbench")
    hand.begin()
    expect(hand.page.get_by_role("checkbox", name="主题党日", exact=True)).to_be_checked()
    hand.fill("held_on", FRIDAY)
    hand.tap("button", "要求的全部都有")
    for box in ("专题学习", "思想交流", "集中点评", "为民服务", "缴纳党费"):
        expect(hand.page.get_by_role("checkbox", name=box, exact=True)).to_be_checked()
    hand.seat("党员3").locator("label").tap()
    expect(hand.page.locator(".roster-counts")).to_contain_text("请假 1")
    hand.inspect("story-form")
    hand.tap("button", "提交")
    expect(hand.page.get_by_role("heading", level=1)).to_have_text("主题党日")
    expect(hand.page.get_by_role("main")).to_contain_text("应到 8，实到 7")
    expect(hand.page.get_by_role("main")).to_contain_text("党员3")
    assert (hand.taps, hand.fields) == (3, 1)
    hand.inspect("story-record")
    assert hand.page.evaluate("Object.keys(localStorage).length") == 0
    site.score()
    hand.go("/")
    expect(hand.page.locator("#due .duty").filter(has_text="主题党日每月一次")).to_have_count(0)
    row = hand.page.locator("#glance").get_by_role("row").filter(has_text="主题党日每月一次")
    expect(row.get_by_role("link", name="11月")).to_contain_text("符合")


def test_a_theme_day_that_hosts_a_lecture_is_one_record(hands, own):
    hand = hands(office=own)
    hand.begin("党课每季度安排一次")
    hand.page.locator(".chip", has_text="主题党日").tap()
    # What both kinds ask is there without a page of its own.
    expect(hand.page.get_by_label("授课人")).to_be_visible()
    expect(hand.page.get_by_role("checkbox", name="缴纳党费", exact=True)).to_be_attached()
    hand.page.get_by_label("授课人").select_option(label="党员1")
    hand.tap("button", "提交")
    expect(hand.page.get_by_role("heading", level=1)).to_have_text("党课、主题党日")


#: What the element with the focus is called, and whether the screen shows that it has it.
FOCUS = """() => {
  const element = document.activeElement;
  // The button within a field for a day has a ring of its own, of which a page learns nothing.
  const day = ["date", "time"].includes(element.type);
  const drawn = day || [element, element.nextElementSibling, element.parentElement].some((one) => {
    const style = one && getComputedStyle(one);
    return style && (style.outlineStyle !== "none" || style.boxShadow !== "none");
  });
  const label = element.labels && element.labels[0];
  const name = element.getAttribute("aria-label") || (label || element).textContent;
  return [name.replace(/\\s+/g, " ").trim(), drawn];
}"""


class Keys:
    """Somebody at a desk who touches nothing but the keyboard."""

    def __init__(self, page: Page) -> None:
        self.page, self._keyboard = page, page.keyboard
        # What is drawn gradually could be looked at too early.
        page.emulate_media(reduced_motion="reduce")

    def press(self, *keys: str) -> None:
        for key in keys:
            self._keyboard.press(key)

    def reach(self, wanted: str, most: int = 90) -> None:
        """Press Tab until what is called so has the focus; the focus is seen all the way."""
        for _step in range(most):
            self._keyboard.press("Tab")
            name, drawn = self.page.evaluate(FOCUS)
            assert drawn, f"nobody sees that {name} has the focus"
            if re.match(wanted, name):
                return
        pytest.fail(f"no {wanted} within {most} steps")


def test_everything_is_done_from_the_keyboard(hands, own):
    hand = hands(device="desk", office=own)
    keys, page = Keys(hand.page), hand.page
    keys.reach("跳到正文", 1)
    keys.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    keys.reach("去记录 党课每季度安排一次")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("记录活动")
    hand.settle()
    keys.reach("跳到正文", 1)
    keys.press("Enter")
    keys.reach("授课人")
    keys.press("ArrowDown")
    expect(page.get_by_label("授课人")).not_to_have_value("")
    keys.reach("党员3")
    keys.press("ArrowDown", "ArrowDown")
    expect(page.locator(".roster-counts")).not_to_contain_text("出席 8")
    hand.inspect("keyboard-form", whole=False)
    keys.reach("提交")
    keys.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("党课")


def test_an_explanation_is_opened_and_left_from_the_keyboard(hands):
    hand = hands(device="desk")
    keys, page = Keys(hand.page), hand.page
    hand.settle()
    page.locator("#glance a[data-drawer]").first.focus()
    cell = page.evaluate("document.activeElement.href")
    keys.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert page.evaluate("!!document.activeElement.closest('dialog')")
    # The page below it is out of reach.
    for _step in range(12):
        keys.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        )
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.evaluate("document.activeElement.href") == cell


def test_the_menu_of_a_telephone_is_opened_and_left_from_the_keyboard(hands):
    hand = hands()
    keys, page = Keys(hand.page), hand.page
    keys.reach("菜单", 4)
    keys.press("Enter")
    expect(page.get_by_role("navigation", name="主菜单")).to_be_visible()
    keys.reach("工作台", 1)
    keys.press("Escape")
    expect(page.get_by_role("navigation", name="主菜单")).to_be_hidden()
    assert page.evaluate(FOCUS)[0] == "菜单"


@pytest.fixture(scope="module")
def photograph() -> dict[str, object]:
    """What a telephone's camera hands over."""
    content = io.BytesIO()
    Image.new("RGB", (640, 480), "#999").save(content, "JPEG")
    return {"name": "现场.jpg", "mimeType": "image/jpeg", "buffer": content.getvalue()}


def test_a_photograph_is_sent_when_it_is_taken(hands, photograph):
    hand = hands()
    hand.write()
    hand.page.locator("#file").set_input_files(photograph)
    sent = hand.page.locator("[data-file-list]").get_by_role("link", name="现场.jpg")
    expect(sent).to_be_visible()
    hand.tap("button", "提交")
    expect(hand.page.get_by_role("main")).to_contain_text("现场.jpg")


def test_a_photograph_needs_no_script(browser, site, photograph):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{site.url}/organizations/{site.units['finance-1']}/records/new?kind=theme_day")
    page.get_by_label("用户名").fill(site.users["secretary"])
    page.get_by_label("密码").fill("Plain-words-2021")
    page.get_by_role("button", name="登录").click()
    page.get_by_role("button", name="保存草稿").click()
    page.locator("#file").set_input_files(photograph)
    page.get_by_role("button", name="上传").click()
    expect(page.get_by_role("link", name="现场.jpg")).to_be_visible()
    context.close()


def test_a_lost_connection_loses_nothing(hands):
    hand = hands()
    hand.write()
    hand.page.context.set_offline(True)
    hand.fill("theme", "在没有信号的山里写的")
    expect(hand.page.get_by_text("已离线，内容保存在本机")).to_be_visible()
    with hand.saving(lambda sent: sent.get("theme") == ["在没有信号的山里写的"]):
        hand.page.context.set_offline(False)
    expect(hand.page.get_by_text("已离线")).to_be_hidden()
    hand.page.reload()
    expect(hand.field("theme")).to_have_value("在没有信号的山里写的")


def test_what_was_typed_is_there_after_signing_in_again(hands):
    hand = hands()
    hand.write()
    hand.page.context.clear_cookies()
    text = "话" * 5000
    hand.fill("content", text)
    again = hand.page.get_by_role("link", name="登录已过期")
    expect(again).to_be_visible()
    hand.faults.clear()  # the browser reports the status 401
    again.tap()
    hand.page.get_by_label("用户名").fill(hand.site.users["secretary"])
    hand.page.get_by_label("密码").fill("Plain-words-2021")
    with hand.saving(lambda sent: sent.get("content") == [text]):
        hand.page.get_by_role("button", name="登录").tap()
        expect(hand.field("content")).to_have_value(text)
        expect(hand.page.get_by_text("已恢复上次没有保存的内容")).to_be_visible()
    hand.tap("button", "提交")
    expect(hand.page.locator(".record-content")).to_have_text(text)


def test_handing_in_after_the_session_ended_loses_nothing(hands):
    hand = hands()
    hand.write()
    hand.fill("theme", "提交时已经退出了")
    hand.page.context.clear_cookies()
    hand.tap("button", "提交")
    expect(hand.page.get_by_label("用户名")).to_be_visible()
    hand.faults.clear()
    hand.sign_in("secretary")
    waiting = hand.page.locator("[data-kept]")
    expect(waiting).to_be_visible()
    waiting.get_by_role("link").last.tap()
    expect(hand.field("theme")).to_have_value("提交时已经退出了")


def test_signing_out_leaves_nothing_behind(hands):
    hand = hands()
    hand.write()
    hand.page.context.set_offline(True)
    hand.fill("theme", "不该留在网吧的电脑上")
    expect(hand.page.get_by_text("已离线")).to_be_visible()
    hand.page.context.set_offline(False)
    hand.page.get_by_role("button", name="菜单").tap()
    hand.page.get_by_role("button", name="退出登录").tap()
    expect(hand.page.get_by_role("button", name="登录")).to_be_visible()
    hand.settle()
    assert hand.page.evaluate("Object.keys(localStorage).length") == 0


def plan_after_the_session_ended(hand: Hand, text: str) -> None:
    """Type an announcement, and hand it in when nobody is signed in any more."""
    hand.go(f"/organizations/{hand.site.units['finance-1']}/plans")
    hand.page.get_by_role("checkbox", name="主题党日").check()
    hand.fill("held_on", "2099-03-05")
    hand.fill("text", text)
    hand.page.context.clear_cookies()
    hand.tap("button", "安排")
    expect(hand.page.get_by_text("填写的文字还在，登录后放回原处。")).to_be_visible()


def test_what_was_handed_in_after_the_session_ended_is_put_back(hands):
    hand = hands()
    plan_after_the_session_ended(hand, "请带上笔记本")
    hand.identify("secretary")
    expect(hand.page.get_by_role("status")).to_contain_text("填写的内容已放回这里")
    expect(hand.field("text")).to_have_value("请带上笔记本")
    expect(hand.field("held_on")).to_have_value("2099-03-05")
    expect(hand.page.get_by_role("checkbox", name="主题党日")).to_be_checked()
    hand.inspect("typed-put-back", whole=False)
    hand.tap("button", "安排")
    expect(hand.page.get_by_text("请带上笔记本")).to_be_visible()
    expect(hand.field("text")).to_have_value("")
    hand.settle()
    assert hand.page.evaluate("sessionStorage.length") == 0


def test_what_was_typed_is_put_back_for_nobody_else(hands):
    hand = hands()
    plan_after_the_session_ended(hand, "只给写的人看")
    hand.identify("committee")
    expect(hand.page.locator("[data-typed]")).to_be_visible()
    hand.settle()
    expect(hand.page.get_by_text("填写的内容已放回这里")).to_have_count(0)
    assert hand.page.evaluate("sessionStorage.length") == 0


def test_a_form_refused_as_stale_is_put_back(hands):
    hand = hands()
    hand.go(f"/organizations/{hand.site.units['finance-1']}/plans")
    hand.fill("held_on", "2099-03-06")
    hand.fill("text", "令牌失效前写的")
    hand.page.evaluate("document.querySelector('form.narrow [name=csrf_token]').value = 'stale'")
    hand.tap("button", "安排")
    expect(hand.page.get_by_text("填写的文字还在，返回后放回原处。")).to_be_visible()
    hand.faults.clear()  # the browser reports the status 400
    hand.tap("button", "返回上一页")
    expect(hand.field("text")).to_have_value("令牌失效前写的")
    hand.page.get_by_role("button", name="菜单").tap()
    hand.page.get_by_role("button", name="退出登录").tap()
    expect(hand.page.get_by_role("button", name="登录")).to_be_visible()
    hand.settle()
    assert hand.page.evaluate("sessionStorage.length") == 0


def test_two_authors_of_one_draft_both_keep_what_they_typed(hands):
    first = hands("secretary")
    first.write()
    with first.saving(lambda sent: sent.get("place") == ["一楼"]):
        first.fill("place", "一楼")
    expect(first.page).to_have_url(re.compile(r"/drafts/\d+$"))
    second = hands("department", device="desk")
    second.go(first.page.url.removeprefix(first.site.url))
    with first.saving(lambda sent: sent["place"] == ["二楼"] and ["excused"] in sent.values()):
        first.fill("place", "二楼")
        first.seat("党员4").locator("label").tap()
    with second.saving(lambda sent: sent.get("theme") == ["讲稿"]):
        second.fill("place", "三楼")
        second.fill("theme", "讲稿")
        told = second.page.locator("[data-banner]")
        expect(told).to_contain_text("secretary")
        expect(told).to_contain_text("党员4")
    second.faults.clear()  # the browser reports the status 409
    # What only the other one changed is taken over; what both did is the second's, for now.
    expect(second.page.get_by_label("党员4", exact=True)).to_have_value("excused")
    expect(second.field("place")).to_have_value("三楼")
    clash = second.page.locator(".clash")
    expect(clash).to_contain_text("二楼")
    second.inspect("two-authors")
    with second.saving(lambda sent: sent["place"] == ["二楼"]):
        clash.get_by_role("button", name="采用对方的").click()
    expect(second.field("place")).to_have_value("二楼")
    first.page.reload()
    expect(first.field("theme")).to_have_value("讲稿")


def test_two_corrections_of_one_record_both_are_kept(hands, own):
    """Whoever hands in second is told what the first changed, and says whose it is to be."""
    first = hands("secretary", office=own)
    second = hands("department", device="desk", office=own)
    records = f"/organizations/{own.units['finance-1']}/records?month=2021-02&kind=theme_day"
    for hand, place in ((first, "一楼"), (second, "三楼")):
        hand.go(records)
        hand.page.locator("table").get_by_role("link", name="主题党日").first.click()
        hand.page.get_by_role("button", name="更正").first.click()
        expect(hand.field("place")).to_be_visible()
        hand.settle()
        with hand.saving(lambda sent, place=place: sent.get("place") == [place]):
            hand.fill("place", place)
    with second.saving(lambda sent: sent.get("theme") == ["讲稿"]):
        second.fill("theme", "讲稿")
    first.fill("reason", "登记有误")
    first.page.get_by_role("button", name=re.compile("^提交")).click()
    expect(first.page.get_by_role("main")).to_contain_text("一楼")
    second.fill("reason", "登记有误")
    second.page.get_by_role("button", name=re.compile("^提交")).click()
    told = second.page.locator("#conflict")
    expect(told).to_contain_text("secretary")
    expect(told.get_by_role("row").filter(has_text="一楼")).to_contain_text("三楼")
    for name, typed in (("place", "三楼"), ("theme", "讲稿"), ("reason", "登记有误")):
        expect(second.field(name)).to_have_value(typed)
    second.faults.clear()  # the browser reports the status 409
    second.inspect("two-corrections")
    # Nothing was changed yet; having seen it, the second one's stands, with the first's kept.
    first.page.reload()
    expect(first.page.get_by_role("main")).not_to_contain_text("三楼")
    second.page.get_by_role("button", name=re.compile("^提交")).click()
    expect(second.page.get_by_role("main")).to_contain_text("讲稿")
    history = second.page.locator("#history .version")
    expect(history).to_have_count(3)
    expect(history.nth(0)).to_contain_text("三楼")
    expect(history.nth(1)).to_contain_text("一楼")
    second.settle()
    assert second.page.evaluate("Object.keys(localStorage).length") == 0


def test_whoever_nothing_is_said_of_has_come(hands):
    hand = hands()
    hand.go(f"/organizations/{hand.site.units['finance-1']}/records?month=2021-02&kind=theme_day")
    hand.page.locator("table").get_by_role("link", name="主题党日").first.click()
    hand.tap("button", "更正")
    counts = hand.page.locator(".roster-counts")
    expect(counts).to_contain_text("出席 0")
    hand.settle()
    hand.seat("党员3").locator("label").tap()
    hand.seat("党员3").locator("label").tap()
    expect(counts).to_contain_text("请假 1")
    rest = hand.page.get_by_role("button", name="未记的都算出席")
    with hand.saving(lambda sent: list(sent.values()).count(["present"]) == 7):
        rest.tap()
    expect(counts).to_contain_text("出席 7")
    expect(rest).to_be_hidden()
    hand.page.reload()
    expect(counts).to_contain_text("出席 7")
    expect(counts).to_contain_text("请假 1")


def test_fields_that_a_plugin_adds_are_shown_checked_and_kept(hands, engine, create_office, site):
    office = create_office(recorded=True)
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        finance = office.units["finance"]
        enable_profile(session, Actor("test"), finance, "shendingshan", date(2021, 1, 1))
    hand = hands(office=site._replace(users=office.users, units=office.units))
    hand.write()
    payers, matters = hand.field("extra-dues_payers"), hand.field("extra-deliberated")
    expect(hand.page.locator("#asked")).to_be_visible()
    expect(payers).to_have_count(0)
    # They belong to one kind and come as soon as it is chosen.
    hand.page.locator(".chip", has_text="主题党日").tap()
    expect(hand.page.get_by_label("当日交纳党费人数")).to_be_visible()
    expect(hand.page.locator(".field").filter(has=payers)).to_contain_text("二·(三); 附件1·3")
    matters.fill("修路的事")
    payers.fill("20000")
    hand.fill("held_on", FRIDAY)
    hand.tap("button", "提交")
    expect(payers).to_have_attribute("aria-invalid", "true")
    wrong = hand.page.locator(".field").filter(has=hand.page.locator(".field-error"))
    expect(wrong).to_have_count(1)
    expect(wrong).to_contain_text("当日交纳党费人数")
    expect(payers).to_have_value("20000")
    expect(matters).to_have_value("修路的事")
    hand.faults.clear()  # the browser reports the status 422
    hand.inspect("plugin-fields")
    payers.fill("6")
    hand.tap("button", "提交")
    expect(hand.page.get_by_role("heading", level=1)).to_have_text("党课、主题党日")
    expect(hand.page.get_by_role("main")).to_contain_text("修路的事")
    expect(hand.page.get_by_role("main")).to_contain_text("当日交纳党费人数")
