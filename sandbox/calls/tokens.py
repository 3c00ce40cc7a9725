"""Opaque page tokens and sync tokens: JSON, sealed with a key of this sandbox, so nobody can make one up."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any


def seal(key: bytes, payload: dict[str, Any]) -> str:
    """A token that only `unseal` with the same key can open."""
    text = json.dumps(payload, separators=(",", ":"), sort_keys=True).encode()
    return urlsafe_b64encode(_mac(key, text) + text).decode().rstrip("=")


def unseal(key: bytes, token: str) -> dict[str, Any] | None:
    """The payload, or None for a token that was not made here."""
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    mac, text = raw[:12], raw[12:]
    if not hmac.compare_digest(mac, _mac(key, text)):
        return None
    payload: dict[str, Any] = json.loads(text)
    return payload


def _mac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()[:12]
