"""A tenant as one portable file, and a tenant made from such a file elsewhere.

The file holds what people entered, attached and decided, and the trail of it.  It does not
hold what can be worked out again (findings), what belongs to one installation (sessions, marks,
jobs), or what lets somebody in (passwords, second factors, tokens): those who worked there are
given new access.  Rows keep their numbers, so that everything that refers to them still does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import IO, Any, Final

import sqlalchemy as sa

from guiju.accounts.models import User, UserRole
from guiju.accounts.operations import set_password
from guiju.audit.operations import Actor, record, record_reading
from guiju.db import archive, contents
from guiju.db.codes import bits, masked_vocabularies, register_codes
from guiju.db.facts_tables import stored_name
from guiju.db.migrate import current_revision
from guiju.db.scope import operator_scope, tenant_scope
from guiju.db.session import AnySession, transaction
from guiju.files import FileStore
from guiju.language import gettext as _
from guiju.organizations.dirty import mark_dirty
from guiju.organizations.models import Organization
from guiju.rules import tables
from guiju.rules import vocabulary as v
from guiju.rules.problems import BadInput, Problem
from guiju.tenancy import leaving
from guiju.tenancy.models import Tenant

KIND: Final = "guiju-tenant"

#: Tables of tenants that stay behind, and why.
LEFT: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "attention",
            "member_findings",
            "organization_findings",
            "record_findings",
            "rollups",
            "scoring_runs",
            "dirty_marks",
            "profile_previews",
            "profile_preview_rows",
        ),
        "worked out again",
    ),
    **dict.fromkeys(
        (
            "account_links",
            "api_tokens",
            "former_passwords",
            "recovery_codes",
            "sign_in_providers",
            "user_identities",
            "user_sessions",
        ),
        "lets somebody in",
    ),
    **dict.fromkeys(
        (
            "idempotency_keys",
            "imported_rows",
            "imports",
            "job_file_parts",
            "job_files",
            "jobs",
            "replaced_rows",
            "sign_in_attempts",
        ),
        "of this installation",
    ),
    **dict.fromkeys(("audit_heads", "audit_seals"), "sealed anew where it arrives"),
}

#: Columns that stay behind.
_LEFT_COLUMNS: Final[Mapping[str, frozenset[str]]] = {
    "users": frozenset(
        {"password_hash", "password_set_at", "totp_secret", "totp_since", "totp_step"}
    ),
    "support_accesses": frozenset({"code_hash", "link_hash", "link_expires_at"}),
    # Sealed by the transaction that brings it.
    "audit_entries": frozenset({"transaction"}),
}

#: After so long an import that was cut short is cleared away; one that still runs is left alone.
_ARRIVING: Final = timedelta(days=1)

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Exported:
    """What a tenant's file holds."""

    rows: int
    files: int
    #: Names of files whose contents the store has lost.
    missing: list[str]


def export_tenant(
    session: AnySession,
    actor: Actor,
    store: FileStore,
    out: IO[bytes] | Path,
    *,
    lenient: bool = False,
    progress: Progress = lambda _done, _total: None,
) -> Exported:
    """Write the tenant of the scope (a restricted one) to ``out``.

    All of one moment, streamed.  That it was read is written down first.  Raises ``BadInput``
    naming the files whose contents are missing or damaged; with ``lenient`` the archive is
    made without them.
    """
    with transaction(session):
        record_reading(session, actor, "tenant", "export")
        record(session, actor, "tenant.export", "tenant")
    session.rollback()
    session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    connection = session.connection()
    tenant = session.execute(sa.select(Tenant.id, Tenant.code, Tenant.name)).one()
    stored = archive.tables_of(connection)
    wanted = [name for name in stored if "tenant_id" in stored[name] and name not in LEFT]
    steps = len(wanted) + contents.totals(connection, tenant.id)[0]
    counted = count(1)

    def step() -> None:
        progress(next(counted), steps)

    with archive.writing(out) as writer:
        for name in wanted:
            left = _LEFT_COLUMNS.get(name, frozenset()) | {"tenant_id"}
            columns = [column for column in stored[name] if column not in left]
            with writer.table(name) as table:
                table.add(connection, name, columns, tenant.id)
            step()
        packing = contents.Packing(store, writer)
        packing.add(contents.of_tenant(connection, tenant.id), progress=step)
        writer.finish(
            {
                "kind": KIND,
                "revision": current_revision(connection),
                "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "tenant": {"code": tenant.code, "name": tenant.name},
                "files": packing.told(lenient=lenient),
                "bits": {name: bits(session, name) for name in masked_vocabularies()},
            }
        )
    session.rollback()
    rows = sum(told["rows"] for told in writer.tables.values())
    return Exported(rows, packing.number, packing.missing)


