"""A plugin that cannot be used stops every command that needs plugins, by name."""

import os
import subprocess
import sys

import pytest

#: Module of the plugin, and what standard error must say of it.
BROKEN = {
    "import": ("import no_such_module", "无法导入 guiju_atlantis（ModuleNotFoundError"),
    "syntax": ("def broken(:", "无法导入 guiju_atlantis（SyntaxError"),
    "unknown hook": (
        "@hookimpl\ndef register_pakcs():\n    return []",
        "实现了不存在的钩子 register_pakcs",
    ),
    "unknown argument": (
        "@hookimpl\ndef register_packs(tenant):\n    return []",
        "钩子写法不对（hookimpl definition: register_packs(tenant)",
    ),
    "failing hook": (
        "@hookimpl\ndef register_packs():\n    return 1 / 0",
        "钩子 register_packs 出错（ZeroDivisionError",
    ),
    "hook without a list": (
        "@hookimpl\ndef register_packs():\n    return 7",
        "钩子 register_packs 出错（TypeError",
    ),
    "missing pack": (
        "@hookimpl\ndef register_packs():\n    return [HERE / 'missing.toml']",
        "missing.toml：无法读取",
    ),
    "broken pack": (
        "@hookimpl\ndef register_packs():\n    return [HERE / 'pack.toml']",
        "pack.toml pack id：没有填写",
    ),
}
_HEAD = (
    "from pathlib import Path\nfrom guiju.hookspecs import hookimpl\nHERE = Path(__file__).parent\n"
)


def install(folder, body):
    """A distribution as an installer leaves it: a module and the entry point that names it."""
    (folder / "guiju_atlantis.py").write_text(_HEAD + body + "\n", "utf-8")
    (folder / "pack.toml").write_text('[pack]\ntitle = "亚特兰蒂斯"\n', "utf-8")
    about = folder / "guiju_atlantis-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: guiju-atlantis\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[guiju]\natlantis = guiju_atlantis\n")


def run(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "guiju", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(folder)},
    )


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_plugin_is_named(tmp_path, fault):
    body, reason = BROKEN[fault]
    install(tmp_path, body)
    done = run(tmp_path, "profiles")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    lines = done.stderr.splitlines()
    assert all(line.startswith("插件 atlantis") for line in lines[:-1])
    assert reason in done.stderr


def test_the_platform_explains_itself_without_plugins(tmp_path):
    install(tmp_path, BROKEN["import"][0])
    assert run(tmp_path, "--help").returncode == 0
    assert run(tmp_path, "facts", "template", str(tmp_path / "a.xlsx")).returncode == 0


def test_a_server_does_not_start_with_a_broken_plugin(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://guiju_app@127.0.0.1:1/guiju")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("SECRET_KEY", "x" * 40)
    install(tmp_path, BROKEN["unknown hook"][0])
    for command in ("serve", "worker"):
        done = run(tmp_path, command)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("插件 atlantis：实现了不存在的钩子 register_pakcs")
