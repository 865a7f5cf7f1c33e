"""What this jurisdiction brings to Guiju."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from marshmallow import fields, validate

from guiju.hookspecs import RecordFields, ReportFormat, hookimpl
from guiju_shendingshan import reports


@hookimpl
def register_packs() -> Sequence[Path]:
    """The notice as data."""
    return [Path(__file__).with_name("pack.toml")]


@hookimpl
def register_report_formats() -> Sequence[ReportFormat]:
    """Reports in the notice's own form."""
    return [reports.FORMAT]


@hookimpl
def register_record_fields() -> Sequence[RecordFields]:
    """What the register of a theme day tells and the core has no column for."""
    return [
        RecordFields(
            profile="shendingshan",
            kinds=["theme_day"],
            clause="二·(三); 附件1·3",
            fields={
                "deliberated": fields.String(
                    validate=validate.Length(max=500),
                    metadata={"heading": "民主议事事项", "note": "议了什么、结果如何"},
                ),
                "volunteer_service": fields.String(
                    validate=validate.Length(max=500), metadata={"heading": "志愿服务内容"}
                ),
                "dues_payers": fields.Integer(
                    strict=True,
                    validate=validate.Range(0, 10_000),
                    metadata={"heading": "当日交纳党费人数"},
                ),
            },
        )
    ]
