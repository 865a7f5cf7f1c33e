"""What Guiju says: every worked case explained, as text whose difference is the review."""

from importlib.resources import files
from pathlib import Path

import pytest

from guiju import plugins
from guiju.testing import cases

FOLDER = Path(__file__).parent / "messages"
PACKS = plugins.load().packs


def said(profile):
    """What is said of each finding that a case expects, in order of requirements and cases.

    The sentence, the records counted, those not counted and why, and what would put it right.
    """
    tests = Path(str(files(f"guiju_{profile}"))).parents[1] / "tests" / "cases"
    lines = []
    order = {requirement.id: n for n, requirement in enumerate(PACKS[profile].requirements)}
    for case in sorted(cases.folder(tests), key=lambda case: order[case.requirement]):
        lines.append(f"{case.requirement}: {case.name}")
        for finding, uncounted in cases.explained(case, PACKS[profile]):
            lines += [f"    {line}" for line in explanation(finding, uncounted)]
    return "\n".join(lines) + "\n"


def explanation(finding, uncounted):
    """The lines about one finding."""
    yield f"{finding['verdict']}: {finding['message']}"
    if finding["evidence"]:
        yield f"    计入 {'、'.join(finding['evidence'])}"
    for record, reason in uncounted:
        yield f"    未计入 {record}：{reason}"
    remedy = PACKS[finding["requirement"].split(".")[0]].by_id[finding["requirement"]].remedy
    if finding["verdict"] not in {"met", "not_applicable"}:
        if remedy:
            yield f"    补正 {remedy}"
        if finding["due"]:
            yield f"    期限 {finding['due']}"


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
