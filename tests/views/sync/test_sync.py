"""The Sync Calendar pages: what they show in each state, and what each button does. No Google behind them."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utcnow
from portal.connection import choosing, current, grants, leftovers, switching
from portal.extensions import db
from portal.feed import addresses
from portal.models import (
    Connection,
    ConnectionPhase,
    GoogleCalendar,
    GoogleEvent,
    LoginSession,
    NameDisplay,
    OfficeHours,
    Provider,
    PushChannel,
    SyncMode,
)
from portal.practice import clients
from tests.forms import read_page
from tests.scratch_practice import NOW, PASSWORD, Browser, add_provider, in_context, make_app, make_grant

EMAIL = "wren.hale@example.com"


@dataclass
class Desk:
    """Wren at a browser, and the database behind it."""

    app: Flask
    browser: FlaskClient

    def open(self, path: str = "") -> str:
        answer = self.browser.get(f"/calendar/sync{path}")
        assert answer.status_code == 200, answer.headers.get("Location")
        return answer.text

    def press(self, path: str = "", **form: str) -> tuple[int, str]:
        """Submit a form; gives back the status and where it leads."""
        answer = self.browser.post(f"/calendar/sync{path}", data=form)
        return answer.status_code, answer.headers.get("Location", answer.text)

    def change(self, act: Callable[[Provider], object]) -> Any:
        """Act on the database, as the provider, and commit."""
        with in_context(self.app):
            provider = db.session.scalars(sa.select(Provider).where(Provider.email == EMAIL)).one()
            found = act(provider)
            db.session.commit()
            return found

    @property
    def state(self) -> tuple[str, str]:
        """Mode and state, as the main element tells them."""
        found = re.search(r'<main[^>]* data-mode="([^"]*)" data-state="([^"]*)"', self.open())
        assert found
        return found[1], found[2]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    app = make_app(tmp_path)
    with in_context(app):
        clients.add_client(add_provider(EMAIL), "Testa Canaryname", now=NOW)
        db.session.commit()
    yield Desk(app, Browser(app.test_client()).sign_in(EMAIL).client)
    with in_context(app):
        pass


def connected(provider: Provider) -> Connection:
    """Consent given, one calendar offered."""
    now = utcnow()
    connection = grants.accept_grant(provider, make_grant(email="wren@example.com"), now=now)
    for name, why_not in (("Wren Hale", None), ("Headway", "shared-read-only")):
        db.session.add(
            GoogleCalendar(
                connection_id=connection.id,
                calendar_id="primary" if why_not is None else "headway",
                summary=name,
                access_role="owner",
                is_primary=why_not is None,
                why_not=why_not,
                listed_at=now,
            )
        )
    connection.calendars_listed_at = now
    db.session.flush()
    return connection


def active(provider: Provider) -> Connection:
    connection = connected(provider)
    primary = choosing.offered_calendars(connection)[0]
    choosing.choose(connection, [primary.id], now=utcnow())
    switching.begin_first_sync(connection, now=utcnow())
    connection.phase = ConnectionPhase.ACTIVE
    connection.app_calendar_id = "app@group.calendar.google.com"
    connection.last_pushed_at = connection.last_pulled_at = utcnow() - dt.timedelta(minutes=2)
    connection.next_check_at = utcnow() + dt.timedelta(seconds=55)
    connection.handled = connection.requested
    return connection


def put_own_event_into_our_calendar(provider: Provider) -> None:
    connection = current.live_connection(provider)
    ours = GoogleCalendar(
        connection_id=connection.id,
        calendar_id=connection.app_calendar_id,
        summary="Lockstep",
        access_role="owner",
        is_app_calendar=True,
        listed_at=NOW,
    )
    db.session.add(ours)
    db.session.flush()
    event = GoogleEvent(google_calendar_id=ours.id, event_id="by-hand", etag='"1"', generation=1)
    event.status, event.summary = "confirmed", "By hand"
    db.session.add(event)


def in_trouble(problem: str) -> Callable[[Provider], Connection]:
    def make(provider: Provider) -> Connection:
        connection = active(provider)
        connection.problem, connection.problem_since = problem, utcnow() - dt.timedelta(hours=17)
        return connection

    return make


def sign_in_long_ago(desk: Desk) -> None:
    desk.change(
        lambda _: db.session.execute(
            sa.update(LoginSession).values(authenticated_at=utcnow() - dt.timedelta(minutes=31))
        )
    )


# States


def test_at_first_everything_is_off_and_three_modes_are_offered(desk: Desk) -> None:
    page = desk.open()
    assert desk.state == ("off", "off")
    assert "<h1>Sync Calendar</h1>" in page
    assert "How would you like to sync your calendar?" in page
    assert re.findall(r'type="radio"[^>]*aria-label="([^"]*)"', page) == [
        "Off",
        "One-Way Sync",
        "Two-Way Sync with Google",
    ]
    assert re.findall(r"<option[^>]*>([^<]*)</option>", page) == [
        "Internal ID",
        "Initials",
        "First name",
        "Full name",
    ]


def test_every_way_of_showing_a_name_is_shown_for_a_client_of_ones_own(desk: Desk) -> None:
    page = desk.open("/names")
    for shown in ("1001", "T.C.", "Testa", "Testa Canaryname"):
        assert f"<dd>{shown}</dd>" in page


@pytest.mark.parametrize(
    ("make", "state", "words", "button"),
    [
        (active, "active", "Two-Way Sync with Google is active", "Sync now"),
        (in_trouble("delayed"), "delayed", "Sync is delayed", "Sync now"),
        (in_trouble("reconnect-required"), "reconnect-required", "Nothing was deleted", "Reconnect"),
        (in_trouble("scope-missing"), "reconnect-required", "left unticked", "Reconnect"),
        (in_trouble("calendar-missing"), "calendar-missing", "No appointment was canceled", "Create again"),
        (
            in_trouble("calendar-out-of-reach"),
            "calendar-out-of-reach",
            "still in your account",
            "Create again",
        ),
        (in_trouble("question"), "question", "unusually large change", "Turn off"),
    ],
)
def test_each_state_has_its_words_and_its_button(
    desk: Desk, make: Callable[[Provider], Connection], state: str, words: str, button: str
) -> None:
    desk.change(make)
    assert desk.state == ("two-way", state)
    page = desk.open()
    assert words in page
    assert f"{button}</button>" in page
    assert "Connected as wren@example.com" in page


def test_the_first_sync_shows_progress_and_asks_for_nothing(desk: Desk) -> None:
    def begin(provider: Provider) -> None:
        connection = active(provider)
        connection.phase = ConnectionPhase.FIRST_SYNC
        connection.progress_done, connection.progress_total = 132, 540

    desk.change(begin)
    page = desk.open()
    assert desk.state == ("two-way", "first-sync")
    assert '<progress max="540" value="132"' in page
    assert "Cancel</button>" in page
    assert "Continue</button>" not in page


def test_the_waiting_page_polls_and_is_drawn_anew_when_the_state_changed(desk: Desk) -> None:
    desk.change(lambda provider: setattr(active(provider), "phase", ConnectionPhase.FIRST_SYNC))
    assert 'hx-trigger="load delay:2s"' in desk.open("/status?state=first-sync")
    desk.change(lambda provider: setattr(current.live_connection(provider), "phase", ConnectionPhase.ACTIVE))
    answer = desk.browser.get("/calendar/sync/status?state=first-sync")
    assert answer.headers["HX-Refresh"] == "true"
    assert "hx-trigger" not in desk.open("/status?state=active"), "nothing is under way any more"


def test_two_way_is_not_offered_without_a_google_client(tmp_path: Path) -> None:
    app = make_app(tmp_path, GOOGLE_CLIENT_ID="")
    with in_context(app):
        add_provider(EMAIL)
    page = Desk(app, Browser(app.test_client()).sign_in(EMAIL).client).open()
    assert re.search(r'value="two-way"[^>]* disabled', page)
    with in_context(app):
        pass


# Modes and names


def test_one_way_shows_the_feed_url_and_off_takes_it_away(desk: Desk) -> None:
    assert desk.press(mode="one-way", display="internal-id") == (303, "/calendar/sync")
    assert desk.state == ("one-way", "one-way")
    token = desk.change(addresses.live_feed).token
    page = read_page(desk.open())
    (field,) = [each for each in page.find("input") if each["id"] == "feed-url"]
    assert "readonly" in field
    assert field["value"] == f"http://127.0.0.1:5000/feeds/{token}/calendar.ics"
    desk.press(mode="off", display="internal-id")
    assert desk.state == ("off", "off")
    assert desk.change(addresses.live_feed) is None


def test_more_than_an_internal_id_is_saved_only_with_the_tick(desk: Desk) -> None:
    status, page = desk.press(mode="one-way", display="full-name")
    assert status == 422
    assert "Tick the confirmation" in page
    assert desk.state == ("off", "off"), "neither the names nor the mode"
    assert desk.press(mode="one-way", display="full-name", confirmed="1")[0] == 303
    assert desk.change(lambda provider: provider.name_display) is NameDisplay.FULL_NAME


def test_two_way_leads_into_the_wizard_and_leaves_the_mode_alone(desk: Desk) -> None:
    desk.press(mode="one-way", display="internal-id")
    status, target = desk.press(mode="two-way", display="initials")
    assert (status, target) == (303, "/calendar/sync/names?display=initials")
    assert '<option value="initials" selected>' in desk.open("/names?display=initials")
    assert desk.press("/names", display="initials", confirmed="1") == (303, "/calendar/sync/connect")
    assert desk.state == ("one-way", "one-way")


def test_leaving_two_way_by_the_choice_of_mode_leads_to_what_goes(desk: Desk) -> None:
    desk.change(active)
    assert desk.press(mode="one-way", display="internal-id") == (303, "/calendar/sync/turn-off?to=one-way")
    assert desk.state == ("two-way", "active")


def test_a_link_that_shows_names_needs_a_tick_of_its_own(desk: Desk) -> None:
    def make(provider: Provider) -> None:
        active(provider)
        clients.change_display(
            provider, NameDisplay.INITIALS, confirmed=True, sends_other_titles=False, now=utcnow()
        )

    desk.change(make)
    assert desk.press("/turn-off", to="one-way")[0] == 422
    assert desk.state == ("two-way", "active")
    assert desk.press("/turn-off", to="one-way", confirmed="1")[0] == 303
    assert desk.change(current.live_connection).removal["goal"] == "one-way"


def test_turning_off_asks_for_no_tick(desk: Desk) -> None:
    desk.press(mode="one-way", display="initials", confirmed="1")
    assert desk.press(mode="off", display="initials")[0] == 303
    assert desk.state == ("off", "off")
    assert desk.press(mode="one-way", display="initials")[0] == 422, "on again, asked again"


def test_the_feed_clock_stands_beside_the_feed_url(desk: Desk) -> None:
    desk.press(mode="one-way", display="internal-id")
    assert "Nobody has read your feed yet" in desk.open()
    token = desk.change(addresses.live_feed).token
    headers = {"User-Agent": "Google-Calendar-Importer"}
    desk.app.test_client().get(f"/feeds/{token}/calendar.ics", headers=headers)
    page = desk.open()
    assert "Google Calendar has read your feed once" in page
    assert 'aria-label="Feed clock: last read 0 min ago"' in page


def test_names_can_be_changed_while_two_way_runs(desk: Desk) -> None:
    desk.change(active)
    assert desk.press(mode="two-way", display="initials", confirmed="1")[0] == 303
    assert desk.change(lambda provider: provider.name_display) is NameDisplay.INITIALS


# The wizard


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("account-in-use", "already connected to another provider"),
        ("another-account", "another Google account than the one"),
        ("consent-refused", "You said no"),
        ("google-CalendarUnavailable", "could not be reached"),
        ("scope-missing&missing=calendar.app.created", "make a calendar of its own"),
    ],
)
def test_a_refusal_is_told_in_words_with_the_next_step(desk: Desk, code: str, words: str) -> None:
    page = desk.open(f"/connect?problem={code}")
    assert words in page
    assert "Connect Google account</button>" in page


def test_google_out_of_reach_leaves_the_provider_where_they_were(desk: Desk) -> None:
    status, target = desk.press("/google/connect")
    assert (status, target) == (303, "/calendar/sync/connect?problem=google-CalendarUnavailable")


def test_an_answer_from_google_that_nobody_asked_for_is_refused(desk: Desk) -> None:
    answer = desk.browser.get("/calendar/sync/google/callback?state=forged&code=stolen")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/calendar/sync/connect?problem=consent-mismatch"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert desk.change(current.live_connection) is None


def test_a_second_tabs_consent_says_that_it_is_connected_and_goes_on_to_choosing(desk: Desk) -> None:
    """The first tab's answer used up what both were asked with."""
    desk.change(connected)
    answer = desk.browser.get("/calendar/sync/google/callback?state=used-up&code=late")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/calendar/sync/calendars")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Your Google account is connected already." in desk.open("/calendars")


