"""The inside of scripts/independent-recurrence: `[{tzid, start, rule}]` in, `[[instant, …]]` out.

Start is a wall time such as 20240107T021500; instants are UTC, up to the end of 2030.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime

import icalendar
import recurring_ical_events  # type: ignore[import-not-found]  # in this script's own environment

TEMPLATE = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Lockstep//independent check//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20240101T000000Z
DTSTART;TZID={tzid}:{start}
DURATION:PT50M
RRULE:{rule}
END:VEVENT
END:VCALENDAR
"""


def main() -> None:
    json.dump([expand(**case) for case in json.load(sys.stdin)], sys.stdout)


def expand(tzid: str, start: str, rule: str) -> list[str]:
    text = TEMPLATE.format(tzid=tzid, start=start, rule=rule).replace("\n", "\r\n")
    query = recurring_ical_events.of(icalendar.Calendar.from_ical(text))
    found = query.between(datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC))
    return sorted(f"{event['DTSTART'].dt.astimezone(UTC):%Y%m%dT%H%M%SZ}" for event in found)


if __name__ == "__main__":
    main()
