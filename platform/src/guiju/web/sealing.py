"""The application's seal for secrets that it needs again."""

from flask import Flask, current_app

from guiju.accounts.sealing import Seal
from guiju.config import Settings

_EXTENSION = "guiju_seal"


def init_app(app: Flask) -> None:
    """Derive the key once."""
    settings: Settings = app.extensions["guiju_settings"]
    app.extensions[_EXTENSION] = Seal(settings.secret_key)


def seal() -> Seal:
    """The seal of the application that serves this request."""
    found: Seal = current_app.extensions[_EXTENSION]
    return found