def test_one_that_comes_while_the_grant_is_gone_still_asks_for_another(desk: Desk) -> None:
    desk.change(in_trouble("reconnect-required"))
    answer = desk.browser.get("/calendar/sync/google/callback?state=used-up&code=late")
    assert answer.headers["Location"] == "/calendar/sync/connect?problem=consent-mismatch"


def test_calendars_are_named_as_in_google_and_locked_ones_say_why(desk: Desk) -> None:
    desk.change(connected)
    page = desk.open("/calendars")
    assert re.search(r'<input type="checkbox" name="calendar"[^>]*\schecked\s+aria-label="Wren Hale"', page)
    found = re.search(r'disabled aria-label="Headway" aria-describedby="([^"]*)"', page)
    assert found
    assert f'<p id="{found[1]}">Shared with you as read-only.</p>' in page
    assert re.search(r'<main[^>]* data-state="choosing"', page)


def test_the_wizard_runs_from_calendars_to_the_first_sync(desk: Desk) -> None:
    desk.change(connected)
    chosen = desk.change(lambda p: choosing.calendars(current.live_connection(p))[0].id)  # type: ignore[arg-type]
    assert desk.press("/calendars", calendar=str(chosen)) == (303, "/calendar/sync/preview")
    assert "Wren Hale" in desk.open("/preview")
    assert desk.state == ("off", "preview")
    assert desk.press("/preview") == (303, "/calendar/sync")
    assert desk.state == ("two-way", "first-sync")
    assert desk.press("/preview") == (303, "/calendar/sync"), "pressed twice, begun once"


