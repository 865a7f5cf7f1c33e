"""Find the jurisdiction plugins, refuse what is wrong with them, and hold what they register.

Plugins are found through entry points, registered sorted by name and checked before
anything runs: an import that fails, a hook that does not exist, a broken pack or two
plugins with one name stop the start with the plugin's name and the reason.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

import pluggy

from guiju import hookspecs
from guiju.hookspecs import PROJECT, DemoTenant, ReportFormat
from guiju.rules import loader
from guiju.rules.pack import Pack
from guiju.rules.problems import BadInput, Problem


class PluginError(BadInput):
    """A plugin cannot be used; each problem names the plugin and the reason."""


@dataclass(frozen=True)
class Plugins:
    """All installed plugins with what they brought."""

    manager: pluggy.PluginManager
    packs: Mapping[str, Pack]
    owners: Mapping[str, str]

    @cached_property
    def report_formats(self) -> Mapping[str, ReportFormat]:
        """Report formats by id."""
        found: dict[str, ReportFormat] = {}
        for formats in self.manager.hook.register_report_formats():
            for format_ in formats:
                if format_.id in found:
                    raise PluginError(
                        [
                            Problem(
                                f"报表 {format_.id}", "两个插件都提供", "编号不得重复", "duplicate"
                            )
                        ]
                    )
                found[format_.id] = format_
        return found

    @cached_property
    def demo_tenants(self) -> list[DemoTenant]:
        """Invented tenants of all plugins, by id."""
        found = [tenant for some in self.manager.hook.register_demo_tenants() for tenant in some]
        return sorted(found, key=lambda tenant: tenant.id)

    @cached_property
    def codes(self) -> Mapping[str, Mapping[str, str]]:
        """Codes that the packs add to open vocabularies, with labels, by vocabulary."""
        found: dict[str, dict[str, str]] = {}
        for pack in self.packs.values():
            for vocabulary, labels in pack.vocabularies.items():
                found.setdefault(vocabulary, {}).update(labels)
        return found

    def formats_of(self, profile: str) -> list[ReportFormat]:
        """The report formats of one profile."""
        return [found for found in self.report_formats.values() if found.profile == profile]


def installed() -> list[EntryPoint]:
    """Entry points of the group ``guiju``, sorted by name."""
    return sorted(entry_points(group=PROJECT), key=lambda entry: entry.name)


def load(modules: Mapping[str, ModuleType] | None = None) -> Plugins:
    """All plugins, checked; ``modules`` (by name) replaces the installed ones in tests.

    Raises PluginError naming every plugin that cannot be used, and why.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs.Registration)
    found = _import(installed()) if modules is None else modules
    for name in sorted(found):
        manager.register(found[name], name=name)
    _check_hooks(manager)
    packs, owners = _load_packs(manager)
    return Plugins(manager, packs, owners)


def _import(entries: Iterable[EntryPoint]) -> dict[str, ModuleType]:
    modules: dict[str, ModuleType] = {}
    problems: list[Problem] = []
    for entry in entries:
        if entry.name in modules:
            problems.append(
                Problem(f"插件 {entry.name}", "安装了两个", "名称不得重复", "duplicate")
            )
            continue
        try:
            modules[entry.name] = importlib.import_module(entry.value)
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises, its name is what helps
            problems.append(
                Problem(
                    f"插件 {entry.name}",
                    f"无法导入 {entry.value}（{type(error).__name__}: {error}）",
                    "请修复或卸载该插件",
                    "import",
                )
            )
    if problems:
        raise PluginError(problems)
    return modules


def _check_hooks(manager: pluggy.PluginManager) -> None:
    """A misspelt hook name registers silently in pluggy; here it stops the start."""
    problems: list[Problem] = []
    for name, plugin in manager.list_name_plugin():
        known = {caller.name for caller in manager.get_hookcallers(plugin) or ()}
        specified = {hook for hook in vars(hookspecs.Registration) if not hook.startswith("_")}
        problems += [
            Problem(
                f"插件 {name}",
                f"实现了不存在的钩子 {hook}",
                f"可用的钩子有 {'、'.join(sorted(specified))}",
                "hook",
            )
            for hook in sorted(known - specified)
        ]
    if problems:
        raise PluginError(problems)
    manager.check_pending()


def _load_packs(manager: pluggy.PluginManager) -> tuple[dict[str, Pack], dict[str, str]]:
    packs: dict[str, Pack] = {}
    owners: dict[str, str] = {}
    problems: list[Problem] = []
    for name, plugin in sorted(manager.list_name_plugin()):
        caller = manager.subset_hook_caller(
            "register_packs",
            [other for _, other in manager.list_name_plugin() if other is not plugin],
        )
        for path in [path for paths in caller() for path in paths]:
            try:
                pack = loader.load(path)
            except BadInput as error:
                problems += [
                    Problem(f"插件 {name} {fault.place}", fault.found, fault.wanted, fault.code)
                    for fault in error.problems
                ]
                continue
            if pack.id in packs:
                problems.append(
                    Problem(
                        f"插件 {name}",
                        f"规则包 {pack.id} 已由插件 {owners[pack.id]} 提供",
                        "编号不得重复",
                        "duplicate",
                    )
                )
                continue
            packs[pack.id], owners[pack.id] = pack, name
    if problems:
        raise PluginError(problems)
    return packs, owners
