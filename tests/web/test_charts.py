"""Each chart says in words what it shows, has a table behind it, and can do without colour."""

import re
from pathlib import Path

import guiju.web
from guiju.web.wording import SHOWN_VERDICTS


def test_charts_have_a_text_and_a_table(sign_in, judged):
    page = sign_in("department", judged).get(f"/organizations/{judged.units['root']}/overview").text
    charts = re.findall(r"<figure.*?</figure>", page, re.DOTALL)
    assert charts
    for chart in charts:
        assert re.search(r"<figcaption[^>]*>[^<]{8,}</figcaption>", chart)
        (table,) = re.findall(r'data-chart="([^"]+)"', chart)
        (rows,) = re.findall(rf'<table[^>]*id="{table}".*?</table>', page, re.DOTALL)
        assert 'data-count="' in rows
    assert len(charts) == page.count("data-chart=")


def test_every_verdict_has_a_pattern_beside_its_colour():
    text = Path(guiju.web.__file__).with_name("static").joinpath("charts.js").read_text("utf-8")
    look = dict(re.findall(r"(\w+): \{ color: \"[^\"]+\", decal: (\{.*?\}) \},\n", text))
    assert set(look) == set(SHOWN_VERDICTS)
    # The two at the ends, the darkest and the palest, stay plain.
    assert len(set(look.values())) == len(look) - 1
