"""Running the ``guiju`` command in this process, in a folder of its own."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from guiju.cli import main


@pytest.fixture
def guiju(tmp_path, monkeypatch) -> Callable[..., Result]:
    """Run the command; whatever it writes by a relative name lies in ``tmp_path``."""
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, [*map(str, arguments)])


@pytest.fixture
def refused(guiju) -> Callable[..., list[str]]:
    """Run a command that must refuse its input; the lines of its standard error."""

    def run(*arguments: object) -> list[str]:
        result = guiju(*arguments)
        assert result.exit_code == 2, result.output
        assert isinstance(result.exception, SystemExit)
        assert result.stdout == ""
        return result.stderr.splitlines()

    return run


@pytest.fixture
def write(tmp_path) -> Callable[..., Path]:
    """Write a facts document as JSON."""

    def write(name: str = "facts.json", **tables: list[dict]) -> Path:
        path = tmp_path / name
        path.write_text(json.dumps(tables, ensure_ascii=False), "utf-8")
        return path

    return write