def import_tenant(
    session: AnySession, actor: Actor, store: FileStore, path: Path, code: str | None = None
) -> tuple[str, str | None]:
    """Make a tenant of an exported file; returns its code and an administrator's new sign-in.

    The session is fresh and in no scope.  All or nothing, the contents of files included:
    until everything has arrived the tenant is one that leaves tomorrow, so that of an import
    that is cut short nothing stays, in the database or in the store.  Raises ``BadInput`` for a
    damaged file, one of another version's tables, and a code that is taken.
    """
    with contents.reading(path, KIND) as reader:
        told = reader.manifest["tenant"]
        wanted = code or told["code"]
        tenant_id = _new_tenant(session, wanted, reader.manifest["revision"], str(path))
        with tenant_scope(tenant_id, restricted=True), leaving.staying(session, tenant_id):
            _announce(session, tenant_id, wanted, told["name"])
            try:
                with contents.brought(reader, store, tenant_id), transaction(session):
                    _store(session, reader, tenant_id)
                    for root in session.scalars(
                        sa.select(Organization.id).where(Organization.parent_id.is_(None))
                    ):
                        mark_dirty(session, [root], "tenant.import", subtree=True)
                    after = {"from": told["code"], "made_at": reader.manifest["made_at"]}
                    record(session, actor, "tenant.import", "tenant", wanted, after=after)
                sign_in = _let_in(session, actor, wanted)
            except BaseException:
                # What cannot be taken away now is gone tomorrow.
                with suppress(sa.exc.SQLAlchemyError, OSError):
                    leaving.delete_now(session, store, tenant_id, wanted)
                raise
            session.expunge_all()
            with operator_scope(f"tenant {wanted} has arrived"), transaction(session):
                session.execute(
                    sa.update(Tenant)
                    .where(Tenant.id == tenant_id)
                    .values(state="active", delete_on=None)
                )
    return wanted, sign_in


def _announce(session: AnySession, tenant_id: int, code: str, name: str) -> None:
    """Write a tenant down that is not there yet, and gone tomorrow unless it arrives."""
    with transaction(session):
        session.execute(
            sa.insert(Tenant).values(
                id=tenant_id,
                code=code,
                name=name,
                state="suspended",
                delete_on=datetime.now(UTC) + _ARRIVING,
            )
        )


def _new_tenant(session: AnySession, code: str, revision: str, place: str) -> int:
    with operator_scope(f"import of tenant {code}"):
        taken = session.scalar(sa.select(Tenant.id).where(Tenant.code == code))
        current = current_revision(session.connection())
        number = session.scalars(sa.select(sa.Sequence("tenants_id_seq").next_value())).one()
        session.rollback()
    if taken is not None:
        wanted = _("请用 --code 另给一个代号")
        raise BadInput([Problem(_("租户 {code}").format(code=code), _("已有"), wanted, "taken")])
    if revision != current:
        wanted = _("应由同一版本导出（表结构 {revision}）").format(revision=current)
        raise BadInput([Problem(place, revision, wanted, "other_version")])
    return number


def _store(session: AnySession, reader: archive.Reader, tenant_id: int) -> None:
    connection = session.connection()
    stored = archive.tables_of(connection)
    listed = [name for name in reader.manifest["tables"] if name in stored]
    for name in archive.in_order(connection, listed):
        left = _LEFT_COLUMNS.get(name, frozenset()) | {"tenant_id"}
        columns = [column for column in stored[name] if column not in left]
        lines = reader.lines(name)
        if name == contents.TABLE:
            lines = (contents.renamed(line, tenant_id) for line in lines)
        archive.load(connection, name, columns, lines, replaced={"tenant_id": tenant_id})
    archive.advance_numbers(connection)
    _renumber_masks(session, reader.manifest["bits"])


def _renumber_masks(session: AnySession, theirs: Mapping[str, Mapping[str, int]]) -> None:
    """Masks were written with the bits of another installation; give them those of this one."""
    register_codes(session, theirs)
    for vocabulary, given in theirs.items():
        ours = bits(session, vocabulary)
        pairs = [(bit, ours[code]) for code, bit in given.items() if ours[code] != bit]
        if not pairs:
            continue
        everything = [(bit, ours[code]) for code, bit in given.items()]
        for table, column in _masks(vocabulary):
            _rewrite(session, table, column, everything)


def _rewrite(session: AnySession, table: str, column: str, bits: list[tuple[int, int]]) -> None:
    target = sa.column(column, sa.BigInteger)
    moved: sa.ColumnElement[int] = sa.literal(0, sa.BigInteger)
    for old, new in bits:
        one = target.op(">>")(sa.literal(old, sa.Integer)).op("&")(sa.literal(1, sa.BigInteger))
        moved = moved.op("|")(one.op("<<")(sa.literal(new, sa.Integer)))
    session.execute(sa.update(sa.table(table, target)).values({column: moved}))


def _masks(vocabulary: str) -> list[tuple[str, str]]:
    """The columns (table and name) that hold masks of a vocabulary."""
    found = [
        (table, str(stored_name(table, name)))
        for table in tables.TABLES
        for name, field in tables.columns(table).items()
        if field.metadata["kind"] == "codes" and field.metadata["vocabulary"].name == vocabulary
    ]
    return found + ([("occasions", "document_mask")] if vocabulary == v.DOCUMENT_KINDS.name else [])


def _let_in(session: AnySession, actor: Actor, code: str) -> str | None:
    """Give the first administrator of the whole tenant a password; None where there is none."""
    found: Any = session.execute(
        sa.select(User.id, User.username)
        .join(UserRole, sa.and_(UserRole.tenant_id == User.tenant_id, UserRole.user_id == User.id))
        .join(
            Organization,
            sa.and_(
                Organization.tenant_id == UserRole.tenant_id,
                Organization.id == UserRole.organization_id,
            ),
        )
        .where(User.active, UserRole.role == "administrator", Organization.parent_id.is_(None))
        .order_by(User.id)
        .limit(1)
    ).one_or_none()
    session.rollback()
    if found is None:
        return None
    password = set_password(session, actor, found.id)
    return f"{found.username}@{code} {password}"
