"""Push channels, as far as nobody need listen (facts §9)."""

from __future__ import annotations

from tests.google_contract.account import Account


def watching(account: Account, **body: str):
    wanted = {"id": account.new_id(), "type": "web_hook", **body}
    return account.service.events().watch(calendarId=account.calendar_id, body=wanted)


def test_a_plain_http_address_is_refused(account: Account) -> None:
    refused = account.refusal(watching(account, address="http://contract.example/hook"))
    assert refused.status in (400, 401)
    assert refused.reason.startswith("push.webhookUrl")


def test_a_channel_without_an_address_is_refused(account: Account) -> None:
    assert account.refusal(watching(account)).status == 400


def test_stopping_a_channel_that_is_not_there_is_not_found(account: Account) -> None:
    body = {"id": account.new_id(), "resourceId": "nothing"}
    assert account.refusal(account.service.channels().stop(body=body)).status == 404
