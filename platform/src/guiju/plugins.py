"""Find the jurisdiction plugins, refuse what is wrong with them, and hold what they register.

Plugins are found through entry points, registered sorted by name and checked before
anything runs: an import that fails, a hook that does not exist, a broken pack or two
plugins with one name stop the start with the plugin's name and the reason.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

import pluggy

from guiju import hookspecs, record_fields
from guiju.hookspecs import PROJECT, DemoTenant, RecordFields, ReportFormat
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
        """Report formats by id, those of the first plugin first.

        Raises PluginError naming every plugin whose format another one has already.
        """
        found: dict[str, ReportFormat] = {}
        owners: dict[str, str] = {}
        problems: list[Problem] = []
        for name, formats in _answers(self.manager, "register_report_formats"):
            for format_ in formats:
                if format_.id in found:
                    taken = f"报表 {format_.id} 已由插件 {owners[format_.id]} 提供"
                    problems.append(Problem(f"插件 {name}", taken, "编号不得重复", "duplicate"))
                    continue
                found[format_.id], owners[format_.id] = format_, name
        if problems:
            raise PluginError(problems)
        return found

    @cached_property
    def record_fields(self) -> Sequence[RecordFields]:
        """Fields that plugins add to records, those of the first plugin first.

        Raises PluginError naming each plugin whose fields cannot be used, and why.
        """
        found: list[RecordFields] = []
        taken: set[tuple[str, str]] = set()
        problems: list[Problem] = []
        for name, some in _answers(self.manager, "register_record_fields"):
            for added in some:
                faults = record_fields.faults(added, self.packs)
                faults += [
                    f"{added.profile} 的字段 {field} 已有"
                    for field in added.fields
                    if (added.profile, field) in taken
                ]
                taken |= {(added.profile, field) for field in added.fields}
                problems += [
                    Problem(f"插件 {name}", fault, "见 docs/hooks.md", "record_fields")
                    for fault in faults
                ]
                found.append(added)
        if problems:
            raise PluginError(problems)
        return found

    @cached_property
    def demo_tenants(self) -> list[DemoTenant]:
        """Invented tenants of all plugins, by id."""
        answers = _answers(self.manager, "register_demo_tenants")
        found = [tenant for _, some in answers for tenant in some]
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
    _register(manager, found)
    _check_hooks(manager)
    packs, owners = _load_packs(manager)
    return Plugins(manager, packs, owners)


@cache
def loaded() -> Plugins:
    """All plugins, loaded once in this process; a worker does so before it forks."""
    return load()


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


def _register(manager: pluggy.PluginManager, modules: Mapping[str, ModuleType]) -> None:
    """Register in order of names; a hook with arguments that it cannot have is refused."""
    problems: list[Problem] = []
    for name in sorted(modules):
        try:
            manager.register(modules[name], name=name)
        except pluggy.PluginValidationError as error:
            # The first line repeats names; the others say what is wrong, and where.
            reason = " ".join(str(error).splitlines()[1:])
            problems.append(
                Problem(f"插件 {name}", f"钩子写法不对（{reason}）", "请按文档改正", "hook")
            )
    if problems:
        raise PluginError(problems)


def _answers(manager: pluggy.PluginManager, hook: str) -> Iterator[tuple[str, Sequence[Any]]]:
    """What each plugin answers to a hook without arguments, sorted by name.

    Raises PluginError naming the plugin whose hook fails.
    """
    plugins = sorted(manager.list_name_plugin(), key=lambda pair: pair[0])
    for name, plugin in plugins:
        others = [other for _, other in plugins if other is not plugin]
        try:
            answers = manager.subset_hook_caller(hook, others)()
            found = [entry for answer in answers for entry in answer]
        except Exception as error:
            reason = f"钩子 {hook} 出错（{type(error).__name__}: {error}）"
            problem = Problem(f"插件 {name}", reason, "请修复或卸载该插件", "hook")
            raise PluginError([problem]) from error
        yield name, found


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
    for name, paths in _answers(manager, "register_packs"):
        for path in paths:
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
