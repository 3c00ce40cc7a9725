"""The pages between an app's request for access and the code it gets; no JavaScript is needed (facts §2).

A flow is kept between the first redirect and the answer to it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, current_app, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from sandbox.ground.model import Account
from sandbox.ground.scopes import PREFIX, SCOPE_WORDS, SIGN_IN_SCOPES, scopes_of
from sandbox.state.grants import CODE_SECONDS, Client, Code
from sandbox.state.here import world_here

consent = Blueprint("consent", __name__)


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


def _flows() -> dict[str, Flow]:
    flows: dict[str, Flow] = current_app.config["FLOWS"]
    return flows


@consent.get("/o/oauth2/v2/auth")
def authorize() -> AnyResponse | tuple[str, int]:
    """Begin a flow: refuse what cannot be trusted on a page, the rest by redirect."""
    world = world_here()
    params = request.args.to_dict()
    with world.lock:
        client = world.grants.clients.get(params.get("client_id", ""))
        if client is None:
            return _refusal_page("invalid_client", "The OAuth client was not found.", 401)
        if not client.allows(params.get("redirect_uri", "")):
            return _refusal_page(
                "redirect_uri_mismatch", "The redirect URI is not registered for this client."
            )
        flow = Flow(client, params, scopes_of(params.get("scope", "")))
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


@consent.get("/signin/<key>/account")
def choose_account(key: str) -> str | tuple[str, int]:
    """A button per account of the sandbox."""
    world = world_here()
    if key not in _flows():
        return _gone()
    flow = _flows()[key]
    with world.lock:
        accounts = sorted(world.accounts.values(), key=lambda a: a.email != flow.params.get("login_hint"))
        return render_template("signin_account.html", key=key, accounts=accounts)


@consent.post("/signin/<key>/account")
def account_chosen(key: str) -> AnyResponse | tuple[str, int]:
    """The person says who they are."""
    world = world_here()
    with world.lock:
        account = world.account_by_email(request.form.get("account", ""))
        if key not in _flows() or account is None:
            return _gone()
        return _after_account(key, _flows()[key], account)


@consent.get("/signin/<key>/consent")
def ask_consent(key: str) -> str | tuple[str, int]:
    """What the app wants, a checkbox for each scope beyond signing in."""
    flow = _flows().get(key)
    if flow is None or flow.sub is None:
        return _gone()
    world = world_here()
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


@consent.post("/signin/<key>/consent")
def consent_given(key: str) -> AnyResponse | tuple[str, int]:
    """*Continue* with the boxes as ticked, or *Cancel*."""
    flow = _flows().get(key)
    if flow is None or flow.sub is None:
        return _gone()
    if request.form.get("decision") != "continue":
        return _answer(key, flow, error="access_denied")
    ticked = set(request.form.getlist("scope")) if _is_granular(flow) else set(flow.boxes)
    granted = frozenset(scope for scope in flow.scopes if scope in SIGN_IN_SCOPES or scope in ticked)
    with world_here().lock:
        return _grant(key, flow, granted, consented=True)


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
    grant = world_here().grants.grant_of(account.sub, flow.client.project)
    known = grant is not None and set(flow.scopes) <= grant.scopes
    if known and "consent" not in flow.prompt:
        return _grant(key, flow, frozenset(flow.scopes), consented=False)
    if flow.prompt == ["none"]:
        return _answer(key, flow, error="consent_required")
    return redirect(f"/signin/{key}/consent", 303)


def _grant(key: str, flow: Flow, scopes: frozenset[str], *, consented: bool) -> AnyResponse:
    """Record the consent and send the code. A refresh token will follow only on a first or forced consent."""
    world, params = world_here(), flow.params
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
