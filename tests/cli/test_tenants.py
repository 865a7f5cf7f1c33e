"""Commands on a database: import, score, report, and what happens when a server is away."""

import json
import logging
import re
from datetime import date

import openpyxl
import pytest
import sqlalchemy as sa

from guiju import plugins
from guiju.audit.models import AuditEntry
from guiju.audit.operations import Actor
from guiju.db import ScopedSession, create_engine, tenant_scope, upgrade
from guiju.facts.workbook_writer import write_template
from guiju.organizations.models import DirtyMark
from guiju.scoring import queries
from guiju.tenancy.operations import create_tenant, enable_profile

ROOT = {"id": "root", "name": "机关工委", "kind": "working_committee", "sector": "agency"}
BRANCH = {"id": "b1", "name": "=1+1", "kind": "branch", "parent": "root", "sector": "agency"}
OCCASION = {
    "id": "o1",
    "organization": "b1",
    "kinds": ["branch_assembly"],
    "held_on": "2021-03-05",
    "theme": "+学习",
}
NOWHERE = "127.0.0.1:1"


@pytest.fixture(scope="session")
def database(create_database, worker_id):
    """A database of these tests' own: they list every tenant in it."""
    database = create_database(f"guiju_cli_{worker_id}")
    upgrade(database.admin_url, codes=plugins.load().codes)
    return database


@pytest.fixture
def environment(database, empty_redis_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database.url)
    monkeypatch.setenv("GUIJU_ADMIN_DATABASE_URL", database.admin_url)
    monkeypatch.setenv("REDIS_URL", empty_redis_url)
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    monkeypatch.setenv("GUIJU_LOG_LEVEL", "WARNING")
    # Commands that log take the root logger over; it is given back.
    monkeypatch.setattr(logging.root, "handlers", [*logging.root.handlers])
    monkeypatch.setattr(logging.root, "level", logging.root.level)


@pytest.fixture
def engine(database, environment):
    engine = create_engine(database.url)
    yield engine
    engine.dispose()


@pytest.fixture
def town(engine, request):
    """A tenant judged by Jiaozuo's notice: its code and number."""
    code = "t" + re.sub("[^a-z0-9]", "", request.node.name.lower())[:50]
    with ScopedSession(engine) as session:
        made = create_tenant(session, Actor("test"), code, "测试单位", ROOT)
        with tenant_scope(made.tenant_id):
            enable_profile(session, Actor("test"), made.root_id, "jiaozuo", date(2021, 1, 1))
    return code, made.tenant_id


@pytest.fixture
def facts(write):
    return write(organizations=[ROOT, BRANCH], occasions=[OCCASION])


def standing(engine, town):
    with tenant_scope(town[1]), ScopedSession(engine) as session:
        return queries.standing(session, within=None)


def contents(engine, town):
    """How many rows the tenant has, by table."""
    names = ("organizations", "occasions", "settings", "dirty_marks")
    with tenant_scope(town[1]), engine.connect() as connection:
        return {
            name: connection.scalar(sa.text(f"SELECT count(*) FROM {name}"))  # noqa: S608
            for name in names
        }


def test_import_then_score_then_report(guiju, town, facts, engine, tmp_path):
    code, _number = town
    imported = guiju("import", code, facts)
    assert imported.exit_code == 0, imported.output
    assert [line.split()[0] for line in imported.stdout.splitlines()[2:]] == ["组织", "活动"]
    before = contents(engine, town)
    assert guiju("import", code, facts).stdout == "没有变化：文件中的内容都已在库中。\n"
    assert contents(engine, town) == before

    scored = guiju("score", code, "--as-of", "2021-04-10")
    assert scored.exit_code == 0, scored.output
    assert scored.stdout.startswith("以 2021-04-10 为准，判定 2 个组织")
    assert standing(engine, town).waiting == 0

    reported = guiju("report", code, "jiaozuo.ledger", "--as-of", "2021-04-10")
    assert reported.stdout == "主题党日和三会一课台账-2021-04-10.xlsx\n"
    book = openpyxl.load_workbook(tmp_path / reported.stdout.strip())
    row = [cell.value for cell in book["三会一课"][4]]
    assert row[:5] == [1, "=1+1", "2021-03-05", "支部党员大会", "+学习"]
    of_branch = ["--organization", "b1", "--output", "b1.xlsx"]
    assert guiju("report", code, "jiaozuo.ledger", *of_branch).stdout == "b1.xlsx\n"
    with tenant_scope(town[1]), ScopedSession(engine) as session:
        made = sa.select(AuditEntry.actor).where(AuditEntry.action == "report.make")
        assert [actor[:4] for actor in session.scalars(made)] == ["cli:"] * 2


def test_a_broken_workbook_changes_nothing(refused, town, engine, tmp_path):
    write_template(path := tmp_path / "facts.xlsx")
    book = openpyxl.load_workbook(path)
    book["组织"].append(["root", "机关工委"])
    book["组织"].append(["b1", "=1+1", "党支部", "nowhere"])
    book.save(path)
    before = contents(engine, town)
    places = {line.split("：")[0] for line in refused("import", town[0], path)}
    assert {"facts.xlsx 工作表“组织” 单元格 B3", "facts.xlsx 工作表“组织” 单元格 C2"} <= places
    assert contents(engine, town) == before
    path.write_bytes(path.read_bytes()[:2000])
    refused("import", town[0], path)
    assert contents(engine, town) == before


