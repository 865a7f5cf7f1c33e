"""Where the API is, and how an address names a record."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import BaseConverter

from guiju.rules.tables import MAX_ID

#: Everything of the API is below this.
ROOT = "/api/v1"
DOCUMENT = f"{ROOT}/openapi.json"


class IdConverter(BaseConverter):
    """An author's own id: any characters, a slash too."""

    regex = rf".{{1,{MAX_ID}}}?"
    part_isolating = False


def is_ours(path: str) -> bool:
    """Whether a request for ``path`` is the API's to answer."""
    return path == "/api" or path.startswith("/api/")


def init_app(app: Flask) -> None:
    """Know ``<id:…>`` in addresses."""
    app.url_map.converters["id"] = IdConverter
