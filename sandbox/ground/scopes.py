"""The scopes an app may ask for, and the words a person reads on the consent page."""

from __future__ import annotations

PREFIX = "https://www.googleapis.com/auth/"
SIGN_IN_SCOPES = ("openid", "email", "profile")
LONG_NAMES = {PREFIX + "userinfo.email": "email", PREFIX + "userinfo.profile": "profile"}
SCOPE_WORDS = {
    "calendar": "See, edit, share, and permanently delete all the calendars you can access",
    "calendar.readonly": "See and download any calendar you can access",
    "calendar.app.created": "Make secondary calendars, and see, create, change, and delete events on them",
    "calendar.calendarlist": "See, add, and remove calendars you are subscribed to",
    "calendar.calendarlist.readonly": "See the list of calendars you are subscribed to",
    "calendar.calendars": "See and change the properties of calendars you can access, and create calendars",
    "calendar.calendars.readonly": "See the title, description and settings of calendars you can access",
    "calendar.events": "View and edit events on all your calendars",
    "calendar.events.readonly": "View events on all your calendars",
    "calendar.events.owned": "See, create, change, and delete events on calendars you own",
    "calendar.events.owned.readonly": "See the events on calendars you own",
    "calendar.events.freebusy": "See the availability on calendars you have access to",
    "calendar.events.public.readonly": "See the events on public calendars",
    "calendar.acls": "See and change the sharing permissions of calendars you own",
    "calendar.acls.readonly": "See the sharing permissions of calendars you own",
    "calendar.settings": "View and edit your settings",
    "calendar.settings.readonly": "View your settings",
    "calendar.freebusy": "View your availability in your calendars",
}


def scopes_of(text: str) -> tuple[str, ...]:
    """The scopes of a space-separated list, sign-in scopes by their short names."""
    return tuple(dict.fromkeys(LONG_NAMES.get(scope, scope) for scope in text.split()))


def long_name(scope: str) -> str:
    """Google answers `email` and `profile` with their long names."""
    return next((long for long, short in LONG_NAMES.items() if short == scope), scope)
