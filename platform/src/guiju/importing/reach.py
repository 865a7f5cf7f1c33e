"""What of a facts document whoever brings it may bring: rows of their part of the tree.

What lies outside is treated as if it were not there, so that nobody learns what is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from guiju.activities.models import Occasion
from guiju.db.copying import copy_out
from guiju.db.models import metadata
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.facts.document import FactsDocument
from guiju.language import gettext as _
from guiju.organizations.models import Member, Organization, Person, Post
from guiju.organizations.tree import within
from guiju.rules import tables
from guiju.rules.problems import BadInput, Problem

#: Ids that are looked up by one statement.
_CHUNK = 5_000


@dataclass(frozen=True)
class Reach:
    """An organization with all below it; of the root, everything there is."""

    organization_id: int
    code: str
    path: str

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole tenant."""
        return self.path.count("/") == 2

    def holds(self, path: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        """The condition that an organization's path is in it; without parameters."""
        if self.is_whole:
            return sa.true()
        digits = self.path.replace("/", "")
        assert digits.isdecimal()
        start, end = f"'{self.path}'", f"'{self.path[:-1]}0'"
        return sa.and_(path >= sa.literal_column(start), path < sa.literal_column(end))


def reach_of(session: AnySession, organization_id: int) -> Reach:
    """What somebody who answers for an organization may bring."""
    row = session.execute(
        sa.select(Organization.id, Organization.code, Organization.path).where(
            Organization.tenant_id == current_tenant_id(), Organization.id == organization_id
        )
    ).one()
    return Reach(*row)


def known(session: AnySession, reach: Reach) -> dict[str, pa.Array]:
    """Ids of organizations, people and occasions that a document may refer to."""
    unit, person, occasion = Organization.__table__, Person.__table__, Occasion.__table__
    here = reach.holds(unit.c.path)
    of_unit = {
        table.name: sa.select(table.c.person_id).join(
            unit,
            sa.and_(
                unit.c.tenant_id == table.c.tenant_id, unit.c.id == table.c.organization_id, here
            ),
        )
        for table in (Member.__table__, Post.__table__)
    }
    people = sa.select(person.c.code)
    if not reach.is_whole:
        people = people.where(person.c.id.in_(of_unit["members"].union(of_unit["posts"])))
    selects = {
        "organizations": sa.select(unit.c.code).where(here),
        "people": people,
        "occasions": sa.select(occasion.c.code).join(
            unit,
            sa.and_(
                unit.c.tenant_id == occasion.c.tenant_id,
                unit.c.id == occasion.c.organization_id,
                here,
            ),
        ),
    }
    return {
        name: copy_out(session, select, {"code": pa.string()})["code"].combine_chunks()
        for name, select in selects.items()
    }


def confined(
    session: AnySession, document: FactsDocument, reach: Reach, people: pa.Array
) -> dict[str, pa.Table]:
    """The tables that have rows, fit to be stored by somebody with this ``reach``.

    ``people`` are those known there.  Raises ``BadInput`` naming every row that is about
    something outside.
    """
    filled = document.filled()
    if reach.is_whole:
        return filled
    check = _Check(session, document, reach)
    if "organizations" in filled:
        filled["organizations"] = check.organizations(filled["organizations"])
    for name in filled:
        if name != "organizations" and "id" in tables.columns(name) and name != "members":
            check.ids(name)
    if "settings" in filled:
        rows = range(filled["settings"].num_rows)
        check.refuse("settings", "key", rows, _("设置对整个租户有效"), _("应由全市管理员导入"))
    check.people(filled, people)
    if check.problems:
        raise BadInput(check.problems)
    return filled


class _Check:
    """Collects what a document has no business with."""

    def __init__(self, session: AnySession, document: FactsDocument, reach: Reach) -> None:
        self._session = session
        self._document = document
        self._reach = reach
        self.problems: list[Problem] = []

    def refuse(self, table: str, column: str, rows: Iterable[int], found: str, wanted: str) -> None:
        places = self._document.places[table]
        for row in rows:
            self.problems.append(Problem(places.cell(row, column), found, wanted, "out_of_reach"))

    def organizations(self, rows: pa.Table) -> pa.Table:
        """The rows with the superior that the topmost unit has; a blank would move it."""
        ids = rows["id"].to_pylist()
        parents = rows["parent"].to_pylist()
        there = self._existing(Organization.__table__, Organization.path, ids)
        for row, code in enumerate(ids):
            path = there.get(code)
            if path is not None and not path.startswith(self._reach.path):
                self._taken("organizations", row, code)
            elif parents[row] is None and path != self._reach.path:
                found = _("没有填写上级")
                wanted = _("应为“{code}”或其下级").format(code=self._reach.code)
                self.refuse("organizations", "parent", [row], found, wanted)
        top = self._reach.code
        if top not in ids:
            return rows
        above = sa.orm.aliased(Organization)
        parent = self._session.scalars(
            sa.select(above.code)
            .join(
                Organization,
                sa.and_(
                    Organization.tenant_id == above.tenant_id, Organization.parent_id == above.id
                ),
            )
            .where(Organization.id == self._reach.organization_id)
        ).one()
        if parents[ids.index(top)] is not None:
            found, wanted = _("本级的上级不能由本级改变"), _("请留空")
            self.refuse("organizations", "parent", [ids.index(top)], found, wanted)
        parents[ids.index(top)] = parent
        place = rows.column_names.index("parent")
        return rows.set_column(place, "parent", pa.array(parents, pa.string()))

    def ids(self, name: str) -> None:
        """Refuse rows that would overwrite another unit's."""
        table = metadata.tables[name]
        owner = table.c["by_id" if name == "inspections" else "organization_id"]
        path = (
            sa.select(Organization.path)
            .where(Organization.tenant_id == table.c.tenant_id, Organization.id == owner)
            .scalar_subquery()
        )
        ids = self._document.tables[name]["id"].to_pylist()
        there = self._existing(table, path, ids)
        for row, code in enumerate(ids):
            found = there.get(code)
            if found is not None and not found.startswith(self._reach.path):
                self._taken(name, row, code)

    def people(self, filled: dict[str, pa.Table], known_people: pa.Array) -> None:
        """Refuse to rename others' people, to learn their names, and to record what is theirs."""
        codes = pa.array([], pa.string())
        columns = {
            name: "id" if name == "members" else "person" for name in filled if name in _OF_PEOPLE
        }
        for name, column in columns.items():
            codes = pc.unique(pa.chunked_array([codes, *filled[name][column].chunks]))
        strange = codes.filter(pc.invert(pc.is_in(codes, value_set=known_people)))
        there = self._existing(Person.__table__, Person.name, strange.drop_null().to_pylist())
        if not there:
            return
        listed = set(filled["members"]["id"].to_pylist()) if "members" in filled else set()
        for name, column in columns.items():
            for row, code in enumerate(filled[name][column].to_pylist()):
                if code not in there:
                    continue
                if name == "members":
                    # Whoever does not say somebody's name would learn it.
                    fits = filled[name]["name"][row].as_py() == there[code]
                else:
                    fits = name == "posts" and code in listed
                if not fits:
                    self._taken(name, row, code, column)

    def _taken(self, table: str, row: int, code: str, column: str = "id") -> None:
        found = _("编号“{code}”不能使用").format(code=code)
        self.refuse(table, column, [row], found, _("应为本级及下级的编号，或换一个新编号"))

    def _existing(self, table: Any, value: Any, codes: Sequence[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for start in range(0, len(codes), _CHUNK):
            rows = self._session.execute(
                sa.select(table.c.code, value).where(
                    table.c.tenant_id == current_tenant_id(),
                    table.c.code.in_(codes[start : start + _CHUNK]),
                )
            )
            found |= {row[0]: row[1] for row in rows}
        return found


#: Tables whose rows belong to a person rather than to an organization, and those that make one.
_OF_PEOPLE = ("members", "posts", "training", "dues_bases", "dues", "commitments")


def outside(session: AnySession, reach: Reach, organizations: Iterable[int]) -> bool:
    """Whether any of the organizations (by number) is outside."""
    if reach.is_whole:
        return False
    numbers = set(organizations)
    inside = session.scalar(
        sa.select(sa.func.count()).where(
            Organization.id.in_(numbers), within(Organization.__table__.c.path, reach.path)
        )
    )
    return inside != len(numbers)
