"""Clients: their numbers, and what a new name or another way of showing it sends out again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.connection import grants
from portal.errors import InvalidInput, Refused
from portal.extensions import db
from portal.models import AppointmentStatus, Connection, NameDisplay, Practice, Provider
from portal.practice import clients
from portal.practice.disclosure import DisplayNumbers
from tests.scratch_practice import NOW, add_provider, book, in_context, make_app, make_grant

LATER = NOW + dt.timedelta(hours=1)


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with in_context(make_app(tmp_path)):
        yield add_provider()


def show(provider: Provider, display: NameDisplay, *, confirmed: bool = True, sends: bool = False) -> bool:
    return clients.change_display(provider, display, confirmed=confirmed, sends_other_titles=sends, now=LATER)


def test_internal_ids_count_up_and_step_over_those_given_by_hand(provider: Provider) -> None:
    clients.add_client(provider, "By Hand", now=NOW, internal_id="1002")
    made = [clients.add_client(provider, "Jane Smith", now=NOW).internal_id for _ in range(3)]
    assert made == ["1001", "1003", "1004"]


def test_an_internal_id_is_nobody_elses(provider: Provider) -> None:
    clients.add_client(provider, "Jane Smith", now=NOW, internal_id="A-7")
    with pytest.raises(InvalidInput) as caught:
        clients.add_client(provider, "John Doe", now=NOW, internal_id="A-7")
    assert list(caught.value.problems) == ["internal_id"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "Jane\x00Smith"])
def test_a_name_has_letters_and_an_end(provider: Provider, name: str) -> None:
    with pytest.raises(InvalidInput):
        clients.add_client(provider, name, now=NOW)


def test_clashing_initials_and_first_names_are_numbered_by_age(provider: Provider) -> None:
    jane = clients.add_client(provider, "Jane Smith", now=NOW)
    joan = clients.add_client(provider, "Joan Sutter", now=NOW)
    other_jane = clients.add_client(provider, "Jane Doe", now=NOW)
    assert clients.numbers_by_client(provider.id) == {
        jane.id: DisplayNumbers(1, 1),
        joan.id: DisplayNumbers(2, 1),
        other_jane.id: DisplayNumbers(1, 2),
    }


def test_a_number_once_given_never_changes(provider: Provider) -> None:
    jane = clients.add_client(provider, "Jane Smith", now=NOW)
    joan = clients.add_client(provider, "Joan Sutter", now=NOW)
    clients.rename(jane, "Zoe Adams", now=LATER)
    assert clients.display_numbers(joan).initials == 2
    assert clients.display_numbers(clients.add_client(provider, "Jim Sosa", now=NOW)).initials == 3
    clients.rename(jane, "Jane Smith", now=LATER)
    assert clients.display_numbers(jane).initials == 1


def test_another_provider_counts_for_themselves(provider: Provider) -> None:
    clients.add_client(provider, "Jane Smith", now=NOW)
    sol = add_provider("sol.ortiz@example.com", name="Sol Ortiz")
    assert clients.display_numbers(clients.add_client(sol, "Joan Sutter", now=NOW)).initials == 1


def test_a_new_name_goes_out_only_where_it_shows(provider: Provider) -> None:
    client = clients.add_client(provider, "Jane Smith", now=NOW)
    appointment = book(provider, client)
    clients.rename(client, "Jane Stone", now=LATER)
    assert appointment.revision == 1, "Internal ID shows nothing of the name"
    show(provider, NameDisplay.INITIALS)
    before = appointment.revision
    clients.rename(client, "Joan Sutter", now=LATER)
    assert appointment.revision == before, "the initials stayed"
    clients.rename(client, "Joan Rivers", now=LATER)
    assert (appointment.revision, appointment.updated_at) == (before + 1, LATER)


def test_another_display_sends_live_appointments_again_and_no_others(provider: Provider) -> None:
    client = clients.add_client(provider, "Jane Smith", now=NOW)
    live = book(provider, client)
    canceled = book(provider, client, status=AppointmentStatus.CANCELED)
    archived = book(provider, client, archived_at=NOW)
    assert show(provider, NameDisplay.FULL_NAME)
    assert (live.revision, canceled.revision, archived.revision) == (2, 1, 1)
    assert not show(provider, NameDisplay.FULL_NAME), "nothing changed"
    assert live.revision == 2


def test_another_display_stops_the_run_under_way_and_asks_for_a_new_one(provider: Provider) -> None:
    connection = grants.accept_grant(provider, make_grant(), now=NOW)
    fencing, requested = connection.fencing, connection.requested
    show(provider, NameDisplay.INITIALS)
    db.session.expire_all()
    assert (connection.fencing, connection.requested) == (fencing + 1, requested + 1)


@pytest.mark.parametrize("display", [NameDisplay.INITIALS, NameDisplay.FIRST_NAME, NameDisplay.FULL_NAME])
def test_more_than_an_internal_id_needs_the_tick(provider: Provider, display: NameDisplay) -> None:
    with pytest.raises(InvalidInput):
        show(provider, display, confirmed=False)
    assert provider.name_display is NameDisplay.INTERNAL_ID
    show(provider, display)
    assert provider.display_confirmed_at == LATER
    show(provider, NameDisplay.INTERNAL_ID, confirmed=False)
    assert provider.display_confirmed_at is None


def test_a_private_google_account_gets_internal_ids_only(provider: Provider) -> None:
    grants.accept_grant(provider, make_grant(hosted_domain=None), now=NOW)
    with pytest.raises(Refused, match="consumer-account"):
        show(provider, NameDisplay.INITIALS)
    db.session.scalars(sa.select(Practice)).one().hipaa_does_not_apply = True
    assert show(provider, NameDisplay.INITIALS)


def test_an_account_that_is_no_longer_connected_forbids_nothing(provider: Provider) -> None:
    connection = grants.accept_grant(provider, make_grant(hosted_domain=None), now=NOW)
    connection.ended_at = NOW
    db.session.flush()
    assert db.session.scalar(sa.select(sa.func.count(Connection.id))) == 1
    assert show(provider, NameDisplay.INITIALS)


def test_titles_of_many_appointments_take_two_queries(provider: Provider) -> None:
    show(provider, NameDisplay.INITIALS, sends=True)
    people = [clients.add_client(provider, name, now=NOW) for name in ("Jane Smith", "Joan Sutter")]
    booked = [book(provider, person) for person in people * 5] + [book(provider, title="Lunch")]
    statements: list[str] = []
    listener = lambda *arguments: statements.append(arguments[2])  # noqa: E731
    sa.event.listen(db.engine, "before_cursor_execute", listener)
    titles = clients.titles_outside(provider, booked)
    assert [titles[each.id] for each in booked] == ["J.S.", "J.S. 2"] * 5 + ["Lunch"]
    assert len([text for text in statements if text.startswith("SELECT")]) == 2


def test_an_archived_client_can_come_back(provider: Provider) -> None:
    client = clients.add_client(provider, "Jane Smith", now=NOW)
    clients.archive(client, now=NOW)
    clients.archive(client, now=LATER)
    assert client.archived_at == NOW
    clients.unarchive(client)
    assert client.archived_at is None
