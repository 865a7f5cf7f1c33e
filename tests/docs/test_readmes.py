"""What the introductions promise is there, in both languages alike."""

import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from guiju.cli import main

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
PLUGINS = sorted((ROOT / "plugins").iterdir())


def commands(readme: Path) -> list[list[str]]:
    """The command lines of the code blocks, without their comments."""
    blocks = re.findall(r"```sh\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    return [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize("readme", [*READMES, ROOT / "CONTRIBUTING.md"], ids=lambda path: path.name)
def test_every_make_target_exists(readme):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [words[1] for words in commands(readme) if words[0] == "make"]
    assert targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_every_guiju_command_runs(readme, tmp_path, monkeypatch):
    """In the order of the page, with a workbook that is still empty."""
    monkeypatch.chdir(tmp_path)
    Path("docs").symlink_to(ROOT / "docs")
    run = [words[1:] for words in commands(readme) if words[0] == ".venv/bin/guiju"]
    assert run
    for arguments in run:
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, f"{arguments}\n{result.output}\n{result.exception!r}"


def test_the_example_shows_every_kind_of_verdict():
    example = str(ROOT / "docs" / "examples" / "branch.json")
    words = ["evaluate", "--profile", "xian", "--as-of", "2021-04-15", "--format", "json", example]
    result = CliRunner().invoke(main, words)
    verdicts = {found["verdict"] for found in json.loads(result.stdout)}
    assert {"met", "not_met", "pending", "no_data", "needs_judgement"} <= verdicts


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_every_link_leads_to_a_file(readme):
    for target in re.findall(r"\]\(([^)#]+)\)", readme.read_text(encoding="utf-8")):
        assert (ROOT / target).exists(), target


def test_both_languages_give_the_same_commands():
    def neutral(readme: Path) -> list[list[str]]:
        return [[re.sub(r".*\.xlsx", "…", word) for word in words] for words in commands(readme)]

    assert neutral(READMES[0]) == neutral(READMES[1])


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_a_plugins_readme_names_the_source_that_its_pack_names(plugin):
    (pack_file,) = plugin.glob("src/*/pack.toml")
    pack = tomllib.loads(pack_file.read_text(encoding="utf-8"))["pack"]
    readme = (plugin / "README.md").read_text(encoding="utf-8")
    for key in ("issued_on", "checked_on"):
        assert f"| {pack[key].isoformat()} |" in readme
    assert pack["document"] in readme
