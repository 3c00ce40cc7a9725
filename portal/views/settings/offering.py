"""The practice's locations and appointment types. Everybody may look, its owner changes them."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.clock import utcnow
from portal.errors import InvalidInput
from portal.extensions import db
from portal.models import AppointmentType, Location
from portal.practice import offers
from portal.views.door import callers
from portal.views.page import once
from portal.views.page.auditing import note
from portal.views.page.signing_in import signed_in_provider

blueprint = Blueprint("offering", __name__, url_prefix="/calendar/locations-and-types")

SAVED = "Saved."


@blueprint.get("")
@callers.signed_in
def index() -> ResponseReturnValue:
    return _draw({})


@blueprint.post("/locations")
@callers.owner
@once.makes_one
def add_location() -> ResponseReturnValue:
    try:
        offers.add_location(request.form.get("location", ""))
    except InvalidInput as invalid:
        return _refused(invalid)
    return _saved("location.added")


@blueprint.post("/types")
@callers.owner
@once.makes_one
def add_type() -> ResponseReturnValue:
    try:
        offers.add_type(request.form.get("type", ""), request.form.get("minutes", ""))
    except InvalidInput as invalid:
        return _refused(invalid)
    return _saved("appointment-type.added")


@blueprint.post("/locations/<int:location_id>/remove")
@callers.owner
def remove_location(location_id: int) -> ResponseReturnValue:
    offers.archive(db.session.get(Location, location_id) or abort(404), now=utcnow())
    return _saved("location.removed")


@blueprint.post("/types/<int:type_id>/remove")
@callers.owner
def remove_type(type_id: int) -> ResponseReturnValue:
    offers.archive(db.session.get(AppointmentType, type_id) or abort(404), now=utcnow())
    return _saved("appointment-type.removed")


def _refused(invalid: InvalidInput) -> ResponseReturnValue:
    db.session.rollback()
    return _draw(invalid.problems), 422


def _draw(problems: Mapping[str, str]) -> str:
    return render_template(
        "calendar/offers.html",
        locations=offers.locations(),
        types=offers.types(),
        is_owner=signed_in_provider().is_owner,
        problems=problems,
        values=request.form,
    )


def _saved(action: str) -> ResponseReturnValue:
    note(action, signed_in_provider(), now=utcnow())
    once.led_to(url_for("offering.index"), SAVED)
    db.session.commit()
    flash(SAVED, "good")
    return redirect(url_for("offering.index"), 303)
