"""The onboarding by API, as the page for operators has it: every request, in its order."""

import os
import re
import shutil
import subprocess
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa
from serving import served

from guiju import facts
from guiju.accounts.models import User
from guiju.accounts.permissions import PERMISSIONS
from guiju.accounts.tokens import create_token
from guiju.accounts.visitors import find_visitor
from guiju.clock import today
from guiju.db import ScopedSession, tenant_scope
from guiju.facts.workbook_writer import write_xlsx
from guiju.scoring.models import OrganizationFindings

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "onboarding.md"
BLOCKS = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)

DOCUMENT = {
    "organizations": [
        {"id": "c0", "name": "第一党委", "kind": "committee"},
        *(
            {"id": f"b{number}", "name": f"第{number}党支部", "kind": "branch", "parent": "c0"}
            for number in range(3)
        ),
    ],
    "members": [
        {
            "id": f"p{number}",
            "name": f"党员{number}",
            "organization": f"b{number % 3}",
            "membership_class": "full",
            "from_on": date(2020, 1, 1),
        }
        for number in range(12)
    ],
    "occasions": [
        {
            "id": "o0",
            "organization": "b0",
            "kinds": ["theme_day"],
            "held_on": today() - timedelta(days=40),
        }
    ],
}


@pytest.fixture
def department(create_tenant, engine):
    """A tenant just made, with a token of its administrator."""
    tenant = create_tenant()
    with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
        user_id = session.scalars(sa.select(User.id)).one()
        owner = find_visitor(session, tenant.tenant_id, user_id)
        held = [permission for permission in PERMISSIONS if owner.may(permission)]
        return tenant, create_token(session, owner, "docs", held, 1)[1]


@pytest.mark.skipif(
    shutil.which("curl") is None and not os.environ.get("CI"), reason="no curl on this machine"
)
def test_a_department_comes_to_its_first_findings(department, environment, engine, tmp_path):
    assert len(BLOCKS) >= 7
    tenant, token = department
    tables = {
        name: pa.Table.from_pylist(rows, facts.schema(name)) for name, rows in DOCUMENT.items()
    }
    write_xlsx(tables, tmp_path / "名册.xlsx")
    with served(environment) as url:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(BLOCKS)],
            env={
                **os.environ,
                "GUIJU": f"{url}/api/v1",
                "TOKEN": token,
                "no_proxy": "127.0.0.1",
            },
            cwd=tmp_path,
            capture_output=True,
            check=False,
            timeout=600,
        )
    said = done.stdout.decode()
    assert done.returncode == 0, said + done.stderr.decode()
    assert '"changed": ' in said
    assert '"requirement": "xian.' in said
    assert (tmp_path / "台账.xlsx").read_bytes()[:2] == b"PK"
    with tenant_scope(tenant.tenant_id), ScopedSession(engine) as session:
        judged = sa.select(OrganizationFindings.organization_id).distinct()
        assert len(session.scalars(judged).all()) >= 3
