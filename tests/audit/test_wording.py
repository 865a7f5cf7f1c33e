"""Whatever is written down has a name that the auditor reads."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import guiju
from guiju.accounts.permissions import PERMISSIONS
from guiju.audit.field_names import field_names
from guiju.audit.wording import actions, subjects
from guiju.decisions.models import STEP_ACTIONS, TASK_KINDS
from guiju.language import speaking
from guiju.rules import tables
from guiju.tenancy.models import STATES

ROOT = Path(guiju.__file__).parent
CODE = re.compile(r"[a-z_]+\.[a-z_]+")

#: What is put behind the beginning of an action, where the source computes it.
ENDINGS = {
    "finding.": STEP_ACTIONS,
    "period.": ("declare", "reopen", "object"),
    "record.": ("plan", "submit", "correct", "approve", "return", "void"),
    "task.": (*TASK_KINDS, "closed", "sent_back"),
    "tenant.": STATES,
}

#: Where actions are handed on by name, and which other modules name them.
NAMED_IN = {"profiles/operations.py": ["profiles/terms.py"]}


def written(tree: ast.Module) -> Iterator[tuple[str, list[ast.expr]]]:
    """Calls that write an entry down: what they are called, and their arguments."""
    names = {"record": "record", "record_reading": "record_reading"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "guiju.audit.operations":
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name), args=arguments) if name in names:
                yield names[name], arguments


def texts(tree: ast.AST) -> set[str]:
    found = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {value for value in found if isinstance(value, str)}


def parsed(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text("utf-8"))


def found_in(name: str) -> set[str]:
    """The actions that a module writes down, or hands on to what does."""
    found: set[str] = set()
    for called, arguments in written(parsed(name)):
        if called == "record_reading" or len(arguments) < 3:
            continue
        action = arguments[2]
        if isinstance(action, ast.JoinedStr):
            beginning = action.values[0]
            assert isinstance(beginning, ast.Constant)
            assert len(action.values) == 2, f"{name}: {ast.unparse(action)}"
            found |= {f"{beginning.value}{ending}" for ending in ENDINGS[beginning.value]}
        elif isinstance(action, ast.Name | ast.Attribute):
            begins = {code.partition(".")[0] for code in actions()}
            for module in (name, *NAMED_IN.get(name, ())):
                codes = {text for text in texts(parsed(module)) if CODE.fullmatch(text)}
                found |= {code for code in codes if code.partition(".")[0] in begins}
            found -= set(PERMISSIONS)
        else:
            found |= texts(action)
    return found


MODULES = [
    name
    for name in sorted(file.relative_to(ROOT).as_posix() for file in ROOT.rglob("*.py"))
    if "guiju.audit.operations" in (ROOT / name).read_text("utf-8")
]


@pytest.mark.parametrize("name", MODULES)
def test_every_action_has_a_name(name):
    assert found_in(name) <= set(actions())


def test_the_search_finds_what_is_written_down():
    assert {"sign_in", "sign_in.refuse"} <= found_in("accounts/attempts.py")
    assert {"sign_out"} <= found_in("accounts/signing_in.py")
    assert {"user.activate", "user.deactivate"} <= found_in("accounts/roles.py")
    assert {"member.class", "member.transfer_out"} <= found_in("organizations/memberships.py")
    assert {"profile.enable", "profile.choose"} <= found_in("profiles/operations.py")
    assert {"record.void", "record.approve"} <= found_in("activities/records.py")
    assert {"file.attach", "file.remove"} <= found_in("activities/attachments.py")


def test_no_name_is_of_nothing():
    everything = set().union(*map(found_in, MODULES))
    assert set(actions()) - everything == {"restricted.read"}


def test_names_differ():
    for named in (actions(), subjects()):
        assert len(set(named.values())) == len(named)


def test_values_are_called_what_documents_call_them():
    names = ["from_on", "organization_id", "voting", "posts_ended", "something_new"]
    assert field_names("person", names) == {
        "from_on": "开始日期",
        "organization_id": "所在党支部编号",
        "voting": tables.columns("members")["voting"].metadata["heading"],
        "posts_ended": "随之结束的职务",
        "something_new": "something new",
    }
    # The same column of another table, by the name that its author knows it by.
    assert field_names("talks", ["partner"]) == {
        "partner": tables.columns("talks")["partner"].metadata["heading"]
    }


def test_whoever_reads_english_has_names_too():
    with speaking("en"):
        named = {**actions(), **subjects()}
        for table in tables.TABLES:
            for name, title in field_names(table, list(tables.columns(table))).items():
                named[f"{table}.{name}"] = title
    assert not [code for code, name in named.items() if re.search("[一-鿿]", name)]