def test_a_calendar_that_is_locked_cannot_be_slipped_in(desk: Desk) -> None:
    desk.change(connected)
    locked = desk.change(
        lambda _: db.session.scalars(
            sa.select(GoogleCalendar.id).where(GoogleCalendar.why_not.is_not(None))
        ).one()
    )
    assert desk.press("/calendars", calendar=str(locked))[0] == 422
    assert desk.state[1] == "choosing"


@pytest.mark.parametrize(
    ("path", "target"),
    [("/calendars", "/calendar/sync/connect"), ("/preview", "/calendar/sync")],
)
def test_a_step_out_of_turn_leads_back(desk: Desk, path: str, target: str) -> None:
    answer = desk.browser.get(f"/calendar/sync{path}")
    assert (answer.status_code, answer.headers["Location"]) == (303, target)


def test_cancelling_the_wizard_gives_the_grant_back_and_keeps_the_mode(desk: Desk) -> None:
    desk.press(mode="one-way", display="internal-id")
    desk.change(connected)
    assert desk.press("/cancel") == (303, "/calendar/sync")
    removal = desk.change(current.live_connection).removal
    assert removal["goal"] == "keep"
    assert desk.change(lambda provider: provider.sync_mode) is SyncMode.ONE_WAY


# How many entries would come in


