"""A database that was restored, moved or copied: the banner of every page, *Go on*, what waits for it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, request, url_for
from flask.sansio.blueprints import Blueprint as AnyBlueprint
from flask.typing import ResponseReturnValue

from portal.clock import utcnow
from portal.errors import Paused
from portal.extensions import begin_writing, db, htmx
from portal.models import Feed, Provider
from portal.rows import pausing
from portal.rows.pausing import Pause
from portal.views.door import callers
from portal.views.page import times
from portal.views.page.auditing import note
from portal.views.page.signing_in import signed_in_provider
from portal.words.sync import pausing as words

blueprint = Blueprint("pausing", __name__)

# What of the sync's own pages can be changed while paused: nothing of it needs Google
STAYS_HERE = frozenset(
    {
        *("sync.change", "sync.new_feed_url", "sync.leftover_gone", "sync.pausing.go_on"),
        *("sync.connecting.save_names", "sync.doctor.stop_check"),
    }
)


@dataclass(frozen=True, slots=True)
class Revived:
    """What a restored backup brought back, by name, for an owner to look at before going on."""

    feeds: tuple[str, ...]  # of whom a feed link is open
    people: tuple[str, ...]  # who may sign in


def register(sync: AnyBlueprint) -> None:
    """Put the door of `sync` in place, and an answer for whoever meets a request that was not sent."""
    sync.register_blueprint(blueprint)
    sync.before_request(_refuse)
    sync.app_errorhandler(Paused)(_waits)


@blueprint.app_template_global()
def is_paused() -> bool:
    """For the sign-in page: whether, and to strangers not why."""
    return pausing.is_paused()


@blueprint.app_template_global()
def why_paused(pause: Pause) -> list[str]:
    """Its causes, a sentence each."""
    made_at = pause.backup_made_at
    return words.because(
        restored=pause.restored_at is not None,
        backup_day=times.day(made_at) if made_at is not None else "",
        moved=pause.moved,
        is_copy=pause.is_copy,
    )


@blueprint.app_template_global()
def revived(pause: Pause) -> Revived | None:
    """For owners, after a restore; nobody else is told names."""
    if pause.restored_at is None or not signed_in_provider().is_owner:
        return None
    active = sa.select(Provider.name).where(Provider.deactivated_at.is_(None)).order_by(Provider.name)
    is_open = sa.select(Feed.id).where(Feed.provider_id == Provider.id, Feed.replaced_at.is_(None)).exists()
    return Revived(
        feeds=tuple(db.session.scalars(active.where(is_open))), people=tuple(db.session.scalars(active))
    )


@blueprint.post("/go-on")
@callers.owner
def go_on() -> ResponseReturnValue:
    """This is the database that counts: everything runs again. Owners only."""
    provider, now = signed_in_provider(), utcnow()
    begin_writing()
    if pausing.go_on(now=now):
        note("sync.gone-on", provider, now=now)
        db.session.commit()
        flash(words.GONE_ON, "good")
    return redirect(url_for("sync.index"), 303)


def _refuse() -> ResponseReturnValue | None:
    """Whatever would be asked of Google or of a worker is not even noted."""
    if request.method != "POST" or request.endpoint in STAYS_HERE or not pausing.is_paused():
        return None
    return _to_the_sync()


def _waits(_: Paused) -> ResponseReturnValue:
    db.session.rollback()
    return _to_the_sync()


def _to_the_sync() -> ResponseReturnValue:
    flash(words.NOTHING_SENT, "warn")
    address = url_for("sync.index")
    if htmx:
        return "", 200, {"HX-Redirect": address}
    return redirect(address, 303)
