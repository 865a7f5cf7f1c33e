"""The desk, the lists to act on and what lies below, in a real browser, wide and narrow."""

from playwright.sync_api import expect


def test_what_lies_below_is_readable(visit):
    visit.sign_in("department")
    for name in ("heat", "compare", "breakdown", "desk", "tasks"):
        visit.go(f"/organizations/{visit.site.units['root']}/{name}")
        visit.inspect(name)
    visit.go("/notices")
    visit.inspect("notices")


def test_a_finding_is_decided_where_it_is_explained(visit):
    visit.sign_in("department")
    requirement = "xian.main.member_points.rollout"
    unit = {"desk": "finance-1", "telephone": "justice-1"}[visit.device]
    visit.go(f"/organizations/{visit.site.units[unit]}/desk?requirement={requirement}")
    visit.page.locator("th.what a").first.click()
    form = visit.page.locator("article.explanation form").first
    form.get_by_role("radio", name="不符合").check()
    form.get_by_role("button", name="认定", exact=True).click()
    # Without a reason it comes back as it was.
    expect(visit.page.get_by_role("alert").first).to_contain_text("请写明情况或理由")
    visit.faults.clear()  # the browser reports the status 422
    visit.inspect("decision-without-reason")
    form = visit.page.locator("article.explanation form").first
    expect(form.get_by_role("radio", name="不符合")).to_be_checked()
    form.get_by_label("理由").fill("没有看到实施办法。")
    form.get_by_role("button", name="认定", exact=True).click()
    expect(visit.page.locator(".steps-said")).to_contain_text("没有看到实施办法。")
    visit.inspect("decided")


def test_units_are_asked_from_the_list_and_it_is_taken_back(visit):
    visit.sign_in("department")
    visit.go(f"/organizations/{visit.site.units['finance-2']}/attention?verdict=not_met")
    batch = visit.page.locator("[data-batch]")
    expect(batch).to_be_hidden()
    visit.page.locator('input[name="item"]').first.check()
    expect(batch).to_be_visible()
    visit.inspect("attention-selected", whole=False)
    batch.get_by_role("radio", name="要求说明").check()
    batch.get_by_role("button", name="送达单位").click()
    expect(visit.page.get_by_role("status").first).to_contain_text("已送达")
    visit.inspect("asked")
    visit.page.get_by_role("button", name="撤回").click()
    expect(visit.page.get_by_role("status").first).to_contain_text("已撤回 1 项")


def test_three_clicks_tell_which_branches_why_and_what_was_done(visit):
    theme_day = "xian.theme_day.monthly"
    visit.sign_in("department")
    # Somebody has asked already.
    listing = f"/organizations/{visit.site.units['root']}/attention"
    visit.go(f"{listing}?verdict=not_met&requirement={theme_day}")
    visit.page.locator('input[name="item"]').first.check()
    batch = visit.page.locator("[data-batch]")
    batch.get_by_role("radio", name="要求说明").check()
    batch.get_by_role("button", name="送达单位").click()
    expect(visit.page.get_by_role("status").first).to_contain_text("已送达")

    visit.go("/")
    clicks = 0
    visit.page.locator(f"a[href*='requirement={theme_day}']:visible").first.click()
    clicks += 1
    rows = visit.page.locator("tbody tr").filter(has_text="不符合")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("市财政局第二党支部")
    rows.first.locator(f"a[href*='/findings/{theme_day}']").click()
    clicks += 1
    explained = visit.page.locator("article.explanation")
    for text in ("不符合", "市组通字〔2020〕45号", "计入的记录", "督办", "待答复"):
        expect(explained).to_contain_text(text)
    assert clicks <= 3
    visit.inspect("story-official", whole=visit.device != "desk")
