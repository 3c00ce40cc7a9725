"""token and revoke: codes and refresh tokens become access tokens, grants end (facts §2)."""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, jsonify, request

from sandbox.ground.model import Account
from sandbox.ground.scopes import long_name, scopes_of
from sandbox.sign_in.signing import id_token
from sandbox.state.grants import Client, Code, Grant
from sandbox.state.here import world_here
from sandbox.state.world import World
from sandbox.trouble.faults import Fault
from sandbox.trouble.wire import act_out, broken

token_endpoints = Blueprint("token_endpoints", __name__)


class OAuthError(Exception):
    """A refusal of the token or revoke endpoint: RFC 6749's JSON error."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.description, self.status = error, description, status


@token_endpoints.post("/token")
def token() -> Response:
    """Exchange a code or a refresh token."""
    return _endpoint("oauth.token", "/token", _token_answer)


@token_endpoints.post("/revoke")
def revoke() -> Response:
    """End the whole grant behind a token: all scopes, all clients of the project (facts §2)."""
    return _endpoint("oauth.revoke", "/revoke", _revoke_answer)


def _endpoint(method_id: str, path: str, make: Callable[[World, list[Fault]], dict[str, Any]]) -> Response:
    """Log the request, act out its faults, answer. Only the names of its fields are logged, no secrets."""
    world = world_here()
    with world.lock:
        logged = world.log.begin(method_id, "POST", path, "&".join(sorted(request.form)), world.now_stamp())
        faults = world.faults.strike(method_id)
    if stopped := act_out(faults):
        world.log.end(logged, stopped.status_code, "fault")
        return stopped
    with world.lock:
        try:
            response = jsonify(make(world, faults))
            world.log.end(logged, 200, None)
        except OAuthError as refusal:
            response = jsonify(error=refusal.error, error_description=refusal.description)
            response.status_code = refusal.status
            world.log.end(logged, refusal.status, refusal.error)
    if any(fault.kind == "lost_answer" for fault in faults):
        return broken("reset")
    if any(fault.kind == "malformed_json" for fault in faults):
        text = response.get_data(as_text=True)
        response.set_data(text[: len(text) // 2])
    response.headers["Cache-Control"] = "no-store"
    return response


def _token_answer(world: World, faults: list[Fault]) -> dict[str, Any]:
    if any(fault.kind == "invalid_grant" for fault in faults):
        raise OAuthError("invalid_grant", "Token has been expired or revoked.")
    return _exchange(world, _authenticated_client(world), request.form.to_dict())


def _revoke_answer(world: World, _: list[Fault]) -> dict[str, Any]:
    if not world.grants.revoke_token(request.values.get("token", "")):
        raise OAuthError("invalid_token", "Token expired or revoked")
    return {}


def _authenticated_client(world: World) -> Client:
    client_id, secret = _credentials()
    client = world.grants.clients.get(client_id)
    if client is None:
        raise OAuthError("invalid_client", "The OAuth client was not found.", 401)
    # Google wants the secret from a web client even when PKCE is used (facts §2).
    if not secrets.compare_digest(client.secret, secret):
        raise OAuthError("invalid_client", "Unauthorized", 401)
    return client


def _credentials() -> tuple[str, str]:
    """Client id and secret from HTTP Basic or from the form."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return request.form.get("client_id", ""), request.form.get("client_secret", "")
    try:
        name, _, secret = b64decode(value).decode().partition(":")
    except ValueError:
        raise OAuthError("invalid_client", "Malformed credentials.", 401) from None
    return name, secret


def _exchange(world: World, client: Client, form: dict[str, str]) -> dict[str, Any]:
    if form.get("grant_type") == "authorization_code":
        return _exchange_code(world, client, form)
    if form.get("grant_type") == "refresh_token":
        return _refresh(world, client, form)
    raise OAuthError("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")


def _exchange_code(world: World, client: Client, form: dict[str, str]) -> dict[str, Any]:
    code = world.grants.codes.pop(form.get("code", ""), None)
    if code is None or code.client_id != client.id or code.expires_at <= world.clock.now():
        raise OAuthError("invalid_grant", "Malformed auth code.")
    if form.get("redirect_uri") != code.redirect_uri:
        raise OAuthError("redirect_uri_mismatch", "Bad Request")
    if not _verifier_fits(code, form.get("code_verifier", "")):
        raise OAuthError("invalid_grant", "Invalid code verifier.")
    grant = world.grants.grant_of(code.sub, client.project)
    if grant is None:
        raise OAuthError("invalid_grant", "Bad Request")
    answer = _access(world, grant, client, code.scopes, nonce=code.nonce)
    if code.wants_refresh:
        answer |= _refresh_token(world, grant, client, code.scopes)
    return answer


def _refresh_token(world: World, grant: Grant, client: Client, scopes: frozenset[str]) -> dict[str, Any]:
    seconds = world.switches.refresh_tokens_live_seconds
    token = world.grants.new_refresh_token(grant, client.id, scopes, lives_seconds=seconds)
    limited = {"refresh_token_expires_in": seconds} if seconds else {}
    return {"refresh_token": token, **limited}


def _verifier_fits(code: Code, verifier: str) -> bool:
    if code.challenge is None:
        return True
    if code.challenge_method == "S256":
        digest = hashlib.sha256(verifier.encode()).digest()
        verifier = urlsafe_b64encode(digest).decode().rstrip("=")
    return secrets.compare_digest(verifier, code.challenge)


def _refresh(world: World, client: Client, form: dict[str, str]) -> dict[str, Any]:
    """A new access token and no new refresh token: Google does not rotate them."""
    found = world.grants.find_refresh_token(form.get("refresh_token", ""))
    if found is None or found[1].client_id != client.id:
        raise OAuthError("invalid_grant", "Token has been expired or revoked.")
    grant, refresh = found
    wanted = frozenset(scopes_of(form.get("scope", ""))) or refresh.scopes
    if not wanted <= refresh.scopes:
        raise OAuthError("invalid_scope", "Some requested scopes were not granted.")
    return _access(world, grant, client, wanted, nonce=None)


def _access(
    world: World, grant: Grant, client: Client, scopes: frozenset[str], *, nonce: str | None
) -> dict[str, Any]:
    token = world.grants.new_access_token(grant, client, scopes)
    answer: dict[str, Any] = {"access_token": token.token, "expires_in": 3599, "token_type": "Bearer"}
    answer["scope"] = " ".join(sorted(long_name(scope) for scope in scopes))
    if "openid" in scopes:
        answer["id_token"] = id_token(
            world.accounts[grant.sub],
            issuer=world.base_url,
            client_id=client.id,
            scopes=scopes,
            nonce=nonce,
            access_token=token.token,
            now=world.clock.now(),
        )
    return answer


def tokens_for(world: World, account: Account, client: Client, scopes: frozenset[str]) -> dict[str, Any]:
    """Tokens as a forced consent would give them, for the control API."""
    grant = world.grants.grant(account.sub, client.project, scopes)
    answer = _access(world, grant, client, scopes, nonce=None)
    return answer | _refresh_token(world, grant, client, scopes)
