"""What numpy does more slowly than the engine needs it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Comparing with so many values, one by one, is quicker than ``numpy.isin``.
_FEW = 12


def among(column: NDArray[Any], values: Collection[Any] | NDArray[Any]) -> NDArray[np.bool_]:
    """Which entries of ``column`` are one of ``values``."""
    if len(values) > _FEW:
        return np.isin(column, values if isinstance(values, np.ndarray) else list(values))
    found = np.zeros(column.shape, dtype=np.bool_)
    for value in values:
        found |= column == value
    return found
