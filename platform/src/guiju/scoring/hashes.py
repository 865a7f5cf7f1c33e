"""Hashes of columns: 64 bits of what several columns say together."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]

#: Odd numbers that spread the parts of what is hashed over 64 bits.
_FACTORS = tuple(
    np.uint64(factor)
    for factor in (
        0x9E3779B97F4A7C15,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0xD6E8FEB86659FD93,
        0xA0761D6478BD642F,
        0xE7037ED1A0B428DB,
        0x8EBC6AF09C88C6E3,
        0x589965CC75374CC3,
    )
)


def combine(*parts: NDArray[Any] | int) -> Hashes:
    """One number of several columns and constants."""
    found: Any = np.uint64(0)
    with np.errstate(over="ignore"):
        for part, factor in zip(parts, _FACTORS, strict=False):
            number = np.asarray(part, dtype=np.int64).view(np.uint64)
            found = found + number * factor
    return np.asarray(found, dtype=np.uint64)


def mixed(values: Hashes) -> Hashes:
    """Every bit of a value on every bit of the result."""
    found = values ^ (values >> np.uint64(30))
    found = found * np.uint64(0xBF58476D1CE4E5B9)
    found ^= found >> np.uint64(27)
    found = found * np.uint64(0x94D049BB133111EB)
    found ^= found >> np.uint64(31)
    return found
