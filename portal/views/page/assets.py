"""The pages' files: sheets and scripts, each kind joined into one at start; addresses that may be kept.

The sources stand apart in `static/css` and `static/js`. A page asks for `app.css` and `app.js`, which exist
in memory alone; a source that changed is seen after a restart.
"""

from __future__ import annotations

import hashlib
import io
import re
from functools import cache
from pathlib import Path

from flask import Response, current_app, send_file, url_for
from flask.sansio.app import App

from portal.views.door import callers

# In the order of the cascade, from tokens to pages: of two rules of equal weight the later one wins.
SHEETS = (
    *("tokens", "grid", "base", "controls"),
    *("frame", "rail", "bar", "week", "entries", "month", "agenda", "moving", "sheet"),
    *(
        "pages",
        "forms",
        "notices",
        "gate",
        "appointment",
        "sync",
        "choosing",
        "feed",
        "changes",
        "doctor",
        "help",
    ),
    *("seeing", "print"),
)
# A script imports from earlier ones alone, so that what it needs is there when they stand in one file.
SCRIPTS = (
    *("page", "clocks", "rows", "sheet", "menu", "ghost", "saving", "journey", "drag", "carry", "keys"),
    *("now", "zones", "renewal", "session", "copy"),
)
JOINED = {"app.css": "text/css", "app.js": "text/javascript"}


def register(app: App) -> None:
    """Serve the joined files under `/static/`, as long-lived as every file there; `asset` in templates."""
    _content(str(app.static_folder))
    app.view_functions["static"] = callers.anybody(_serve)
    app.jinja_env.globals["asset"] = address


def address(name: str) -> str:
    """The address of a static file; it changes with the content, so browsers may keep the file for a year."""
    return url_for("static", filename=name, v=_mark(str(current_app.static_folder), name))


def join_sheets(folder: Path) -> str:
    """All of `SHEETS`, in their order; their comments stay behind."""
    sources = ((folder / "css" / f"{name}.css").read_text() for name in SHEETS)
    return "\n".join(re.sub(r"/\*.*?\*/\s*", "", source, flags=re.S) for source in sources)


def join_scripts(folder: Path) -> str:
    """All of `SCRIPTS` as one module: what one imports stands above it, and nothing asks for an export."""
    sources = ((folder / "js" / f"{name}.js").read_text() for name in SCRIPTS)
    return "\n".join(re.sub(r"^(import .*\n|export )", "", source, flags=re.M) for source in sources)


def _serve(filename: str) -> Response:
    if filename not in JOINED:
        return current_app.send_static_file(filename)
    folder = str(current_app.static_folder)
    content = io.BytesIO(_content(folder)[filename])
    mark = _mark(folder, filename)
    return send_file(content, JOINED[filename], download_name=filename, etag=mark, conditional=True)


@cache
def _content(folder: str) -> dict[str, bytes]:
    """The joined files by name, as they were when the server started."""
    return {"app.css": join_sheets(Path(folder)).encode(), "app.js": join_scripts(Path(folder)).encode()}


@cache
def _mark(folder: str, name: str) -> str:
    content = _content(folder)[name] if name in JOINED else Path(folder, name).read_bytes()
    return hashlib.sha256(content).hexdigest()[:10]
