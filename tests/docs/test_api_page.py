"""The requests of docs/api.md, run as they stand against a server, in the order of the page."""

import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from offices import AS_OF
from werkzeug.serving import make_server

from guiju.accounts.models import User
from guiju.accounts.permissions import PERMISSIONS
from guiju.accounts.tokens import create_token
from guiju.accounts.visitors import find_visitor
from guiju.api.addresses import DOCUMENT
from guiju.db import ScopedSession, tenant_scope
from guiju.scoring.operations import drain

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")

#: The commands of a section, with the line that says what is answered.
SECTIONS = re.findall(r"\n## (.+?)\n.*?```sh\n(.*?)```\n\n回答 `(\d+)`([^\n]*)", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def surroundings(app, engine, create_office):
    """What the page assumes: a server at ``$GUIJU`` and a token that may do everything."""
    office = create_office(recorded=True)
    tenant_id = office.tenant.tenant_id
    drain(engine, app.extensions["guiju_plugins"].packs, tenant_id, AS_OF, reason="docs")
    with tenant_scope(tenant_id), ScopedSession(engine) as session:
        user_id = session.scalars(sa.select(User.id).where(User.username == "department")).one()
        owner = find_visitor(session, tenant_id, user_id)
        held = [permission for permission in PERMISSIONS if owner.may(permission)]
        _number, token = create_token(session, owner, "docs", held, 1)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield {
        **os.environ,
        "GUIJU": f"http://127.0.0.1:{server.server_port}/api/v1",
        "TOKEN": token,
        "no_proxy": "127.0.0.1",
    }
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_page_shows_ten_requests():
    assert len(SECTIONS) == 10
    assert len(SECTIONS) == PAGE.count("```sh")


def test_everything_there_is_has_its_line(app):
    table = PAGE.partition("## 还能做什么")[2]
    document = json.loads(app.test_client().get(DOCUMENT).text)
    for path in document["paths"]:
        steps = [step for step in path.split("/")[3:] if not step.startswith("{")]
        assert re.search(rf"[`/]{steps[0]}\b", table), f"say in docs/api.md what {path} is for"


@pytest.mark.skipif(
    shutil.which("curl") is None and not os.environ.get("CI"), reason="no curl on this machine"
)
def test_every_request_is_answered_as_the_page_says(surroundings):
    for title, commands, status, promise in SECTIONS:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            env=surroundings,
            capture_output=True,
            check=False,
            timeout=600,
        )
        answer = done.stdout.decode()
        assert done.returncode == 0, f"{title}\n{done.stderr.decode()}"
        assert re.match(rf"HTTP/1\.\d {status} ", answer), f"{title}\n{answer}"
        for word in re.findall(r'`("[^`]+"|/\w+)`', promise):
            assert word in answer, f"{title}: {word}\n{answer}"
