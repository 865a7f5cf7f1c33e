"""``guiju report``: a report in the notice's own form, written to a file."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import click
import sqlalchemy as sa

from guiju import clock, plugins
from guiju.cli import environment
from guiju.cli.profiles import AS_OF
from guiju.db import ScopedSession, arrow_connection
from guiju.language import gettext as _
from guiju.organizations import queries as organizations
from guiju.organizations.models import Organization
from guiju.reports.rendering import render
from guiju.rules.problems import BadInput, Problem
from guiju.scoring.operations import arrow_url, fixed_as_of


@click.command(help=_("生成租户 TENANT 的报表 FORMAT，写入当前文件夹。"))
@click.argument("tenant")
@click.argument("format_", metavar="FORMAT")
@click.option("--organization", help=_("组织编号（默认顶层组织）。"))
@click.option("--as-of", type=AS_OF, help=_("截至哪一天（默认租户的截止日或今天）。"))
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help=_("文件名（默认按报表取名）。"),
)
def report(
    tenant: str, format_: str, organization: str | None, as_of: Any, output: Path | None
) -> None:
    """Render a report and print the name of its file."""
    found = plugins.load()
    if format_ not in found.report_formats:
        known = "、".join(found.report_formats)
        raise BadInput([Problem(_("报表 {id}").format(id=format_), _("没有这种报表"), known)])
    form = found.report_formats[format_]
    with environment.tenant_session(tenant) as session:
        number = _number(session, organization)
        day: date = as_of.date() if as_of else fixed_as_of(session) or clock.today()
        with arrow_connection(arrow_url(session)) as connection:
            content = render(
                session,
                connection,
                found.packs,
                form,
                number,
                day,
                requested_by=environment.operator().name,
            )
    file = output or Path(f"{form.title}-{day}{form.suffix}")
    file.write_bytes(content)
    click.echo(file)


def _number(session: ScopedSession, code: str | None) -> int:
    """The organization's number; the root's where no code is given."""
    if code is None:
        return organizations.root(session).id
    found = session.scalars(
        sa.select(Organization.id).where(Organization.code == code)
    ).one_or_none()
    if found is None:
        place = _("组织 {id}").format(id=code)
        raise BadInput([Problem(place, _("不存在"), _("请检查编号"), "unknown")])
    return found
