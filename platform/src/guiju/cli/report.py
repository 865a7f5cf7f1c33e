"""``guiju report``: a report in the notice's own form, written to a file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
import sqlalchemy as sa

from guiju import clock, plugins
from guiju.audit.operations import record
from guiju.cli import environment
from guiju.cli.options import AS_OF, Refusals, unknown
from guiju.db import ScopedSession, arrow_connection, transaction
from guiju.language import gettext as _
from guiju.organizations import queries as organizations
from guiju.organizations.models import Organization
from guiju.reports.rendering import render
from guiju.rules.problems import BadInput, Problem
from guiju.scoring.operations import arrow_url, fixed_as_of
from guiju.tenancy.queries import enabled_profiles


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
    tenant: str, format_: str, organization: str | None, as_of: date | None, output: Path | None
) -> None:
    """Render a report and print the name of its file."""
    found = plugins.load()
    refused = Refusals()
    with environment.tenant_session(tenant) as session:
        enabled = {profile.profile for profile in enabled_profiles(session)}
        forms = {id_: f for id_, f in found.report_formats.items() if f.profile in enabled}
        wanted = _("本租户可用 {known}").format(known=_("、").join(forms) or "—")
        refused.problems += unknown(_("报表"), [format_], forms, wanted)
        number = 0
        with refused:
            number = _number(session, organization)
        refused.settle()
        form = forms[format_]
        with transaction(session):
            # What the operator reads of a tenant, the tenant sees.
            after = {"format": form.id, "organization": organization}
            record(
                session, environment.operator(), "report.make", "organization", number, after=after
            )
        day = as_of or fixed_as_of(session) or clock.today()
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
    try:
        file.write_bytes(content)
    except OSError as error:
        raise BadInput(
            [Problem(str(file), _("写不了（{r}）").format(r=error.strerror), _("请换一个文件名"))]
        ) from None
    click.echo(file)


def _number(session: ScopedSession, code: str | None) -> int:
    """The organization's number; the root's where no code is given."""
    if code is None:
        return organizations.root(session).id
    found = session.scalars(
        sa.select(Organization.id).where(Organization.code == code)
    ).one_or_none()
    if found is None:
        raise BadInput(unknown(_("组织"), [code], [], _("请检查编号")))
    return found
