"""A form sent twice makes one thing: the second answer is the first's.

Each drawn form carries a key (`form_key` in `templates/page/form.html`). A view that creates says so with
`makes_one`, and with `led_to` before its commit; the rest stand in `MAKE_NOTHING`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import flash, g, redirect, request
from flask.sansio.app import App
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import IntegrityError

from portal.clock import utcnow
from portal.extensions import db
from portal.models import FormKey
from portal.practice import form_keys
from portal.views.page.signing_in import signed_in_provider

P = ParamSpec("P")

FIELD = "form_key"
NOT_OF_THE_BODY = frozenset({FIELD, "csrf_token", "draft"})
MARK = "_makes_one"
KEY_BYTES = 16

# POST addresses that may be sent twice: they show, change what is there, or keep one of a kind by themselves
MAKE_NOTHING = frozenset(
    {
        *("accounts.sign_in", "accounts.sign_out", "webhooks.google"),
        *("appointments.full_form", "appointments.show_overlaps", "appointments.move"),
        *("appointments.cancel", "appointments.no_show", "appointments.complete"),
        *("appointments.archive", "appointments.reinstate"),
        *(
            "clients.search",
            "clients.update",
            "clients.archive",
            "clients.unarchive",
            "clients.set_numbering",
        ),
        *("drafting.keep", "drafting.discard", "undoing.take_back", "undoing.dismiss"),
        *("finding.search", "finding.export", "help.search", "help.show_calendar"),
        *("offering.remove_location", "offering.remove_type"),
        *("preferences.privacy", "preferences.switch_shortcuts"),
        *("settings.save_profile", "settings.check_password", "zoning.move"),
        *("sync.sync_now", "sync.create_again", "sync.leftover_gone", "sync.start_over_now"),
        *("sync.connecting.save_names", "sync.connecting.begin_consent", "sync.connecting.choose_calendars"),
        *("sync.connecting.begin_first_sync", "sync.connecting.cancel"),
        *("sync.doctor.check_everything", "sync.doctor.stop_check", "sync.changes.answer"),
        "sync.pausing.go_on",
        *("sync.proving.look", "sync.proving.push_again"),
    }
)


def makes_one(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """The view creates something, once for each form; a form that is refused may be sent again."""

    @wraps(view)
    def answer(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not request.form.get(FIELD):
            return view(*args, **kwargs)
        row = _use_key()
        if isinstance(row, FormKey):
            g.form_key = row
            page = view(*args, **kwargs)
            if not row.answer:  # nothing was made
                db.session.rollback()
            return page
        return row

    setattr(answer, MARK, True)
    return answer


def new_key() -> str:
    """For a form that is drawn: unguessable, so that what its key is stored with tells nothing."""
    return secrets.token_urlsafe(KEY_BYTES)


def led_to(address: str, said: str = "") -> None:
    """Before the commit of what a form makes: where its answer leads, and what is said there."""
    row: FormKey | None = g.get(FIELD)
    if row is not None:
        row.answer, row.said = address, said


def says_what_it_makes(app: App, endpoint: str) -> bool:
    """Whether the view of a POST address is one of `makes_one`, or stands in `MAKE_NOTHING`; never both."""
    return hasattr(app.view_functions[endpoint], MARK) is not (endpoint in MAKE_NOTHING)


def _use_key() -> FormKey | ResponseReturnValue:
    """The key, used up from here on; or the answer to the form that used it up."""
    provider_id, key = signed_in_provider().id, request.form[FIELD]
    body = [("", request.full_path)]
    body += [item for item in request.form.items(multi=True) if item[0] not in NOT_OF_THE_BODY]
    row = form_keys.used(provider_id, key, body)
    if row is None:
        try:
            return form_keys.use(provider_id, key, body, now=utcnow())
        except IntegrityError:  # sent twice at once, and the other was first
            db.session.rollback()
            row = form_keys.used(provider_id, key, body)
            assert row is not None
    if row.said:
        flash(row.said, "good")
    return redirect(row.answer, 303)
