"""The ``guiju`` command.

Commands live in modules of this package and are imported when they are called, so that
``guiju profiles`` loads no database library and ``guiju --help`` loads next to nothing.
A new command is a module with a click command and a line in :data:`COMMANDS`.

Exit codes: 0 the command did its job; 1 a command whose job is to check found something
wrong; 2 bad input or usage: nothing was written, and standard error lists every problem.
"""

from __future__ import annotations

import sys
from importlib import import_module
from io import TextIOWrapper
from typing import Any, Final, NamedTuple

import click

from guiju.language import gettext as _


class Lazy(NamedTuple):
    """A command that is imported when it is called: ``module:attribute``, and what it does."""

    path: str
    help: str

    def load(self) -> click.Command:
        """The command itself."""
        module, attribute = self.path.split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


#: In the order of ``guiju --help``.
COMMANDS: Final[dict[str, Lazy]] = {
    "profiles": Lazy("guiju.cli.profiles:profiles", _("已安装的规则包：列出、查看、比较")),
    "evaluate": Lazy("guiju.cli.evaluate:evaluate", _("判定一份事实文档")),
    "facts": Lazy("guiju.cli.facts:facts", _("事实文档：生成模板、检查")),
    "demo": Lazy("guiju.cli.demo:demo", _("用内置的数据库演示一座城市")),
    "serve": Lazy("guiju.cli.serve:serve", _("提供网页和接口")),
    "db": Lazy("guiju.cli.database:db", _("数据库：升级")),
    "tenant": Lazy("guiju.cli.tenant:tenant", _("租户：新建、列出、停用、恢复")),
    "support": Lazy("guiju.cli.support:support", _("平台支持：查看租户限时授予的内容")),
    "report": Lazy("guiju.cli.report:report", _("生成报表")),
    "import": Lazy("guiju.cli.importing:import_", _("把工作簿导入租户")),
    "score": Lazy("guiju.cli.score:score", _("对租户全面判定一次")),
    "audit": Lazy("guiju.cli.audit:audit", _("审计记录：校验、清理")),
    "backup": Lazy("guiju.cli.backup:backup", _("备份数据库和附件")),
    "restore": Lazy("guiju.cli.backup:restore", _("由备份恢复")),
    "worker": Lazy("guiju.cli.worker:worker", _("后台处理：判定、报表")),
    "scheduler": Lazy("guiju.cli.scheduler:scheduler", _("定时任务：每晚判定、补漏")),
}


class LazyGroup(click.Group):
    """A group of :data:`COMMANDS` that turns refused input into exit code 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called ``cmd_name``."""
        lazy = COMMANDS.get(cmd_name)
        return None if lazy is None else lazy.load()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section(_("命令")):
            formatter.write_dl([(name, lazy.help) for name, lazy in COMMANDS.items()])

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run, speaking UTF-8 whatever the terminal says of itself."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(encoding="utf-8", errors="backslashreplace")
        return super().main(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error that lists ``problems`` is input refused."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            problems = getattr(error, "problems", None)
            if problems is None:
                raise
            for problem in problems:
                click.echo(str(problem), err=True)
            omitted = getattr(error, "omitted", 0)
            count = _("共 {number} 处问题").format(number=len(problems) + omitted)
            if omitted:
                count = _("{count}，其中 {number} 处未列出").format(count=count, number=omitted)
            click.echo(count, err=True)
            ctx.exit(2)


@click.group(cls=LazyGroup, help=_("规矩：依据各地通知判定党支部的组织生活。"))
@click.version_option(package_name="guiju", message="guiju %(version)s")
def main() -> None:
    """Run the ``guiju`` command."""
