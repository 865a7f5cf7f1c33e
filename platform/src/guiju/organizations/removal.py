"""Removing units that were made by mistake, as long as nothing is kept about them."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
import sqlalchemy as sa

from guiju.db.arrays import any_of
from guiju.db.session import AnySession
from guiju.language import gettext as _
from guiju.organizations.models import DirtyMark, Organization
from guiju.rules import tables
from guiju.rules.problems import BadInput, Problem
from guiju.scoring.models import (
    Attention,
    MemberFindings,
    OrganizationFindings,
    RecordFindings,
    Rollup,
)

#: What follows from the records by itself and goes with them.
_DERIVED = (DirtyMark, OrganizationFindings, RecordFindings, MemberFindings, Rollup, Attention)


def remove_units(session: AnySession, organizations: Sequence[int]) -> None:
    """Delete organizations with what was derived of them, in the caller's transaction.

    Raises ``BadInput`` where anything else is kept about one of them.
    """
    forget_findings(session, organizations)
    try:
        with session.begin_nested():
            session.execute(
                sa.delete(Organization)
                .where(any_of(Organization.id, organizations))
                .execution_options(synchronize_session=False)
            )
    except sa.exc.IntegrityError as error:
        raise in_the_way(error) from error
    session.expire_all()


def forget_findings(session: AnySession, organizations: Sequence[int]) -> None:
    """Delete what was derived of organizations; it is derived anew of those that remain."""
    for model in _DERIVED:
        session.execute(
            sa.delete(model)
            .where(any_of(model.organization_id, organizations))
            .execution_options(synchronize_session=False)
        )


def in_the_way(error: sa.exc.IntegrityError) -> BadInput:
    """What to say where rows that refer to others keep them; other errors are raised."""
    if not isinstance(error.orig, psycopg.errors.ForeignKeyViolation):
        raise error
    table = str(error.orig.diag.table_name)
    found = _("已有{what}").format(what=_table_title(table))
    wanted = _("之后已有别的改动，不能直接撤回，请另作更正")
    return BadInput([Problem("/change", found, wanted, "built_upon")])


def _table_title(table: str) -> str:
    if table in tables.TABLES:
        return tables.TABLES[table].title
    titles = {
        "user_roles": _("账号的角色"),
        "enabled_profiles": _("启用的地方规则"),
        "jobs": _("后台任务"),
        "people": _("人员"),
        "organization_moves": _("上级调整"),
    }
    return titles.get(table, table)
