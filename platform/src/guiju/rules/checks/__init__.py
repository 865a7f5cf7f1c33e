"""The shapes of rules, by name.  A profile may add its own through ``register_checks``."""

from __future__ import annotations

from collections.abc import Mapping

from guiju.rules.checks.base import Check, Footprint
from guiju.rules.checks.checklist import Documents, Fields, Steps
from guiju.rules.checks.count import Count
from guiju.rules.checks.life_cycle import LifeCycle
from guiju.rules.checks.order import Order
from guiju.rules.checks.presence import Presence
from guiju.rules.checks.sequence import After
from guiju.rules.checks.spacing import Spacing
from guiju.rules.checks.subordinates import Subordinates
from guiju.rules.checks.team_meeting import TeamMeeting

#: Built-in checks by the name that packs use.
CHECKS: Mapping[str, Check] = {
    check.name: check
    for check in (
        After(),
        Count(),
        Documents(),
        Fields(),
        LifeCycle(),
        Order(),
        Presence(),
        Spacing(),
        Steps(),
        Subordinates(),
        TeamMeeting(),
    )
}

__all__ = ["CHECKS", "Check", "Footprint"]
