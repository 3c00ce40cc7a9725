"""The Two-Way wizard: names, connect, choose calendars, preview. Each step has an address and reloads."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from portal import reading
from portal.clock import utcnow
from portal.config import Config
from portal.connection import choosing, current, switching
from portal.connection.grants import accept_grant
from portal.engine.run import Patience, open_client
from portal.errors import CalendarError, InvalidInput, Refused
from portal.extensions import begin_writing, db
from portal.google import oauth
from portal.models import Connection, ConnectionPhase, Provider
from portal.sync.modes import Link
from portal.views.door import callers
from portal.views.page import bounds
from portal.views.page.auditing import note
from portal.views.page.headers import CONTENT_SECURITY_POLICY
from portal.views.page.signing_in import recently_authenticated, signed_in_provider
from portal.views.settings.settings import ask_for_password
from portal.views.sync import names as names_form

blueprint = Blueprint("connecting", __name__)

LIST_AGAIN_AFTER = dt.timedelta(minutes=2)


@blueprint.get("/names")
@callers.signed_in
def names() -> ResponseReturnValue:
    return _names_page(None)


@blueprint.post("/names")
@callers.signed_in
def save_names() -> ResponseReturnValue:
    provider, now = signed_in_provider(), utcnow()
    try:
        names_form.save(provider, now=now)
    except (InvalidInput, Refused) as error:
        db.session.rollback()
        return _names_page(names_form.problem_code(error)), 422
    note("sync.names-chosen", provider, now=now)
    db.session.commit()
    return redirect(_next_step(provider), 303)


@blueprint.get("/connect")
@callers.signed_in
def connect_account() -> ResponseReturnValue:
    """What will be asked at Google, and why. After a refusal, what was wrong."""
    connection = current.live_connection(signed_in_provider())
    if current.link_of(connection) is Link.REMOVING:
        return redirect(url_for("sync.index"), 303)
    page = make_response(
        render_template(
            "sync/connect.html",
            connection=connection,
            problem=request.args.get("problem"),
            missing=frozenset(request.args.getlist("missing")),
            is_running=current.link_of(connection) is Link.RUNNING,
            **_shared(),
        )
    )
    return allow_google(page)


@blueprint.post("/google/connect")
@callers.signed_in
def begin_consent() -> ResponseReturnValue:
    """Send the provider to Google's consent page."""
    provider, now = signed_in_provider(), utcnow()
    config: Config = current_app.extensions["config"]
    if not config.offers_two_way:
        return redirect(url_for("sync.connecting.connect_account", problem="not-offered"), 303)
    if not recently_authenticated(now):
        return ask_for_password(url_for("sync.connecting.connect_account"))
    connection = current.live_connection(provider)
    if current.link_of(connection) is Link.REMOVING:
        return redirect(url_for("sync.index"), 303)
    hint = connection.email if connection else None
    db.session.commit()  # no transaction stays open over the network
    try:
        return oauth.begin_consent(config.redirect_uri, provider_id=provider.id, login_hint=hint)
    except CalendarError as error:
        return redirect(url_for("sync.connecting.connect_account", problem=_code(error)), 303)


@blueprint.get("/google/callback")
@callers.signed_in
def finish_consent() -> ResponseReturnValue:
    """Where Google sends the provider back to. What is refused is dropped, never revoked (sync-law §6)."""
    provider, now = signed_in_provider(), utcnow()
    db.session.commit()
    try:
        grant = oauth.finish_consent(provider_id=provider.id, now=now)
        begin_writing()
        connection = accept_grant(provider, grant, now=now)
    except (Refused, CalendarError) as error:
        db.session.rollback()
        if _is_second_tab(provider, error):
            flash("Your Google account is connected already.", "good")
            return _without_referrer(redirect(_next_step(provider), 303))
        missing = _missing(grant) if isinstance(error, Refused) and error.code == "scope-missing" else ()
        return _back_to_connect(provider, _code(error), missing, now=now)
    note("sync.connected", provider, now=now, about=connection)
    db.session.commit()
    return _without_referrer(redirect(_next_step(provider), 303))


