"""Lists of people to invite: pasted, or uploaded as a workbook or CSV; and the empty one.

A list has a row for each role of a person: unit, name, user name or e-mail address (or both),
role, and the role's last day where it has one.  A first row of headings may stand over it in
any order and with columns besides; without one the columns are those of :data:`COLUMNS`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import sqlalchemy as sa

from guiju.accounts.models import UserRole
from guiju.accounts.permissions import ROLES, role_label
from guiju.accounts.reach import below, managed_paths
from guiju.accounts.visitors import Visitor
from guiju.db.scope import current_tenant_id
from guiju.db.session import AnySession
from guiju.facts.first_sheet import first_sheet
from guiju.language import gettext as _
from guiju.organizations.models import Organization
from guiju.rules.problems import BadInput, Problem
from guiju.rules.vocabulary import BRANCH_KINDS

#: Rows of one list.
MOST_ROWS = 6_000

#: A workbook or text is refused unread beyond so many bytes.
MOST_BYTES = 4 * 1024 * 1024

#: Columns in the order of a list without headings.
COLUMNS = ("unit", "name", "username", "email", "role", "until_on")

#: What headings may be called, in Chinese and English.
_HEADINGS = {
    "单位编号": "unit",
    "unit": "unit",
    "姓名": "name",
    "name": "name",
    "用户名": "username",
    "username": "username",
    "邮箱": "email",
    "email": "email",
    "角色": "role",
    "role": "role",
    "角色的最后一天": "until_on",
    "until_on": "until_on",
}

#: In which a text may be written; spreadsheets in China save CSV in the second.
_ENCODINGS = ("utf-8-sig", "gb18030")


@dataclass(frozen=True)
class Row:
    """One row as it was written; ``number`` is its number in the list, from 1."""

    number: int
    unit: str
    name: str
    username: str
    email: str
    role: str
    until_on: str = ""

    @property
    def account(self) -> str:
        """The user name: as written, or the part before @ of a sign-in name or an address."""
        return self.username.partition("@")[0] or self.email.partition("@")[0]

    @property
    def address(self) -> str | None:
        """The e-mail address, which may stand where the user name is asked for."""
        return self.email or (self.username if "@" in self.username else "") or None


def read_file(content: bytes, name: str) -> list[Row]:
    """The rows of an uploaded list; raises ``BadInput`` for a file that is none."""
    if len(content) > MOST_BYTES:
        found = _("超过 {most} MB").format(most=MOST_BYTES // 1024**2)
        raise BadInput([Problem("/file", found, _("请分成几个文件"), "too_large")])
    if content.startswith(b"PK"):
        return _rows(first_sheet(content, name))
    for encoding in _ENCODINGS:
        try:
            return read_text(content.decode(encoding))
        except UnicodeDecodeError:
            continue
    wanted = _("应为 .xlsx 工作簿，或逗号分隔的文本")
    raise BadInput([Problem("/file", name, wanted, "not_a_list")])


def read_text(text: str) -> list[Row]:
    """The rows of a pasted list, separated by tabs (as spreadsheets copy) or commas."""
    if len(text) > MOST_BYTES:
        found = _("超过 {most} MB").format(most=MOST_BYTES // 1024**2)
        raise BadInput([Problem("/file", found, _("请分成几个文件"), "too_large")])
    delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
    if "\0" in text:
        wanted = _("应为 .xlsx 工作簿，或逗号分隔的文本")
        raise BadInput([Problem("/file", _("不是文本"), wanted, "not_a_list")])
    try:
        return _rows(list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)))
    except csv.Error:
        wanted = _("应为用逗号分隔的值，含逗号的值用双引号括起")
        raise BadInput(
            [Problem("/file", _("引号没有配对，或一个值太长"), wanted, "not_csv")]
        ) from None


def written(rows: Sequence[Row]) -> str:
    """Rows as :func:`read_text` reads them."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows(astuple(row)[1:] for row in rows)
    return out.getvalue()


def headings() -> list[str]:
    """The headings of the empty list."""
    return ["单位编号", "单位名称", "姓名", "用户名", "邮箱", "角色", "角色的最后一天"]


def empty_list(session: AnySession, visitor: Visitor) -> list[list[str]]:
    """A row for each open unit of the visitor's in which nobody has a role yet, from the top.

    With the role that it needs first: who records for a branch, who administers any other.
    """
    held = sa.exists().where(
        UserRole.tenant_id == Organization.tenant_id,
        UserRole.organization_id == Organization.id,
    )
    rows = session.execute(
        sa.select(Organization.code, Organization.name, Organization.kind)
        .where(
            Organization.tenant_id == current_tenant_id(),
            Organization.closed_on.is_(None),
            Organization.kind.not_in(("party_group", "unit")),
            below(managed_paths(visitor)),
            ~held,
        )
        .order_by(Organization.__table__.c.path)
        .limit(MOST_ROWS)
    )
    return [
        [
            code,
            name,
            "",
            "",
            "",
            role_label("recorder" if kind in BRANCH_KINDS else "administrator"),
        ]
        for code, name, kind in rows
    ]


def role_named(text: str) -> str | None:
    """The role that a list calls by its code or by its name."""
    known = {role_label(role): role for role in ROLES}
    return text if text in ROLES else known.get(text)


def _rows(cells: list[list[str]]) -> list[Row]:
    filled = [
        (number, [cell.strip() for cell in row])
        for number, row in enumerate(cells, 1)
        if any(map(str.strip, row))
    ]
    places = {column: place for place, column in enumerate(COLUMNS)}
    if filled:
        named = [_HEADINGS.get(cell.lower()) for cell in filled[0][1]]
        if "unit" in named and "role" in named:
            places = {column: place for place, column in enumerate(named) if column}
            filled = filled[1:]
    rows = []
    for number, row in filled:
        values = {
            column: row[place] if place < len(row) else "" for column, place in places.items()
        }
        # A unit that nobody was written beside yet.
        if values.get("name") or values.get("username") or values.get("email"):
            rows.append(Row(number, *(values.get(column, "") for column in COLUMNS)))
    if not rows:
        raise BadInput(
            [Problem("/file", _("没有要邀请的人"), _("每行写一个人和一个角色"), "empty")]
        )
    if len(rows) > MOST_ROWS:
        wanted = _("一次最多 {most} 行").format(most=MOST_ROWS)
        raise BadInput([Problem("/file", str(len(rows)), wanted, "too_many_rows")])
    return rows
