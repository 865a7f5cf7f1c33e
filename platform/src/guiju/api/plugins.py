"""The installed plugins, as the application has loaded them."""

from __future__ import annotations

from collections.abc import Mapping

from flask import current_app

from guiju.plugins import Plugins
from guiju.rules.pack import Pack


def plugins() -> Plugins:
    """All of them."""
    found: Plugins = current_app.extensions["guiju_plugins"]
    return found


def packs() -> Mapping[str, Pack]:
    """Their packs by id."""
    return plugins().packs
