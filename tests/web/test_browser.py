"""The pages in a real Chromium, served by gunicorn and scored by a worker.

On a desk and on a telephone: no request leaves the machine, nothing breaks the security
policy, axe finds nothing serious, nothing is wider than the screen.  ``--pictures`` keeps what
was seen in ``var/browser-tests``.
"""

import re
from datetime import date
from pathlib import Path

from playwright.sync_api import Browser, expect
from serving import Site


def test_signing_in(visit):
    visit.go("/")
    visit.inspect("sign-in")
    visit.page.get_by_label("用户名").fill("nobody@nowhere")
    visit.page.get_by_label("密码").fill("wrong")
    visit.page.get_by_role("button", name="登录").click()
    expect(visit.page.get_by_role("alert")).to_contain_text("用户名或密码不对")
    visit.faults.clear()  # the browser reports the status 401
    visit.inspect("sign-in-refused")


def test_the_department_drills_down_to_an_explanation(visit):
    visit.sign_in("department")
    expect(visit.page).to_have_url(re.compile(r"/overview$"))
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("机关工委")
    visit.inspect("overview")
    if visit.device == "desk":
        chart = "echarts.getInstanceByDom(document.querySelector('[data-chart]')).getOption()"
        names = visit.page.evaluate(f"{chart}.series.map((one) => one.name)")
        headings = visit.page.locator("#by-unit [data-heading] .heading-text").all_inner_texts()
        assert names == headings
    visit.page.locator("#by-unit").get_by_role("link", name="市财政局机关党委").click()
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("市财政局机关党委")
    visit.page.locator("#by-unit").get_by_role("link", name="市财政局第二党支部").click()
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("市财政局第二党支部")
    visit.inspect("branch")
    row = visit.page.get_by_role("row").filter(has_text="主题党日每月一次")
    row.get_by_role("link", name="3月").click()
    explained = visit.page.locator("article.explanation")
    expect(explained).to_contain_text("市组通字〔2020〕45号")
    expect(explained).to_contain_text("没有计入的记录")
    visit.inspect("explanation", whole=visit.device != "desk")
    if visit.device == "desk":
        # Beside the page it was opened from; the keyboard closes it.
        beside, page = visit.page.get_by_role("dialog"), re.compile(r"/organizations/\d+$")
        expect(beside).to_be_visible()
        expect(visit.page).to_have_url(re.compile(r"/findings/[\w.]+\?period=2021-03$"))
        visit.page.keyboard.press("Escape")
        expect(beside).to_be_hidden()
        expect(visit.page).to_have_url(page)
        expect(row.get_by_role("link", name="3月")).to_be_focused()
        # So does going back; going forward opens it again, and its address is a page's.
        row.get_by_role("link", name="3月").click()
        expect(beside).to_be_visible()
        visit.page.go_back()
        expect(beside).to_be_hidden()
        expect(visit.page).to_have_url(page)
        visit.page.go_forward()
        expect(beside).to_be_visible()
        visit.page.reload()
        expect(beside).to_be_hidden()
        expect(explained).to_contain_text("没有计入的记录")
        visit.page.go_back()
        expect(visit.page).to_have_url(page)
        expect(row.get_by_role("link", name="3月")).to_be_visible()
        visit.page.go_forward()
        expect(beside).to_be_visible()
    else:
        visit.page.go_back()
        expect(visit.page.get_by_role("heading", level=1)).to_have_text("市财政局第二党支部")


def test_a_secretary_comes_to_what_is_due(visit):
    visit.sign_in("secretary")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("市财政局第一党支部")
    due = visit.page.locator("#due .duty").filter(has_text="主题党日每月一次")
    expect(due).to_contain_text("还有")
    expect(due).to_contain_text("附件1·13; 附件2·13")
    visit.inspect("workbench")
    year = visit.page.locator("#glance").get_by_role("row").filter(has_text="主题党日每月一次")
    year.get_by_role("link", name="10月").click()
    expect(visit.page.locator("article.explanation")).to_contain_text("市组通字〔2020〕45号")
    visit.go(f"/organizations/{visit.site.units['finance-1']}")
    visit.inspect("secretary")


