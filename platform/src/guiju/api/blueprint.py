"""What resources are declared with: each operation's form, checked and documented at once.

An operation says with one decorator what it answers (:meth:`Blueprint.shows`, ``lists``,
``creates``, ``changes``, ``begins``, ``removes``, ``sends``), and what it reads with
:meth:`Blueprint.takes` (a body of JSON) and :meth:`Blueprint.asks` (parameters).  Statuses,
headers and errors of the OpenAPI document follow from that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import wraps
from typing import Any, TypeAlias
from urllib.parse import urlencode

import flask_smorest
from flask import Response, request
from marshmallow import Schema, fields, validate

from guiju.api import admission, cursors, idempotency, languages, tags
from guiju.api.addresses import ROOT
from guiju.api.problems import Refused
from guiju.api.reading import Parser
from guiju.language import gettext as _

View: TypeAlias = Callable[..., Any]
#: A schema of OpenAPI, written out.
Document: TypeAlias = dict[str, Any]
Decorator: TypeAlias = Callable[[View], View]

_ETAG = {"ETag": {"description": "所示内容的标记", "schema": {"type": "string"}}}
_LOCATION = {"Location": {"description": "所建内容的地址", "schema": {"type": "string"}}}
_REPLAYED = {
    idempotency.REPLAYED: {
        "description": "同一请求此前的回答（true）",
        "schema": {"type": "string"},
    }
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "此前读到的 ETag；内容未变时回答 304",
    "schema": {"type": "string"},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "修改所依据的 ETag；内容已变时回答 412",
    "schema": {"type": "string"},
}
_KEY = {
    "name": idempotency.HEADER,
    "in": "header",
    "description": "由调用方取的键。以同一键重复同一请求，得到第一次的回答",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
}

#: Errors that any operation may answer with, by name in the document: 405 where what stands
#: in an address can be no id of the operation's, but one of another's.
_ALWAYS = ("400", "401", "403", "404", "405", "422", "429", "500", "503")


class ListQuery(Schema):
    """What every list understands."""

    limit = fields.Integer(
        load_default=cursors.USUAL,
        validate=validate.Range(1, cursors.MOST),
        metadata={"description": "一页最多几项"},
    )
    cursor = fields.String(
        validate=validate.Length(1, 2000), metadata={"description": "前一页给出的 next"}
    )


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """The operations of one kind of resource."""

    ARGUMENTS_PARSER = Parser()

    def __init__(self, name: str, title: str, description: str) -> None:
        super().__init__(f"api_{name}", __name__, url_prefix=ROOT)
        self.title = title
        self.description = description
        self._prepare_doc_cbks.append(_document_errors)
        # In this order, and undone in the other.
        self.before_request(languages.begin)
        self.before_request(admission.admit)
        self.teardown_request(languages.end)
        self.teardown_request(admission.leave)

    def add_url_rule(self, rule: str, *arguments: Any, **options: Any) -> None:
        """As everywhere, but ids are taken as they are written."""
        super().add_url_rule(rule, *arguments, **options, merge_slashes=False)

    def get(self, rule: str, **options: Any) -> Decorator:
        """An operation that reads."""
        return self._at("GET", rule, options)

    def post(self, rule: str, **options: Any) -> Decorator:
        """An operation that makes something, or does something to what is there."""
        return self._at("POST", rule, options)

    def put(self, rule: str, **options: Any) -> Decorator:
        """An operation that replaces something."""
        return self._at("PUT", rule, options)

    def patch(self, rule: str, **options: Any) -> Decorator:
        """An operation that changes what it names, and leaves the rest."""
        return self._at("PATCH", rule, options)

    def delete(self, rule: str, **options: Any) -> Decorator:
        """An operation that ends something."""
        return self._at("DELETE", rule, options)

    def _at(self, method: str, rule: str, options: Mapping[str, Any]) -> Decorator:
        decorator: Decorator = self.route(rule, methods=[method], tags=[self.title], **options)
        return decorator

    # -- what is read ----------------------------------------------------------------------

    def takes(self, schema: type[Schema] | Schema, *, example: Any = None) -> Decorator:
        """The body, handed to the view as its first argument."""
        return _marked(
            self.arguments(schema, location="json", example=example), body="application/json"
        )

    def takes_of(self, schemas: Mapping[str, Schema], place: str) -> Decorator:
        """A body of the schema that the part ``place`` of the address names."""

        def decorate(view: View) -> View:
            @wraps(view)
            def wrapper(*arguments: Any, **places: Any) -> Any:
                body = self.ARGUMENTS_PARSER.parse(schemas[places[place]], location="json")
                return view(body, *arguments, **places)

            notes = deepcopy(getattr(view, "_apidoc", {}))
            notes["guiju_body"] = "application/json"
            wrapper._apidoc = notes  # type: ignore[attr-defined] # noqa: SLF001
            content = {"application/json": {"schema": any_of(schemas)}}
            documented: View = self.doc(requestBody={"required": True, "content": content})(wrapper)
            return documented

        return decorate

    def receives(self, *media_types: str, most_bytes: Callable[[], int] | None = None) -> Decorator:
        """A file as the body, handed to the view as its first argument, with its media type.

        ``most_bytes`` says how large it may be, where that is less than for all uploads.
        """

        def decorate(view: View) -> View:
            @wraps(view)
            def wrapper(*arguments: Any, **places: Any) -> Any:
                if request.mimetype not in media_types:
                    raise Refused(415, _("、").join(media_types))
                if most_bytes is not None:
                    request.max_content_length = most_bytes()
                return view(request.get_data(), *arguments, **places)

            notes = deepcopy(getattr(view, "_apidoc", {}))
            notes["guiju_body"] = "file"
            wrapper._apidoc = notes  # type: ignore[attr-defined] # noqa: SLF001
            content = {"schema": {"type": "string", "format": "binary"}}
            body = {"required": True, "content": dict.fromkeys(media_types, content)}
            documented: View = self.doc(requestBody=body)(wrapper)
            return documented

        return decorate

    def asks(self, schema: type[Schema]) -> Decorator:
        """The parameters of the address, handed to the view as a mapping."""
        decorator: Decorator = self.arguments(schema, location="query")
        return decorator

    # -- what is answered ------------------------------------------------------------------

    def says(self, summary: str, description: str = "") -> Decorator:
        """What the operation is for, in the document."""
        texts = {"summary": summary, "description": description}
        decorator: Decorator = self.doc(**texts)
        return decorator

    def shows(self, schema: type[Schema] | Schema | Document, *, example: Any = None) -> Decorator:
        """One resource: the view returns its representation; 304 where the caller has it."""

        def answer(found: Any) -> Response:
            tag = tags.tag_of(found)
            held = tag in request.if_none_match
            response = Response(status=304) if held else _json(found, 200)
            response.set_etag(tag)
            return response

        document = self.response(200, schema, headers=_ETAG, example=example)
        return _both(document, answer, parameters=[_IF_NONE_MATCH], statuses=[304])

    def lists(self, item: type[Schema] | Schema | Document, *, example: Any = None) -> Decorator:
        """A page of a list: the view takes a query and returns a :class:`~.cursors.Page`."""

        def decorate(view: View) -> View:
            @wraps(view)
            def wrapper(query: Mapping[str, Any], **places: Any) -> Response:
                page: cursors.Page = view(query, **places)
                cursor = None if page.after is None else cursors.sealed(query, page.after)
                response = _json({"items": list(page.items), "next": cursor}, 200)
                if cursor is not None:
                    arguments = [
                        pair for pair in request.args.items(multi=True) if pair[0] != "cursor"
                    ]
                    address = f"{request.path}?{urlencode([*arguments, ('cursor', cursor)])}"
                    response.headers["Link"] = f'<{address}>; rel="next"'
                return response

            return wrapper

        def both(view: View) -> View:
            document: View = self.response(200, _page_of(item), example=example)(decorate(view))
            return document

        return both

    def creates(
        self,
        schema: type[Schema] | Schema | Document,
        *,
        secret: bool | Callable[[Mapping[str, Any]], bool] = False,
        example: Any = None,
    ) -> Decorator:
        """A new resource: the view returns its representation and its address.

        With an idempotency key asked again, the answer is that of the first time, unless it
        is ``secret`` (or that says so of the parts of the address) and may not be kept.
        """
        return self._once(201, schema, secret=secret, example=example)

    def begins(self, schema: type[Schema] | Schema, *, example: Any = None) -> Decorator:
        """Something that takes time: the view returns what to ask after, and its address."""
        return self._once(202, schema, secret=False, example=example)

    def _once(
        self,
        status: int,
        schema: type[Schema] | Schema | Document,
        *,
        secret: bool | Callable[[Mapping[str, Any]], bool],
        example: Any,
    ) -> Decorator:
        def decorate(view: View) -> View:
            @wraps(view)
            def wrapper(*arguments: Any, **places: Any) -> Response:
                def produce() -> Response:
                    found, location = view(*arguments, **places)
                    response = _json(found, status)
                    response.set_etag(tags.tag_of(found))
                    response.headers["Location"] = location
                    return response

                hidden = secret(places) if callable(secret) else secret
                return idempotency.once(produce, secret=hidden)

            headers = {**_ETAG, **_LOCATION, **_REPLAYED}
            document: View = self.response(status, schema, headers=headers, example=example)(
                _described(wrapper, parameters=[_KEY], statuses=[409])
            )
            return document

        return decorate

    def changes(
        self, schema: type[Schema] | Schema | Document, *, example: Any = None
    ) -> Decorator:
        """A change of a resource that was read before: the view returns what it is now.

        The view calls :func:`.tags.check_match` with what it was, once that is locked.
        """

        def answer(found: Any) -> Response:
            response = _json(found, 200)
            response.set_etag(tags.tag_of(found))
            return response

        document = self.response(200, schema, headers=_ETAG, example=example)
        return _both(
            document,
            answer,
            before=tags.require_match,
            parameters=[_IF_MATCH],
            statuses=[409, 412, 428],
        )

    def removes(self) -> Decorator:
        """A resource that is no more; the view checks its tag as in :meth:`changes`."""

        def answer(_found: Any) -> Response:
            return Response(status=204)

        return _both(
            self.response(204),
            answer,
            before=tags.require_match,
            parameters=[_IF_MATCH],
            statuses=[409, 412, 428],
        )

    def sends(self, *media_types: str) -> Decorator:
        """A file: the view returns the response."""
        content = {"schema": {"type": "string", "format": "binary"}}

        def decorate(view: View) -> View:
            for media_type in media_types:
                view = self.response(200, content["schema"], content_type=media_type)(view)
            return view

        return decorate


def _json(found: Any, status: int) -> Response:
    return Response(
        json.dumps(found, ensure_ascii=False, sort_keys=False),
        status=status,
        mimetype="application/json",
    )


def _both(
    document: Decorator,
    answer: Callable[[Any], Response],
    *,
    before: Callable[[], None] | None = None,
    **described: Any,
) -> Decorator:
    """A decorator that answers and documents."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(*arguments: Any, **places: Any) -> Response:
            if before is not None:
                before()
            return answer(view(*arguments, **places))

        return document(_described(wrapper, **described))

    return decorate


