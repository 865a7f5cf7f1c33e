"""The description of facts documents, ``docs/facts.md``, made from the schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from guiju.facts import layout, limits
from guiju.facts.layout import Field
from guiju.rules import tables
from guiju.rules.vocabulary import Vocabulary

_INTRODUCTION: Final = f"""\
# 事实文档

本页由 `make docs` 生成，请勿手工修改。

事实文档记下判定所需的全部事实：组织、党员、活动、出席等，一类一张表。它有三种形式，内容相同：

| 形式 | 表 | 列名 | 空白 |
| --- | --- | --- | --- |
| 一个 JSON 文件（UTF-8） | 对象的一项：英文表名对应行的列表 | 英文 | 不写、`null` 或 `""` |
| 一个 .xlsx 工作簿 | 一张工作表，中英文表名均可 | 第 1 行，中英文均可 | 空单元格 |
| 一个文件夹（UTF-8 的 CSV） | 一个 `.csv` 文件，以中英文表名命名 | 第 1 行，中英文均可 | 空值 |

`guiju facts template` 生成空白工作簿，`guiju facts check` 检查一份事实文档并列出全部问题，\
`guiju evaluate` 判定它。用不着的表和非必填的列可以没有；不认识的表和列是错误，不会被忽略。

## 怎样填写

| 种类 | JSON | 工作簿和 CSV |
| --- | --- | --- |
| 编号 | 文字，由填写人自定，在表内唯一 | 同左；工作簿中请把单元格设为“文本” |
| 引用 | 被引用的行的编号 | 同左 |
| 引用（多个） | 编号的列表 | 用 `；`、`;` 或 `、` 隔开 |
| 日期 | `"2021-03-05"` | `2021-03-05`；工作簿中也可以是日期单元格 |
| 是否 | `true`、`false` | `是`、`否`（也可写 true、false、1、0） |
| 整数 | 整数，不能是小数 | 整数 |
| 时间 | 零时起的分钟数，14:30 写 `870` | `14:30` 或分钟数 |
| 学时 | 十分之一学时，3.5 学时写 `35` | 中文列名下写学时 `3.5`，英文列名下写 `35` |
| 代码 | 代码或中文名称 | 同左 |
| 代码（多个） | 代码或中文名称的列表 | 用 `；`、`;` 或 `、` 隔开 |
| 期间 | `"2021"`、`"2021-H1"`、`"2021-Q1"`、`"2021-B1"`（1—2月）、`"2021-03"` | 同左 |
| 文字 | 文字 | 同左 |

值前后的空格不算在内。日期在 {tables.FIRST_DAY} 至 {tables.LAST_DAY} 之间，是北京时间的日子。
人员编号须在“党员”或“任职”表中出现过。同一党员的各行（每行一段时间）不能重叠；\
出席的人当日应在名册上，或填写“非本支部党员类别”。

工作簿不能带宏、公式或密码，不超过 {limits.WORKBOOK_BYTES // limits.MIB} MB；\
JSON 和 CSV 文件不超过 {limits.TEXT_BYTES // limits.MIB} MB；一张表不超过 {limits.ROWS:,} 行。
"""

_KINDS: Final = {
    "key": "编号",
    "ref": "引用",
    "refs": "引用（多个）",
    "day": "日期",
    "flag": "是否",
    "count": "整数",
    "code": "代码",
    "codes": "代码（多个）",
    "period": "期间",
    "text": "文字",
}
_UNITS: Final = {
    "minute": "时间",
    "tenth": "学时",
    "year": "年份",
    "fen": "整数（分）",
    "month": "月份",
}


def page() -> str:
    """The page as Markdown."""
    return "\n".join([_INTRODUCTION, *_tables(), *_vocabularies()])


def _tables() -> Iterator[str]:
    yield "## 表\n"
    for name, table in tables.TABLES.items():
        yield f"### {table.title} `{name}`\n"
        sensitive = "内容敏感，单独控制知悉范围。" if table.restricted else ""
        yield f"一行是{table.row}。{sensitive}\n"
        yield "| 列 | 中文列名 | 必填 | 种类 | 说明 |\n| --- | --- | --- | --- | --- |"
        for column, field in tables.columns(name).items():
            required = "是" if field.required else ""
            yield (
                f"| `{column}` | {layout.heading(field)} | {required} | {_kind(field)} "
                f"| {field.metadata['note']} |"
            )
        yield ""


def _kind(field: Field) -> str:
    kind = layout.kind(field)
    label = _UNITS.get(layout.unit(field), _KINDS[kind])
    if kind in ("ref", "refs"):
        target = str(field.metadata["target"])
        people = target == "people"
        return (
            label
            + "："
            + ("人员" if people else f"[{tables.TABLES[target].title}](#{_anchor(target)})")
        )
    if kind in ("code", "codes"):
        name = layout.vocabulary(field).name
        return f"{label}：[`{name}`](#{name})"
    return label


def _anchor(table: str) -> str:
    """What the heading of a table is linked by."""
    return f"{tables.TABLES[table].title}-{table}"


def _vocabularies() -> Iterator[str]:
    yield "## 代码\n"
    yield "标有“可扩充”的，规则包可以增加自己的代码。\n"
    for vocabulary in _used().values():
        yield f"### {vocabulary.name}\n"
        if vocabulary.open:
            yield "可扩充。\n"
        yield "| 代码 | 名称 |\n| --- | --- |"
        for code, label in vocabulary.items():
            yield f"| `{code}` | {label} |"
        yield ""


def _used() -> dict[str, Vocabulary]:
    found = {}
    for name in tables.TABLES:
        for field in tables.columns(name).values():
            if layout.kind(field) in ("code", "codes"):
                vocabulary = layout.vocabulary(field)
                found[vocabulary.name] = vocabulary
    return found
