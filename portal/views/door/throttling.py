"""How often one may try. Counted over the queue's server, or in the process while that is away.

Nobody is locked out by somebody else: what fails is counted for an account from one address, and a right
password from another address still works. What finds its feed or its channel is not counted at all.
"""

from __future__ import annotations

import hashlib
import ipaddress
from typing import Any

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_login import current_user

from portal.config import Config

REDIS_TIMEOUT_SECONDS = 0.3  # a page waits so long, then counts here; asked again after 1, 2, 4 … s
WINDOW_SECONDS = 60  # of every limit here: what a refusal says in Retry-After
SIGN_INS = "60 per minute"  # of an address, which may be a whole practice's
WRONG_PASSWORDS = "10 per minute"  # of an account, from one address
MISSES = "60 per minute"  # of an address: feeds and channels that are none
IPV6_NETWORK = 64  # what one household or one server has

REFUSED = 422


def _address() -> str:
    """Who asks; of IPv6 the network, as anybody has as many addresses as there are in it."""
    try:
        address = ipaddress.ip_address(request.remote_addr or "")
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, IPV6_NETWORK), strict=False))
    return str(address)


def _account_from_here() -> str:
    """Whom a password is for, as a hash: nobody's address is kept on the queue's server."""
    whose = request.form.get("email", "").strip().casefold()
    if not whose and current_user.is_authenticated:
        whose = current_user.provider.email
    return f"{_address()} {hashlib.sha256(whose.encode('utf-8', 'replace')).hexdigest()[:32]}"


def _was_refused(answer: Response) -> bool:
    return answer.status_code == REFUSED


limiter = Limiter(key_func=_address, in_memory_fallback_enabled=True, strategy="fixed-window")
sign_ins = limiter.limit(SIGN_INS, key_func=_address)
passwords = limiter.limit(WRONG_PASSWORDS, key_func=_account_from_here, deduct_when=_was_refused)


def register(app: Flask, config: Config) -> None:
    """Count where the queue is, or in this process when there is none."""
    is_shared = bool(config.redis_url)
    timeouts: dict[str, Any] = {
        "socket_timeout": REDIS_TIMEOUT_SECONDS,
        "socket_connect_timeout": REDIS_TIMEOUT_SECONDS,
    }
    app.config["RATELIMIT_STORAGE_URI"] = _storage(config.redis_url) if config.redis_url else "memory://"
    app.config["RATELIMIT_STORAGE_OPTIONS"] = timeouts if is_shared else {}
    app.config["RATELIMIT_KEY_PREFIX"] = "lockstep"
    limiter.init_app(app)


@limiter.limit(MISSES, key_func=_address)
def miss() -> None:
    """Nothing is there for the secret that was sent. 429 for who goes on trying others."""


def _storage(redis_url: str) -> str:
    """The address as the `limits` package spells it."""
    return f"redis+{redis_url}" if redis_url.startswith("unix:") else redis_url
