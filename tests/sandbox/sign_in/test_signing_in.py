"""OAuth and OpenID Connect as a browser and Authlib see them (facts §2)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from authlib.integrations.flask_client import OAuth
from authlib.integrations.requests_client import OAuth2Session
from flask import Flask
from flask import session as flask_session
from joserfc import jwt
from joserfc.jwk import KeySet

from sandbox import Client, Sandbox, serve

BACK = "http://127.0.0.1:5000/calendar/sync/google/callback"
CREATED = "https://www.googleapis.com/auth/calendar.app.created"
LISTED = "https://www.googleapis.com/auth/calendar.calendarlist.readonly"
VERIFIER = "a-verifier-that-is-long-enough-for-rfc-7636-rules-0123456789"


def begin(google: Sandbox, scope: str = f"openid email {CREATED} {LISTED}", **more: str) -> tuple[Any, str]:
    session = OAuth2Session(
        "lockstep-sandbox-client",
        "lockstep-sandbox-secret",
        scope=scope,
        redirect_uri=BACK,
        code_challenge_method="S256",
    )
    options = {"access_type": "offline", "nonce": "n-1", "state": "s-1", "code_verifier": VERIFIER} | more
    url, _ = session.create_authorization_url(f"{google.url}/o/oauth2/v2/auth", **options)
    return session, url


def press(browser: requests.Session, page: requests.Response, **fields: Any) -> requests.Response:
    return browser.post(page.url, data=fields, allow_redirects=False)


def follow(browser: requests.Session, answer: requests.Response) -> requests.Response:
    return browser.get(requests.compat.urljoin(answer.url, answer.headers["Location"]))


def consent(url: str, *, untick: tuple[str, ...] = (), decision: str = "continue") -> str:
    """Walk the pages as a person; the address the browser is sent back to."""
    with requests.Session() as browser:
        page = browser.get(url)
        if "Choose an account" in page.text:
            answer = press(browser, page, account="ana@example.com")
            if answer.headers["Location"].startswith(BACK):
                return answer.headers["Location"]
            page = follow(browser, answer)
        boxes = re.findall(r'name="scope" value="([^"]+)" checked', page.text)
        scopes = [scope for scope in boxes if scope not in untick]
        return press(browser, page, scope=scopes, decision=decision).headers["Location"]


def tokens(google: Sandbox, session: Any, back: str, **more: str) -> dict[str, Any]:
    return dict(
        session.fetch_token(
            f"{google.url}/token",
            authorization_response=back,
            state="s-1",
            **{"code_verifier": VERIFIER} | more,
        )
    )


def query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def exchange(google: Sandbox, **form: str) -> requests.Response:
    client = {"client_id": "lockstep-sandbox-client", "client_secret": "lockstep-sandbox-secret"}
    return requests.post(f"{google.url}/token", data=client | form, timeout=10)


def refresh(google: Sandbox, token: str) -> requests.Response:
    return exchange(google, grant_type="refresh_token", refresh_token=token)


def test_a_consent_gives_tokens_and_a_signed_identity(google):
    session, url = begin(google)
    answer = tokens(google, session, consent(url))
    keys = KeySet.import_key_set(requests.get(f"{google.url}/oauth2/v3/certs", timeout=10).json())
    claims = jwt.decode(answer["id_token"], keys, algorithms=["RS256"]).claims
    assert claims["iss"] == google.url
    assert claims["aud"] == "lockstep-sandbox-client"
    assert claims["nonce"] == "n-1"
    assert claims["email"] == "ana@example.com"
    assert claims["hd"] == "example.com"
    assert answer["refresh_token"]
    assert {CREATED, LISTED, "openid"} <= set(answer["scope"].split())


def test_metadata_names_every_endpoint_below_the_issuer(google):
    found = requests.get(google.metadata_url, timeout=10).json()
    assert found["issuer"] == google.url
    for name in ("authorization", "token", "revocation", "userinfo"):
        assert found[f"{name}_endpoint"].startswith(google.url)


def test_a_consumer_account_has_no_hd(google):
    google.add_account("sol@example.com")
    answer = google.authorize("sol@example.com", "openid", "email")
    info = requests.get(
        f"{google.url}/v1/userinfo", headers={"Authorization": f"Bearer {answer['access_token']}"}, timeout=10
    ).json()
    assert info["email"] == "sol@example.com"
    assert "hd" not in info


def test_an_unticked_box_is_missing_from_the_granted_scope(google):
    session, url = begin(google)
    answer = tokens(google, session, consent(url, untick=(LISTED,)))
    assert CREATED in answer["scope"]
    assert LISTED not in answer["scope"]


def test_boxes_are_unticked_at_first_when_the_switch_says_so(google):
    google.switch(consent_boxes_ticked=False)
    session, url = begin(google)
    assert CREATED not in tokens(google, session, consent(url))["scope"]


def test_a_single_scope_without_sign_in_has_no_box(google):
    _, url = begin(google, scope=CREATED)
    with requests.Session() as browser:
        page = follow(browser, press(browser, browser.get(url), account="ana@example.com"))
    assert 'type="checkbox"' not in page.text


def test_cancel_comes_back_as_access_denied_with_the_state(google):
    _, url = begin(google)
    assert query(consent(url, decision="cancel")) == {"error": "access_denied", "state": "s-1"}


def test_login_hint_skips_the_choice_of_account(google):
    _, url = begin(google, login_hint="ana@example.com")
    page = requests.get(url, timeout=10)
    assert "Continue" in page.text
    assert "Choose an account" not in page.text


def test_a_second_consent_gives_no_refresh_token_unless_it_is_forced(google):
    session, url = begin(google)
    assert "refresh_token" in tokens(google, session, consent(url))
    session, url = begin(google)
    assert "refresh_token" not in tokens(google, session, consent(url))
    session, url = begin(google, prompt="consent")
    assert "refresh_token" in tokens(google, session, consent(url))


def test_without_offline_access_there_is_no_refresh_token(google):
    session, url = begin(google, access_type="online")
    assert "refresh_token" not in tokens(google, session, consent(url))


def test_include_granted_scopes_adds_what_was_granted_before(google):
    session, url = begin(google, scope=f"openid {LISTED}")
    tokens(google, session, consent(url))
    session, url = begin(google, scope=f"openid {CREATED}", include_granted_scopes="true")
    assert LISTED in tokens(google, session, consent(url))["scope"]
    session, url = begin(google, scope=f"openid {CREATED}")
    assert LISTED not in tokens(google, session, consent(url))["scope"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"client_id": "somebody-else"}, "invalid_client"),
        ({"redirect_uri": "http://127.0.0.1:5000/elsewhere"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "http://evil.example/calendar/sync/google/callback"}, "redirect_uri_mismatch"),
        ({"response_type": "token"}, "invalid_request"),
        ({"scope": "openid https://www.googleapis.com/auth/calendar.nonsense"}, "invalid_request"),
    ],
)
def test_what_cannot_be_trusted_is_refused_on_a_page_without_redirect(google, change, error):
    params = {
        "client_id": "lockstep-sandbox-client",
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "openid",
    }
    url = f"{google.url}/o/oauth2/v2/auth"
    answer = requests.get(url, params=params | change, allow_redirects=False, timeout=10)
    assert answer.status_code in (400, 401)
    assert error in answer.text


def test_a_code_works_once(google):
    session, url = begin(google)
    back = consent(url)
    tokens(google, session, back)
    again = exchange(
        google,
        grant_type="authorization_code",
        code=query(back)["code"],
        redirect_uri=BACK,
        code_verifier=VERIFIER,
    )
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "change", [{"code_verifier": "wrong" * 10}, {"redirect_uri": BACK + "x"}, {"client_secret": "wrong"}]
)
def test_a_code_needs_its_verifier_its_redirect_uri_and_the_secret(google, change):
    _, url = begin(google)
    form = {"code": query(consent(url))["code"], "redirect_uri": BACK, "code_verifier": VERIFIER}
    answer = exchange(google, grant_type="authorization_code", **form | change)
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] in ("invalid_grant", "redirect_uri_mismatch", "invalid_client")


def test_a_code_dies_of_age(google):
    _, url = begin(google)
    code = query(consent(url))["code"]
    google.control("POST", "/clock", {"advance_seconds": 601})
    form = {"code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    assert exchange(google, grant_type="authorization_code", **form).json()["error"] == "invalid_grant"


def test_client_authentication_works_by_http_basic_too(google):
    given = google.authorize("ana@example.com", "openid")
    answer = requests.post(
        f"{google.url}/token",
        auth=("lockstep-sandbox-client", "lockstep-sandbox-secret"),
        data={"grant_type": "refresh_token", "refresh_token": given["refresh_token"]},
        timeout=10,
    )
    assert answer.status_code == 200


def test_refresh_tokens_are_not_rotated(google):
    given = google.authorize("ana@example.com", "openid", "calendar.app.created")
    answer = refresh(google, given["refresh_token"]).json()
    assert "refresh_token" not in answer
    assert answer["access_token"] != given["access_token"]


def test_revoking_any_token_ends_the_whole_grant_of_the_project(google):
    google.control(
        "POST",
        "/clients",
        {"id": "sign-in-client", "secret": "x", "redirect_uris": [BACK], "project": "sandbox-project"},
    )
    one = google.authorize("ana@example.com", "openid")
    other = google.authorize("ana@example.com", "calendar.app.created", client_id="sign-in-client")
    revoked = requests.post(f"{google.url}/revoke", data={"token": other["access_token"]}, timeout=10)
    assert revoked.status_code == 200
    assert refresh(google, one["refresh_token"]).json()["error"] == "invalid_grant"
    again = requests.post(f"{google.url}/revoke", data={"token": one["access_token"]}, timeout=10)
    assert again.status_code == 400


def test_another_project_keeps_its_grant_when_one_is_revoked(google):
    google.control("POST", "/clients", {"id": "c2", "secret": "s2", "redirect_uris": [BACK], "project": "p2"})
    other = google.authorize("ana@example.com", "openid", client_id="c2")
    mine = google.authorize("ana@example.com", "openid")
    requests.post(f"{google.url}/revoke", data={"token": mine["refresh_token"]}, timeout=10)
    form = {"client_id": "c2", "client_secret": "s2", "refresh_token": other["refresh_token"]}
    assert exchange(google, grant_type="refresh_token", **form).status_code == 200


def test_the_hundred_and_first_refresh_token_kills_the_oldest(google):
    first = google.authorize("ana@example.com", "openid")["refresh_token"]
    second = google.authorize("ana@example.com", "openid")["refresh_token"]
    for _ in range(99):
        google.authorize("ana@example.com", "openid")
    assert refresh(google, first).json()["error"] == "invalid_grant"
    assert refresh(google, second).status_code == 200


def test_the_token_endpoint_fails_as_planned(google):
    given = google.authorize("ana@example.com", "openid")
    google.add_fault("backend_error", method="oauth.token")
    google.add_fault("invalid_grant", method="oauth.token", skip=0)
    assert refresh(google, given["refresh_token"]).status_code == 503
    google.clear_faults()
    google.add_fault("invalid_grant", method="oauth.token")
    assert refresh(google, given["refresh_token"]).json()["error"] == "invalid_grant"
    assert refresh(google, given["refresh_token"]).status_code == 200


def test_prompt_none_answers_without_a_page(google):
    _, url = begin(google, prompt="none")
    answer = requests.get(url, allow_redirects=False, timeout=10)
    assert query(answer.headers["Location"])["error"] == "interaction_required"


def test_a_client_of_ones_own_has_exactly_its_redirect_uris():
    client = Client("mine", "secret", ("https://portal.example/calendar/sync/google/callback",))
    assert client.allows("https://portal.example/calendar/sync/google/callback")
    assert not client.allows("https://portal.example/calendar/sync/google/callback/")
    with serve(clients=[client]) as google:
        google.add_account("ana@example.com")
        assert google.authorize("ana@example.com", "openid")["access_token"]


def test_a_revocation_or_an_exchange_whose_answer_is_lost_was_done(google):
    given = google.authorize("ana@example.com", "openid")
    google.add_fault("lost_answer", method="oauth.revoke")
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.post(f"{google.url}/revoke", data={"token": given["refresh_token"]}, timeout=10)
    assert google.control("GET", "/grants")["items"] == []


def test_refresh_tokens_of_an_app_in_testing_die_after_a_week(google):
    google.switch(refresh_tokens_live_seconds=604_800)
    given = google.authorize("ana@example.com", "openid")
    assert given["refresh_token_expires_in"] == 604_800
    assert refresh(google, given["refresh_token"]).status_code == 200
    google.control("POST", "/clock", {"advance_seconds": 604_801})
    assert refresh(google, given["refresh_token"]).json()["error"] == "invalid_grant"


def test_authlib_finds_its_way_by_the_metadata_alone(google):
    app = Flask("portal")
    app.secret_key = "only-for-this-test"
    oauth = OAuth(app)
    oauth.register(
        "google",
        client_id="lockstep-sandbox-client",
        client_secret="lockstep-sandbox-secret",
        server_metadata_url=google.metadata_url,
        client_kwargs={"scope": f"openid email {CREATED} {LISTED}", "code_challenge_method": "S256"},
        authorize_params={"access_type": "offline"},
    )
    with app.test_request_context():
        url = oauth.google.authorize_redirect(BACK).location
        kept = dict(flask_session)
    with app.test_request_context(consent(url).removeprefix("http://127.0.0.1:5000")):
        flask_session.update(kept)
        answer = oauth.google.authorize_access_token()
    assert answer["userinfo"]["email"] == "ana@example.com"
    assert answer["userinfo"]["iss"] == google.url
    assert answer["refresh_token"]