def test_the_list_of_what_is_open_is_filtered_by_its_address(visit):
    visit.sign_in("department")
    visit.go(f"/organizations/{visit.site.units['root']}/attention?verdict=not_met")
    rows = visit.page.locator("tbody tr")
    expect(rows.first).to_contain_text("不符合")
    expect(visit.page.get_by_label("不符合")).to_be_checked()
    visit.inspect("attention")


def test_a_cancelled_meeting_is_listed_as_not_counted(visit):
    visit.sign_in("committee")
    unit = visit.site.units["finance-2"]
    visit.go(f"/organizations/{unit}/findings/xian.branch_assembly.quarterly?period=2021-Q2")
    expect(visit.page.locator("article")).to_contain_text("未计入的记录")
    visit.inspect("explanation-page")


def test_the_library_is_readable(visit):
    visit.sign_in("secretary")
    visit.go("/library/")
    visit.inspect("library")
    visit.page.get_by_role("link", name="西安市").first.click()
    visit.inspect("notice")


def test_in_english(visit):
    visit.sign_in("secretary")
    if visit.device == "telephone":
        visit.page.get_by_role("button", name="菜单").click()
        visit.inspect("menu")
    visit.page.get_by_role("button", name="English").click()
    expect(visit.page.get_by_role("heading", name="What to do")).to_be_visible()
    visit.inspect("english")


def test_what_is_not_mine_is_not_found(visit):
    visit.sign_in("committee")
    visit.go(f"/organizations/{visit.site.units['justice-1']}")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("找不到页面")
    visit.faults.clear()  # the browser reports the status 404
    visit.inspect("not-found")


def test_a_report_is_asked_for_and_downloaded(visit):
    visit.sign_in("committee")
    visit.go(f"/organizations/{visit.site.units['finance']}/reports")
    visit.page.get_by_role("button", name="生成").click()
    link = visit.page.get_by_role("link", name="下载").first
    expect(link).to_be_visible()
    visit.inspect("reports")
    with visit.page.expect_download() as started:
        link.click()
    assert started.value.suggested_filename.endswith(".xlsx")
    assert Path(started.value.path()).read_bytes().startswith(b"PK")


def test_a_change_is_waited_for_and_shown_without_reloading(visit, own):
    visit.site = own
    visit.sign_in("secretary")
    late = {"kinds": ["theme_day"], "held_on": date(2021, 11, 5)}
    own.record({"id": "late", "organization": "finance-1", **late})
    visit.go(f"/organizations/{visit.site.units['finance-1']}")
    expect(visit.page.get_by_text("有新改动，尚未计入")).to_be_visible()
    visit.inspect("changes-waiting")
    own.score()
    fresh = visit.page.get_by_role("link", name="有新的评定结果，刷新查看")
    expect(fresh).to_be_visible()
    fresh.click()
    row = visit.page.get_by_role("row").filter(has_text="主题党日每月一次")
    expect(row.get_by_role("link", name="11月")).to_contain_text("/1")


def test_without_scripts_everything_is_there(browser: Browser, site: Site):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{site.url}/")
    page.get_by_label("用户名").fill(site.users["secretary"])
    page.get_by_label("密码").fill("Plain-words-2021")
    page.get_by_role("button", name="登录").click()
    row = page.get_by_role("row").filter(has_text="主题党日每月一次")
    row.get_by_role("link", name="3月").click()
    expect(page.locator("article.explanation")).to_contain_text("依据")
    page.get_by_role("link", name="规则库").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("规则库")
    context.close()


def test_a_secretary_looks_something_up_and_enters_a_talk(visit):
    visit.sign_in("secretary")
    page = visit.page
    if visit.device == "desk":
        page.keyboard.press("/")
    else:
        page.get_by_role("button", name="菜单").click()
    page.get_by_role("search").get_by_role("searchbox").fill("党课 2021")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="相关记录")).to_be_visible()
    visit.inspect("search")
    visit.go(f"/organizations/{visit.site.units['finance-1']}/entries/talks")
    visit.inspect("talks")
    page.get_by_label("日期", exact=True).fill("2021-09-01")
    page.get_by_label("谈话人", exact=True).select_option(label="党员1")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status")).to_contain_text("已保存")
    expect(page.locator("table.data")).to_contain_text("党员1")
    visit.inspect("talks-entered")