def number(desk: Desk, *counts: int | None) -> list[int]:
    """Give the first calendars these counts; further ones are added, and every one's row id is given back."""

    def count(provider: Provider) -> list[int]:
        connection = current.live_connection(provider)
        assert connection
        rows = [row for row in choosing.offered_calendars(connection) if row.why_not is None]
        for place, entries in enumerate(counts):
            if place == len(rows):
                rows.append(
                    GoogleCalendar(
                        connection_id=connection.id,
                        calendar_id=f"calendar-{place}",
                        summary=f"Calendar {place}",
                        access_role="owner",
                        listed_at=connection.calendars_listed_at,
                    )
                )
                db.session.add(rows[place])
            rows[place].entries = entries
        db.session.flush()
        return [row.id for row in rows]

    found: list[int] = desk.change(count)
    return found


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (214, "214 entries"),
        (1, "1 entry"),
        (0, "No entries"),
        (choosing.MOST_COUNTED, "2,500 entries"),
        (choosing.MOST_COUNTED + 1, "More than 2,500 entries"),
    ],
)
def test_a_calendar_says_how_many_entries_it_would_bring(desk: Desk, count: int, words: str) -> None:
    desk.change(connected)
    (row,) = number(desk, count)
    page = desk.open("/calendars")
    assert f'<span class="num" id="n-{row}">{words}</span>' in page
    assert f'aria-describedby="p-{row} n-{row}"' in page, "it is read out with the calendar"
    assert "Counts run from 90 days ago to 400 days ahead, each date of a series by itself." in page


