"""OAuth's memory: registered clients, what each person granted to each project, the tokens from it.

A grant belongs to (account, project), not to a client: revoking one token ends all (facts §2).
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.ground.clock import Clock

ACCESS_TOKEN_SECONDS = 3599
CODE_SECONDS = 600
REFRESH_TOKENS_PER_CLIENT = 100  # facts §2: the 101st silently kills the oldest


@dataclass(frozen=True)
class Client:
    """A registered OAuth client. A redirect URI may contain `*` for the port of a loopback address."""

    id: str
    secret: str
    redirect_uris: tuple[str, ...]
    project: str = "sandbox-project"

    def allows(self, redirect_uri: str) -> bool:
        """Exact match, as Google wants it; `*` stands for any port number."""
        patterns = (re.escape(uri).replace(r"\*", r"\d{1,5}") for uri in self.redirect_uris)
        return any(re.fullmatch(pattern, redirect_uri) for pattern in patterns)


@dataclass
class RefreshToken:
    """A refresh token with the scopes it can mint."""

    token: str
    client_id: str
    scopes: frozenset[str]
    expires_at: datetime | None = None


@dataclass
class Grant:
    """Everything one person has granted to one project."""

    sub: str
    project: str
    serial: int
    scopes: set[str] = field(default_factory=set)
    refresh_tokens: list[RefreshToken] = field(default_factory=list)


@dataclass(frozen=True)
class AccessToken:
    """A bearer token; worthless once its grant is gone."""

    token: str
    sub: str
    client: Client
    scopes: frozenset[str]
    expires_at: datetime
    grant_serial: int


@dataclass(frozen=True)
class Code:
    """An authorization code, to be exchanged once."""

    sub: str
    client_id: str
    redirect_uri: str
    scopes: frozenset[str]
    challenge: str | None
    challenge_method: str
    nonce: str | None
    wants_refresh: bool
    expires_at: datetime


class Grants:
    """Registered clients, grants, codes and tokens of one sandbox."""

    def __init__(self, clock: Clock, clients: list[Client]) -> None:
        self.clock = clock
        self.clients = {client.id: client for client in clients}
        self.serial = 0
        self.forget()

    def forget(self) -> None:
        """Drop every grant and token; registered clients stay."""
        self.grants: dict[tuple[str, str], Grant] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self.codes: dict[str, Code] = {}

    def grant_of(self, sub: str, project: str) -> Grant | None:
        """What this person granted to the project, if anything."""
        return self.grants.get((sub, project))

    def grant(self, sub: str, project: str, scopes: frozenset[str]) -> Grant:
        """Record a consent; a first one starts a grant with a new serial number."""
        found = self.grants.get((sub, project))
        if found is None:
            self.serial += 1
            found = self.grants[sub, project] = Grant(sub, project, self.serial)
        found.scopes |= scopes
        return found

    def new_code(self, code: Code) -> str:
        """Keep a code until it is exchanged or its ten minutes are over."""
        text = "4/0sandbox-" + secrets.token_urlsafe(24)
        self.codes[text] = code
        return text

    def new_refresh_token(
        self, grant: Grant, client_id: str, scopes: frozenset[str], *, lives_seconds: int = 0
    ) -> str:
        """Mint a refresh token; beyond 100 for one client the oldest dies without a word.

        `lives_seconds` 0 is for ever; an app in publishing status *Testing* gets seven days (facts §2).
        """
        token = RefreshToken("1//sandbox-" + secrets.token_urlsafe(32), client_id, scopes)
        if lives_seconds:
            token.expires_at = self.clock.now() + timedelta(seconds=lives_seconds)
        grant.refresh_tokens.append(token)
        same = [old for old in grant.refresh_tokens if old.client_id == client_id]
        if len(same) > REFRESH_TOKENS_PER_CLIENT:
            grant.refresh_tokens.remove(same[0])
        return token.token

    def new_access_token(self, grant: Grant, client: Client, scopes: frozenset[str]) -> AccessToken:
        """Mint an access token of about an hour."""
        expires_at = self.clock.now() + timedelta(seconds=ACCESS_TOKEN_SECONDS)
        text = "ya29.sandbox-" + secrets.token_urlsafe(32)
        token = AccessToken(text, grant.sub, client, scopes, expires_at, grant.serial)
        self.access_tokens[text] = token
        return token

    def find_refresh_token(self, text: str) -> tuple[Grant, RefreshToken] | None:
        """The live refresh token and its grant."""
        for grant in self.grants.values():
            for token in grant.refresh_tokens:
                alive = token.expires_at is None or token.expires_at > self.clock.now()
                if alive and secrets.compare_digest(token.token, text):
                    return grant, token
        return None

    def find_access_token(self, text: str) -> AccessToken | None:
        """The access token if it has neither expired nor been revoked."""
        token = self.access_tokens.get(text)
        return token if token and token.expires_at > self.clock.now() else None

    def revoke_token(self, text: str) -> bool:
        """End the whole grant behind an access or refresh token; False when the token is unknown."""
        if access := self.access_tokens.get(text):
            return self.revoke(access.sub, access.client.project)
        if refresh := self.find_refresh_token(text):
            return self.revoke(refresh[0].sub, refresh[0].project)
        return False

    def revoke(self, sub: str, project: str) -> bool:
        """End everything this person granted to the project, for all its clients."""
        if self.grants.pop((sub, project), None) is None:
            return False
        gone = [t for t, a in self.access_tokens.items() if (a.sub, a.client.project) == (sub, project)]
        for text in gone:
            del self.access_tokens[text]
        return True

    def expire_access_tokens(self, sub: str | None = None) -> int:
        """End access tokens early, of one account or of all; answers how many."""
        gone = [text for text, token in self.access_tokens.items() if sub in (None, token.sub)]
        for text in gone:
            del self.access_tokens[text]
        return len(gone)