def _is_second_tab(provider: Provider, error: Refused | CalendarError) -> bool:
    """Whether another tab's consent was taken just before; it used up what this one was asked with."""
    connection = current.live_connection(provider)
    if connection is None or current.problem_of(connection)[0] is not None:
        return False
    is_used_up = isinstance(error, Refused) and error.code == "consent-mismatch"
    return is_used_up and current.link_of(connection) in (Link.OFFERED, Link.RUNNING)


@blueprint.get("/calendars")
@callers.signed_in
def calendars() -> ResponseReturnValue:
    """The account's calendars. Listed anew unless that was done a moment ago."""
    connection = current.live_connection(signed_in_provider())
    if connection is None:
        return redirect(url_for("sync.connecting.connect_account"), 303)
    if current.link_of(connection) is Link.REMOVING:
        return redirect(url_for("sync.index"), 303)
    listed_at, now = connection.calendars_listed_at, utcnow()
    problem = None
    if listed_at is None or now - listed_at > LIST_AGAIN_AFTER or "again" in request.args:
        problem = _list_again(connection, now)
    return _calendars_page(connection, problem)


@blueprint.post("/calendars")
@callers.signed_in
def choose_calendars() -> ResponseReturnValue:
    provider, now = signed_in_provider(), utcnow()
    connection = current.live_connection(provider)
    if connection is None or current.link_of(connection) is Link.REMOVING:
        return redirect(url_for("sync.index"), 303)
    is_running = current.link_of(connection) is Link.RUNNING
    skips = "skip" in request.form and not is_running
    try:
        choosing.choose(connection, () if skips else _ticked(), now=now)
    except InvalidInput:
        db.session.rollback()
        return _calendars_page(connection, "not-choosable"), 422
    note("sync.calendars-chosen", provider, now=now)
    db.session.commit()
    return redirect(url_for("sync.index" if is_running else "sync.connecting.preview"), 303)


def _ticked() -> list[int]:
    """The ticked calendars' rows. What is no number is a row that nobody has."""
    texts = request.form.getlist("calendar")
    return [reading.whole_number(text, most_digits=bounds.MOST_DIGITS) or 0 for text in texts]


@blueprint.get("/preview")
@callers.signed_in
def preview() -> ResponseReturnValue:
    return _preview_page(request.args.get("problem"))


@blueprint.post("/preview")
@callers.signed_in
def begin_first_sync() -> ResponseReturnValue:
    """The last step: from here the mode is Two-Way and the worker goes on."""
    provider, now = signed_in_provider(), utcnow()
    connection = current.live_connection(provider)
    if connection is None or current.link_of(connection) is not Link.OFFERED:
        return redirect(url_for("sync.index"), 303)
    try:
        switching.begin_first_sync(connection, now=now)
    except InvalidInput:
        db.session.rollback()
        return redirect(url_for("sync.connecting.names"), 303)
    except Refused as error:
        db.session.rollback()
        return redirect(url_for("sync.connecting.preview", problem=error.code), 303)
    note("sync.begun", provider, now=now)
    db.session.commit()
    return redirect(url_for("sync.index"), 303)


@blueprint.post("/cancel")
@callers.signed_in
def cancel() -> ResponseReturnValue:
    """Leave the wizard: the mode is what it was, the grant is given back."""
    provider, now = signed_in_provider(), utcnow()
    switching.cancel_setup(provider, now=now)
    note("sync.set-up-canceled", provider, now=now)
    db.session.commit()
    flash("The setup was canceled. Nothing was changed in Google.", "message")
    return redirect(url_for("sync.index"), 303)


@blueprint.app_template_global()
def let_forms_reach_google() -> str:
    """Called by a part that may stand on any page and holds a button that leads to Google."""
    g.forms_reach_google = True
    return ""


