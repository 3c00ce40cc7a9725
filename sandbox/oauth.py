"""OAuth 2.0 and OpenID Connect as Google's: consent pages without JavaScript, token, revoke.

Facts §2. A flow lives in `Flows` between the first redirect and the answer to it.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox.access import PREFIX
from sandbox.faults import Fault
from sandbox.grants import CODE_SECONDS, Client, Code, Grant
from sandbox.model import Account
from sandbox.signing import id_token, identity, public_keys
from sandbox.wire import act_out, broken
from sandbox.world import World

oauth = Blueprint("oauth", __name__)
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
    "calendar.freebusy": "View your availability in your calendars",
}


class OAuthError(Exception):
    """A refusal of the token or revoke endpoint: RFC 6749's JSON error."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.description, self.status = error, description, status


@dataclass
class Flow:
    """One authorization request on its way through the pages."""

    client: Client
    params: dict[str, str]
    scopes: tuple[str, ...]
    sub: str | None = None

    @property
    def prompt(self) -> list[str]:
        """`none`, `consent`, `select_account` or several."""
        return self.params.get("prompt", "").split()

    @property
    def boxes(self) -> list[str]:
        """The scopes beyond signing in; each gets its checkbox."""
        return [scope for scope in self.scopes if scope not in SIGN_IN_SCOPES]


def _world() -> World:
    world: World = current_app.config["WORLD"]
    return world


def _flows() -> dict[str, Flow]:
    flows: dict[str, Flow] = current_app.config["FLOWS"]
    return flows


# ---- metadata


@oauth.get("/.well-known/openid-configuration")
def metadata() -> Response:
    """OpenID Connect discovery; the issuer is the sandbox's own address."""
    base = _world().base_url
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


@oauth.get("/oauth2/v3/certs")
def certs() -> Response:
    """The public keys of id_tokens."""
    return jsonify(public_keys())


@oauth.get("/v1/userinfo")
def userinfo() -> tuple[Response, int] | Response:
    """The identity behind an access token."""
    world = _world()
    with world.lock:
        token = world.grants.find_access_token(
            request.headers.get("Authorization", "").removeprefix("Bearer ")
        )
        if token is None or "openid" not in token.scopes:
            return jsonify(error="invalid_token"), 401
        account = world.accounts[token.sub]
        return jsonify(sub=account.sub, **identity(account, token.scopes))


# ---- the pages a person sees


@oauth.get("/o/oauth2/v2/auth")
def authorize() -> AnyResponse | tuple[str, int]:
    """Begin a flow: refuse what cannot be trusted on a page, the rest by redirect."""
    world = _world()
    params = request.args.to_dict()
    with world.lock:
        client = world.grants.clients.get(params.get("client_id", ""))
        if client is None:
            return _refusal_page("invalid_client", "The OAuth client was not found.", 401)
        if not client.allows(params.get("redirect_uri", "")):
            return _refusal_page(
                "redirect_uri_mismatch", "The redirect URI is not registered for this client."
            )
        flow = Flow(client, params, _scopes_of(params.get("scope", "")))
        if problem := _problem_with(flow):
            return _refusal_page("invalid_request", problem)
        key = secrets.token_urlsafe(16)
        _flows()[key] = flow
        hinted = world.account_by_email(params.get("login_hint", ""))
        if hinted and "select_account" not in flow.prompt:
            return _after_account(key, flow, hinted)
        if flow.prompt == ["none"]:
            return _answer(key, flow, error="interaction_required")
    return redirect(f"/signin/{key}/account", 302)


@oauth.get("/signin/<key>/account")
def choose_account(key: str) -> str | tuple[str, int]:
    """A button per account of the sandbox."""
    world = _world()
    if key not in _flows():
        return _gone()
    flow = _flows()[key]
    with world.lock:
        accounts = sorted(world.accounts.values(), key=lambda a: a.email != flow.params.get("login_hint"))
        return render_template("signin_account.html", key=key, accounts=accounts)


@oauth.post("/signin/<key>/account")
def account_chosen(key: str) -> AnyResponse | tuple[str, int]:
    """The person says who they are."""
    world = _world()
    with world.lock:
        account = world.account_by_email(request.form.get("account", ""))
        if key not in _flows() or account is None:
            return _gone()
        return _after_account(key, _flows()[key], account)


@oauth.get("/signin/<key>/consent")
def ask_consent(key: str) -> str | tuple[str, int]:
    """What the app wants, a checkbox for each scope beyond signing in."""
    flow = _flows().get(key)
    if flow is None or flow.sub is None:
        return _gone()
    world = _world()
    with world.lock:
        return render_template(
            "signin_consent.html",
            key=key,
            account=world.accounts[flow.sub],
            client=flow.client,
            boxes=[(scope, SCOPE_WORDS.get(scope.removeprefix(PREFIX), scope)) for scope in flow.boxes],
            granular=_is_granular(flow),
            ticked=world.switches.consent_boxes_ticked,
        )


@oauth.post("/signin/<key>/consent")
def consent_given(key: str) -> AnyResponse | tuple[str, int]:
    """*Continue* with the boxes as ticked, or *Cancel*."""
    flow = _flows().get(key)
    if flow is None or flow.sub is None:
        return _gone()
    if request.form.get("decision") != "continue":
        return _answer(key, flow, error="access_denied")
    ticked = set(request.form.getlist("scope")) if _is_granular(flow) else set(flow.boxes)
    granted = frozenset(scope for scope in flow.scopes if scope in SIGN_IN_SCOPES or scope in ticked)
    with _world().lock:
        return _grant(key, flow, granted, consented=True)


