"""What features refuse, answered like any other page that is not there or not allowed."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from werkzeug.exceptions import Forbidden, NotFound

from guiju.accounts import reach
from guiju.activities.access import NotAllowed, NotVisible
from guiju.web import errors


def init_blueprint(blueprint: Blueprint) -> None:
    """Let views of a blueprint call operations without catching what they refuse."""
    blueprint.register_error_handler(NotVisible, _not_visible)
    blueprint.register_error_handler(NotAllowed, _not_allowed)
    blueprint.register_error_handler(reach.NotAllowed, _not_allowed)


def _not_visible(_error: Exception) -> Any:
    return errors.answer(NotFound())


def _not_allowed(_error: Exception) -> Any:
    return errors.answer(Forbidden())
