"""``guiju evaluate``: what it prints, and what it refuses."""

import csv
import io
import json

import pytest

BRANCHES = [
    {"id": "b1", "name": "=1+1", "kind": "branch", "sector": "agency"},
    {"id": "b2", "name": "第二党支部", "kind": "branch"},
]
PROFILES = ("jiaozuo", "jiaxing", "jiyuan", "shendingshan", "xian")


@pytest.fixture
def evaluate(guiju):
    """Judge by Xi'an's notice in the spring of 2021, unless said otherwise."""

    def run(path, *more):
        defaults = ["--profile", "xian", "--as-of", "2021-04-10"]
        return guiju("evaluate", *defaults, *more, path)

    return run


@pytest.fixture
def facts(write):
    assembly = {"id": "o1", "organization": "b1", "kinds": ["branch_assembly"]}
    return write(
        organizations=BRANCHES,
        members=[{"id": "m1", "organization": "b1", "membership_class": "full"}],
        occasions=[{**assembly, "held_on": "2021-03-05"}],
    )


def test_an_unmet_requirement_is_a_result(evaluate, facts):
    result = evaluate(facts, "--only", "xian.branch_assembly.quarterly", "--format", "json")
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert {finding["requirement"] for finding in found} == {"xian.branch_assembly.quarterly"}
    assert list(found[0]) == [
        *("requirement", "subject", "organization", "period", "verdict", "strictness", "part"),
        *("required", "observed", "due", "evidence", "citation", "alternatives", "message"),
        "readings",
    ]
    again = evaluate(facts, "--only", "xian.branch_assembly.quarterly", "--format", "json")
    assert again.stdout == result.stdout


@pytest.mark.parametrize(
    ("profile", "as_of"),
    [*((profile, "2021-04-10") for profile in PROFILES), ("xian", "1921-01-01")],
)
def test_every_finding_of_every_profile_can_be_printed(guiju, facts, profile, as_of):
    result = guiju(*("evaluate", "--profile", profile, "--as-of", as_of, "--format", "json"), facts)
    assert result.exit_code == 0, result.output
    silent = [f for f in json.loads(result.stdout) if f["message"].endswith("不适用于本组织。")]
    assert {(f["required"], f["observed"]) for f in silent} <= {(None, None)}


def test_the_last_day_of_the_calendar(evaluate, facts):
    only = "xian.branch_assembly.quarterly"
    result = evaluate(facts, "--as-of", "2199-12-31", "--only", only, "--format", "json")
    assert json.loads(result.stdout)[-1]["organization"] == "b2"


def test_nothing_is_asked_of_the_days_before_the_notice(evaluate, facts):
    result = evaluate(facts, "--as-of", "2019-12-31", "--format", "json")
    assert {f["verdict"] for f in json.loads(result.stdout)} <= {"not_applicable", "no_data"}


@pytest.mark.parametrize(
    ("format_", "printed"), [("json", "[]\n"), ("csv", 1), ("table", 2)], ids=str
)
def test_no_organizations(evaluate, write, format_, printed):
    result = evaluate(write(), "--format", format_)
    assert result.exit_code == 0
    assert printed in {result.stdout, len(result.stdout.splitlines())}


def test_an_organization_without_sector_has_the_rules_of_the_main_text_alone(evaluate, facts):
    result = evaluate(facts, "--organization", "b2", "--format", "json")
    found = {f["requirement"]: f["verdict"] for f in json.loads(result.stdout)}
    assert found["xian.branch_assembly.quarterly"] == "not_applicable"
    assert set(found.values()) > {"not_applicable"}
    variant = evaluate(facts, "--variant", "agency", "--format", "json")
    assert {f["organization"] for f in json.loads(variant.stdout)} == {"b1"}


def test_no_cell_of_a_csv_is_a_formula(evaluate, write):
    path = write(organizations=[{**BRANCHES[0], "id": "=1+1"}])
    rows = list(csv.DictReader(io.StringIO(evaluate(path, "--format", "csv").stdout)))
    assert {row["organization"] for row in rows} == {"'=1+1"}
    assert not [cell for row in rows for cell in row.values() if cell[:1] in set("=+-@")]