def test_a_calendar_that_was_not_counted_says_no_number(desk: Desk) -> None:
    desk.change(connected)
    (row,) = number(desk, None)
    page = desk.open("/calendars")
    assert 'class="num' not in page
    assert f'aria-describedby="p-{row}"' in page


def test_the_sum_beside_the_buttons_is_of_what_is_ticked(desk: Desk) -> None:
    desk.change(connected)
    first, second, _ = number(desk, 214, 61, 18)
    assert '<span class="num sum">1 calendar, 214 entries</span>' in desk.open("/calendars")
    desk.browser.post("/calendar/sync/calendars", data={"calendar": [str(first), str(second)]})
    assert '<span class="num sum">2 calendars, 275 entries</span>' in desk.open("/calendars")


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((214, 61), "275 <small>entries from Wren Hale, Calendar 1</small>"),
        ((1,), "1 <small>entry from Wren Hale</small>"),
        ((0,), "0 <small>entries from Wren Hale</small>"),
        ((2501, 61), "More than 2,561 <small>entries from Wren Hale, Calendar 1</small>"),
    ],
)
def test_the_preview_says_how_much_comes_in(desk: Desk, counts: tuple[int, ...], words: str) -> None:
    desk.change(connected)
    chosen = [str(row) for row in number(desk, *counts)]
    desk.browser.post("/calendar/sync/calendars", data={"calendar": chosen})
    assert f'<p class="big num">{words}</p>' in desk.open("/preview")


def test_the_preview_gives_no_number_unless_every_calendar_was_counted(desk: Desk) -> None:
    desk.change(connected)
    chosen = [str(row) for row in number(desk, 214, None)]
    desk.browser.post("/calendar/sync/calendars", data={"calendar": chosen})
    page = desk.open("/preview")
    assert "Events of <strong>Wren Hale, Calendar 1</strong> block your time here" in page
    assert page.count('class="big num"') == 1, "only that of the appointments"


def test_skip_sends_only_appointments_whatever_is_ticked(desk: Desk) -> None:
    desk.change(connected)
    (row,) = number(desk, 214)
    assert 'name="skip" value="1">Skip, only send appointments</button>' in desk.open("/calendars")
    assert desk.press("/calendars", calendar=str(row), skip="1") == (303, "/calendar/sync/preview")
    assert "No calendar is ticked: nothing is read from Google." in desk.open("/preview")


def test_while_it_runs_nothing_is_skipped(desk: Desk) -> None:
    desk.change(active)
    (row,) = number(desk, 214)
    assert "Skip, only send" not in desk.open("/calendars")
    desk.press("/calendars", calendar=str(row), skip="1")
    assert desk.change(lambda _: db.session.get_one(GoogleCalendar, row).is_chosen)


@pytest.mark.parametrize(
    ("why_not", "link"),
    [
        ("shared-read-only", ("Show me how, for Headway", "/help/other-ehr")),
        ("shared-to-edit", ("Show me how, for Headway", "/help/other-ehr")),
        ("subscription", ("Show me how, for Headway", "/help/other-ehr")),
        ("own-feed", ("Show me how, for Headway", "/help/old-feed")),
        ("holidays", ("Office hours, instead of Headway", "/settings#office-hours")),
        ("room", None),
        ("app-calendar", None),
        ("unreadable", None),
    ],
)
def test_what_cannot_be_chosen_leads_to_what_can_be_done(
    desk: Desk, why_not: str, link: tuple[str, str] | None
) -> None:
    desk.change(connected)

    def lock(_: Provider) -> None:
        db.session.scalars(sa.select(GoogleCalendar).filter_by(calendar_id="headway")).one().why_not = why_not

    desk.change(lock)
    found = re.findall(r'class="remedy".*?<a href="([^"]*)" aria-label="([^"]*)"', desk.open("/calendars"))
    assert found == ([] if link is None else [(link[1], link[0])])
    for address, _ in found:
        assert desk.browser.get(address).status_code == 200


