"""Numbers for codes: which bit of a mask stands for which code.

Lists of codes that the engine reads by the million are stored as bit masks.  The registry
only grows, because masks already written keep their meaning.
"""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from guiju.db.models import Base
from guiju.db.registries import forget, registry
from guiju.db.session import AnySession
from guiju.rules import tables
from guiju.rules import vocabulary as v

#: Masks are signed 64-bit numbers; the sign is left alone.
BITS = 63


class CodeBit(Base):
    """The bit that stands for a code of a vocabulary; the same for all tenants."""

    __tablename__ = "code_bits"

    #: Name of the vocabulary, e.g. ``occasion_kind``.
    vocabulary: Mapped[str] = mapped_column(primary_key=True)
    #: The code, as in :mod:`guiju.rules.vocabulary` or as a profile adds it.
    code: Mapped[str] = mapped_column(primary_key=True)
    #: Bit number, counted from 0 in each vocabulary.
    bit: Mapped[int] = mapped_column(sa.SmallInteger)

    __table_args__ = (
        sa.UniqueConstraint("vocabulary", "bit"),
        sa.CheckConstraint(f"bit BETWEEN 0 AND {BITS - 1}", name="bit"),
    )


def masked_vocabularies() -> dict[str, v.Vocabulary]:
    """The vocabularies whose codes are stored in masks, by name."""
    listed = [
        field.metadata["vocabulary"]
        for table in tables.TABLES
        for field in tables.columns(table).values()
        if field.metadata["kind"] == "codes"
    ]
    # Which documents an occasion kept is a mask on the occasion.
    return {vocabulary.name: vocabulary for vocabulary in (*listed, v.DOCUMENT_KINDS)}


def register_codes(session: AnySession, codes: Mapping[str, Iterable[str]]) -> None:
    """Give every code of each vocabulary (by name) a bit, unless it has one.

    Call it in an operator's scope, with the built-in codes or with those that profiles
    add, and commit.  Raises ``ValueError`` for a vocabulary that is not stored in masks
    or has no bit left.
    """
    # Two processes starting at once must not give one bit twice.
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext("code_bits"))))
    known = masked_vocabularies()
    for name, wanted in codes.items():
        if name not in known:
            raise ValueError(f"{name}: not one of {', '.join(sorted(known))}")
        given = code_bits(session, fresh=True).get(name, {})
        new = [code for code in dict.fromkeys(wanted) if code not in given]
        if len(given) + len(new) > BITS:
            raise ValueError(f"{name}: {len(given) + len(new)} codes, but masks hold {BITS}")
        if new:
            session.execute(
                insert(CodeBit),
                [
                    {"vocabulary": name, "code": code, "bit": bit}
                    for bit, code in enumerate(new, start=len(given))
                ],
            )
    # What was read in this transaction may yet be rolled back.
    forget()


def bits(session: AnySession, vocabulary: str) -> Mapping[str, int]:
    """The bit of each code of ``vocabulary``, in the order of the bits."""
    return code_bits(session).get(vocabulary, {})


def code_bits(session: AnySession, *, fresh: bool = False) -> Mapping[str, Mapping[str, int]]:
    """The bits of all vocabularies by name."""
    return registry(session, CodeBit, lambda: _read(session), fresh=fresh)


def _read(session: AnySession) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, dict[str, int]] = {}
    rows = session.execute(
        sa.select(CodeBit.vocabulary, CodeBit.code, CodeBit.bit).order_by(
            CodeBit.vocabulary, CodeBit.bit
        )
    )
    for vocabulary, code, bit in rows:
        found.setdefault(vocabulary, {})[code] = bit
    return found


def mask_of(codes: Iterable[str], bits: Mapping[str, int]) -> int:
    """The mask of ``codes``; raises ``KeyError`` for one without a bit."""
    mask = 0
    for code in codes:
        mask |= 1 << bits[code]
    return mask


def codes_of(mask: int, bits: Mapping[str, int]) -> list[str]:
    """The codes of ``mask``, in the order of their bits."""
    return [code for code, bit in bits.items() if mask >> bit & 1]