def _scopes_of(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(LONG_NAMES.get(scope, scope) for scope in text.split()))


def _problem_with(flow: Flow) -> str | None:
    if flow.params.get("response_type") != "code":
        return "Invalid response_type: only code is supported here."
    if not flow.scopes:
        return "Missing required parameter: scope"
    unknown = [scope for scope in flow.boxes if scope.removeprefix(PREFIX) not in SCOPE_WORDS]
    if unknown:
        return f"Some requested scopes were invalid: {unknown}"
    if flow.params.get("code_challenge_method", "plain") not in ("plain", "S256"):
        return "Invalid code_challenge_method."
    return None


def _is_granular(flow: Flow) -> bool:
    """Boxes appear when sign-in scopes are mixed with others, or with more than one other (facts §2)."""
    return len(flow.boxes) > 1 or len(flow.scopes) > len(flow.boxes) > 0


def _after_account(key: str, flow: Flow, account: Account) -> AnyResponse:
    flow.sub = account.sub
    grant = _world().grants.grant_of(account.sub, flow.client.project)
    known = grant is not None and set(flow.scopes) <= grant.scopes
    if known and "consent" not in flow.prompt:
        return _grant(key, flow, frozenset(flow.scopes), consented=False)
    if flow.prompt == ["none"]:
        return _answer(key, flow, error="consent_required")
    return redirect(f"/signin/{key}/consent", 303)


def _grant(key: str, flow: Flow, scopes: frozenset[str], *, consented: bool) -> AnyResponse:
    """Record the consent and send the code. A refresh token will follow only on a first or forced consent."""
    world, params = _world(), flow.params
    if flow.sub is None:
        raise LookupError("a flow reaches its end with an account")
    first = world.grants.grant_of(flow.sub, flow.client.project) is None
    grant = world.grants.grant(flow.sub, flow.client.project, scopes)
    if params.get("include_granted_scopes") == "true":
        scopes = frozenset(grant.scopes)
    offline = params.get("access_type") == "offline"
    code = Code(
        sub=flow.sub,
        client_id=flow.client.id,
        redirect_uri=params["redirect_uri"],
        scopes=scopes,
        challenge=params.get("code_challenge"),
        challenge_method=params.get("code_challenge_method", "plain"),
        nonce=params.get("nonce"),
        wants_refresh=offline and (first or (consented and "consent" in flow.prompt)),
        expires_at=world.clock.now() + timedelta(seconds=CODE_SECONDS),
    )
    return _answer(key, flow, code=world.grants.new_code(code), scope=" ".join(sorted(scopes)))


def _answer(key: str, flow: Flow, **result: str) -> AnyResponse:
    """Back to the app, with the state it sent."""
    _flows().pop(key, None)
    if "state" in flow.params:
        result["state"] = flow.params["state"]
    address = flow.params["redirect_uri"]
    joint = "&" if urlsplit(address).query else "?"
    return redirect(address + joint + urlencode(result), 302)


def _refusal_page(error: str, message: str, status: int = 400) -> tuple[str, int]:
    return render_template("signin_refused.html", error=error, message=message), status


def _gone() -> tuple[str, int]:
    return _refusal_page("invalid_request", "This sign-in has ended. Start again from the app.")


# ---- token and revoke


@oauth.post("/token")
def token() -> Response:
    """Exchange a code or a refresh token."""
    return _endpoint("oauth.token", "/token", _token_answer)


@oauth.post("/revoke")
def revoke() -> Response:
    """End the whole grant behind a token: all scopes, all clients of the project (facts §2)."""
    return _endpoint("oauth.revoke", "/revoke", _revoke_answer)


def _endpoint(method_id: str, path: str, make: Callable[[World, list[Fault]], dict[str, Any]]) -> Response:
    """Log the request, act out its faults, answer. Only the names of its fields are logged, no secrets."""
    world = _world()
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
    wanted = frozenset(_scopes_of(form.get("scope", ""))) or refresh.scopes
    if not wanted <= refresh.scopes:
        raise OAuthError("invalid_scope", "Some requested scopes were not granted.")
    return _access(world, grant, client, wanted, nonce=None)


def _access(
    world: World, grant: Grant, client: Client, scopes: frozenset[str], *, nonce: str | None
) -> dict[str, Any]:
    token = world.grants.new_access_token(grant, client, scopes)
    answer: dict[str, Any] = {"access_token": token.token, "expires_in": 3599, "token_type": "Bearer"}
    answer["scope"] = " ".join(sorted(_outward(scope) for scope in scopes))
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


def _outward(scope: str) -> str:
    """Google answers `email` and `profile` with their long names."""
    long = {short: name for name, short in LONG_NAMES.items()}
    return long.get(scope, scope)


def tokens_for(world: World, account: Account, client: Client, scopes: frozenset[str]) -> dict[str, Any]:
    """Tokens as a forced consent would give them, for the control API."""
    grant = world.grants.grant(account.sub, client.project, scopes)
    answer = _access(world, grant, client, scopes, nonce=None)
    return answer | _refresh_token(world, grant, client, scopes)
