"""Settings: who I am, when I work, and where the other settings are. Also the question for the password."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal import reading
from portal.clock import utcnow
from portal.config import Config
from portal.extensions import db
from portal.models import Mail, OfficeHours, Provider
from portal.people import accounts
from portal.practice import letters
from portal.views.door import callers, throttling
from portal.views.page import once
from portal.views.page.auditing import note
from portal.views.page.returning import own_path
from portal.views.page.signing_in import signed_in_provider

blueprint = Blueprint("settings", __name__)

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NAME_MOST_CHARACTERS = 200
MAILS_SHOWN = 100
SAVED = "Saved."


@blueprint.get("/settings")
@callers.signed_in
def index() -> ResponseReturnValue:
    return _page()


@blueprint.post("/settings/profile")
@callers.signed_in
def save_profile() -> ResponseReturnValue:
    provider = signed_in_provider()
    typed = request.form.get("name", "")
    name, problem = letters.one_line(typed), letters.problem_of(typed)
    if letters.is_blank(name) or len(name) > NAME_MOST_CHARACTERS:
        problem = problem or f"Give a name of 1 to {NAME_MOST_CHARACTERS} characters."
    if problem:
        return _page(request.form, problems={"name": problem}), 422
    provider.name = name
    return _saved("provider.renamed", provider)


@blueprint.post("/settings/office-hours")
@callers.signed_in
@once.makes_one
def save_office_hours() -> ResponseReturnValue:
    """One stretch a weekday; both times empty means closed."""
    provider = signed_in_provider()
    stretches, problems = {}, {}
    for weekday, name in enumerate(WEEKDAYS):
        opens, closes = (
            reading.time_of_day(request.form.get(f"{end}-{weekday}", "")) for end in ("opens", "closes")
        )
        if opens and closes and opens < closes:
            stretches[weekday] = (opens, closes)
        elif request.form.get(f"opens-{weekday}") or request.form.get(f"closes-{weekday}"):
            problems[f"day-{weekday}"] = f"{name}: give two times, the second one later."
    if problems:
        return _page(request.form, problems=problems), 422
    _replace_hours(provider, stretches)
    return _saved("provider.hours-changed", provider)


@blueprint.get("/settings/mail")
@callers.owner
def mail() -> ResponseReturnValue:
    """What was, or without a mail server would have been, written to providers. For the practice's owner."""
    config: Config = current_app.extensions["config"]
    mails = db.session.scalars(sa.select(Mail).order_by(Mail.id.desc()).limit(MAILS_SHOWN)).all()
    return render_template("settings/mail.html", mails=mails, has_server=bool(config.smtp_url))


@blueprint.get("/confirm-password")
@callers.signed_in
def confirm_password() -> ResponseReturnValue:
    return render_template("settings/confirm_password.html", next_page=_next_page(), failed=False)


@blueprint.post("/confirm-password")
@callers.signed_in
@throttling.passwords
def check_password() -> ResponseReturnValue:
    """The password once more: what follows within half an hour need not ask again."""
    provider, now = signed_in_provider(), utcnow()
    is_right = accounts.authenticate(provider.email, request.form.get("password", "")) is not None
    note("session.confirmed", provider, now=now, outcome="done" if is_right else "refused")
    if is_right:
        current_user.row.authenticated_at = now
    db.session.commit()
    if not is_right:
        return render_template("settings/confirm_password.html", next_page=_next_page(), failed=True), 422
    return redirect(_next_page(), 303)


def ask_for_password(next_page: str) -> ResponseReturnValue:
    """Lead to the question for the password, then to `next_page`, where the button is pressed again."""
    return redirect(url_for("settings.confirm_password", next=next_page), 303)


def draw(fields: Mapping[str, str]) -> str:
    """The page with one of its forms as somebody had filled it."""
    return _page(fields)


def _page(fields: Mapping[str, str] | None = None, problems: dict[str, str] | None = None) -> str:
    provider, fields = signed_in_provider(), fields or {}
    return render_template(
        "settings/index.html",
        provider=provider,
        name=fields.get("name", provider.name),
        form="profile" if "name" in fields else "hours",
        days=_days(provider, fields),
        problems=problems or {},
    )


def _days(provider: Provider, fields: Mapping[str, str]) -> list[dict[str, Any]]:
    """The weekdays with their hours: what was typed, or else what is stored."""
    stored = {
        row.weekday: (f"{row.opens:%H:%M}", f"{row.closes:%H:%M}")
        for row in db.session.scalars(
            sa.select(OfficeHours).where(OfficeHours.provider_id == provider.id).order_by(OfficeHours.opens)
        )
    }
    days = []
    for weekday, name in enumerate(WEEKDAYS):
        opens, closes = stored.get(weekday, ("", ""))
        days.append(
            {
                "number": weekday,
                "name": name,
                "opens": fields.get(f"opens-{weekday}", opens),
                "closes": fields.get(f"closes-{weekday}", closes),
            }
        )
    return days


def _replace_hours(provider: Provider, stretches: dict[int, tuple[dt.time, dt.time]]) -> None:
    db.session.execute(sa.delete(OfficeHours).where(OfficeHours.provider_id == provider.id))
    for weekday, (opens, closes) in stretches.items():
        db.session.add(OfficeHours(provider_id=provider.id, weekday=weekday, opens=opens, closes=closes))


def _saved(action: str, provider: Provider) -> ResponseReturnValue:
    note(action, provider, now=utcnow())
    once.led_to(url_for("settings.index"), SAVED)
    db.session.commit()
    flash(SAVED, "good")
    return redirect(url_for("settings.index"), 303)


def _next_page() -> str:
    """Where the person was going, if that is one of our own pages."""
    return own_path(request.values.get("next", "")) or url_for("sync.index")
