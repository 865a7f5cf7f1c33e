"""Plugins are found, checked and refused by name."""

import inspect
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from marshmallow import fields

from guiju import hookspecs, plugins, record_fields
from guiju.hookspecs import hookimpl

HOOKS = [name for name in vars(hookspecs.Registration) if not name.startswith("_")]
ROOT = Path(__file__).parents[2]
PACK = """
[pack]
id = "{id}"
title = "示例"
issuer = "示例"
document = "示例〔2020〕1号"
issued_on = 2020-01-01
checked_on = 2020-01-01

[[requirement]]
id = "{id}.branch_assembly.quarterly"
kind = "REQ"
title = "党员大会每季度一次"
clause = "一"
strictness = "bare"
automation = "full"
check = "count"
parameters = {{ kinds = ["branch_assembly"], per = "quarter" }}
"""


def module(name, **functions):
    made = ModuleType(name)
    for function_name, function in functions.items():
        setattr(made, function_name, hookimpl(function))
    return made


def pack_plugin(tmp_path, name, id, text=PACK):
    path = tmp_path / f"{name}.toml"
    path.write_text(text.format(id=id), "utf-8")

    def register_packs():
        return [path]

    return module(name, register_packs=register_packs)


@pytest.fixture(scope="session")
def installed():
    return plugins.load()


def test_the_five_cities_are_installed(installed):
    assert {"jiaozuo", "jiaxing", "jiyuan", "shendingshan", "xian"} <= set(installed.packs)


def test_register_packs(tmp_path):
    found = plugins.load(
        {"b": pack_plugin(tmp_path, "b", "second"), "a": pack_plugin(tmp_path, "a", "first")}
    )
    assert list(found.packs) == ["first", "second"], "plugins are registered sorted by name"
    assert found.owners == {"first": "a", "second": "b"}


def test_register_report_formats(installed):
    for profile in ("jiaozuo", "jiaxing", "jiyuan", "shendingshan", "xian"):
        (found,) = installed.formats_of(profile)
        assert found.id.startswith(f"{profile}.")
        assert found.suffix == ".xlsx"


def test_register_record_fields(installed):
    shown = record_fields.fields_for(installed.record_fields, "shendingshan", ["theme_day"])
    assert [one.name for one in shown] == ["deliberated", "volunteer_service", "dues_payers"]
    assert (shown[2].type, shown[2].least, shown[2].most) == ("number", 0, 10_000)
    assert shown[0].label == "民主议事事项"
    assert record_fields.fields_for(installed.record_fields, "shendingshan", ["training"]) == []
    assert record_fields.fields_for(installed.record_fields, "xian", ["theme_day"]) == []
    values, problems = record_fields.read(shown, {"deliberated": " 修路 ", "dues_payers": -1}, "/x")
    assert values == {"deliberated": "修路"}
    assert [(problem.place, problem.wanted) for problem in problems] == [
        ("/x/dues_payers", "应为 0 至 10000 的整数")
    ]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"profile": "nowhere"}, "没有规则包 nowhere"),
        ({"kinds": ["parade"]}, "没有活动类型 parade"),
        ({"clause": ""}, "没有活动类型或条款"),
        ({"fields": {"Name": fields.String(metadata={"heading": "名"})}}, "字段名 Name"),
        ({"fields": {"name": fields.String()}}, "字段 name 没有 heading"),
        ({"fields": {"name": fields.Url(metadata={"heading": "网址"})}}, "类型 Url 不能用"),
    ],
)
def test_record_fields_that_cannot_be_used(tmp_path, changes, fault):
    good = {"profile": "x", "kinds": ["theme_day"], "clause": "一", "fields": {}}

    plugin = pack_plugin(tmp_path, "a", "x")
    plugin.register_record_fields = hookimpl(
        lambda: [hookspecs.RecordFields(**{**good, **changes})]
    )
    with pytest.raises(plugins.PluginError, match=fault):
        _ = plugins.load({"a": plugin}).record_fields


def test_one_profile_has_a_record_field_once(tmp_path):
    def register_record_fields():
        name = {"name": fields.String(metadata={"heading": "名"})}
        return [hookspecs.RecordFields("x", ["theme_day"], "一", name)] * 2

    plugin = pack_plugin(tmp_path, "a", "x")
    plugin.register_record_fields = hookimpl(register_record_fields)
    with pytest.raises(plugins.PluginError, match="x 的字段 name 已有"):
        _ = plugins.load({"a": plugin}).record_fields


def test_register_demo_tenants(installed):
    assert [tenant.id for tenant in installed.demo_tenants] == ["jiaozuo", "xian"]
    assert {tenant.profile for tenant in installed.demo_tenants} <= set(installed.packs)


def test_two_plugins_with_one_pack(tmp_path):
    with pytest.raises(plugins.PluginError) as caught:
        plugins.load(
            {"a": pack_plugin(tmp_path, "a", "same"), "b": pack_plugin(tmp_path, "b", "same")}
        )
    assert "插件 b：规则包 same 已由插件 a 提供" in str(caught.value)


def test_two_plugins_with_one_report():
    def register_report_formats():
        return [hookspecs.ReportFormat("x.y", "x", "名", "一", "text/plain", ".txt", print)]

    found = plugins.load(
        {name: module(name, register_report_formats=register_report_formats) for name in "ab"}
    )
    with pytest.raises(plugins.PluginError, match=r"报表 x\.y"):
        _ = found.report_formats


def test_a_broken_pack_stops_the_start_and_names_its_plugin(tmp_path):
    broken = pack_plugin(tmp_path, "a", "x", PACK.replace('kind = "REQ"', 'kind = "REQUEST"'))
    with pytest.raises(plugins.PluginError) as caught:
        plugins.load({"a": broken})
    (problem,) = caught.value.problems
    assert problem.place == "插件 a a.toml requirement “x.branch_assembly.quarterly” kind"
    assert "REQUEST" in problem.found


def test_an_unknown_hook_stops_the_start():
    with pytest.raises(plugins.PluginError) as caught:
        plugins.load({"a": module("a", register_pakcs=lambda: [])})  # noqa: PIE807
    assert "插件 a：实现了不存在的钩子 register_pakcs" in str(caught.value)


def test_a_failing_import_stops_the_start(monkeypatch):
    class Entry:
        name = "xa"
        value = "guiju_no_such_city.plugin"

    monkeypatch.setattr(plugins, "installed", lambda: [Entry])
    with pytest.raises(plugins.PluginError) as caught:
        plugins.load()
    assert "插件 xa：无法导入 guiju_no_such_city.plugin（ModuleNotFoundError" in str(caught.value)


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_is_typed_and_documented(hook):
    function = getattr(hookspecs.Registration, hook)
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    assert function.__doc__
    arguments = ", ".join(name for name in signature.parameters if name != "self")
    text = (ROOT / "docs" / "hooks.md").read_text("utf-8")
    assert f"\n## {hook}({arguments})\n" in text


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_has_a_test_and_a_user(hook, installed):
    assert f"test_{hook}" in globals(), f"write test_{hook}"
    assert getattr(installed.manager.hook, hook).get_hookimpls(), f"no plugin uses {hook}"


def test_what_packs_say_is_the_same_in_every_process():
    """What judges is told by a digest of it, which workers and pages make each for themselves."""
    told = {
        subprocess.run(
            [sys.executable, "-c", "from guiju import plugins; print(plugins.load().packs)"],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
