"""The audit page: for the auditor alone, searched, exported, and itself recorded."""

import openpyxl
import pytest
import sqlalchemy as sa

from guiju import background
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor, record
from guiju.db import ScopedSession, tenant_scope, transaction
from guiju.jobs.models import Job
from guiju.jobs.queries import read_file
from guiju.web.languages import COOKIE


@pytest.fixture(scope="module")
def audited(engine, create_office):
    """An office with things done in it."""
    office = create_office()
    actor = Actor("王小明", None, "10.1.2.3")
    change = {"before": {"name": "旧名"}, "after": {"name": "=新名"}}
    scope = tenant_scope(office.tenant.tenant_id)
    with scope, ScopedSession(engine) as session, transaction(session):
        record(session, actor, "unit.rename", "organization", "b7", **change)
        record(session, Actor("李四"), "occasion.void", "occasion", "o1", after={"why": "误填"})
    return office


@pytest.fixture(scope="module")
def auditor(sign_in, audited):
    return sign_in("auditor", audited)


def body(page) -> str:
    return page.text.partition("<tbody>")[2].partition("</tbody>")[0]


def test_only_the_auditor_comes_in(sign_in, audited, auditor, submit):
    assert auditor.get("/").location == "/audit"
    for name in ("department", "committee", "secretary"):
        client = sign_in(name, audited)
        assert client.get("/audit").status_code == 404
        assert submit(client, "/audit/export", "/library/").status_code == 404
        assert 'href="/audit"' not in client.get("/library/").text


@pytest.mark.parametrize(
    ("query", "there", "absent"),
    [
        ("actor=王", "unit.rename", "occasion.void"),
        ("action=occasion.", "occasion.void", "unit.rename"),
        ("subject_type=organization&subject=b7", "unit.rename", "occasion.void"),
        ("address=10.1.2.3", "unit.rename", "occasion.void"),
        ("since=2001-01-01&until=2999-01-01&action=unit", "unit.rename", "occasion.void"),
    ],
)
def test_entries_are_searched(auditor, query, there, absent):
    found = body(auditor.get(f"/audit?{query}"))
    assert there in found
    assert absent not in found


def test_before_and_after_are_shown(auditor):
    found = body(auditor.get("/audit?action=unit.rename"))
    assert "<del>旧名</del>" in found
    assert "<ins>=新名</ins>" in found
    assert '<span class="faint" title="name">组织名称</span>' in found


def test_actions_and_subjects_have_names(auditor):
    found = body(auditor.get("/audit?action=tenant.create"))
    assert "开通单位" in found
    assert '<code class="small d-block" translate="no">tenant.create</code>' in found
    auditor.set_cookie(COOKIE, "en")
    assert "Open the tenant" in body(auditor.get("/audit?action=tenant.create"))
    auditor.delete_cookie(COOKIE)


def test_an_action_is_that_one_and_no_longer_one(auditor, app, audited):
    auditor.get("/audit?action=sign_in")
    found = body(auditor.get("/audit?action=sign_in"))
    assert ">sign_in<" in found
    assert "sign_in.refuse" not in found


@pytest.mark.parametrize("query", ["until=2001-01-01", "actor=nobody", "before=1"])
def test_nothing_found_says_so(auditor, query):
    assert "没有符合条件的记录" in auditor.get(f"/audit?{query}").text


def test_what_is_no_day_is_told(auditor):
    page = auditor.get("/audit?since=soon&actor=王")
    assert "日期应为" in page.text
    assert 'value="王"' in page.text
    assert auditor.get("/audit?before=99999999999999999999").status_code == 404


def test_reading_is_recorded(auditor, engine, audited):
    auditor.get("/audit?actor=somebody")
    with tenant_scope(audited.tenant.tenant_id), ScopedSession(engine) as session:
        entry = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
        assert (entry.action, entry.subject_type) == ("restricted.read", "audit_entries")
        assert (entry.actor, entry.after) == ("auditor", {"reason": "actor=somebody"})


def test_pages_are_turned(auditor, monkeypatch):
    monkeypatch.setattr("guiju.web.pages.audit._PAGE", 1)
    first = auditor.get("/audit?action=tenant.create")
    assert body(first).count("<tr>") == 1
    page = auditor.get("/audit")
    assert "before=" in page.text


def test_an_export_holds_what_was_asked_for(auditor, submit, engine, audited, app, environment):
    answer = submit(auditor, "/audit/export", "/audit", action="unit.")
    assert answer.status_code == 302
    number = int(answer.location.rpartition("/")[2])
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        background.run(audited.tenant.tenant_id, number)
    page = auditor.get(answer.location)
    assert "审计记录-" in page.text
    with tenant_scope(audited.tenant.tenant_id), ScopedSession(engine) as session:
        assert session.scalar(sa.select(Job.result).where(Job.id == number)) == {"entries": 1}
        file_id = int(page.text.partition(f"/jobs/{number}/files/")[2].partition('"')[0])
        with read_file(session, file_id) as content:
            sheet = openpyxl.load_workbook(content).active
    [row] = [row for row in sheet.iter_rows(min_row=4, values_only=True) if row[0]]
    assert row[4:10] == (
        # One of another version, which has no name here.
        "unit.rename",
        "unit.rename",
        "单位",
        "b7",
        '{"name": "旧名"}',
        '{"name": "=新名"}',
    )


def test_the_administrator_may_not_have_the_export(auditor, submit, sign_in, audited):
    number = submit(auditor, "/audit/export", "/audit").location.rpartition("/")[2]
    assert sign_in("department", audited).get(f"/jobs/{number}").status_code == 200
    assert sign_in("secretary", audited).get(f"/jobs/{number}").status_code == 404


def test_another_tenants_trail_is_not_in_it(sign_in, create_office, audited):
    other = sign_in("auditor", create_office())
    assert "unit.rename" not in body(other.get("/audit"))
