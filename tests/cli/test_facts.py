"""``guiju facts``."""

import json
from types import SimpleNamespace

import openpyxl
import pytest
from click.testing import CliRunner

from guiju import plugins
from guiju.cli import main


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, ["facts", *map(str, arguments)])


def test_template_then_check(run):
    made = run("template")
    assert (made.exit_code, made.output) == (0, "事实.xlsx\n")
    checked = run("check", "事实.xlsx")
    assert checked.exit_code == 0
    assert checked.output.splitlines()[2].split() == ["组织", "organizations", "0"]


def test_template_overwrites_on_request_alone(run, tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_text("mine", encoding="utf-8")
    assert run("template", path).exit_code == 2
    assert path.read_text(encoding="utf-8") == "mine"
    assert run("template", path, "--force").exit_code == 0
    openpyxl.load_workbook(path).close()


@pytest.mark.parametrize("name", ["a.xls", "a", "missing/a.xlsx", "."])
def test_template_elsewhere(name, run, tmp_path):
    result = run("template", name)
    assert result.exit_code == 2
    assert not list(tmp_path.iterdir())


def test_check_counts_rows(run, tmp_path):
    path = tmp_path / "facts.json"
    rows = [{"id": "b1", "name": "第一党支部", "kind": "branch"}]
    path.write_text(json.dumps({"organizations": rows}), encoding="utf-8")
    counted = json.loads(run("check", path, "--format", "json").output)
    assert counted["organizations"] == 1
    assert set(counted.values()) == {0, 1}


def test_check_lists_every_problem(run, tmp_path):
    path = tmp_path / "facts.json"
    path.write_text('{"settings": [{"key": "a"}, {"value": "b", "x": 1}]}', encoding="utf-8")
    result = run("check", path)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert [line.split("：")[0] for line in result.stderr.splitlines()] == [
        "facts.json /settings/1/x",
        "facts.json /settings/0/value",
        "facts.json /settings/1/key",
        "共 3 处问题",
    ]


def test_check_knows_the_codes_of_installed_profiles(run, tmp_path, monkeypatch):
    path = tmp_path / "facts.json"
    rows = {
        "organizations": [{"id": "b1", "name": "第一党支部", "kind": "branch"}],
        "occasions": [
            {"id": "o1", "organization": "b1", "kinds": ["唱红歌"], "held_on": "2021-03-05"}
        ],
    }
    path.write_text(json.dumps(rows), encoding="utf-8")
    installed = SimpleNamespace(codes={"occasion_kind": {"red_song": "唱红歌"}})
    monkeypatch.setattr(plugins, "load", lambda: installed)
    assert run("check", path).exit_code == 0
    installed.codes = {}
    assert "没有“唱红歌”这一项" in run("check", path).stderr