# While it runs, and leaving


def test_sync_now_asks_for_a_run(desk: Desk) -> None:
    desk.change(active)
    assert desk.press("/now") == (303, "/calendar/sync")
    connection = desk.change(current.live_connection)
    assert connection.requested > connection.handled


def test_out_of_touch_the_page_tells_of_google_only_what_was(desk: Desk) -> None:
    desk.change(in_trouble("calendar-missing"))
    assert "were in Google at the last look" in desk.open()


def test_while_a_question_is_open_nothing_is_promised(desk: Desk) -> None:
    desk.change(in_trouble("question"))
    page = desk.open()
    assert "Waits for you" in page
    assert "goes out at once" not in page


def test_clearing_up_that_met_trouble_can_be_tried_again_at_once(desk: Desk) -> None:
    desk.change(active)
    desk.press("/turn-off")
    assert "Try again now</button>" not in desk.open(), "it has only begun"
    assert re.findall(r'<li class="phase ([a-z-]+)">', desk.open()) == ["is-now", "is-next", "is-next"]

    def fail(provider: Provider) -> None:
        connection = current.live_connection(provider)
        assert connection
        connection.failures, connection.retry_at = 3, utcnow() + dt.timedelta(minutes=9)

    desk.change(fail)
    assert "Try again now</button>" in desk.open()
    assert desk.press("/now") == (303, "/calendar/sync")
    assert desk.change(current.live_connection).retry_at is None


@pytest.mark.parametrize(("path", "goal"), [("/turn-off", "off"), ("/start-over", "start-over")])
def test_leaving_first_lists_what_goes_and_what_stays(desk: Desk, path: str, goal: str) -> None:
    desk.change(active)
    page = desk.open(path)
    assert "Goes" in page and "Stays" in page
    assert "Your appointments here, with their history" in page
    assert desk.state == ("two-way", "active"), "looking changes nothing"
    assert desk.press(path) == (303, "/calendar/sync")
    assert desk.state == ("two-way", "removing")
    assert desk.change(current.live_connection).removal["goal"] == goal


def test_what_may_stay_or_go_with_the_calendar_is_asked_with_a_count(desk: Desk) -> None:
    desk.change(active)
    assert "Delete the whole calendar" not in desk.open("/turn-off")
    assert "Leave our events in Google" not in desk.open("/turn-off?to=one-way")
    desk.change(put_own_event_into_our_calendar)
    assert "and with it 1 event of your own" in desk.open("/turn-off")
    desk.press("/turn-off", own="1", keep="1")
    removal = desk.change(current.live_connection).removal
    assert (removal["own_to_delete"], removal["keep_events"]) == (1, True)


@pytest.mark.parametrize("own", ["all", "-1", "9" * 30, ""])
def test_a_count_that_the_page_never_named_lets_nothing_go(desk: Desk, own: str) -> None:
    desk.change(active)
    desk.press("/turn-off", own=own)
    removal = desk.change(current.live_connection).removal
    assert (removal["own_to_delete"], removal["keep_events"]) == (0, False)


def test_turning_one_way_off_is_done_at_once(desk: Desk) -> None:
    desk.press(mode="one-way", display="internal-id")
    assert "What the feed shows" in desk.open("/turn-off")
    desk.press("/turn-off")
    assert desk.state == ("off", "off")


def test_a_new_feed_url_replaces_the_old_one(desk: Desk) -> None:
    desk.press(mode="one-way", display="internal-id")
    before = desk.change(addresses.live_feed).token
    assert desk.press("/feed-url") == (303, "/calendar/sync")
    assert desk.change(addresses.live_feed).token != before


def test_the_receipt_says_what_was_taken_away(desk: Desk) -> None:
    def end(provider: Provider) -> None:
        connection = active(provider)
        switching.choose_mode(provider, SyncMode.OFF, now=utcnow())
        facts = {"calendar": "deleted", "found": 86, "imported_removed": 275, "revoked": True}
        connection.removal = {**(connection.removal or {}), **facts}
        switching.finish_removal(connection, now=utcnow())

    desk.change(end)
    page = desk.open()
    assert "86 events of ours went with it" in page
    assert "275 Google events no longer shown here" in page
    assert desk.state == ("off", "off")