def _described(view: View, *, parameters: list[Any], statuses: list[int]) -> View:
    notes = deepcopy(getattr(view, "_apidoc", {}))
    notes["guiju_parameters"] = parameters
    notes["guiju_statuses"] = statuses
    view._apidoc = notes  # type: ignore[attr-defined] # noqa: SLF001 - where smorest keeps them
    return view


def _marked(decorator: Decorator, *, body: str) -> Decorator:
    def decorate(view: View) -> View:
        found = decorator(view)
        found._apidoc["guiju_body"] = body  # type: ignore[attr-defined] # noqa: SLF001
        return found

    return decorate


def _document_errors(
    doc: dict[str, Any], doc_info: Mapping[str, Any], *, spec: Any, **_kwargs: Any
) -> dict[str, Any]:
    """Add the headers and the errors that follow from an operation's form."""
    parameters = doc_info.get("guiju_parameters", [])
    if parameters:
        doc.setdefault("parameters", []).extend(parameters)
    statuses = [*_ALWAYS, *map(str, doc_info.get("guiju_statuses", []))]
    if "guiju_body" in doc_info:
        statuses += ["413", "415"]
    responses = doc.setdefault("responses", {})
    # flask-smorest's own, under the status's other name.
    responses.pop(422, None)
    for status in statuses:
        responses.setdefault(status, f"Problem{status}" if status != "304" else "NotModified")
    return doc


def any_of(schemas: Mapping[str, Schema]) -> Document:
    """The schema of what has one of several forms."""
    return {"anyOf": list(schemas.values())}


def _page_of(item: type[Schema] | Schema | Document) -> Schema | Document:
    """The schema of a page of ``item``."""
    if isinstance(item, dict):
        following = {"type": ["string", "null"], "description": _NEXT}
        return {
            "type": "object",
            "properties": {"items": {"type": "array", "items": item}, "next": following},
            "required": ["items", "next"],
        }
    kind = item if isinstance(item, type) else type(item)
    name = f"{kind.__name__.removesuffix('Schema')}Page"
    known = _PAGES.get(name)
    if known is None:
        known = _PAGES[name] = type(
            f"{name}Schema",
            (Schema,),
            {
                "items": fields.List(fields.Nested(item), required=True),
                "next": fields.String(
                    required=True,
                    allow_none=True,
                    metadata={"description": _NEXT},
                ),
            },
        )
    return known()


#: What the document says of a page's ``next``.
_NEXT = "下一页的 cursor；最后一页为 null"

_PAGES: dict[str, type[Schema]] = {}
