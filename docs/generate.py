"""Write the pages that are made out of the code: ``make docs``.

A test compares each page with what this makes, so none of them can fall behind.
"""

from collections.abc import Callable
from functools import partial
from itertools import combinations
from pathlib import Path

from marshmallow import fields, missing, validate

from guiju import config, plugins
from guiju.cli.output import markdown
from guiju.cli.profiles import RELATIONS
from guiju.facts import reference
from guiju.rules import library
from guiju.rules import vocabulary as v
from guiju.rules.pack import Pack
from guiju.rules.registry import CHECKS

FOLDER = Path(__file__).parent

_KINDS: dict[type[fields.Field], str] = {
    fields.Boolean: "true 或 false",
    fields.Integer: "整数",
    fields.String: "文字",
}


def settings_page() -> str:
    """The reference of the environment variables."""
    lines = [
        "# 设置",
        "",
        "规矩只从环境变量读取设置，启动时一次检查全部，有错则逐条列出并退出。",
        "以 `GUIJU_` 开头而不在下表中的变量视为写错。空值等于没有设置。",
        "",
        "本页由 `make docs` 生成，请勿手工修改。",
        "",
        "| 变量 | 取值 | 默认 | 说明 |",
        "|---|---|---|---|",
    ]
    for name, field in config.variables().items():
        lines.append(
            f"| `{name}` | {_kind(field)} | {_default(field)} | {field.metadata['description']} |"
        )
    return "\n".join(lines) + "\n"


def _kind(field: fields.Field) -> str:
    example = field.metadata.get("example")
    if example:
        return f"如 `{example}`"
    for validator in field.validators:
        if isinstance(validator, validate.OneOf):
            return "、".join(f"`{choice}`" for choice in validator.choices)
        if isinstance(validator, validate.Range):
            return f"{validator.min} 至 {validator.max}"
    return _KINDS[type(field)]


def _default(field: fields.Field) -> str:
    if field.required:
        return "必须设置"
    if field.load_default is None:
        return "不设置"
    text = str(field.load_default)
    return f"`{text.lower() if isinstance(field, fields.Boolean) else text}`"


def coverage_page(pack: Pack) -> str:
    """Every statement of a notice, and how it is judged or why it is not."""
    counted = library.summary(pack)["statements"]
    rows = [
        [
            f"`{row['id']}`",
            row["clause"],
            v.AUTOMATION[row["automation"]],
            row["how"] or "—",
            row["reason"] or "",
        ]
        for row in library.coverage(pack, {name: check.summary for name, check in CHECKS.items()})
    ]
    return (
        f"# {pack.title}\n\n{pack.document}，{pack.issuer}，{pack.issued_on}。\n\n"
        f"共 {counted['total']} 条：记录可判 {counted['full']}，部分可判 {counted['partial']}，"
        f"由人认定 {counted['manual']}。\n\n本页由 `make docs` 生成，请勿手工修改。\n\n"
        + markdown(["编号", "条款", "判定", "方法", "说明"], rows)
    )


def checks_page() -> str:
    """The shapes of rules, each with its parameters."""
    text = (
        "# 判定方法\n\n`check` 可取的名称，以及各自的参数。写法见 [规则包](packs.md)。\n\n"
        "本页由 `make docs` 生成，请勿手工修改。\n"
    )
    for name, check in sorted(CHECKS.items()):
        rows = [
            [f"`{field.data_key or key}`", _parameter(field), _parameter_default(field)]
            for key, field in check.schema().fields.items()
        ]
        text += f"\n## {name}\n\n{check.summary}。\n\n"
        if rows:
            text += markdown(["参数", "取值", "默认"], rows)
    return text


_TYPES: dict[type[fields.Field], str] = {
    fields.Boolean: "true 或 false",
    fields.Integer: "整数",
    fields.String: "文字",
    fields.List: "列表",
    fields.Dict: "表",
    fields.Nested: "表",
}


def _parameter(field: fields.Field) -> str:
    if field.metadata.get("vocabulary"):
        return f"词表 {field.metadata['vocabulary']} 的代码"
    inner = field.inner if isinstance(field, fields.List) else field
    for validator in (*field.validators, *inner.validators):
        if isinstance(validator, validate.OneOf):
            return "、".join(f"`{choice}`" for choice in validator.choices)
    return next((said for kind, said in _TYPES.items() if isinstance(field, kind)), "值")


def _parameter_default(field: fields.Field) -> str:
    if field.required:
        return "必须填写"
    default = field.load_default() if callable(field.load_default) else field.load_default
    if default in (None, [], {}, "", missing):
        return "—"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def differences_page() -> str:
    """Each pair of notices, by subject matter."""
    packs = PACKS.values()
    text = "# 各地通知对照\n\n关系是前者对后者而言。本页由 `make docs` 生成，请勿手工修改。\n"
    for a, b in combinations(packs, 2):
        rows = [
            [
                row["matter"],
                RELATIONS[row["relation"]],
                "、".join(f"`{side['id']}`" for side in row["a"]) or "—",
                "、".join(f"`{side['id']}`" for side in row["b"]) or "—",
            ]
            for row in library.diff(a, b)
            if row["relation"] not in {"only_a", "only_b"}
        ]
        text += f"\n## {a.id} 与 {b.id}\n\n" + markdown(["事项", "关系", a.id, b.id], rows)
    return text


PACKS = plugins.load().packs
PAGES: dict[str, Callable[[], str]] = {
    "checks.md": checks_page,
    "facts.md": reference.page,
    "operations/settings.md": settings_page,
    "profiles/differences.md": differences_page,
    **{f"profiles/{pack.id}.md": partial(coverage_page, pack) for pack in PACKS.values()},
}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        file = FOLDER / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
