"""What the scheduler runs every hour of the working day."""

from __future__ import annotations

import sqlalchemy as sa

from guiju import clock, plugins
from guiju.config import load_settings
from guiju.db.engine import create_engine
from guiju.db.scope import tenant_scope
from guiju.db.session import ScopedSession
from guiju.notices import digests, reminders
from guiju.scoring.operations import fixed_as_of
from guiju.tenancy.queries import all_tenants


def daily() -> int:
    """Remind users of what falls due, and mail the digests of today that have not gone out.

    Whatever was done today is not done again, so that it may run as often as one likes.
    Returns how many digests were sent.
    """
    settings, packs = load_settings(), plugins.loaded().packs
    engine = create_engine(settings.database_url, poolclass=sa.NullPool)
    sent = 0
    try:
        with ScopedSession(engine) as session:
            tenants = [one for one in all_tenants(session, "reminders") if one.state == "active"]
        for tenant in tenants:
            with tenant_scope(tenant.id), ScopedSession(engine) as session:
                # A day that does not pass, as in a demonstration, has the same reminders.
                reminders.remind(session, fixed_as_of(session) or clock.today())
                sent += digests.send_digests(session, settings, packs, clock.today())
    finally:
        engine.dispose()
    return sent
