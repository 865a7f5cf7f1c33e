"""What somebody typed into a form, and what is wrong with it, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from guiju.rules.problems import BadInput


class Form:
    """Values to show in a form's fields, with the problems of each.

    The place of a problem is a JSON pointer; its first part names the field.
    """

    def __init__(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        typed: MultiDict[str, str] | None = None,
        refused: BadInput | None = None,
    ) -> None:
        self._values = dict(values or {})
        self._typed = typed
        self.errors: dict[str, list[str]] = {}
        for problem in refused.problems if refused else ():
            self.refuse(problem.place.strip("/").split("/")[0], problem.wanted)

    def refuse(self, name: str, text: str) -> None:
        """Add a problem to a field."""
        listed = self.errors.setdefault(name, [])
        if text not in listed:
            listed.append(text)

    def value(self, name: str) -> Any:
        """What the field shows: what was typed, or else what it began with."""
        if self._typed is not None and name in self._typed:
            return self._typed[name]
        value = self._values.get(name)
        return "" if value is None else value

    def ticked(self, name: str, value: str) -> bool:
        """Whether a box, one of several with a name, is ticked."""
        if self._typed is not None:
            return value in self._typed.getlist(name)
        return value in self._values.get(name, ())

    @property
    def status(self) -> int:
        """The status of the page that shows the form."""
        return 422 if self.errors else 200
