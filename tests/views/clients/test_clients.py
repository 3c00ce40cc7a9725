"""Client pages: found, added, archived, and every read of a record noted."""

from __future__ import annotations

from flask.testing import FlaskClient

from portal.extensions import db
from portal.models import AuditEntry, Client
from portal.practice import clients
from tests.forms import read_page
from tests.office import NOW, Office, get


def reads(client: Client) -> int:
    query = db.select(db.func.count()).select_from(AuditEntry)
    return (
        db.session.scalar(query.where(AuditEntry.action == "client.read", AuditEntry.object_id == client.id))
        or 0
    )


def test_the_list_is_in_order_of_name_with_internal_ids(office: Office, visitor: FlaskClient) -> None:
    clients.add_client(office.provider, "Ana Lopez", now=NOW)
    db.session.commit()
    rows = [row.text for row in get(visitor, "/clients").find("main")[0].find("li")]
    assert rows == ["Ana Lopez 1002", "Rosa Tellan 1001"]


def test_search_finds_by_name_and_by_id_and_keeps_the_name_out_of_the_address(
    office: Office, visitor: FlaskClient
) -> None:
    for text in ("tellan", "1001"):
        answer = visitor.post("/clients/search", data={"q": text})
        assert "Rosa Tellan" in answer.get_data(as_text=True)
    page = read_page(visitor.post("/clients/search", data={"q": "100%"}).get_data(as_text=True))
    assert "Nobody found" in page.text


def test_a_new_client_gets_the_next_id(office: Office, visitor: FlaskClient) -> None:
    answer = visitor.post("/clients", data={"name": "Ana Lopez"})
    assert answer.status_code == 303
    page = get(visitor, answer.headers["Location"])
    assert "Ana Lopez" in page.text
    assert "Added under internal ID 1002." in page.text


def test_a_client_needs_a_name(office: Office, visitor: FlaskClient) -> None:
    assert visitor.post("/clients", data={"name": " "}).status_code == 422


def test_each_look_at_a_record_is_in_the_audit_log(office: Office, visitor: FlaskClient) -> None:
    get(visitor, f"/clients/{office.client.id}")
    get(visitor, f"/clients/{office.client.id}")
    assert reads(office.client) == 2


def test_an_archived_client_leaves_the_list_and_comes_back(office: Office, visitor: FlaskClient) -> None:
    address = f"/clients/{office.client.id}"
    visitor.post(f"{address}/archive")
    assert "Rosa Tellan" not in get(visitor, "/clients").text
    assert "Rosa Tellan" in get(visitor, "/clients?archived=1").text
    visitor.post(f"{address}/unarchive")
    assert "Rosa Tellan" in get(visitor, "/clients").text


def test_the_page_shows_their_appointments(office: Office, visitor: FlaskClient) -> None:
    office.book()
    assert "Wed, Nov 18, 2026" in get(visitor, f"/clients/{office.client.id}").text


def test_somebody_elses_client_is_as_good_as_not_there(office: Office) -> None:
    stranger = office.sign_in(office.other)
    get(stranger, f"/clients/{office.client.id}", 404)
    get(stranger, f"/clients/{office.client.id}/edit", 404)
    assert stranger.post(f"/clients/{office.client.id}", data={"name": "X"}).status_code == 404
    assert "Rosa" not in get(stranger, "/clients").text
    assert reads(office.client) == 0
