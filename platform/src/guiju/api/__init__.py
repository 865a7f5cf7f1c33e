"""The REST API, a shell beside the pages: the same queries and operations, asked as JSON.

Nothing of the business is decided here.  A resource reads its request, asks the visitor's
rights, calls a query or an operation, and shows what came of it.

:mod:`.admission` lets a request in, :mod:`.problems` says what was wrong with it,
:mod:`.blueprint` is what every resource is declared with, :mod:`.document` describes it all
at ``/api/v1/openapi.json``.
"""

from flask import Flask
from flask_wtf import CSRFProtect

from guiju.api import addresses, document
from guiju.api.addresses import is_ours
from guiju.api.resources import BLUEPRINTS

__all__ = ["init_app", "is_ours"]


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    """Answer at ``/api/v1``; programs bring a token with each request, so no form's."""
    addresses.init_app(app)
    document.init_app(app, BLUEPRINTS)
    for blueprint in BLUEPRINTS:
        csrf.exempt(blueprint)
