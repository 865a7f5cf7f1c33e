"""What the pages for operators tell people to type is there to be typed."""

import re
import shlex
from pathlib import Path

import click
import pytest

from guiju.cli import main

PAGES = sorted((Path(__file__).parents[2] / "docs" / "operations").glob("*.md"))


def lines(page: Path) -> list[list[str]]:
    """The ``guiju`` commands of the code blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    words = [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]
    return [line[line.index("guiju") + 1 :] for line in words if "guiju" in line]


def test_there_are_commands():
    assert sum(len(lines(page)) for page in PAGES) > 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_is_known_with_its_options(page):
    for words in lines(page):
        command, context, rest = main, click.Context(main), [*words]
        while isinstance(command, click.Group) and rest:
            name = rest.pop(0)
            found = command.get_command(context, name)
            assert found is not None, f"{name}: no such command"
            command = found
        known = {option for parameter in command.params for option in parameter.opts}
        for word in rest:
            if word.startswith("--"):
                assert word.partition("=")[0] in known, f"{command.name} {word}"