@pytest.mark.parametrize("path", ["/google/connect", "/turn-off", "/start-over", "/feed-url"])
def test_half_an_hour_after_signing_in_the_password_is_asked_for(desk: Desk, path: str) -> None:
    desk.change(active)
    sign_in_long_ago(desk)
    status, target = desk.press(path)
    assert status == 303 and target.startswith("/confirm-password?next=/calendar/sync")
    assert desk.state == ("two-way", "active")
    refused = desk.browser.post(target, data={"password": "wrong"})
    assert refused.status_code == 422
    granted = desk.browser.post(target, data={"password": PASSWORD})
    assert granted.status_code == 303 and granted.headers["Location"].startswith("/calendar/sync")
    assert "confirm-password" not in desk.press(path)[1]


def test_the_password_page_leads_to_our_own_pages_only(desk: Desk) -> None:
    for target in ("https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example"):
        answer = desk.browser.post("/confirm-password", data={"password": PASSWORD, "next": target})
        assert answer.headers["Location"] == "/calendar/sync"


def test_another_provider_sees_nothing_of_it(desk: Desk) -> None:
    desk.change(active)
    with in_context(desk.app):
        add_provider("sol.ortiz@example.com", name="Sol Ortiz")
    sol = Desk(desk.app, Browser(desk.app.test_client()).sign_in("sol.ortiz@example.com").client)
    assert sol.state == ("off", "off")
    assert "wren@example.com" not in sol.open() and "Testa" not in sol.open()
    sol.press("/turn-off")
    assert desk.state == ("two-way", "active")


# Push messages


def channel(provider: Provider) -> None:
    connection = active(provider)
    calendar = choosing.calendars(connection)[0]
    db.session.add(
        PushChannel(
            connection_id=connection.id,
            google_calendar_id=calendar.id,
            channel_id="channel-1",
            secret_hash=hashlib.sha256(b"secret").hexdigest(),
            created_at=utcnow(),
        )
    )


def push(desk: Desk, channel_id: str, secret: str, state: str = "exists") -> int:
    headers = {
        "X-Goog-Channel-ID": channel_id,
        "X-Goog-Channel-Token": secret,
        "X-Goog-Resource-State": state,
    }
    return desk.app.test_client().post("/webhooks/google", headers=headers, data="ignored").status_code


def test_a_push_message_of_ours_asks_for_a_look(desk: Desk) -> None:
    desk.change(channel)
    before = desk.change(current.live_connection).requested
    assert push(desk, "channel-1", "secret", "sync") == 204
    assert desk.change(current.live_connection).requested == before
    assert push(desk, "channel-1", "secret") == 204
    assert desk.change(current.live_connection).requested == before + 1


def test_a_stranger_s_push_message_does_nothing(desk: Desk) -> None:
    desk.change(channel)
    before = desk.change(current.live_connection).requested
    assert [push(desk, "channel-2", "secret"), push(desk, "channel-1", "guess"), push(desk, "", "")] == [
        404
    ] * 3
    assert desk.change(current.live_connection).requested == before


# Settings


def test_office_hours_are_saved_and_wrong_ones_are_not(desk: Desk) -> None:
    wrong = desk.browser.post("/settings/office-hours", data={"opens-0": "17:00", "closes-0": "09:00"})
    assert wrong.status_code == 422 and "the second one later" in wrong.text
    hours = {"opens-1": "08:30", "closes-1": "12:00"}
    assert desk.browser.post("/settings/office-hours", data=hours).status_code == 303
    rows = desk.change(lambda _: db.session.execute(sa.select(OfficeHours.weekday, OfficeHours.opens)).all())
    assert [tuple(row) for row in rows] == [(1, dt.time(8, 30))]


def test_the_name_is_saved_and_an_empty_one_is_not(desk: Desk) -> None:
    assert desk.browser.post("/settings/profile", data={"name": "  "}).status_code == 422
    assert desk.browser.post("/settings/profile", data={"name": " Wren  Hale "}).status_code == 303
    assert desk.change(lambda provider: provider.name) == "Wren Hale"


# Leaving things in order


def ended_with(**removal: object) -> Callable[[Provider], Connection]:
    def make(provider: Provider) -> Connection:
        connection = active(provider)
        connection.removal = {"goal": "off", **removal}
        switching.finish_removal(connection, now=utcnow() - dt.timedelta(days=20))
        return connection

    return make


