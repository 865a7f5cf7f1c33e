"""What the notice forbids to configure is refused by name, with its clause."""

from importlib.resources import files
from pathlib import Path

import pytest

from guiju.rules.loader import load
from guiju.rules.problems import BadInput

PACK = load(Path(str(files("guiju_xian"))) / "pack.toml")


@pytest.mark.parametrize(
    "setting",
    [
        *("weak_branch_quota", "weak_branch_ratio", "weak_branch_rotation"),
        *("problem_branch_ratio", "extra_requirements", "tightened_requirements"),
        "indicator_system",
    ],
)
def test_a_forbidden_setting_is_refused(setting):
    with pytest.raises(BadInput) as caught:
        PACK.choices({setting: "1"})
    (problem,) = caught.value.problems
    assert problem.code == "forbidden"
    assert "市组通字〔2020〕45号 四·4" in problem.wanted


def test_records_never_weigh_half():
    assert PACK.choices({"record_weight": "49"}).settings["record_weight"] == 49
    with pytest.raises(BadInput, match="应不大于 49"):
        PACK.choices({"record_weight": "50"})


def test_every_forbidden_setting_is_looked_for():
    looked_for = {
        name
        for requirement in PACK.requirements
        for part in requirement.parts
        for name in part.versions[0].parameters.get("settings", ())
    }
    assert looked_for == {entry.setting for entry in PACK.forbidden}