def test_settings_that_no_profile_could_work_with_are_not_imported(refused, town, write, engine):
    settings = [
        {"key": "typo", "value": "1"},
        {"key": "branch_size", "value": "none"},
        {"key": "complete_after_days", "value": "5"},
        {"key": "city_organization", "value": "nowhere"},
    ]
    before = contents(engine, town)
    lines = refused("import", town[0], write(organizations=[ROOT], settings=settings))
    assert [line.split("；")[0] for line in lines] == [
        "facts.json /settings/0/key：没有“typo”这项设置",
        "facts.json /settings/1/key：取值 none",
        "facts.json /settings/3/key：取值 nowhere",
        "共 3 处问题",
    ]
    assert contents(engine, town) == before


@pytest.mark.parametrize("value", ["soon", "-1", "²", "99999"])
def test_months_are_complete_after_days_that_can_be_counted(refused, town, write, engine, value):
    settings = [{"key": "complete_after_days", "value": value}]
    before = contents(engine, town)
    lines = refused("import", town[0], write(organizations=[ROOT], settings=settings))
    assert lines[0].split("；")[0] == f"facts.json /settings/0/key：{value}"
    assert contents(engine, town) == before


def test_without_the_queue_the_import_stays_and_score_finishes_it(
    guiju, town, facts, engine, monkeypatch
):
    monkeypatch.setenv("REDIS_URL", f"redis://{NOWHERE}/0")
    imported = guiju("import", town[0], facts)
    assert imported.exit_code == 0, imported.output
    assert "queue" not in imported.stdout
    assert standing(engine, town).waiting > 0
    assert guiju("score", town[0], "--as-of", "2021-04-10").exit_code == 0
    assert standing(engine, town).waiting == 0
    with tenant_scope(town[1]), engine.connect() as connection:
        assert not connection.scalar(sa.select(sa.func.count()).select_from(DirtyMark))


@pytest.mark.parametrize(
    ("command", "places"),
    [
        (["import", "{town}", "missing.xlsx"], ["missing.xlsx"]),
        (["import", "nobody", "missing.xlsx"], ["租户 nobody"]),
        (["score", "nobody"], ["租户 nobody"]),
        (["report", "nobody", "jiaozuo.ledger"], ["租户 nobody"]),
        (["report", "{town}", "xian.standard_ledger"], ["报表 xian.standard_ledger"]),
        (
            ["report", "{town}", "nothing", "--organization", "b7"],
            ["报表 nothing", "组织 b7"],
        ),
        (["report", "{town}", "jiaozuo.ledger", "--output", "no/a.xlsx"], ["no/a.xlsx"]),
        (["tenant", "disable", "nobody"], ["租户 nobody"]),
        (["tenant", "create", "BIG", "大写"], ["/code"]),
        (["tenant", "create", "{town}", "重复"], ["/code"]),
    ],
)
def test_unknown_names(refused, town, command, places):
    lines = refused(*(word.format(town=town[0]) for word in command))
    assert [line.split("：")[0] for line in lines[:-1]] == places


@pytest.mark.parametrize("day", ["2021-13-01", "9999-12-31"])
def test_score_as_of_no_day(refused, town, day):
    assert day in refused("score", town[0], "--as-of", day)[-1]


@pytest.mark.parametrize(
    "command", [["tenant", "list"], ["import", "a", "b"], ["score", "a"], ["db", "upgrade"]]
)
def test_the_database_is_down(refused, environment, monkeypatch, command):
    for name in ("DATABASE_URL", "GUIJU_ADMIN_DATABASE_URL"):
        monkeypatch.setenv(name, f"postgresql://guiju_app@{NOWHERE}/guiju")
    first, _count = refused(*command)
    assert "DATABASE_URL：连接不上" in first


@pytest.mark.parametrize("command", [["worker", "--burst"], ["scheduler"]])
def test_the_queue_is_down(refused, environment, monkeypatch, command):
    monkeypatch.setenv("REDIS_URL", f"redis://{NOWHERE}/0")
    first, _count = refused(*command)
    assert first.startswith("REDIS_URL：连接不上")


def test_the_tables_are_not_there_yet(refused, environment, create_database, monkeypatch):
    empty = create_database("guiju_cli_empty")
    monkeypatch.setenv("DATABASE_URL", empty.admin_url)
    first, _count = refused("tenant", "list")
    assert first == "DATABASE_URL：表结构不是本版本的；请先运行 guiju db upgrade"


def test_nothing_is_configured(refused, monkeypatch):
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    lines = refused("score", "a")
    assert [line.split("：")[0] for line in lines[:-1]] == [
        *("DATABASE_URL", "REDIS_URL", "SECRET_KEY")
    ]


def test_preview_then_import_then_undo(guiju, town, facts, engine):
    code = town[0]
    seen = guiju("import", code, facts, "--preview")
    assert seen.exit_code == 0, seen.output
    assert seen.stdout.splitlines()[0].split() == ["表", "新增", "更新", "不变"]
    assert json.loads(guiju("import", code, "--list", "--format", "json").stdout) == []
    assert guiju("import", code, facts).exit_code == 0
    (listed,) = json.loads(guiju("import", code, "--list", "--format", "json").stdout)
    assert (listed["file"], listed["undone_at"]) == (facts.name, None)
    number = str(listed["id"])
    assert "没有变化" in guiju("import", code, facts, "--preview").stdout
    undone = guiju("import", code, "--undo", number)
    assert undone.exit_code == 0, undone.output
    assert guiju("import", code, facts).exit_code == 0
    again = guiju("import", code, "--undo", number)
    assert again.exit_code == 2
    assert "已经撤销过" in again.stderr


@pytest.mark.parametrize(
    "options", [[], ["--preview"], ["--list", "--undo", "1"], ["x.xlsx", "--undo", "1"]]
)
def test_import_is_asked_for_one_thing(guiju, town, options):
    assert guiju("import", town[0], *options).exit_code == 2
