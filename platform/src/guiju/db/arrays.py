"""Numbers as one array parameter: one statement text, however many there are."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY


def any_of(column: Any, numbers: Iterable[int]) -> sa.ColumnElement[bool]:
    """Whether the column is one of ``numbers``."""
    array = sa.literal(list(numbers), ARRAY(sa.BigInteger))
    condition: sa.ColumnElement[bool] = column == sa.any_(array)
    return condition
