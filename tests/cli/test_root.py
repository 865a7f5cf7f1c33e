"""The ``guiju`` command as such: what it loads, how it refuses, how it prints."""

import subprocess
import sys
from importlib.metadata import version

import click
import pytest
from click.testing import CliRunner

from guiju import cli
from guiju.cli import output
from guiju.rules.problems import BadInput, Problem


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(cli.main, arguments)


def test_version(run):
    assert run("--version").output == f"guiju {version('guiju')}\n"


def test_help_lists_every_command(run):
    printed = run("--help").output
    for name, lazy in cli.COMMANDS.items():
        assert name in printed
        assert lazy.help in printed


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_commands_are_there(name):
    command = cli.COMMANDS[name].load()
    assert isinstance(command, click.Command)
    assert command.name == name


def test_unknown_command(run):
    assert run("scorre").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (["--help"], "guiju.facts pyarrow guiju.rules sqlalchemy flask"),
        (["facts", "--help"], "sqlalchemy flask psycopg redis xlsxwriter"),
    ],
)
def test_nothing_is_imported_in_vain(arguments, unwanted):
    program = (
        "import sys; from guiju.cli import main; main(sys.argv[2:], standalone_mode=False);"
        "sys.exit(', '.join(set(sys.argv[1].split()) & set(sys.modules)) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, unwanted, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_output_is_utf8_whatever_the_terminal_says(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "guiju", "facts", "check", tmp_path / "无.json"],
        capture_output=True,
        check=False,
        env={"PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 2
    assert done.stderr.decode("utf-8").splitlines()[0].startswith("无.json：没有这个文件")


def test_refused_input(monkeypatch, run):
    @click.command("facts")
    def refusing():
        raise BadInput([Problem("这里", "是甲", "应为乙")], omitted=3)

    monkeypatch.setattr(cli.Lazy, "load", lambda _self: refusing)
    result = run("facts")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == "这里：是甲；应为乙\n共 4 处问题，其中 3 处未列出\n"


def test_other_errors_are_not_hidden(monkeypatch, run):
    @click.command("facts")
    def failing():
        raise RuntimeError

    monkeypatch.setattr(cli.Lazy, "load", lambda _self: failing)
    assert isinstance(run("facts").exception, RuntimeError)


def test_tables_stand_straight(capsys):
    output.echo_table(
        ["名称", "id", "数"], [["党委", "a", 1], ["一\n二三", None, 20], [True, "b|", 3]]
    )
    assert capsys.readouterr().out == (
        "名称     id  数\n-------  --  --\n党委     a    1\n一 二三      20\n是       b|   3\n"
    )


def test_markdown(capsys):
    output.echo_markdown(["名称", "数"], [["甲|乙", 1]])
    assert capsys.readouterr().out == "| 名称 | 数 |\n| --- | --- |\n| 甲\\|乙 | 1 |\n"


def test_csv(capsys):
    output.echo_csv(["a", "b"], [["甲,乙", None]])
    assert capsys.readouterr().out == 'a,b\n"甲,乙",\n'


def test_json(capsys):
    output.echo_json({"b": "甲", "a": None})
    assert capsys.readouterr().out == '{\n  "b": "甲",\n  "a": null\n}\n'
