"""Control: OAuth clients, grants and tokens without the pages, and the push channels they opened."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from sandbox.control.asking import account_named, calendar_named, json_body
from sandbox.ground.scopes import LONG_NAMES, PREFIX, SIGN_IN_SCOPES
from sandbox.sign_in.token_endpoints import tokens_for
from sandbox.state.grants import Client
from sandbox.state.here import world_here
from sandbox.state.world import World

grants = Blueprint("grants", __name__)


@grants.get("/grants")
def list_grants() -> Response:
    """What each account granted; tokens themselves are not shown."""
    world = world_here()
    with world.lock:
        rows = [
            {
                "account": world.accounts[grant.sub].email,
                "project": grant.project,
                "scopes": sorted(grant.scopes),
                "refresh_tokens": len(grant.refresh_tokens),
                "serial": grant.serial,
            }
            for grant in world.grants.grants.values()
        ]
        return jsonify(items=rows)


@grants.post("/grants")
def grant() -> Response:
    """Tokens without the consent pages: `account`, `scopes`, optionally `client_id`."""
    body, world = json_body(), world_here()
    with world.lock:
        account = account_named(body["account"])
        client = _client(world, body.get("client_id"))
        scopes = frozenset(_full_scope(scope) for scope in body["scopes"])
        return jsonify(tokens_for(world, account, client, scopes))


def _client(world: World, client_id: str | None) -> Client:
    return world.grants.clients[client_id] if client_id else next(iter(world.grants.clients.values()))


def _full_scope(scope: str) -> str:
    scope = LONG_NAMES.get(scope, scope)
    if scope in SIGN_IN_SCOPES or scope.startswith("https://"):
        return scope
    return PREFIX + scope


@grants.post("/grants/revoke")
def revoke_grants() -> Response:
    """As the person does at their Google account page: every project's grant of `account`."""
    world = world_here()
    with world.lock:
        account = account_named(json_body()["account"])
        projects = [project for sub, project in list(world.grants.grants) if sub == account.sub]
        return jsonify(revoked=sum(world.grants.revoke(account.sub, project) for project in projects))


@grants.post("/clients")
def add_client() -> Response:
    """Register an OAuth client: `id`, `secret`, `redirect_uris`, optionally `project`."""
    body, world = json_body(), world_here()
    with world.lock:
        body["redirect_uris"] = tuple(body["redirect_uris"])
        client = Client(**body)
        world.grants.clients[client.id] = client
        return jsonify(id=client.id)


@grants.post("/access-tokens/expire")
def expire_access_tokens() -> Response:
    """End access tokens early, of `account` or of all."""
    world = world_here()
    with world.lock:
        email = json_body().get("account")
        sub = account_named(email).sub if email else None
        return jsonify(expired=world.grants.expire_access_tokens(sub))


@grants.post("/sync-tokens/expire")
def expire_sync_tokens() -> Response:
    """410 for every sync token so far: of one `calendar` of `account`, or of everything; lists included."""
    body, world = json_body(), world_here()
    with world.lock:
        if "calendar" in body:
            calendar_named(body["account"], body["calendar"])[1].epoch += 1
            return jsonify(expired=1)
        accounts = [account_named(body["account"])] if "account" in body else list(world.accounts.values())
        world.expire_sync_tokens(accounts)
        return jsonify(expired=len(accounts))


@grants.get("/channels")
def list_channels() -> Response:
    """Every channel ever opened, with what its last deliveries met."""
    with world_here().lock:
        return jsonify(items=[channel.show() for channel in world_here().channels.open.values()])
