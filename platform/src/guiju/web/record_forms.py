"""The form of a record: payloads as fields, and fields as payloads.

A form shows less than a record can hold.  What it does not show (a vote, the matter behind an
item of the agenda) is kept as it was: reading a form begins with the payload that it was
made from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from guiju.activities import leave
from guiju.record_fields import RecordField

Payload = dict[str, Any]

#: Columns of the occasion that the form asks for, as they are.
PLAIN: Final = (
    "held_on",
    "place",
    "chair",
    "lecturer",
    "theme",
    "title_text",
    "mode",
    "form",
    "platform_id",
    "outside_reason",
    "campaign_document",
    "content",
)
#: Prefixes of fields that there is one of for each person, class of outsiders, or step.
ATTENDS, WHY, OUTSIDE, STEP, EXTRA = "att-", "why-", "out-", "step-", "extra-"
#: Fields of several values.
LISTS: Final = ("kinds", "components", "topics", "papers", "on_day")


def fields_of(payload: Mapping[str, Any]) -> MultiDict[str, str]:
    """The payload as a browser would send it."""
    fields: MultiDict[str, str] = MultiDict()
    for name in PLAIN:
        if payload.get(name) is not None:
            fields[name] = str(payload[name])
    if payload.get("start_minute") is not None:
        fields["start"] = clock_text(payload["start_minute"])
    listed = {
        "kinds": [str(code) for code in payload.get("kinds") or ()],
        "components": [str(code) for code in payload.get("components") or ()],
        "topics": _codes(payload, "agenda", "topic"),
        "papers": _codes(payload, "documents", "kind"),
    }
    for name, codes in listed.items():
        if codes:
            fields.setlist(name, codes)
    _add_steps(fields, payload)
    _add_attendance(fields, payload)
    for name, value in (payload.get("extra") or {}).items():
        fields[f"{EXTRA}{name}"] = _written(value)
    return fields


def _add_steps(fields: MultiDict[str, str], payload: Mapping[str, Any]) -> None:
    """Steps by their days; those of the day itself ticked besides."""
    for row in _rows(payload, "steps"):
        fields[f"{STEP}{row.get('step')}"] = str(row.get("done_on") or "")
        if row.get("done_on") == payload.get("held_on"):
            fields.add("on_day", str(row.get("step")))


def _add_attendance(fields: MultiDict[str, str], payload: Mapping[str, Any]) -> None:
    for row in _rows(payload, "attendance"):
        if row.get("person") is not None:
            fields[f"{ATTENDS}{row['person']}"] = str(row.get("status") or "")
            if row.get(leave.COLUMN):
                fields[f"{WHY}{row['person']}"] = str(row[leave.COLUMN])
        elif row.get("person_class") is not None:
            fields[f"{OUTSIDE}{row['person_class']}"] = str(row.get("number") or "")


def payload_of(
    fields: MultiDict[str, str],
    before: Mapping[str, Any],
    *,
    offered: Collection[str],
    added: Iterable[RecordField] = (),
) -> Payload:
    """What was typed, laid over the payload that the form was made from.

    ``offered`` are the topics and kinds of papers that the form showed; others of ``before``
    stay.  ``added`` are the fields of the unit's plugin.  An unreadable number stays as it was
    typed, for the submission to complain about.
    """
    payload = {**before}
    for name in PLAIN:
        _put(payload, name, fields.get(name, "").strip() if name != "content" else fields.get(name))
    _put(payload, "start_minute", minutes(fields.get("start", "")))
    payload["kinds"] = fields.getlist("kinds")
    _put(payload, "components", fields.getlist("components"))
    _put(payload, "agenda", list(_agenda(fields.getlist("topics"), before, offered)))
    _put(payload, "documents", list(_papers(fields.getlist("papers"), before, offered)))
    _put(payload, "steps", list(_steps(fields, before)))
    _put(payload, "attendance", list(_attendance(fields, before)))
    extra = dict(before.get("extra") or {})
    for one in added:
        _put(extra, one.name, _extra(one, fields.get(EXTRA + one.name, "").strip()))
    _put(payload, "extra", extra)
    return payload


def clock_text(minute: Any) -> str:
    """14:30; what is no minute of a day as it is."""
    if isinstance(minute, int) and 0 <= minute < 24 * 60:
        return f"{minute // 60:02d}:{minute % 60:02d}"
    return str(minute)


def minutes(text: str) -> int | str | None:
    """The minute of the day that ``14:30`` is; anything else as it was typed."""
    hour, colon, minute = text.strip().partition(":")
    if colon and hour.isdecimal() and minute[:2].isdecimal():
        return int(hour) * 60 + int(minute[:2])
    return text.strip() or None


def _put(payload: Payload, name: str, value: Any) -> None:
    """Set a column, or leave it out where nothing is left of it."""
    if value or value == 0:
        payload[name] = value
    else:
        payload.pop(name, None)


def _rows(payload: Mapping[str, Any], part: str) -> Iterator[Mapping[str, Any]]:
    """Rows of a part; a draft may hold anything."""
    listed = payload.get(part)
    yield from (row for row in listed if isinstance(row, dict)) if isinstance(listed, list) else ()


def _codes(payload: Mapping[str, Any], part: str, column: str) -> list[str]:
    return list(dict.fromkeys(str(row[column]) for row in _rows(payload, part) if row.get(column)))


def _agenda(
    topics: Sequence[str], before: Mapping[str, Any], offered: Collection[str]
) -> Iterator[Payload]:
    kept = [
        dict(row)
        for row in _rows(before, "agenda")
        if row.get("topic") not in offered or row.get("topic") in topics
    ]
    yield from kept
    known = {row.get("topic") for row in kept}
    used = {str(row.get("item")) for row in kept}
    free = (str(number) for number in range(1, 10_000) if str(number) not in used)
    for topic in topics:
        if topic not in known:
            yield {"item": next(free), "topic": topic}


def _papers(
    papers: Sequence[str], before: Mapping[str, Any], offered: Collection[str]
) -> Iterator[Payload]:
    kept = [
        dict(row)
        for row in _rows(before, "documents")
        if row.get("kind") not in offered or row.get("kind") in papers
    ]
    yield from kept
    known = {row.get("kind") for row in kept}
    yield from ({"kind": kind} for kind in papers if kind not in known)


def _steps(fields: MultiDict[str, str], before: Mapping[str, Any]) -> Iterator[Payload]:
    """Steps by their days; those taken on the day itself are ticked."""
    days = {
        name.removeprefix(STEP): value.strip()
        for name, value in fields.items()
        if name.startswith(STEP)
    }
    days |= dict.fromkeys(fields.getlist("on_day"), fields.get("held_on", ""))
    unticked = set(fields.getlist("on_day_offered")) - set(fields.getlist("on_day"))
    for row in _rows(before, "steps"):
        step = str(row.get("step"))
        if step in unticked:
            continue
        if step not in days:
            yield dict(row)
        elif days[step]:
            yield {**row, "done_on": days.pop(step)}
        else:
            days.pop(step)
    yield from ({"step": step, "done_on": day} for step, day in days.items() if day)


def _attendance(fields: MultiDict[str, str], before: Mapping[str, Any]) -> Iterator[Payload]:
    people = {
        name.removeprefix(ATTENDS): value
        for name, value in fields.items()
        if name.startswith(ATTENDS)
    }
    classes = {
        name.removeprefix(OUTSIDE): value.strip()
        for name, value in fields.items()
        if name.startswith(OUTSIDE)
    }
    for row in _rows(before, "attendance"):
        person, outside = row.get("person"), row.get("person_class")
        if person is None:
            if outside not in classes:
                yield dict(row)
        elif str(person) not in people:
            yield dict(row)
        elif status := people.pop(str(person)):
            yield _with_reason({**row, "status": status}, fields)
    for person, status in people.items():
        if status:
            yield _with_reason({"person": person, "status": status}, fields)
    yield from (
        {"person_class": name, "status": "present", "number": _number(number)}
        for name, number in classes.items()
        if number
    )


def _with_reason(row: Payload, fields: MultiDict[str, str]) -> Payload:
    """An attendance with the reason of the leave; a reason typed for who came is left out."""
    reason = fields.get(f"{WHY}{row['person']}", row.get(leave.COLUMN) or "")
    _put(row, leave.COLUMN, reason if row["status"] == "excused" else "")
    return row


def _extra(one: RecordField, text: str) -> Any:
    """What was typed in a plugin's field, as the field keeps it."""
    if one.type == "number":
        return _number(text)
    return bool(text) if one.type == "flag" else text


def _number(text: str) -> int | str:
    return int(text) if text.isdecimal() and len(text) < 10 else text


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else ""
    if isinstance(value, list):
        return "、".join(map(str, value))
    return str(value)


def by_field(problems: Iterable[Any]) -> dict[str, list[str]]:
    """What is wrong, by the field of the form that shows it; ``""`` is the form as a whole."""
    found: dict[str, list[str]] = {}
    for problem in problems:
        column = problem.place.strip("/").partition("/")[0]
        name = {
            "start_minute": "start",
            "agenda": "topics",
            "documents": "papers",
            "steps": "steps",
            "attendance": "attendance",
        }.get(column, column)
        if name == "extra":
            name = f"{EXTRA}{problem.place.strip('/').partition('/')[2]}"
        found.setdefault(name, []).append(problem.wanted or problem.found)
    return found
