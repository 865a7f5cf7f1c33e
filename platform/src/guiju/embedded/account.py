"""The system account that the servers run as.

PostgreSQL refuses to run as root, and Valkey has no need to. Started by root, both run as an
unprivileged account made for them; started by anyone else, they run as that person.
"""

import os
import pwd
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from guiju.embedded.errors import EmbeddedError
from guiju.language import gettext as _

NAME = "guiju"

# The one account every Unix has, where making our own is not possible.
FALLBACK = "nobody"

# The extended attribute that holds a POSIX access control list on Linux, and the tags and
# the "no id" marker used in it (linux/posix_acl.h, posix_acl_xattr.h).
_ACL = "system.posix_acl_access"
_ACL_VERSION = 2
_USER_OBJ, _USER, _GROUP_OBJ, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_SEARCH = 0o1


@dataclass(frozen=True)
class Account:
    """Runs programs and owns folders.

    ``uid`` and ``gid`` are None when the servers run as whoever started Guiju.
    """

    uid: int | None
    gid: int | None
    name: str

    def run(self, command: Sequence[str | Path], *, timeout: float = 120) -> None:
        """Run a program to its end.

        Raises ``CalledProcessError`` with the program's whole output in ``output`` when it
        fails, ``PermissionError`` when the account may not run it.
        """
        # A file, not a pipe: a daemon started by the program inherits its output, and
        # reading a pipe would then wait for the daemon.
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            try:
                subprocess.run(
                    command,
                    check=True,
                    # No variable of the caller's (PGDATA, PGOPTIONS, LC_…) reaches the servers.
                    env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                    # Their own folder may be closed to the account that the caller stands in.
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=timeout,
                    user=self.uid,
                    group=self.gid,
                    extra_groups=None if self.uid is None else [],
                )
            except subprocess.CalledProcessError as error:
                output.seek(0)
                error.output = output.read()
                raise

    def can_run(self, command: Sequence[str | Path]) -> bool:
        """Whether a program runs and succeeds as this account."""
        try:
            self.run(command)
        except (OSError, subprocess.CalledProcessError):
            return False
        return True

    def own_folder(self, folder: Path) -> None:
        """Make a folder that this account owns and nobody else may enter, or make it so."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)

    def let_through(self, folder: Path) -> None:
        """Make sure that this account can reach ``folder``.

        Root's folders are often closed to everybody else. What is granted is the least
        that works: this one account may pass through (not list) the folders on the way.
        Raises ``EmbeddedError`` where the file system knows no access control lists.
        """
        if self.uid is None or self._reaches(folder):
            return
        for step in reversed([folder, *folder.parents]):
            if not self._reaches(step):
                _grant_search(step, self.uid, self.name)

    def _reaches(self, folder: Path) -> bool:
        return self.can_run(["/bin/sh", "-c", 'cd "$1"', "sh", folder])


def current() -> Account:
    """The account to run servers as, made when root needs one and it is not there yet."""
    if os.geteuid() != 0:
        return Account(None, None, pwd.getpwuid(os.geteuid()).pw_name)
    _add_system_user(NAME)
    for name in (NAME, FALLBACK):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, name)
    raise EmbeddedError(
        _(
            "内置数据库不能以 root 身份运行，而这台机器上无法新建系统用户 {name}。"
            "请换一个普通用户运行，或先建好这个系统用户。"
        ).format(name=NAME)
    )


def _add_system_user(name: str) -> None:
    """Make a system user with no home and no shell; leave things as they are if that fails."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        program = shutil.which("useradd")
        if program is not None:
            subprocess.run(
                [
                    program,
                    "--system",
                    "--no-create-home",
                    "--home-dir",
                    "/nonexistent",
                    "--shell",
                    "/usr/sbin/nologin",
                    name,
                ],
                check=False,
                capture_output=True,
            )


def _grant_search(folder: Path, uid: int, name: str) -> None:
    """Add "user ``uid`` may pass through" to the folder's access control list."""
    try:
        entries = _read_acl(folder)
        entries[_USER, uid] = entries.get((_USER, uid), 0) | _SEARCH
        # The mask bounds every entry but the owner's and others'; without one the list
        # would be refused.
        mask = entries.get((_MASK, _NO_ID), entries[_GROUP_OBJ, _NO_ID])
        entries[_MASK, _NO_ID] = mask | _SEARCH
        packed = b"".join(
            struct.pack("<HHI", tag, permissions, identity)
            for (tag, identity), permissions in sorted(entries.items())
        )
        os.setxattr(folder, _ACL, struct.pack("<I", _ACL_VERSION) + packed)
    except (AttributeError, OSError) as error:  # AttributeError: no os.setxattr on macOS
        raise EmbeddedError(
            _(
                "内置数据库以系统用户 {name} 的身份运行，但该用户进不了文件夹 {folder}。"
                "请用 --data-dir 换一个该用户能到达的数据文件夹（例如 /var/lib/guiju），"
                "或以普通用户身份运行。"
            ).format(name=name, folder=folder)
        ) from error


def _read_acl(folder: Path) -> dict[tuple[int, int], int]:
    """The folder's access control list: (tag, user or group id) to permission bits."""
    mode = folder.stat().st_mode
    try:
        raw = os.getxattr(folder, _ACL)
    except OSError:  # none is set: the three classic entries are the list
        return {
            (_USER_OBJ, _NO_ID): mode >> 6 & 0o7,
            (_GROUP_OBJ, _NO_ID): mode >> 3 & 0o7,
            (_OTHER, _NO_ID): mode & 0o7,
        }
    return {
        (tag, identity): permissions
        for tag, permissions, identity in struct.iter_unpack("<HHI", raw[4:])
    }
