"""Packs are refused by name: every fault with its place, what was found and what to write."""

from pathlib import Path

import pytest

from guiju.rules.loader import load, loads
from guiju.rules.problems import BadInput

FOLDER = Path(__file__).parent / "broken_packs"
RULE = "requirement “demo.branch_assembly.quarterly”"
CAP = "requirement “demo.member_appraisal.quota”"

#: What is said of each broken pack, after the name of its file.
SAID = {
    "cap_without_denominator": f"{CAP} parameters denominator：没有填写；必须填写",
    "cap_without_ratio": f"{CAP} parameters ratio：没有填写；必须填写",
    "check_on_manual": f"{RULE} check：写的是 count；由人认定的要求不写 check",
    "crossing_without_transition": (
        f"{RULE} in_force：2021-05-10 落在一个期间之内；"
        "须用 transition 写明该期间按 old（旧）还是 new（新）判定"
    ),
    "date_as_text": "pack issued_on：写的是 2020-01-01；应为日期，如 2020-07-15（不加引号）",
    "duplicate_key": (
        "：不是有效的 TOML（Cannot overwrite a value (at line 14, column 13)）；请改正该行"
    ),
    "duplicate_requirement": f"{RULE}：编号重复；每个编号只能出现一次",
    "empty_clause": f"{RULE} clause：没有填写；必须填写",
    "float_count": f"{RULE} parameters min：小数 1.0；应写成整数，比例写成 [分子, 分母]",
    "float_threshold": f"{CAP} parameters ratio：小数 0.33；应写成整数，比例写成 [分子, 分母]",
    "forbidden_without_requirement": (
        "forbidden/scale：要求 demo.branch_assembly.no_quota 不存在；应为本包中的要求"
    ),
    "foreign_id": (
        "requirement “other.branch_assembly.quarterly”：编号不以规则包的 id 开头；应以 demo. 开头"
    ),
    "malformed_id": (
        "requirement “demo.quarterly” id：写的是 demo.quarterly；应为 规则包.主题.名称"
    ),
    "missing_parameter": f"{RULE} parameters per：没有填写；必须填写",
    "missing_reason": f"{RULE} reason：没有填写；不能完全由记录判定的要求须说明原因",
    "new_word_in_closed_vocabulary": (
        "vocabulary sector：写的是 {'navy': '海军'}；这个词表不能增加代码"
    ),
    "no_check": f"{RULE} check：没有填写；应为已有的检查",
    "no_clause": f"{RULE} clause：没有填写；必须填写",
    "no_document": "pack document：没有填写；必须填写",
    "no_strictness": (
        f"{RULE} strictness：没有填写；应为 hard、bare、general、duty、may、principle"
    ),
    "not_toml": "：不是有效的 TOML（Invalid value (at line 13, column 8)）；请改正该行",
    "parts_and_check": f"{RULE}：既有 part 又有 check 或 strictness；二者只能取一",
    "ratio_with_zero": f"{CAP} parameters ratio 第 2 项：写的是 0；应在 1 与 1000 之间",
    "reading_of_unknown_parameter": (
        "reading “interval” option “rolling” sets “demo.branch_assembly.quarterly” rolling："
        "写的是 True；没有这个键，请检查拼写"
    ),
    "reading_of_unknown_requirement": (
        "reading “interval” option “rolling” sets “demo.branch_assembly.monthly”："
        "要求不存在；应为本包中的要求"
    ),
    "reading_with_one_option": (
        "reading “interval” option：写的是 [{'value': 'calendar', 'title': '自然季度'}]；"
        "应不少于 2 项"
    ),
    "reading_with_unknown_default": (
        "reading “interval” default：写的是 monthly；应为其中一个选项的 value"
    ),
    "setting_beyond_parameter": (
        f"{RULE} parameters min：设置 least_number 可以选到 1000，判定方法不接受；"
        "请给该设置写 max，不大于参数的上限"
    ),
    "two_versions_one_day": (
        f"{RULE} in_force：2021-06-30 起的一项与前一项在同一天都有效；"
        "各项的有效期不得重叠，并按日期先后排列"
    ),
    "unknown_check": f"{RULE} check：写的是 counting；应为已有的检查，相近的有 count、founding",
    "unknown_key": f"{RULE} author：写的是 某人；没有这个键，请检查拼写",
    "unknown_parameter": f"{RULE} parameters at_least：写的是 1；没有这个键，请检查拼写",
    "unknown_setting": (f"{RULE} parameters min：引用的设置 $least 不存在；应为 [[setting]] 的 id"),
    "unknown_variant": f"{RULE} applies_to：变体 university；应为 [variants] 中的一个",
    "version_ends_before_it_begins": (
        f"{RULE} in_force 第 1 项：until 2020-05-31 早于 from 2020-06-01；应不早于 from"
    ),
    "versions_in_wrong_order": (
        f"{RULE} in_force：2020-01-01 起的一项与前一项在同一天都有效；"
        "各项的有效期不得重叠，并按日期先后排列"
    ),
    "wrong_code": (
        f"{RULE} parameters kinds：代码 branch_asembly；"
        "不在词表 occasion_kind 中，相近的有 branch_assembly"
    ),
    "wrong_period": (
        f"{RULE} parameters per：写的是 fortnight；应为 month、bimonth、quarter、half、year 之一"
    ),
    "wrong_strictness": (
        f"{RULE} strictness：写的是 strict；应为 hard、bare、general、duty、may、principle 之一"
    ),
}
#: Lists of what is possible grow; of these only the beginning is fixed.
BEGUN = {
    "unknown_condition": (
        f"{RULE} applies_to conditions 第 1 项：写的是 is_large；应为 has_committee、"
    ),
    "wrong_kind": f"{RULE} kind：写的是 REQUIRED；应为 REQ、",
}


def faults(name):
    with pytest.raises(BadInput) as caught:
        load(FOLDER / f"{name}.toml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("name", SAID)
def test_each_mistake_is_named_once(name):
    said = SAID[name]
    between = "" if said.startswith("：") else " "
    assert faults(name) == [f"{name}.toml{between}{said}"]


@pytest.mark.parametrize("name", BEGUN)
def test_what_is_possible_is_listed(name):
    [said] = faults(name)
    assert said.startswith(f"{name}.toml {BEGUN[name]}")


def test_every_broken_pack_is_looked_at():
    assert {path.stem for path in FOLDER.glob("*.toml")} == {*SAID, *BEGUN}


def test_all_faults_are_listed_at_once():
    text = (FOLDER / "unknown_check.toml").read_text("utf-8")
    text = text.replace("issued_on = 2020-01-01", "issued_on = 2020-01-01T08:00:00")
    text = text.replace('strictness = "bare"\n', "")
    with pytest.raises(BadInput) as caught:
        loads(text)
    assert [problem.place for problem in caught.value.problems] == [
        "pack.toml pack issued_on",
        f"pack.toml {RULE} strictness",
        f"pack.toml {RULE} check",
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(BadInput, match=r"pack\.toml：无法读取"):
        load(tmp_path / "pack.toml")
    path = tmp_path / "pack.toml"
    path.write_bytes("标题".encode("gb18030"))
    with pytest.raises(BadInput, match="应为 UTF-8 的 TOML 文件"):
        load(path)
