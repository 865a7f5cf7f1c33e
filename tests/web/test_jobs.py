"""The pages about background jobs: who sees which, and who may have the files."""

import pytest
import sqlalchemy as sa

from guiju.accounts.models import User
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, tenant_scope, transaction
from guiju.jobs import operations
from guiju.jobs.kinds import Upload
from guiju.reports.jobs import REPORT


@pytest.fixture(scope="module")
def jobs(engine, office) -> dict[str, int]:
    """Reports of two committees: one made, for the reader of one; one failed with a log."""
    scope = tenant_scope(office.tenant.tenant_id)
    with scope, ScopedSession(engine) as session:
        users = {user.username: user.id for user in session.scalars(sa.select(User))}

        def ask(name: str, unit: str) -> int:
            with transaction(session):
                actor = Actor(name, users[name])
                parameters = {"format": "xian.standard_ledger", "as_of": "2021-06-30"}
                return operations.request_job(
                    session, actor, REPORT, parameters, office.units[unit], subject=f"台账{unit}"
                )

        made, failed = ask("committee", "finance"), ask("department", "justice")
        with transaction(session):
            upload = Upload("台账.txt", "text/plain", "甲".encode())
            file = operations.keep_file(session, made, upload, produced=True)
        operations.finish(session, made, None)
        operations.log(session, failed, "读到第三行")
        problem = {"place": "组织!B3", "found": "空", "wanted": "应填写", "code": "required"}
        operations.fail(session, failed, "有一处要更正", {"problems": [problem]})
        waiting = ask("department", "finance")
        return {"made": made, "failed": failed, "waiting": waiting, "file": file}


@pytest.fixture(scope="module")
def visit(sign_in):
    """The page at an address, for a user."""
    clients = {}

    def visit(name, address):
        client = clients.setdefault(name, None) or sign_in(name)
        clients[name] = client
        return client.get(address)

    return visit


def test_the_department_sees_all_and_the_reader_their_own(visit, jobs):
    page = visit("department", "/jobs").text
    assert all(f'href="/jobs/{jobs[name]}"' in page for name in ("made", "failed", "waiting"))
    assert "有一处要更正" in page
    page = visit("committee", "/jobs").text
    assert f'href="/jobs/{jobs["made"]}"' in page
    assert "台账justice" not in page
    assert f'href="/jobs/{jobs["waiting"]}"' not in page, "another's, though of one's own unit"
    for name in ("secretary", "auditor"):
        assert "还没有后台任务" in visit(name, "/jobs").text


def test_a_job_that_failed_says_where_and_what_went_before(visit, jobs):
    page = visit("department", f"/jobs/{jobs['failed']}").text
    assert "组织!B3" in page
    assert "读到第三行" in page
    assert "hx-get" not in page.partition('id="job"')[2].partition("</main>")[0], "it has ended"


def test_a_page_asks_again_while_something_is_under_way(visit, jobs):
    page = visit("department", f"/jobs/{jobs['waiting']}").text
    assert f'hx-get="/jobs/{jobs["waiting"]}/state"' in page
    assert 'hx-get="/jobs/list' in visit("department", "/jobs").text
    assert "<html" not in visit("department", "/jobs/list").text
    assert "<html" not in visit("department", f"/jobs/{jobs['waiting']}/state").text


def test_files_are_sent_to_who_may_have_them(visit, jobs):
    address = f"/jobs/{jobs['made']}/files/{jobs['file']}"
    for name in ("department", "committee"):
        answer = visit(name, address)
        assert (answer.status_code, answer.text) == (200, "甲")
        assert "attachment" in answer.headers["Content-Disposition"]
        answer.close()


@pytest.mark.parametrize("address", ["/jobs/{made}", "/jobs/{made}/state", "/jobs/{failed}"])
def test_others_jobs_are_as_if_they_were_not_there(visit, jobs, sign_in, create_office, address):
    stranger = sign_in("department", create_office())
    known = address.format(**jobs)
    for answer in (visit("secretary", known), stranger.get(known)):
        assert answer.status_code == 404
    assert visit("secretary", "/jobs/987654321").status_code == 404


def test_odd_addresses(visit, jobs):
    made, file = jobs["made"], jobs["file"]
    for name, address in (
        ("department", f"/jobs/{jobs['failed']}/files/{file}"),
        ("department", f"/jobs/{made}/files/987654321"),
        ("secretary", f"/jobs/{made}/files/{file}"),
        ("department", "/jobs/0"),
        ("department", "/jobs?before=99999999999999999999"),
    ):
        assert visit(name, address).status_code == 404, address
    assert visit("department", "/jobs?before=1").status_code == 200


def test_the_menu_shows_the_page_to_who_looks_after_jobs(visit, jobs):
    assert 'href="/jobs"' in visit("department", "/library/").text
    assert 'href="/jobs"' not in visit("secretary", "/library/").text
