"""What can be done with clients: add, rename, archive, choose how they appear outside. No HTTP, no commit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import sqlalchemy as sa

from portal import reading
from portal.errors import InvalidInput, Refused
from portal.extensions import db
from portal.models import (
    Appointment,
    Client,
    ClientDisplayNumber,
    Connection,
    NameDisplay,
    Practice,
    Provider,
)
from portal.models.appointments import LIVE_STATUSES
from portal.practice import letters
from portal.practice.disclosure import (
    DisplayNumbers,
    client_outside,
    display_rank,
    first_name,
    initials,
    is_stricter,
    outside_title,
)
from portal.rows import outbox

NAME_MOST_CHARACTERS = 200
INTERNAL_ID_MOST_CHARACTERS = 32


def add_client(provider: Provider, name: str, *, now: dt.datetime, internal_id: str | None = None) -> Client:
    """Add a client under the next internal ID, or under the one given. Raises InvalidInput."""
    name = _checked_name(name)
    practice = _locked_practice()
    client = Client(
        provider_id=provider.id,
        name=name,
        internal_id=_checked_id(internal_id) if internal_id else _take_next_id(practice),
        created_at=now,
    )
    db.session.add(client)
    db.session.flush()
    _give_numbers(client)
    return client


def next_number() -> int:
    """The number from which the next internal ID is taken."""
    return _practice().next_internal_id


def number_from(text: str) -> None:
    """Number new clients from here on; numbers that are taken are stepped over. Raises InvalidInput."""
    number = reading.whole_number(text, most_digits=9)
    if not number:
        raise InvalidInput({"next_id": "Give a whole number of up to nine digits."})
    _locked_practice().next_internal_id = number


def rename(client: Client, name: str, *, now: dt.datetime) -> None:
    """Change the name; when that changes what is seen outside, the client's appointments go out again."""
    name = _checked_name(name)
    _locked_practice()
    before = shown_outside(client)
    client.name = name
    _give_numbers(client)
    if shown_outside(client) == before:
        return
    _raise_revisions(Appointment.client_id == client.id, now=now)
    outbox.note_change(client.provider_id, now=now)


def archive(client: Client, *, now: dt.datetime) -> None:
    """Take the client off the lists for choosing. Their appointments stay as they are."""
    if client.archived_at is None:
        client.archived_at = now


def unarchive(client: Client) -> None:
    """Put the client back on the lists."""
    client.archived_at = None


def shown_outside(client: Client) -> str:
    """The client's name as the provider's present setting shows it outside."""
    return client_outside(
        client.provider.name_display,
        internal_id=client.internal_id,
        name=client.name,
        numbers=display_numbers(client),
    )


def display_numbers(client: Client) -> DisplayNumbers:
    """This client's numbers among those with the same initials and the same first name."""
    rows = db.session.execute(
        sa.select(ClientDisplayNumber.display, ClientDisplayNumber.text, ClientDisplayNumber.number).where(
            ClientDisplayNumber.client_id == client.id
        )
    )
    return _numbers(client.name, {(row.display, row.text): row.number for row in rows})


def numbers_by_client(provider_id: int) -> dict[int, DisplayNumbers]:
    """Every client's numbers, by client id, in one query."""
    rows = db.session.execute(
        sa.select(Client.id, Client.name, *_NUMBER_COLUMNS)
        .join(ClientDisplayNumber, ClientDisplayNumber.client_id == Client.id)
        .where(Client.provider_id == provider_id)
    )
    names: dict[int, str] = {}
    given: dict[int, dict[tuple[NameDisplay, str], int]] = {}
    for row in rows:
        names[row.id] = row.name
        given.setdefault(row.id, {})[row.display, row.text] = row.number
    return {client_id: _numbers(names[client_id], texts) for client_id, texts in given.items()}


def titles_outside(provider: Provider, appointments: Iterable[Appointment]) -> dict[int, str]:
    """What each of the provider's appointments is called outside, by appointment id, in two queries."""
    clients = db.session.execute(
        sa.select(Client.id, Client.internal_id, Client.name).where(Client.provider_id == provider.id)
    )
    names = {row.id: (row.internal_id, row.name) for row in clients}
    numbers = numbers_by_client(provider.id)
    nobody, unnumbered = (None, None), DisplayNumbers()
    titles = {}
    for appointment in appointments:
        internal_id, name = names.get(appointment.client_id or 0, nobody)
        mine = numbers.get(appointment.client_id or 0, unnumbered)
        titles[appointment.id] = outside_title(
            appointment.kind,
            provider.name_display,
            internal_id=internal_id,
            name=name,
            initials_number=mine.initials,
            first_name_number=mine.first_name,
            title=appointment.title,
            sends_other_titles=provider.sends_other_titles,
        )
    return titles


def change_display(
    provider: Provider,
    display: NameDisplay,
    *,
    confirmed: bool,
    sends_other_titles: bool,
    now: dt.datetime,
) -> bool:
    """Change how names appear outside, and send everything again. True if something changed.

    Raises InvalidInput("confirmed") when more than the internal ID is asked for without the tick, and
    Refused("consumer-account") when the connected Google account is one that no agreement covers.
    """
    check_display(provider, display, confirmed=confirmed)
    gives_more = display_rank(display) > display_rank(provider.name_display)
    if display is NameDisplay.INTERNAL_ID:
        provider.display_confirmed_at = None
    elif confirmed and (gives_more or provider.display_confirmed_at is None):
        provider.display_confirmed_at = now
    if (display, sends_other_titles) == (provider.name_display, provider.sends_other_titles):
        return False
    is_tighter = is_stricter(display, provider.name_display) or (
        provider.sends_other_titles and not sends_other_titles
    )
    provider.name_display = display
    provider.sends_other_titles = sends_other_titles
    _raise_revisions(Appointment.provider_id == provider.id, now=now)
    _stop_running_run(provider, tightened_at=now if is_tighter else None)
    outbox.note_change(provider.id, now=now)
    return True


