"""The shapes of rules, by name.  A profile may add its own through ``register_checks``."""

from __future__ import annotations

from collections.abc import Mapping

from guiju.rules.checks.base import Check, Footprint
from guiju.rules.checks.count import Count

#: Built-in checks by the name that packs use.
CHECKS: Mapping[str, Check] = {check.name: check for check in (Count(),)}

__all__ = ["CHECKS", "Check", "Footprint"]
