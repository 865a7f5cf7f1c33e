"""``guiju import``: a workbook (or any facts document) into a tenant, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click
import sqlalchemy as sa

from guiju import facts as documents
from guiju import logs, plugins
from guiju.activities.operations import store_facts
from guiju.activities.store import Stored
from guiju.audit.operations import Actor
from guiju.cli import environment
from guiju.cli.output import echo_table
from guiju.config import load_settings
from guiju.db import ScopedSession
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.rules import tables
from guiju.rules.pack import Pack
from guiju.scoring import bells
from guiju.scoring.profiles import check_settings
from guiju.tenancy.queries import enabled_profiles


def import_document(session: ScopedSession, actor: Actor, path: Path) -> Stored:
    """Read, check and store a facts document in the session's tenant.

    Raises BadInput with every fault and its place; then nothing was stored.
    """
    installed = plugins.load()
    document = documents.read(path, codes=installed.codes)
    _check_settings(session, installed.packs, document)
    filled = {name: table for name, table in document.tables.items() if table.num_rows}
    return store_facts(session, actor, filled)


def _check_settings(
    session: ScopedSession, packs: Mapping[str, Pack], document: documents.FactsDocument
) -> None:
    rows = document.tables["settings"]
    names = rows["key"].to_pylist()
    if not names:
        return
    places = document.places["settings"]
    check_settings(
        packs,
        {profile.profile for profile in enabled_profiles(session)},
        dict(zip(names, rows["value"].to_pylist(), strict=True)),
        {name: places.cell(row, "key") for row, name in enumerate(names)},
        {
            *document.tables["organizations"]["id"].to_pylist(),
            *session.scalars(sa.select(Organization.code)),
        },
    )


@click.command("import", help=_("把工作簿 FILE 导入租户 TENANT；有错则一条不改。"))
@click.argument("tenant")
@click.argument("file", type=click.Path(path_type=Path))
def import_(tenant: str, file: Path) -> None:
    """Import a workbook and print what changed."""
    settings = load_settings()
    logs.configure(settings)
    with environment.tenant_session(tenant, settings) as session:
        stored = import_document(session, environment.operator(), file)
        if stored:
            # Where nobody hears it, the marks stay: a sweep or ``guiju score`` finds them.
            bells.ring(session)
    if not stored:
        click.echo(_("没有变化：文件中的内容都已在库中。"))
        return
    echo_table(
        [_("表"), _("新增"), _("更新")],
        [
            [tables.TABLES[name].title, stored.inserted.get(name, 0), stored.updated.get(name, 0)]
            for name in tables.TABLES
            if name in stored.inserted or name in stored.updated
        ],
    )