def check_display(provider: Provider, display: NameDisplay, *, confirmed: bool) -> None:
    """Raise unless the provider may show names this way; see `change_display`."""
    if display is NameDisplay.INTERNAL_ID:
        return
    if not confirmed:
        raise InvalidInput({"confirmed": "Tick the confirmation, or choose Internal ID."})
    if _has_consumer_account(provider) and not _practice().hipaa_does_not_apply:
        raise Refused("consumer-account")


_NUMBER_COLUMNS = (ClientDisplayNumber.display, ClientDisplayNumber.text, ClientDisplayNumber.number)


def _numbers(name: str, given: dict[tuple[NameDisplay, str], int]) -> DisplayNumbers:
    return DisplayNumbers(
        initials=given.get((NameDisplay.INITIALS, initials(name)), 1),
        first_name=given.get((NameDisplay.FIRST_NAME, first_name(name)), 1),
    )


def _give_numbers(client: Client) -> None:
    """Number the client among those of the same text. A number given for a text earlier is kept for good."""
    for display, text in (
        (NameDisplay.INITIALS, initials(client.name)),
        (NameDisplay.FIRST_NAME, first_name(client.name)),
    ):
        mine = sa.select(ClientDisplayNumber.id).where(
            ClientDisplayNumber.client_id == client.id,
            ClientDisplayNumber.display == display,
            ClientDisplayNumber.text == text,
        )
        if db.session.scalar(mine) is None:
            db.session.add(
                ClientDisplayNumber(
                    provider_id=client.provider_id,
                    client_id=client.id,
                    display=display,
                    text=text,
                    number=_next_number(client.provider_id, display, text),
                )
            )
    db.session.flush()


def _next_number(provider_id: int, display: NameDisplay, text: str) -> int:
    highest = db.session.scalar(
        sa.select(sa.func.max(ClientDisplayNumber.number)).where(
            ClientDisplayNumber.provider_id == provider_id,
            ClientDisplayNumber.display == display,
            ClientDisplayNumber.text == text,
        )
    )
    return (highest or 0) + 1


def _practice() -> Practice:
    return db.session.scalars(sa.select(Practice)).one()


def _locked_practice() -> Practice:
    """The practice's row, locked, so that two clients added at once cannot get one number between them."""
    return db.session.scalars(
        sa.select(Practice).with_for_update().execution_options(populate_existing=True)
    ).one()


def _take_next_id(practice: Practice) -> str:
    """The next internal ID that nobody has; IDs that were given by hand are stepped over."""
    while True:
        candidate = str(practice.next_internal_id)
        practice.next_internal_id += 1
        if not _id_is_taken(candidate):
            return candidate


def _id_is_taken(internal_id: str) -> bool:
    return db.session.scalar(sa.select(Client.id).where(Client.internal_id == internal_id)) is not None


def _checked_id(internal_id: str) -> str:
    text = internal_id.strip()
    if problem := letters.problem_of(text):
        raise InvalidInput({"internal_id": problem})
    if letters.is_blank(text) or len(text) > INTERNAL_ID_MOST_CHARACTERS:
        raise InvalidInput({"internal_id": f"Use 1 to {INTERNAL_ID_MOST_CHARACTERS} characters."})
    if _id_is_taken(text):
        raise InvalidInput({"internal_id": "Another client has this internal ID."})
    return text


def _checked_name(name: str) -> str:
    if problem := letters.problem_of(name):
        raise InvalidInput({"name": problem})
    text = letters.one_line(name)
    if letters.is_blank(text) or len(text) > NAME_MOST_CHARACTERS:
        raise InvalidInput({"name": f"Give a name of 1 to {NAME_MOST_CHARACTERS} characters."})
    return text


def _raise_revisions(whose: sa.ColumnElement[bool], *, now: dt.datetime) -> None:
    """Make every live appointment of these go out again. Others rise when they are reinstated."""
    db.session.flush()
    db.session.execute(
        sa.update(Appointment)
        .where(whose, Appointment.archived_at.is_(None), Appointment.status.in_(LIVE_STATUSES))
        .values(revision=Appointment.revision + 1, updated_at=now)
        .execution_options(synchronize_session="fetch")
    )


def _stop_running_run(provider: Provider, *, tightened_at: dt.datetime | None) -> None:
    """Raise the fencing number, so that a run that gathered old names commits nothing more of them.

    `tightened_at`: names become stricter, so what shows too much goes out ahead of everything else.
    """
    values: dict[str, object] = {"fencing": Connection.fencing + 1}
    if tightened_at is not None:
        values["tightened_at"] = tightened_at
    db.session.execute(
        sa.update(Connection)
        .where(Connection.provider_id == provider.id, Connection.ended_at.is_(None))
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _has_consumer_account(provider: Provider) -> bool:
    """Whether a Google account without a hosted domain is connected; no agreement with Google covers one."""
    return (
        db.session.scalar(
            sa.select(Connection.id).where(
                Connection.provider_id == provider.id,
                Connection.ended_at.is_(None),
                Connection.hosted_domain.is_(None),
            )
        )
        is not None
    )
