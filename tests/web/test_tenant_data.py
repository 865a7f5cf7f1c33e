"""Taking all of a tenant's data away: who may, and that it works from the page."""

import io
import json
import zipfile

import pytest
import sqlalchemy as sa

from guiju import background
from guiju.audit.models import AuditEntry
from guiju.db import ScopedSession, tenant_scope
from guiju.tenancy import jobs


def test_the_administrator_of_the_whole_takes_it_away(sign_in, office, submit, engine, environment):
    client = sign_in("department")
    assert "/data" in client.get("/jobs").text
    answer = submit(client, "/data/export", "/data")
    number = int(answer.location.rpartition("/")[2])
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        background.run(office.tenant.tenant_id, number)
    page = client.get("/data").text
    address = page.partition('href="/jobs/')[2].partition("/files/")[2].partition('"')[0]
    file = client.get(f"/jobs/{number}/files/{address}")
    with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    file.close()
    assert manifest["tables"]["organizations"]["rows"] == 6
    with tenant_scope(office.tenant.tenant_id), ScopedSession(engine) as session:
        actions = set(session.scalars(sa.select(AuditEntry.action)))
    assert {"tenant.export", "restricted.read", "job.download"} <= actions


def test_more_than_is_kept_for_a_download_is_for_the_operator(sign_in, submit, monkeypatch):
    client = sign_in("department")
    assert 'action="/data/export"' in client.get("/data").text
    monkeypatch.setattr(jobs, "MOST_BYTES", -1)
    page = client.get("/data").text
    assert "guiju tenant export" in page
    assert 'action="/data/export"' not in page
    answer = submit(client, "/data/export", "/library/")
    assert (answer.status_code, "guiju tenant export" in answer.text) == (422, True)


@pytest.mark.parametrize("name", ["committee", "secretary", "auditor"])
def test_to_others_it_is_not_there(sign_in, submit, name):
    client = sign_in(name)
    assert client.get("/data").status_code == 404
    assert submit(client, "/data/export", "/library/").status_code == 404
    assert 'href="/data"' not in client.get("/jobs").text
