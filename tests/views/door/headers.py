"""The headers that every answer carries."""

from __future__ import annotations

from collections.abc import Mapping


def lacking(headers: Mapping[str, str], *, cached: bool = False) -> set[str]:
    """What an answer lacks. `cached`: a file that browsers may keep."""
    policy = headers.get("Content-Security-Policy", "")
    checks = {
        "policy": policy.startswith("default-src 'none'") and "frame-ancestors 'none'" in policy,
        "inline": "unsafe" not in policy,
        "nosniff": headers.get("X-Content-Type-Options") == "nosniff",
        "referrer": headers.get("Referrer-Policy") in ("same-origin", "no-referrer"),
        "robots": "noindex" in headers.get("X-Robots-Tag", ""),
        "cache": cached or "Cache-Control" in headers,
        "permissions": "Permissions-Policy" in headers,
    }
    return {name for name, holds in checks.items() if not holds}
