"""What addresses may hold: numbers and texts that the database can be asked about."""

from flask import Flask, abort, request
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


def _refuse_null() -> None:
    given = [request.path, *(value for _, value in request.args.items(multi=True))]
    if request.mimetype == "application/x-www-form-urlencoded":
        given += [value for _, value in request.form.items(multi=True)]
    if any("\0" in text for text in given):
        abort(400)
