"""The sandbox's clock: real time plus an offset that the control API may move, to age tokens and channels."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class Clock:
    """Answers "now" as an aware UTC datetime."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        """Sandbox time."""
        return datetime.now(UTC) + self.offset

    def advance(self, seconds: float) -> None:
        """Move sandbox time forwards (or back, with a negative number)."""
        self.offset += timedelta(seconds=seconds)


def stamp(moment: datetime) -> str:
    """`updated` and `created` as Google prints them: UTC with milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
