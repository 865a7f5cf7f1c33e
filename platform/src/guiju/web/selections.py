"""Rows of a list that a visitor has ticked: what a form says of them."""

from __future__ import annotations

import json

from flask import abort, request

from guiju.decisions.tasks import Target
from guiju.scoring.results import AttentionItem


def row_key(item: AttentionItem) -> str:
    """What a row's box sends."""
    return json.dumps(
        [item.unit.organization_id, item.requirement, item.part, item.period],
        ensure_ascii=False,
    )


def chosen() -> set[str]:
    """The boxes ticked in the form that was sent, to be ticked again."""
    return set(request.form.getlist("item"))


def selected() -> list[Target]:
    """What the ticked rows are about; 400 for what no page of ours sends."""
    found = []
    for text in request.form.getlist("item"):
        try:
            number, requirement, part, period = json.loads(text)
        except (ValueError, TypeError):
            abort(400)
        texts = [requirement, *(one for one in (part, period) if one is not None)]
        if type(number) is not int or not all(isinstance(one, str) for one in texts):
            abort(400)
        if not 0 < number < 2**63:
            abort(404)
        found.append(Target(number, requirement, part, period))
    return found
