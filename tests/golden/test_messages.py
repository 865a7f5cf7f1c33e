"""What Guiju says: every sentence of every worked case, as text whose difference is the review."""

from importlib.resources import files
from pathlib import Path

import pytest

from guiju import plugins
from guiju.testing import cases

FOLDER = Path(__file__).parent / "messages"
PACKS = plugins.load().packs


def said(profile):
    """One line for each finding that a case expects, in order of requirements and cases."""
    tests = Path(str(files(f"guiju_{profile}"))).parents[1] / "tests" / "cases"
    lines = []
    order = {requirement.id: n for n, requirement in enumerate(PACKS[profile].requirements)}
    for case in sorted(cases.folder(tests), key=lambda case: order[case.requirement]):
        lines.append(f"{case.requirement}: {case.name}")
        found = cases.named(case, PACKS[profile])
        lines += [f"    {finding['verdict']}: {finding['message']}" for finding in found]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("profile", PACKS)
def test_messages_are_as_accepted(profile, request):
    file = FOLDER / f"{profile}.txt"
    text = said(profile)
    if request.config.getoption("--accept-golden"):
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    assert file.exists(), "accept with: pytest tests/golden --accept-golden"
    assert file.read_text("utf-8") == text, (
        f"{profile} says something else; review the difference and accept it with: "
        "pytest tests/golden --accept-golden"
    )
