"""If-Match: write only if nobody has written since (facts §8)."""

from __future__ import annotations

from sandbox.calls.access import Call
from sandbox.ground.errors import condition_not_met


def check_etag(call: Call, etag: str) -> None:
    """Raises 412 when the request's If-Match is another etag; `*` forces the write."""
    if call.if_match in (None, "*"):
        return
    if etag not in [one.strip() for one in str(call.if_match).split(",")]:
        raise condition_not_met()
