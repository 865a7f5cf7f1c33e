"""What this jurisdiction brings to Guiju."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from guiju.hookspecs import DemoTenant, ReportFormat, hookimpl
from guiju_xian import demo, reports


@hookimpl
def register_packs() -> Sequence[Path]:
    """The notice as data."""
    return [Path(__file__).with_name("pack.toml")]


@hookimpl
def register_demo_tenants() -> Sequence[DemoTenant]:
    """An invented tenant of this jurisdiction."""
    return [demo.TENANT]


@hookimpl
def register_report_formats() -> Sequence[ReportFormat]:
    """Reports in the notice's own form."""
    return [reports.FORMAT]
