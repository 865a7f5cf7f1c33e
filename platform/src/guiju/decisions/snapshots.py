"""What was looked at when somebody decided: kept with the decision, compared later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from guiju.scoring.results import Explanation, Record

#: The parts of a snapshot that a decision rests on: what is asked, and what the records show.
#: The verdict is not among them, because the decision itself changes it.
_FACTS = (
    "document",
    "clause",
    "parameters",
    "required",
    "observed",
    "counted",
    "uncounted",
)


def snapshot(found: Explanation) -> dict[str, Any]:
    """What an explanation shows, as plain values that outlive records and packs."""
    finding = found.view.finding
    taken: dict[str, Any] = _plain(
        {
            "as_of": found.as_of,
            "title": found.requirement_title,
            "document": found.document,
            "clause": found.clause,
            "strictness": found.strictness,
            "check": found.check,
            "parameters": found.parameters,
            "verdict": finding["verdict"],
            "message": finding["message"],
            "required": finding["required"],
            "observed": finding["observed"],
            "counted": [_record(record) for record in found.counted],
            "uncounted": [_record(record) for record in found.uncounted],
            "alternatives": [
                {
                    "title": other.title,
                    "option": other.option_title,
                    "verdict": other.verdict,
                }
                for other in found.alternatives
            ],
        }
    )
    return taken


def basis(taken: Mapping[str, Any]) -> str:
    """A digest of the facts in a snapshot: the same facts, the same digest."""
    facts = {name: taken[name] for name in _FACTS}
    text = json.dumps(facts, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _record(record: Record) -> dict[str, Any]:
    return {
        "table": record.table,
        "id": record.id,
        "title": record.title,
        "day": record.day,
        "reason": record.reason,
    }


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, ensure_ascii=False, default=_worded))


def _worded(value: Any) -> Any:
    """Days and fractions as text, sets in order, mappings as they are."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return list(value)
    return str(value)
