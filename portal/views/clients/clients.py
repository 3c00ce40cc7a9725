"""Clients: the list, one client's page, adding, renaming, archiving. Each read of a record is audited."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import sqlalchemy as sa
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.clock import utcnow
from portal.errors import InvalidInput
from portal.extensions import db
from portal.models import Appointment, Client
from portal.practice import clients, letters
from portal.practice.undo import Memory
from portal.views.door import callers
from portal.views.page import once
from portal.views.page.auditing import note, note_look
from portal.views.page.signing_in import signed_in_provider

blueprint = Blueprint("clients", __name__, url_prefix="/clients")

APPOINTMENTS_MOST = 100


@blueprint.get("")
@callers.signed_in
def index() -> ResponseReturnValue:
    """Names are looked for in what is sent by POST as well, so that none has to stand in an address."""
    return _draw_list("", with_archived="archived" in request.args)


@blueprint.post("/search")
@callers.signed_in
def search() -> ResponseReturnValue:
    return _draw_list(request.form.get("q", "").strip(), with_archived="archived" in request.form)


@blueprint.get("/new")
@callers.signed_in
def new() -> ResponseReturnValue:
    return render_template("clients/form.html", client=None, name="", problems={})


@blueprint.post("")
@callers.signed_in
@once.makes_one
def create() -> ResponseReturnValue:
    name, internal_id = request.form.get("name", ""), request.form.get("internal_id", "").strip()
    try:
        client = clients.add_client(signed_in_provider(), name, now=utcnow(), internal_id=internal_id or None)
    except InvalidInput as invalid:
        db.session.rollback()
        page = render_template(
            "clients/form.html",
            client=None,
            name=name,
            internal_id=internal_id,
            problems=invalid.problems,
        )
        return page, 422
    _note("client.added", client)
    words = f"Added under internal ID {client.internal_id}."
    once.led_to(url_for("clients.show", client_id=client.id), words)
    db.session.commit()
    flash(words, "good")
    return _to_page(client)


@blueprint.get("/<int:client_id>")
@callers.signed_in
def show(client_id: int) -> ResponseReturnValue:
    client = _own(client_id)
    note_look("client.read", signed_in_provider(), client, now=utcnow())
    return render_template(
        "clients/show.html",
        client=client,
        appointments=_appointments(client),
        most=APPOINTMENTS_MOST,
        zone=signed_in_provider().zone,
    )


@blueprint.get("/<int:client_id>/edit")
@callers.signed_in
def edit(client_id: int) -> ResponseReturnValue:
    return draw_edit({}, client_id)


@blueprint.post("/<int:client_id>")
@callers.signed_in
def update(client_id: int) -> ResponseReturnValue:
    client, name = _own(client_id), request.form.get("name", "")
    memory = Memory(client=client)
    try:
        clients.rename(client, name, now=utcnow())
    except InvalidInput as invalid:
        db.session.rollback()
        page = render_template(
            "clients/form.html", client=_own(client_id), name=name, problems=invalid.problems
        )
        return page, 422
    _note("client.renamed", client)
    memory.keep(client.provider, "Client renamed.", now=utcnow())
    db.session.commit()
    return _to_page(client)


@blueprint.post("/<int:client_id>/archive")
@callers.signed_in
def archive(client_id: int) -> ResponseReturnValue:
    words = "Client archived. Appointments stay as they are."
    return _act(client_id, partial(clients.archive, now=utcnow()), "archived", words)


@blueprint.post("/<int:client_id>/unarchive")
@callers.signed_in
def unarchive(client_id: int) -> ResponseReturnValue:
    return _act(client_id, clients.unarchive, "unarchived", "Client active again.")


@blueprint.post("/numbering")
@callers.owner
def set_numbering() -> ResponseReturnValue:
    """From where new clients are numbered; the practice's owner decides."""
    try:
        clients.number_from(request.form.get("next_id", ""))
    except InvalidInput as invalid:
        db.session.rollback()
        return _draw_list("", with_archived=False, problem=invalid.problems["next_id"]), 422
    note("client.numbering", signed_in_provider(), now=utcnow())
    db.session.commit()
    flash("Saved. Clients have the internal IDs they had.", "good")
    return redirect(url_for("clients.index"), 303)


def draw_new(fields: Mapping[str, str]) -> str:
    """The form of a new client, as somebody had typed it."""
    values = {name: fields.get(name, "") for name in ("name", "internal_id")}
    return render_template("clients/form.html", client=None, problems={}, **values)


def draw_edit(fields: Mapping[str, str], client_id: int) -> str:
    """The same of one who is known; with their present name unless another was typed."""
    client = _own(client_id)
    note_look("client.read", signed_in_provider(), client, now=utcnow())
    return render_template(
        "clients/form.html", client=client, name=fields.get("name", client.name), problems={}
    )


def _draw_list(text: str, *, with_archived: bool, problem: str = "") -> str:
    query = sa.select(Client).where(Client.provider_id == signed_in_provider().id)
    if not with_archived:
        query = query.where(Client.archived_at.is_(None))
    wanted = letters.folded(text)
    names = {client: letters.folded(client.name) for client in db.session.scalars(query)}
    found = [
        client
        for client, name in names.items()
        if wanted in name or wanted in letters.folded(client.internal_id)
    ]
    found.sort(key=lambda client: (names[client], client.internal_id))
    return render_template(
        "clients/index.html",
        clients=found,
        text=text,
        with_archived=with_archived,
        is_owner=signed_in_provider().is_owner,
        next_id=request.form.get("next_id") or clients.next_number(),
        problem=problem,
    )


def _own(client_id: int) -> Client:
    """Somebody else's client is as good as not there."""
    query = sa.select(Client).where(Client.id == client_id, Client.provider_id == signed_in_provider().id)
    return db.session.scalar(query) or abort(404)


def _appointments(client: Client) -> Sequence[Appointment]:
    """The latest first."""
    return db.session.scalars(
        sa.select(Appointment)
        .where(Appointment.client_id == client.id)
        .order_by(Appointment.starts_at.desc())
        .limit(APPOINTMENTS_MOST)
    ).all()


def _act(client_id: int, verb: Callable[[Client], None], name: str, words: str) -> ResponseReturnValue:
    client = _own(client_id)
    memory = Memory(client=client)
    verb(client)
    _note(f"client.{name}", client)
    memory.keep(client.provider, words, now=utcnow())
    db.session.commit()
    return _to_page(client)


def _to_page(client: Client) -> ResponseReturnValue:
    return redirect(url_for("clients.show", client_id=client.id), 303)


def _note(action: str, client: Client) -> None:
    note(action, signed_in_provider(), now=utcnow(), about=client)
