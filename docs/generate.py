"""Write the pages that are made out of the code: ``make docs``.

A test compares each page with what this makes, so none of them can fall behind.
"""

from collections.abc import Callable
from pathlib import Path

from marshmallow import fields, validate

from guiju import config
from guiju.facts import reference

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


PAGES: dict[str, Callable[[], str]] = {
    "facts.md": reference.page,
    "operations/settings.md": settings_page,
}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
