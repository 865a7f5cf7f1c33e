"""What all tables have in common: the tenant first in every key, and constraint names."""

from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from guiju.db.scope import current_tenant_id

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        # The first column of every foreign key is the tenant; the second tells them apart.
        "fk": "fk_%(table_name)s_%(column_1_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Base(orm.DeclarativeBase):
    """Base of the models; usable without an application."""

    metadata = metadata
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: sa.BigInteger,
        str: sa.Text,
        datetime: sa.DateTime(timezone=True),
        dict[str, Any]: JSONB,
    }


class TenantRow:
    """Mixin of the models whose rows belong to a tenant."""

    #: Whose row it is; filled in from the scope.
    tenant_id: Mapped[int] = mapped_column(
        primary_key=True, autoincrement=False, default=current_tenant_id, sort_order=-2
    )
    #: The row's number, unique in the database.
    id: Mapped[int] = mapped_column(sa.Identity(), primary_key=True, sort_order=-1)


def reference(column: str, target: str, *, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    """``column`` points to a row of ``target`` of the same tenant."""
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], ondelete=ondelete
    )


def this_tenant() -> sa.BindParameter[int]:
    """The tenant being worked for when a statement is executed, whenever it was made."""
    return sa.bindparam("this_tenant", callable_=current_tenant_id, type_=sa.BigInteger)
