"""Every operation that writes leaves an entry: found by reading the modules themselves."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import guiju

ROOT = Path(guiju.__file__).parent
MODULES = sorted({*ROOT.glob("*/*.py")} - {*ROOT.glob("web/*.py")})

#: Transactions that tell nobody anything new: what is noted of a session, of a request made
#: twice, of how far a job is, and of what somebody has read.
UNRECORDED = {
    "accounts/signing_in.py": {"touch_session"},
    "api/idempotency.py": {"_keep"},
    "jobs/operations.py": {"_update"},
    "notices/operations.py": {"mark_read"},
    # Gives its transaction to callers, who record what they do in it.
    "organizations/changes.py": {"applied"},
}


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def called(node: ast.AST) -> set[str]:
    return {
        getattr(call.func, "id", getattr(call.func, "attr", ""))
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
    }


@cache
def recording() -> frozenset[str]:
    """Names that record: those of the trail itself, and of what calls them, across modules."""
    bodies: dict[str, set[str]] = {}
    for file in MODULES:
        for function in functions(ast.parse(file.read_text("utf-8"))):
            bodies.setdefault(function.name, set()).update(called(function))
    found = {"record", "record_reading"}
    while more := {name for name, calls in bodies.items() if calls & found} - found:
        found |= more
    return frozenset(found)


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_transaction_that_writes_is_recorded(file):
    tree = ast.parse(file.read_text("utf-8"))
    silent = {
        function.name
        for function in functions(tree)
        if "transaction" in called(function) and not called(function) & recording()
    }
    name = file.relative_to(ROOT).as_posix()
    assert silent <= UNRECORDED.get(name, set())
