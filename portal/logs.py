"""What may stand in a log. Every record of this process passes here: ours, gunicorn's, RQ's, whoever's.

The text of an exception may repeat what a person typed (PostgreSQL's `Key (name)=(…)`), an address may be a
feed's secret. So errors are told by kind and place, addresses without their secrets and their queries.
"""

from __future__ import annotations

import errno
import logging
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog

from portal.errors import PortalError
from portal.settings import ROOT

# A feed's token in whatever address it stands; then anything as long as our secrets are, and every query.
SECRETS = (
    (re.compile(r"(feeds(?:/|%2f)+)[^\s/\"'?#%]+", re.IGNORECASE), r"\1…"),
    (re.compile(r"[A-Za-z0-9_-]{40,}={0,2}"), "…"),
    (re.compile(r"(/[^\s\"'?]*)\?[^\s\"']*"), r"\1?…"),
)
# Where a library puts what it was sent, or the text of an error, into its own sentence
REPEATS = (
    (re.compile(r"(Invalid request from ip=\S+?): .*", re.DOTALL), r"\1"),
    (re.compile(r"Traceback \(most recent call last\).*", re.DOTALL), "(Traceback left out)"),
)
LEAST_LEVEL = logging.INFO


def install() -> None:
    """Have everything that this process logs pass here. Calling it again changes nothing."""
    if logging.getLogRecordFactory() is _record:
        return
    logging.setLogRecordFactory(_record)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _without_secrets,
            structlog.processors.LogfmtRenderer(key_order=("at", "level", "event"), bool_as_flag=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEAST_LEVEL),
        # not standard output, which belongs to what a command answers; looked up at each line
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def tell_uncaught_by_kind() -> None:
    """Have what ends this process, or a thread of it, told like anything else. For programs."""
    sys.excepthook = lambda _kind, error, _trace: _tell_uncaught(error)
    threading.excepthook = lambda caught: _tell_uncaught(caught.exc_value)


def kind(error: BaseException) -> str:
    """Which kind of error it is, with its code where it has one; never its text."""
    name = type(error).__name__
    if isinstance(error, PortalError):
        return f"{name} ({error})"  # made of codes and field names alone
    cause = getattr(error, "orig", None) or error  # SQLAlchemy's holds the driver's
    code = getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
    if code is None and isinstance(cause, OSError):
        code = errno.errorcode.get(cause.errno or 0)
    return f"{name} ({code})" if code else name


def place(error: BaseException) -> str:
    """Where it was raised, as far inside the project as can be told: `portal/engine/pull.py:12`."""
    frames = list(_frames(error.__traceback__))
    own = [frame for frame in frames if frame.startswith("portal/")]
    return (own or frames or ["nowhere"])[-1].partition(" ")[0]


def trace(error: BaseException) -> str:
    """A traceback without a word of the errors' own: files, lines and kinds, the cause first."""
    lines = ["Traceback (kinds and places alone):"]
    for each in reversed(list(_chain(error))):
        lines += [f"  {frame}" for frame in _frames(each.__traceback__)]
        lines.append(kind(each))
    return "\n".join(lines)


def without_secrets(text: str) -> str:
    """The text with whatever may open something left out."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


def _record(*arguments: Any, **options: Any) -> logging.LogRecord:
    """A record as logging makes it, its words and its exception told our way."""
    record = logging.LogRecord(*arguments, **options)
    record.msg, record.args = _words(record), None
    error = record.exc_info[1] if record.exc_info else None
    record.exc_info = None
    if error is not None:
        record.exc_text = trace(error)
    return record


def _words(record: logging.LogRecord) -> str:
    if isinstance(record.args, tuple):
        record.args = tuple(_argument(each) for each in record.args)
    if isinstance(record.msg, BaseException):
        record.msg = kind(record.msg)
    try:
        text = record.getMessage()
    except (TypeError, ValueError, LookupError):  # logging would print the arguments as they are
        text = str(record.msg)
    for pattern, instead in REPEATS:
        text = pattern.sub(instead, text)
    return without_secrets(text)


def _argument(value: Any) -> Any:
    """What is put into a sentence: an error by its kind, a text on one line, so that it forges no other."""
    if isinstance(value, BaseException):
        return kind(value)
    return _on_one_line(value) if isinstance(value, str) else value


def _on_one_line(text: str) -> str:
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _without_secrets(_logger: Any, _method: str, values: Any) -> Any:
    """For structlog."""
    told = {name: _argument(value) for name, value in values.items()}
    return {name: without_secrets(v) if isinstance(v, str) else v for name, v in told.items()}


def _tell_uncaught(error: BaseException | None) -> None:
    """Where Python would print the error's text."""
    if error is not None and not isinstance(error, KeyboardInterrupt):
        sys.stderr.write(f"{trace(error)}\n")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, then what it was raised from."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _frames(step: TracebackType | None) -> Iterator[str]:
    while step is not None:
        path = Path(step.tb_frame.f_code.co_filename)
        shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        yield f"{shown}:{step.tb_lineno} {step.tb_frame.f_code.co_name}"
        step = step.tb_next
