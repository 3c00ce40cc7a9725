"""OpenID Connect: where everything is, the public keys, who somebody is."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from sandbox.ground.scopes import SIGN_IN_SCOPES
from sandbox.sign_in.signing import identity, public_keys
from sandbox.state.here import world_here

oidc = Blueprint("oidc", __name__)


@oidc.get("/.well-known/openid-configuration")
def metadata() -> Response:
    """OpenID Connect discovery; the issuer is the sandbox's own address."""
    base = world_here().base_url
    return jsonify(
        issuer=base,
        authorization_endpoint=f"{base}/o/oauth2/v2/auth",
        token_endpoint=f"{base}/token",
        revocation_endpoint=f"{base}/revoke",
        userinfo_endpoint=f"{base}/v1/userinfo",
        jwks_uri=f"{base}/oauth2/v3/certs",
        response_types_supported=["code"],
        subject_types_supported=["public"],
        id_token_signing_alg_values_supported=["RS256"],
        scopes_supported=list(SIGN_IN_SCOPES),
        token_endpoint_auth_methods_supported=["client_secret_post", "client_secret_basic"],
        claims_supported=["aud", "email", "email_verified", "exp", "iat", "iss", "name", "sub"],
        code_challenge_methods_supported=["plain", "S256"],
        grant_types_supported=["authorization_code", "refresh_token"],
    )


@oidc.get("/oauth2/v3/certs")
def certs() -> Response:
    """The public keys of id_tokens."""
    return jsonify(public_keys())


@oidc.get("/v1/userinfo")
def userinfo() -> tuple[Response, int] | Response:
    """The identity behind an access token."""
    world = world_here()
    with world.lock:
        token = world.grants.find_access_token(
            request.headers.get("Authorization", "").removeprefix("Bearer ")
        )
        if token is None or "openid" not in token.scopes:
            return jsonify(error="invalid_token"), 401
        account = world.accounts[token.sub]
        return jsonify(sub=account.sub, **identity(account, token.scopes))
