"""How many reviews records pass, set on a page."""

import re

import pytest

from guiju.activities.models import WorkflowSetting
from guiju.db import ScopedSession, tenant_scope

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture(scope="module")
def place(create_office):
    return create_office()


@pytest.fixture
def person(sign_in, place):
    """Somebody signed in: what a page says, and forms sent to it."""

    class Person:
        def __init__(self, name):
            self._client = sign_in(name, place)

        def get(self, unit, query=""):
            return self._client.get(self._address(unit) + query)

        def set(self, unit, **fields):
            token = TOKEN.search(self._client.get("/account").text)[1]
            fields["csrf_token"] = token
            return self._client.post(self._address(unit), data=fields)

        def _address(self, unit):
            return f"/organizations/{place.units.get(unit, unit)}/review-levels"

    return Person


def settings(engine, place):
    with tenant_scope(place.tenant.tenant_id), ScopedSession(engine) as session:
        return {
            row.organization_id: (row.levels, row.late_after_days)
            for row in session.query(WorkflowSetting)
        }


def test_is_set_inherited_and_taken_back(person, engine, place):
    department = person("department")
    assert "还没有人设定" in department.get("root").text
    assert department.set("root", levels="1", late_after_days="15").status_code == 302
    assert settings(engine, place) == {place.units["root"]: (1, 15)}
    page = department.get("finance").text
    assert "沿用机关工委的设定" in page
    assert "活动过去 15 天以后" in page

    assert department.set("finance", levels="2", late_after_days="5").status_code == 302
    listed = department.get("root")
    assert re.search(r"市财政局机关党委</a></th>\s*<td>两级审核</td>\s*<td>5 天</td>", listed.text)
    rows = department.get("root", "?format=csv").text
    assert "市财政局机关党委,2,5" in rows
    # What is set below does not show on the other side, nor the unit's own beside it.
    assert "市财政局" not in department.get("justice").text
    assert "<td>两级审核</td>" not in department.get("finance").text

    department.set("finance", inherit="yes")
    assert settings(engine, place) == {place.units["root"]: (1, 15)}
    department.set("root", inherit="yes")
    assert settings(engine, place) == {}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"levels": "3", "late_after_days": "10"}, "应为 0、1 或 2"),
        ({"late_after_days": "10"}, "应为整数"),
        ({"levels": "1", "late_after_days": "367"}, "应为 0 至 366 的天数"),
        ({"levels": "1", "late_after_days": "多"}, "应为整数"),
    ],
)
def test_what_is_wrong_stands_at_its_field(person, engine, place, fields, told):
    answer = person("department").set("root", **fields)
    assert answer.status_code == 422
    assert f'<p class="field-error mb-0">{told}</p>' in answer.text
    assert f'value="{fields["late_after_days"]}"' in answer.text
    assert settings(engine, place) == {}


def test_who_only_sees_it_changes_nothing(person, engine, place):
    page = person("secretary").get("finance-1")
    assert page.status_code == 200
    assert 'name="levels"' not in page.text
    assert person("secretary").set("finance-1", levels="2", late_after_days="1").status_code == 403
    assert person("secretary").set("finance-1", inherit="yes").status_code == 403
    assert settings(engine, place) == {}


@pytest.mark.parametrize("unit", ["finance-2", "justice", "987654321"])
def test_of_others_is_not_there(person, unit):
    secretary = person("secretary")
    assert secretary.get(unit).status_code == 404
    assert secretary.set(unit, levels="0", late_after_days="0").status_code == 404


def test_a_superior_out_of_sight_is_not_named(person):
    department, secretary = person("department"), person("secretary")
    department.set("finance", levels="1", late_after_days="15")
    page = secretary.get("finance-1").text
    assert "沿用上级的设定" in page
    assert "市财政局机关党委" not in page
    department.set("finance", inherit="yes")