def test_what_stayed_in_google_is_told_until_the_provider_says_it_is_gone(desk: Desk) -> None:
    desk.change(ended_with(leftover="app@group.calendar.google.com"))
    page = desk.open()
    assert "Only you can delete it" in page
    assert "I deleted it in Google</button>" in page
    assert desk.press("/leftover-gone") == (303, "/calendar/sync")
    assert "Only you can delete it" not in desk.open()


def test_a_calendar_left_behind_is_told_beside_the_one_that_works(desk: Desk) -> None:
    def make(provider: Provider) -> None:
        connection = active(provider)
        connection.nonce = "0123456789abcdef"
        leftovers.leave_behind(connection)

    desk.change(make)
    page = desk.open()
    assert desk.state == ("two-way", "active")
    assert "An earlier calendar of ours is still in Google" in page
    assert "its description ends in “cdef”" in page
    assert desk.press("/leftover-gone") == (303, "/calendar/sync")
    assert "An earlier calendar" not in desk.open()


def test_the_receipt_says_that_a_closed_calendar_is_still_there(desk: Desk) -> None:
    desk.change(ended_with(calendar="out-of-reach", left_behind=["cdef"]))
    page = desk.open()
    assert "no longer in Google" not in page
    assert page.count("Only you can delete it") == 1
    assert "its description ends in “cdef”" in page


GOES = {
    "active": ("of ours in the calendar “Lockstep” in Google", None),
    "reconnect-required": ("Reconnect first, and we do", "of ours in the calendar"),
    "calendar-out-of-reach": ("only you can delete it there", "of ours in the calendar"),
    "calendar-missing": ("Anything of your own in Google", "of ours in the calendar"),
}


@pytest.mark.parametrize("problem", GOES)
@pytest.mark.parametrize("address", ["", "/turn-off", "/start-over"])
def test_what_goes_is_only_what_can_be_taken_away(desk: Desk, problem: str, address: str) -> None:
    desk.change(active if problem == "active" else in_trouble(problem))
    page = desk.open(address)
    said, never = GOES[problem]
    assert said in page
    assert never is None or never not in page


def test_start_over_says_that_the_calendar_stays_to_be_used_again(desk: Desk) -> None:
    desk.change(active)
    assert "the calendar stays, to be used again" in desk.open("/start-over")
    assert "the calendar too, if nothing of yours is in it" in desk.open("/turn-off")


def test_a_calendar_that_is_gone_is_not_offered_to_be_opened_or_kept(desk: Desk) -> None:
    desk.change(in_trouble("calendar-missing"))
    assert "deleted there" in desk.open()
    assert "Open in Google" not in desk.open()
    assert "Leave our events in Google" not in desk.open("/turn-off")


def test_stricter_names_are_counted_down(desk: Desk) -> None:
    desk.change(active)
    assert "data-old-names" not in desk.open()
    desk.change(lambda provider: setattr(current.live_connection(provider), "tightened_at", utcnow()))
    assert 'data-old-names="0"' in desk.open()


def test_the_active_page_offers_a_comparison(desk: Desk) -> None:
    desk.change(active)
    assert "Check everything now</button>" in desk.open()
    assert desk.press("/doctor/check") == (303, "/calendar/sync/doctor")
    assert "The check begins in a moment" in desk.open("/doctor")


def test_every_other_service_has_a_guide_on_the_page_of_calendars(desk: Desk) -> None:
    desk.change(connected)
    page = desk.open("/calendars")
    for slug in ("headway", "alma", "rula", "outlook", "apple", "other-ehr", "several-accounts"):
        assert f'href="/help/{slug}"' in page


def test_a_banner_on_every_page_mends_the_sync_with_one_button(desk: Desk) -> None:
    desk.change(in_trouble("reconnect-required"))
    answer = desk.browser.get("/clients")
    banner = re.search(r'<div class="banner".*?</div>', answer.text, re.S)
    assert banner
    assert 'action="/calendar/sync/google/connect"' in banner[0]
    assert "Reconnect</button>" in banner[0]
    desk.change(lambda provider: setattr(current.live_connection(provider), "problem", "calendar-missing"))
    assert "Create again</button>" in desk.browser.get("/clients").text
