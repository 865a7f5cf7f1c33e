"""What the pages about one organization have in common."""

from __future__ import annotations

from datetime import date

from flask_login import current_user

from guiju.db import db
from guiju.organizations.portrait import Place, Portrait, portrait
from guiju.web.sessions import not_found_unless


def visible_portrait(organization_id: int, on: date) -> Portrait:
    """The organization on a day; "not found" where the visitor may not see it."""
    found = portrait(db.session, organization_id, on)
    not_found_unless(found is not None and current_user.sees(found.place.path))
    assert found is not None
    return found


def trail(found: Portrait) -> list[Place]:
    """The superiors that the visitor may see, from the top down."""
    return [place for place in found.superiors if current_user.sees(place.path)]
