"""The browser that tests look through."""

PAGE = """data:text/html;charset=utf-8,
<meta charset="utf-8"><p style="font: 16px sans-serif"><span>党支部</span></p>"""


def test_chinese_text_has_glyphs_of_its_own(browser):
    page = browser.new_page()
    page.goto(PAGE)
    session = page.context.new_cdp_session(page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    document = session.send("DOM.getDocument")
    node = session.send(
        "DOM.querySelector", {"nodeId": document["root"]["nodeId"], "selector": "span"}
    )
    fonts = session.send("CSS.getPlatformFontsForNode", {"nodeId": node["nodeId"]})["fonts"]
    page.context.close()
    assert [font["familyName"] for font in fonts] == ["Noto Sans SC"]
