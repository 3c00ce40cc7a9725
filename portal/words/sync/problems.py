"""What went wrong in the wizard or at Google, told from its code, with what to do about it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Problem:
    """A paragraph; after it, where there is something to list, the points and a second paragraph."""

    said: str
    points: tuple[str, ...] = ()
    then: str = ""


SCOPES = {  # what each of Google's permissions is for
    "calendar.app.created": "make a calendar of its own and write your appointments into it",
    "calendar.calendarlist.readonly": "see the list of your calendars",
    "calendar.events.owned.readonly": "read the events of calendars you own",
}
SCOPE_MISSING = Problem(
    "Google did not give every permission, because a box on its page was left unticked:",
    then="Connect again and tick every box. Nothing was stored.",
)
WAIT = Problem("Google asks us to wait a little. Try again in a minute.")
NOT_READABLE = Problem(
    "Google does not let us read this calendar any more. Look at your calendars and choose again."
)

PROBLEMS: Mapping[str, Problem] = {
    "unconfirmed": Problem(
        "More than an internal ID identifies a client. Tick the confirmation below, or choose Internal ID."
    ),
    "consumer-account": Problem(
        "This is a private Google account. No agreement (BAA) with Google covers one, so client names can "
        "only appear as Internal ID there. Choose Internal ID, or connect an account of your practice."
    ),
    "scope-missing": SCOPE_MISSING,
    "account-in-use": Problem(
        "This Google account is already connected to another provider of this practice. Shared, each of you "
        "would see the other’s clients. Use an account of your own."
    ),
    "another-account": Problem(
        "This is another Google account than the one that is connected. Sign in with that one, or start over "
        "to change accounts. Nothing was changed."
    ),
    "no-refresh-token": Problem(
        "Google let us in only for this moment. Connect once more; if it happens again, remove Lockstep’s "
        "access in your Google account first."
    ),
    "still-removing": Problem("The earlier connection is still being cleared up. Try again in a minute."),
    "consent-refused": Problem(
        "You said no on Google’s page, so nothing was connected. You can try again, or leave everything as "
        "it is."
    ),
    "consent-mismatch": Problem(
        "That answer from Google did not belong to this page, perhaps because it is old. Connect again from "
        "here."
    ),
    "consent-failed": Problem(
        "Google’s answer could not be used. Try again; if it happens again, tell whoever runs this portal."
    ),
    "not-offered": Problem(
        "Two-Way Sync is not set up on this portal: it needs a Google client (GOOGLE_CLIENT_ID and "
        "GOOGLE_CLIENT_SECRET)."
    ),
    "not-choosable": Problem("One of these calendars cannot be chosen any more. Look at the list again."),
    "google-AuthorizationExpired": Problem("Google has withdrawn the permission. Connect the account again."),
    "google-GrantUnreadable": Problem(
        "Lockstep cannot read the permission that it keeps: the key that locks it was changed or lost. "
        "Connect the account again."
    ),
    "google-ScopeMissing": Problem(
        "A permission is missing: connect again and tick every box on Google’s page."
    ),
    "google-RateLimited": WAIT,
    "google-QuotaExceeded": WAIT,
    "google-PermissionDenied": NOT_READABLE,
    "google-EventNotFound": NOT_READABLE,
}
UNREACHABLE = Problem("Google could not be reached just now. Nothing was changed. Try again in a moment.")
NOT_NOW = Problem("That is not possible just now.")


def problem(code: str, missing: Collection[str] = ()) -> Problem:
    """The words for a code. `missing`: permissions that Google did not give, by their short names."""
    found = PROBLEMS.get(code, UNREACHABLE if code.startswith("google-") else NOT_NOW)
    if found is not SCOPE_MISSING:
        return found
    return replace(found, points=tuple(words for scope, words in SCOPES.items() if scope in missing))
