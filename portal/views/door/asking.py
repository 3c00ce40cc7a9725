"""What a request must be like before anybody reads it: small enough, and of characters that can be kept.

What is wrong with a name or a title, its own form says beside it; see `portal/practice/letters.py`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO
from urllib.parse import urlsplit

from flask import Flask, Request, abort, current_app, request
from gunicorn.http.errors import ParseException
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge
from werkzeug.wsgi import LimitedStream

from portal.reading import is_readable
from portal.views.door.callers import Caller, who_may_call

# Texts that a form refuses by itself, beside the field, with everything else kept as it was typed
TOLD_BY_THE_FORM = frozenset({"name", "internal_id", "title", "location", "reason", "type"})


class Nowhere(io.BytesIO):
    """Where a file that is sent goes: no form here takes one, so it needs no room."""

    def write(self, _data: object, /) -> int:
        return 0


class Asked(Request):
    """A request whose form, once it was refused, is empty: an error's page reads it as well."""

    def _get_file_stream(self, *_args: object, **_named: object) -> IO[bytes]:
        return Nowhere()

    def _load_form_data(self) -> None:
        try:
            super()._load_form_data()
            if self._is_cut_off():
                raise RequestEntityTooLarge
        except (HTTPException, OSError, ParseException) as error:
            self.__dict__.update(form=ImmutableMultiDict(), files=ImmutableMultiDict())
            if isinstance(error, HTTPException):
                raise
            raise ClientDisconnected from None  # broken off, or chunks that are none: 400

    def _is_cut_off(self) -> bool:
        """Whether a body of unannounced length reached the limit: Werkzeug hands on what came until there."""
        stream = self.stream
        return self.content_length is None and isinstance(stream, LimitedStream) and stream.is_exhausted


def register(app: Flask) -> None:
    """Before everything else that looks at requests."""
    app.request_class = Asked
    app.before_request(_look)


def _look() -> None:
    """413 for what is too large, 400 for what nobody can keep."""
    if (request.content_length or 0) > current_app.config["MAX_CONTENT_LENGTH"]:
        abort(413)
    if not all(map(is_readable, _texts())) or not _is_address(request.referrer or ""):
        abort(400)


def _texts() -> Iterator[str]:
    """Everything that comes as text, but what forms judge themselves. A machine's body is not read."""
    yield request.path
    for given in (request.args, request.cookies):
        for name, value in given.items(multi=True):
            yield from (name, value)
    endpoint = request.endpoint
    if endpoint is not None and who_may_call(current_app, endpoint) is Caller.MACHINE:
        return
    for name, value in request.form.items(multi=True):
        yield name
        if name not in TOLD_BY_THE_FORM:
            yield value


def _is_address(text: str) -> bool:
    """Whether the address can be taken apart: Flask-WTF does so on https, and would not survive it."""
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True
