"""The key behind id_tokens, and the tokens themselves (RS256, as Google's)."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from datetime import datetime
from functools import cache
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from sandbox.ground.model import Account


@cache
def signing_key() -> RSAKey:
    """One key per process: making one takes longer than everything else at start."""
    return RSAKey.generate_key(2048, parameters={"use": "sig", "alg": "RS256", "kid": "sandbox-1"})


def public_keys() -> dict[str, Any]:
    """The JSON Web Key Set behind `jwks_uri`."""
    return {"keys": [signing_key().as_dict(private=False)]}


def id_token(
    account: Account,
    *,
    issuer: str,
    client_id: str,
    scopes: frozenset[str],
    nonce: str | None,
    access_token: str,
    now: datetime,
) -> str:
    """A signed statement of who signed in. `hd` is there for Workspace accounts only."""
    issued = int(now.timestamp())
    claims: dict[str, Any] = {"iss": issuer, "azp": client_id, "aud": client_id, "sub": account.sub}
    claims |= {"iat": issued, "exp": issued + 3600, "at_hash": _half_hash(access_token)}
    claims |= identity(account, scopes)
    if nonce:
        claims["nonce"] = nonce
    return jwt.encode({"alg": "RS256", "kid": "sandbox-1"}, claims, signing_key())


def identity(account: Account, scopes: frozenset[str]) -> dict[str, Any]:
    """The claims that the sign-in scopes open."""
    claims: dict[str, Any] = {}
    if "email" in scopes:
        claims |= {"email": account.email, "email_verified": True}
    if "profile" in scopes:
        claims["name"] = account.name
    if account.hd:
        claims["hd"] = account.hd
    return claims


def _half_hash(access_token: str) -> str:
    digest = hashlib.sha256(access_token.encode()).digest()[:16]
    return urlsafe_b64encode(digest).decode().rstrip("=")
