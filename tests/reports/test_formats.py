"""Every report format: what its workbook holds, and one from asking to downloading."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from guiju import background, plugins
from guiju import facts as documents
from guiju.activities.operations import store_facts
from guiju.audit.operations import Actor
from guiju.hookspecs import ReportRequest
from guiju.jobs import runner
from guiju.jobs.queries import read_file
from guiju.reports import operations, queries
from guiju.rules.engine import evaluate
from guiju.rules.facts import Facts
from guiju.rules.problems import BadInput, Problem
from guiju.tenancy.operations import enable_profile

AS_OF = date(2021, 6, 30)
ROOT = {"id": "root", "name": "机关工委", "kind": "working_committee", "sector": "agency"}
#: What spreadsheets would take for formulas, and what would be links.
NAMES = ("=1+1", "@SUM(A1)", "-第三党支部", "http://党支部")


def occasion(number: int, kind: str, day: str, **more) -> dict:
    return {"id": f"o{number}", "organization": "b0", "kinds": [kind], "held_on": day, **more}


TABLES = {
    "organizations": [
        ROOT,
        *(
            {"id": f"b{number}", "name": name, "kind": "branch", "parent": "root"}
            | {"sector": "agency"}
            for number, name in enumerate(NAMES)
        ),
    ],
    "occasions": [
        occasion(1, "branch_assembly", "2021-03-05", theme="+学习"),
        occasion(2, "theme_day", "2021-04-09", theme='=HYPERLINK("a")'),
        occasion(3, "branch_committee", "2021-05-10"),
        occasion(4, "branch_assembly", "2021-07-01"),
    ],
    "documents": [{"occasion": "o1", "kind": "minutes"}],
    "attestations": [
        {"organization": f"b{number}", "period": "2021-Q1", "attested_on": "2021-04-05"}
        for number in range(len(NAMES))
    ],
    "register": [
        {"organization": branch, "item": "standard_state", "value": value, "since_on": day, **more}
        for branch, value, day, more in (
            ("b0", "未达标", "2021-02-01", {}),
            ("b0", "达标", "2021-05-01", {}),
            ("b0", "未达标", "2021-07-01", {}),
            ("b1", "达标", "2020-05-01", {"until_on": "2021-05-31"}),
        )
    ],
    "rectifications": [
        {"id": f"r{number}", "organization": "b0", "opened_on": "2021-05-02", **more}
        for number, more in enumerate(
            ({"due_on": "2021-09-01"}, {"due_on": "2021-08-01", "closed_on": "2021-06-01"})
        )
    ],
}


@pytest.fixture(scope="session")
def installed() -> plugins.Plugins:
    return plugins.load()


@pytest.fixture(scope="session")
def rendered(installed, tmp_path_factory) -> Callable[[str], openpyxl.Workbook]:
    """Render a format for the whole tree and open what came of it."""
    path = tmp_path_factory.mktemp("facts") / "facts.json"
    path.write_text(json.dumps(TABLES), "utf-8")
    facts = Facts(documents.read(path).tables)

    def render(id: str) -> openpyxl.Workbook:
        form = installed.report_formats[id]
        pack = installed.packs[form.profile]
        findings = evaluate(pack, facts, AS_OF, not_applicable=False)
        out = io.BytesIO()
        form.render(ReportRequest(pack, facts, findings, 0, AS_OF, "test"), out)
        return openpyxl.load_workbook(out)

    return render


def rows(sheet: Worksheet) -> list[dict[str, object]]:
    """Rows below the headings, by heading, up to the first empty line."""
    _title, _note, headings, *below = sheet.iter_rows(values_only=True)
    found = []
    for row in below:
        if row[0] is None or row[1] is None:
            break
        found.append(dict(zip(headings, row, strict=True)))
    return found


def test_every_format_has_a_test(installed):
    tested = {
        *("jiaozuo.ledger", "jiaxing.inspection", "jiyuan.seven_systems"),
        *("shendingshan.table", "xian.standard_ledger"),
    }
    assert set(installed.report_formats) == tested


def test_nothing_that_people_typed_is_a_formula_or_a_link(installed, rendered):
    for id in installed.report_formats:
        book = rendered(id)
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert not [cell.coordinate for cell in cells if cell.data_type == "f" or cell.hyperlink]
        assert all(sheet["A1"].value and "2021-06-30" in str(sheet["A2"].value) for sheet in book)


def test_jiaozuo_ledger(rendered):
    book = rendered("jiaozuo.ledger")
    assert book.sheetnames == ["主题党日", "三会一课"]
    [theme_day] = rows(book["主题党日"])
    assert theme_day["主题"] == '=HYPERLINK("a")'
    first, second = rows(book["三会一课"])
    assert (first["组织"], first["日期"], first["类型"]) == ("=1+1", "2021-03-05", "支部党员大会")
    assert (first["主题"], first["留存材料"]) == ("+学习", "会议记录")
    assert second["日期"] == "2021-05-10", "what comes after the day judged is not listed"


def test_jiaxing_inspection(rendered):
    [sheet] = rendered("jiaxing.inspection")
    assert sheet["A1"].value == "2021年上半年组织生活情况检查结果"
    found = rows(sheet)
    assert [row["党组织"] for row in found] == list(NAMES)
    assert found[0]["支部党员大会"] == "1/2"
    assert found[1]["支部党员大会"] == "0/2"
    assert found[1]["存在问题"]
    assert {row["整改要求"] for row in found} == {None}


def test_jiyuan_seven_systems(rendered):
    [sheet] = rendered("jiyuan.seven_systems")
    found = rows(sheet)
    assert len(found) == 7
    assemblies = found[0]
    assert (assemblies["开展次数"], assemblies["最近一次"]) == (1, "2021-03-05")
    assert assemblies["留存资料"] == "会议记录"
    assert "符合" in str(assemblies["判定情况"])
    assert found[-1]["开展次数"] == 0


def test_shendingshan_table(rendered):
    book = rendered("shendingshan.table")
    assert book.sheetnames == ["=1+1", "@SUM(A1)", "-第三党支部", "http党支部"]
    found = rows(book["=1+1"])
    assert list(found[0]) == ["序号", "党内组织生活项目", "内容", "频率", "记录", "备注"]
    assert len(found) == 9


def test_xian_standard_ledger(rendered):
    [sheet] = rendered("xian.standard_ledger")
    first, *others = rows(sheet)
    assert (first["党支部"], first["领域"]) == ("=1+1", "机关")
    assert (first["认定"], first["认定日期"]) == ("达标", "2021-05-01")
    assert (first["整改措施项数"], first["已销号"], first["最近时限"]) == (2, 1, "2021-09-01")
    assert {row["认定"] for row in others} == {"未认定"}, "records alone decide nothing"


def test_asked_for_made_and_downloaded(
    session, tenant, migrated, installed, redis_url, monkeypatch
):
    actor = Actor("test")
    stored = ("organizations", "occasions", "documents")
    store_facts(session, actor, {name: TABLES[name] for name in stored})
    enable_profile(session, actor, tenant.root_id, "jiaozuo", date(2021, 1, 1))
    number = operations.request_report(
        session, actor, installed.report_formats, tenant.root_id, "jiaozuo.ledger", AS_OF
    )
    paths = [f"/{tenant.root_id}/"]
    assert queries.report(session, number, paths=paths).state == "waiting"
    assert queries.report(session, number, paths=paths).files == ()
    session.rollback()

    monkeypatch.setenv("DATABASE_URL", migrated.url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    background.run(tenant.tenant_id, number)
    made = queries.report(session, number, paths=paths)
    assert (made.state, made.error, made.requested_by) == ("done", None, "test")
    [file] = made.files
    assert file.name == "主题党日和三会一课台账-机关工委-2021-06-30.xlsx"
    with read_file(session, file.id) as content:
        book = openpyxl.load_workbook(content)
    assert [row["日期"] for row in rows(book["三会一课"])] == ["2021-03-05", "2021-05-10"]
    assert queries.report(session, number, paths=["/0/"]) is None, "not below the reader's units"

    session.rollback()
    background.run(tenant.tenant_id, number)
    assert queries.report(session, number, paths=paths) == made, "made once"


def test_what_cannot_be_made_says_why(session, tenant, migrated, installed, redis_url, monkeypatch):
    broken = replace(installed.report_formats["jiaozuo.ledger"], render=fail)
    formats = {"jiaozuo.ledger": broken}
    number = operations.request_report(
        session, Actor("test"), formats, tenant.root_id, "jiaozuo.ledger", AS_OF
    )
    session.rollback()
    monkeypatch.setenv("DATABASE_URL", migrated.url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    found = SimpleNamespace(packs=installed.packs, report_formats=formats)
    monkeypatch.setattr(runner, "loaded", lambda: found)
    background.run(tenant.tenant_id, number)
    made = queries.report(session, number, paths=[f"/{tenant.root_id}/"])
    assert (made.state, made.error) == ("failed", "这里：坏了；应修好")


def fail(_request: ReportRequest, _out: io.BytesIO) -> None:
    raise BadInput([Problem("这里", "坏了", "应修好")])


def test_no_such_format(session, tenant, installed):
    with pytest.raises(BadInput, match=r"jiaozuo\.ledger"):
        operations.request_report(
            session, Actor("test"), installed.report_formats, tenant.root_id, "nothing", AS_OF
        )
