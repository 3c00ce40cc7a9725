"""The calendar: month, week, day and agenda."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from portal.views import shell

blueprint = Blueprint("calendar", __name__)


@blueprint.record_once
def _register_shell(state: BlueprintSetupState) -> None:
    shell.register(state.app)


@blueprint.get("/")
def home() -> ResponseReturnValue:
    return redirect(url_for("calendar.index"), 303)


@blueprint.get("/calendar")
def index() -> ResponseReturnValue:
    return render_template("calendar/calendar.html")
