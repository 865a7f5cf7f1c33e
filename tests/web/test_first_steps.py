"""Where nothing is judged yet, the pages say what comes first, to each what they may do."""

import pytest


@pytest.fixture
def page(sign_in, office):
    def page(name, address):
        return sign_in(name, office).get(address.format(**office.units)).text

    return page


@pytest.mark.parametrize("address", ["/organizations/{root}/overview", "/organizations/{root}"])
def test_an_administrator_is_led_from_the_roster_to_the_people(page, office, address):
    text = page("department", address)
    steps = text.partition('id="first-steps"')[2].partition("</ol>")[0]
    root = office.units["root"]
    for number, link in enumerate(
        (f"/organizations/{root}/imports", f"/organizations/{root}/profiles", "/people/invite-list")
    ):
        step = steps.split("<li")[number + 1]
        assert f'href="{link}"' in step
        # Units are there and a notice is enabled; whether somebody else is to come, who knows.
        assert ("已做" in step) == (number < 2)


def test_who_only_reads_is_told_who_does_it(page):
    text = page("committee", "/organizations/{finance}")
    assert "管理员导入名册并启用地方规则后" in text
    assert "/imports" not in text
    assert "/people/invite-list" not in text


def test_a_secretary_registers_members(page, office):
    text = page("secretary", "/organizations/{finance-1}")
    steps = text.partition('id="first-steps"')[2].partition("</section>")[0]
    assert f'href="/organizations/{office.units["finance-1"]}/members"' in steps
    assert steps.count("<li") == 1


def test_nothing_of_it_where_something_is_judged(sign_in, judged):
    root = judged.units["root"]
    for address in (f"/organizations/{root}", f"/organizations/{root}/overview"):
        assert 'id="first-steps"' not in sign_in("department", judged).get(address).text
