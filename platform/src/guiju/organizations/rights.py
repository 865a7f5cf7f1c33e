"""Who may change the tree where."""

from __future__ import annotations

from typing import Final

from guiju.accounts.visitors import Visitor
from guiju.organizations.history import Change
from guiju.organizations.tree import above

PERMISSION: Final = "organization.manage"

#: What changes only the organization itself or what is below it; everything else changes its
#: superior's part of the tree, and needs the right there.
_OWN: Final = frozenset({"create", "rename"})


def may_change(visitor: Visitor, action: str, path: str) -> bool:
    """Whether the visitor may do something to the organization with ``path``."""
    if action in _OWN:
        return visitor.may(PERMISSION, path)
    superior = above(path)
    return superior is not None and visitor.may(PERMISSION, superior)


def may_undo(visitor: Visitor, change: Change) -> bool:
    """Whether the visitor may take a change back: with the right at every unit concerned."""
    return all(visitor.may(PERMISSION, unit.path) for unit in change.units)