@blueprint.after_app_request
def _allow_google_if_asked(page: Response) -> Response:
    return allow_google(page) if g.pop("forms_reach_google", False) else page


def allow_google(page: Response) -> Response:
    """Let this page's forms lead to Google: Chromium holds `form-action` against redirects as well."""
    origin = oauth.authorization_origin()
    targets = f" {origin}" if origin else ""
    page.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.format(form_targets=targets)
    return page


def _names_page(problem: str | None) -> str:
    provider = signed_in_provider()
    context = names_form.context(provider)
    connection = current.live_connection(provider)
    return render_template("sync/names.html", problem=problem, connection=connection, **context, **_shared())


def _calendars_page(connection: Connection, problem: str | None) -> str:
    rows = choosing.offered_calendars(connection)
    ticked = {row.id for row in rows if row.is_chosen}
    if not ticked and connection.phase is ConnectionPhase.CHOOSING:
        ticked = {row.id for row in rows if row.is_primary and row.why_not is None}
    return render_template(
        "sync/calendars.html",
        connection=connection,
        owned=[row for row in rows if row.why_not is None],
        others=[row for row in rows if row.why_not is not None],
        ticked=ticked,
        entries={row.id: choosing.entries_of([row]) for row in rows},
        in_all=choosing.entries_of([row for row in rows if row.id in ticked]),
        problem=problem,
        is_running=current.link_of(connection) is Link.RUNNING,
        **_shared(),
    )


def _preview_page(problem: str | None) -> ResponseReturnValue:
    connection = current.live_connection(signed_in_provider())
    if connection is None or current.link_of(connection) is not Link.OFFERED:
        return redirect(url_for("sync.index"), 303)
    if connection.phase is ConnectionPhase.CHOOSING:
        return redirect(url_for("sync.connecting.calendars"), 303)
    plan = choosing.preview(connection, now=utcnow())
    label = dict(names_form.LABELS)[connection.provider.name_display]
    return render_template(
        "sync/preview.html", connection=connection, plan=plan, label=label, problem=problem, **_shared()
    )


def _list_again(connection: Connection, now: dt.datetime) -> str | None:
    """Ask Google for the calendars. If that fails: why, as a code; the page shows what was known before."""
    begin_writing()
    try:
        with open_client(connection, before_request=Patience()) as client:
            choosing.offer_calendars(connection, client, now=now)
    except CalendarError as error:
        db.session.rollback()
        return _code(error)
    db.session.commit()
    return None


def _next_step(provider: Provider) -> str:
    """Where the wizard stands."""
    link = current.link_of(current.live_connection(provider))
    steps = {Link.NONE: "sync.connecting.connect_account", Link.OFFERED: "sync.connecting.calendars"}
    return url_for(steps.get(link, "sync.index"))


def _back_to_connect(
    provider: Provider, code: str, missing: tuple[str, ...], *, now: dt.datetime
) -> ResponseReturnValue:
    note("sync.connected", provider, now=now, outcome="refused")
    db.session.commit()
    target = url_for("sync.connecting.connect_account", problem=code, missing=missing)
    return _without_referrer(redirect(target, 303))


def _without_referrer(response: Any) -> Response:
    """The address of this page holds Google's code; it goes nowhere else."""
    page = make_response(response)
    page.headers["Referrer-Policy"] = "no-referrer"
    return page


def _missing(grant: oauth.Grant) -> tuple[str, ...]:
    return tuple(scope.removeprefix(oauth.SCOPE_PREFIX) for scope in grant.missing_scopes)


def _code(error: Refused | CalendarError) -> str:
    """Our own refusals keep their code; of what Google said only the kind is told."""
    return error.code if isinstance(error, Refused) else f"google-{type(error).__name__}"


def _shared() -> dict[str, Any]:
    provider = signed_in_provider()
    config: Config = current_app.extensions["config"]
    return {"provider": provider, "config": config}