def test_everything_wrong_is_listed_at_once(refused, write):
    path = write(
        organizations=BRANCHES[:1],
        settings=[
            {"key": "weak_branch_quota", "value": "2"},
            {"key": "typo", "value": "2"},
            {"key": "branch_size", "value": "none"},
        ],
    )
    lines = refused(
        *("evaluate", "--profile", "xian", "--only", "nothing", "--variant", "navy"),
        *("--organization", "b7", "--set", "record_weight", "--set", "adjust_days=²"),
        *("--set", "large_branch=99999999999", "--set", "weak_branch_ratio=5"),
        *("--set", "committee_upper=five", "--set", "committee_upper=seven"),
        path,
    )
    assert [line.split("；")[0] for line in lines] == [
        "要求 nothing：不存在",
        "变体 navy：不存在",
        "--set record_weight：没有等号",
        "--set committee_upper=seven：另有取值 five",
        "组织 b7：不存在",
        "facts.json /settings/0/key：取值 2",
        "facts.json /settings/1/key：没有“typo”这项设置",
        "facts.json /settings/2/key：取值 none",
        "--set adjust_days：取值 ²",
        "--set large_branch：取值 99999999999",
        "--set weak_branch_ratio：取值 5",
        "共 11 处问题",
    ]
    assert "市组通字〔2020〕45号" in lines[5]


def test_a_setting_names_an_organization_of_the_document(refused, evaluate, write):
    path = write(organizations=BRANCHES)
    lines = refused("evaluate", "--profile", "xian", "--set", "city_organization=nope", path)
    assert lines[0] == "--set city_organization：取值 nope；没有这个编号的组织"
    assert evaluate(path, "--set", "city_organization=b1").exit_code == 0


def test_a_broken_document_is_listed_with_the_rest(refused, write):
    path = write(organizations=[{**BRANCHES[0], "colour": "red"}], members=[{"id": "m"}])
    lines = refused("evaluate", "--profile", "xian", "--only", "nothing", path)
    assert lines[0].startswith("要求 nothing")
    assert lines[1].startswith("facts.json /organizations/0/colour：没有叫“colour”的列")
    assert len(lines) > 3


def test_a_choice_that_concerns_another_profile_is_told_and_left(evaluate, write):
    path = write(
        organizations=BRANCHES, settings=[{"key": "excused_absence", "value": "passed_over"}]
    )
    result = evaluate(path)
    assert result.exit_code == 0
    assert result.stderr.startswith(
        "facts.json /settings/0/key：excused_absence 属于规则包 jiaxing"
    )


@pytest.mark.parametrize("day", ["2021-02-29", "1920-12-31", "2200-01-01", "today"])
def test_days_that_are_none(refused, facts, day):
    assert day in refused("evaluate", "--profile", "xian", "--as-of", day, facts)[-1]


@pytest.mark.parametrize("name", ["missing.json", "missing.xlsx", "macros.xlsm", "facts.txt"])
def test_no_such_document(refused, name):
    assert refused("evaluate", "--profile", "xian", name)[0].startswith(f"{name}：")


def test_a_common_reading_is_chosen_and_recorded(evaluate, facts):
    only = ("--only", "xian.branch_assembly.quarterly", "--organization", "b1", "--format", "json")

    def last_year(*chosen):
        found = json.loads(evaluate(facts, *only, *chosen).stdout)
        [finding] = (one for one in found if one["period"] == "2020-Q4")
        return finding

    usual, presumed = last_year(), last_year("--set", "incomplete=judged")
    assert (usual["verdict"], usual["readings"]["incomplete"]) == ("no_data", "no_data")
    assert usual["alternatives"] == [{"reading": "incomplete=judged", "verdict": "deviation"}]
    assert (presumed["verdict"], presumed["readings"]["incomplete"]) == ("deviation", "judged")
