"""``guiju tenant enable`` and ``disable`` with a profile: looked at, done, refused."""

import json
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

import guiju_xian
from guiju.activities.operations import store_facts
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, create_engine, tenant_scope
from guiju.organizations.models import DirtyMark, Organization
from guiju.profiles import operations
from guiju.scoring.operations import set_as_of
from guiju.tenancy.operations import create_tenant

ACTOR = Actor("test")
ROOT = {"id": "root", "name": "机关工委", "kind": "working_committee", "sector": "agency"}
BRANCHES = [
    {"id": f"b{n}", "name": f"第{n}党支部", "kind": "branch", "parent": "root", "sector": "agency"}
    for n in (1, 2)
]
FEBRUARY = {"id": "o", "organization": "b1", "kinds": ["theme_day"], "held_on": date(2021, 2, 5)}


@pytest.fixture
def environment(migrated, empty_redis_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", migrated.url)
    monkeypatch.setenv("REDIS_URL", empty_redis_url)
    monkeypatch.setenv("SECRET_KEY", "x" * 40)


@pytest.fixture
def engine(migrated, environment):
    engine = create_engine(migrated.url)
    yield engine
    engine.dispose()


@pytest.fixture
def town(engine, request):
    """A tenant that nothing judges yet: its code and number."""
    code = f"t-{abs(hash(request.node.nodeid)) % 10**12}"
    with ScopedSession(engine) as session:
        made = create_tenant(session, ACTOR, code, "测试单位", ROOT)
        with tenant_scope(made.tenant_id):
            set_as_of(session, ACTOR, date(2021, 11, 10))
            store_facts(session, ACTOR, {"organizations": BRANCHES, "occasions": [FEBRUARY]})
    return code, made.tenant_id


def terms(engine, town, code="root"):
    with tenant_scope(town[1]), ScopedSession(engine) as session:
        number = session.scalars(sa.select(Organization.id).where(Organization.code == code)).one()
        return operations.terms_of(session, number)


def test_enabled_after_a_look(guiju, engine, town):
    command = ("tenant", "enable", town[0], "xian", "--from", "2021-01-01")
    seen = guiju(*command, "--preview")
    assert seen.exit_code == 0, seen.output
    assert seen.stdout.startswith("看了 3 个组织：")
    assert "其中党支部 2 个" in seen.stdout
    assert "主题党日每月一次" in seen.stdout
    assert terms(engine, town) == ()
    assert guiju(*command, "--set", "branch_size=full_members").exit_code == 0
    (term,) = terms(engine, town)
    assert term.settings == {"branch_size": "full_members"}
    with tenant_scope(town[1]), engine.connect() as connection:
        reasons = connection.scalars(sa.select(DirtyMark.reason)).all()
    assert "profile.enable" in reasons


def test_the_preview_as_data(guiju, engine, town):
    assert guiju("tenant", "enable", town[0], "xian", "--from", "2021-01-01").exit_code == 0
    command = ("tenant", "disable", town[0], "xian", "--until", "2021-06-30")
    found = json.loads(guiju(*command, "--preview", "--format", "json").stdout)
    assert {unit["id"] for unit in found["organizations"]} >= {"b1", "b2"}
    change = found["organizations"][-1]["changes"][0]
    assert set(change) == {
        "profile", "requirement", "part", "subject_type", "from", "to", "number",
    }  # fmt: skip
    assert found["requirements"][0]["why"]
    assert guiju(*command).exit_code == 0
    assert [term.until for term in terms(engine, town)] == [date(2021, 6, 30)]


def test_a_newer_version_of_the_pack(guiju, town, tmp_path):
    guiju("tenant", "enable", town[0], "xian", "--from", "2021-01-01")
    text = Path(guiju_xian.__file__).with_name("pack.toml").read_text("utf-8")
    head, id_, rest = text.partition('id = "xian.theme_day.monthly"')
    newer = tmp_path / "pack.toml"
    newer.write_text(head + id_ + rest.replace('per = "month"', 'per = "quarter"', 1), "utf-8")
    seen = guiju("tenant", "enable", town[0], "xian", "--preview", "--pack", str(newer))
    assert "参数 per 由 month 改为 quarter" in seen.stdout, seen.output


@pytest.mark.parametrize(
    ("command", "places"),
    [
        (["enable", "{town}", "nowhere", "--from", "2021-01-01"], ["规则包 nowhere"]),
        (["enable", "{town}", "xian"], ["--from"]),
        (["enable", "{town}", "--preview"], ["PROFILE"]),
        (["enable", "{town}", "xian", "--from", "2021-01-01", "--organization", "b7"],
         ["组织 b7"]),
        (["enable", "{town}", "xian", "--from", "2021-01-01", "--until", "2020-01-01"],
         ["/until"]),
        (["enable", "{town}", "xian", "--from", "2021-01-01", "--set", "weak_branch_quota=1",
          "--set", "city_organization=nope", "--set", "typo=1"],
         ["/settings/weak_branch_quota", "/settings/city_organization", "/settings/typo"]),
        (["enable", "{town}", "xian", "--from", "2021-01-01", "--set", "typo"], ["--set typo"]),
        (["enable", "{town}", "xian", "--pack", "missing.toml"], ["missing.toml", "--pack"]),
        (["disable", "{town}", "xian", "--until", "2021-01-01"], ["xian"]),
        (["disable", "{town}", "xian"], ["--until"]),
        (["enable", "nobody", "xian", "--from", "2021-01-01"], ["租户 nobody"]),
    ],
)  # fmt: skip
def test_what_is_refused_changes_nothing(refused, engine, town, command, places):
    lines = refused("tenant", *(word.format(town=town[0]) for word in command))
    assert sorted(line.split("：")[0] for line in lines[:-1]) == sorted(places)
    assert terms(engine, town) == ()
