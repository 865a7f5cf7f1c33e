"""Variable-length integers in columns: small numbers take one byte.

A number is written in groups of seven bits, lowest first; every byte but the last has its
high bit set.  Signed numbers are folded first (0, -1, 1, -2 … become 0, 1, 2, 3 …).
"""

import numpy as np
from numpy.typing import NDArray

Signed = NDArray[np.int64]
Unsigned = NDArray[np.uint64]
Bytes = NDArray[np.uint8]

_SEVEN = np.uint64(7)
_LOW = np.uint64(0x7F)


def fold(values: Signed) -> Unsigned:
    """Signed as unsigned, small magnitudes first."""
    return ((values << np.int64(1)) ^ (values >> np.int64(63))).view(np.uint64)


def unfold(values: Unsigned) -> Signed:
    """The inverse of :func:`fold`."""
    return (values >> np.uint64(1)).view(np.int64) ^ -(values & np.uint64(1)).view(np.int64)


def encode(values: Unsigned) -> tuple[Bytes, NDArray[np.int64]]:
    """The bytes of all numbers in a row, and where each begins (one entry more than numbers)."""
    starts = np.zeros(len(values) + 1, dtype=np.int64)
    most = int(values.max()) if len(values) else 0
    if most < 0x80:
        starts[1:] = np.arange(1, len(values) + 1)
        return values.astype(np.uint8), starts
    sizes = np.ones(len(values), dtype=np.int64)
    for bits in range(7, max(most.bit_length(), 8), 7):
        sizes += values >= np.uint64(1 << bits)
    np.cumsum(sizes, out=starts[1:])
    out = np.empty(int(starts[-1]), dtype=np.uint8)
    place, rest, left = starts[:-1], values, sizes
    while len(rest):
        more = left > 1
        out[place] = (rest & _LOW) | (more.astype(np.uint64) << _SEVEN)
        place, rest, left = place[more] + 1, rest[more] >> _SEVEN, left[more] - 1
    return out, starts


def decode(data: bytes | Bytes) -> Unsigned:
    """The numbers in ``data``."""
    found = np.frombuffer(data, dtype=np.uint8) if isinstance(data, bytes) else data
    if not len(found):
        return np.zeros(0, dtype=np.uint64)
    last = found < 0x80
    if bool(last.all()):
        return found.astype(np.uint64)
    ends = np.flatnonzero(last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    position = np.arange(len(found)) - np.repeat(starts, ends - starts + 1)
    parts = (found & 0x7F).astype(np.uint64) << (position.astype(np.uint64) * _SEVEN)
    return np.add.reduceat(parts, starts)
