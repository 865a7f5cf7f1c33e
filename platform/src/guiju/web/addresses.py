"""What addresses may hold: numbers and texts that the database can be asked about."""

from urllib.parse import quote, urlencode

from flask import Flask, abort, g, request, url_for
from werkzeug.routing import IntegerConverter

#: Years that a page can be asked for; the database's column holds no more anyway.
_FIRST_YEAR, _LAST_YEAR = 1900, 2199


class NumberConverter(IntegerConverter):
    """A number of a row; a greater one than there can be is an address that is not there.

    By its pattern: what is refused only when it is converted is taken for an address that is
    there, but not for the method.
    """

    regex = r"[1-9][0-9]{0,17}"


def init_app(app: Flask) -> None:
    """Know ``<number:…>`` in addresses, and refuse what no database takes."""
    app.url_map.converters["number"] = NumberConverter
    app.before_request(_refuse_null)


def year() -> int | None:
    """The year that the address asks for, if it is one."""
    asked = request.args.get("year", type=int)
    return asked if asked is not None and _FIRST_YEAR <= asked <= _LAST_YEAR else None


def about(endpoint: str, organization_id: int, requirement: str, **query: object) -> str:
    """The address of a page about a requirement at an organization; without what is None.

    As ``url_for`` has it, which takes a while for the hundreds that some pages name.
    """
    known: dict[tuple[str, int], str] = g.setdefault("addresses_about", {})
    if (endpoint, organization_id) not in known:
        known[endpoint, organization_id] = url_for(
            endpoint, organization_id=organization_id, requirement=""
        )
    address = known[endpoint, organization_id] + quote(requirement, safe="")
    given = urlencode({name: value for name, value in query.items() if value is not None})
    return f"{address}?{given}" if given else address


def first(page_size: int, total: int) -> int:
    """How many of ``total`` rows come before the page that the address asks for."""
    asked = max(request.args.get("first", 0, type=int), 0)
    return min(asked, max(total - 1, 0)) // page_size * page_size


def _refuse_null() -> None:
    given = [request.path, *(value for _, value in request.args.items(multi=True))]
    if request.mimetype == "application/x-www-form-urlencoded":
        given += [value for _, value in request.form.items(multi=True)]
    if any("\0" in text for text in given):
        abort(400)
