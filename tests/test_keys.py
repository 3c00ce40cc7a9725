"""`flask keys …`: what each key opens is counted, all can move to a new key, and nothing is lost unasked."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import flask_migrate
import pytest
import sqlalchemy as sa
from click.testing import Result
from cryptography.fernet import Fernet, MultiFernet
from flask import Flask

from demo.processes import plain_environment
from portal import create_app, create_help
from portal.clock import utcnow
from portal.columns import make_keyring
from portal.config import load_config
from portal.extensions import db
from portal.feed import addresses
from portal.models import AuditEntry, Connection, Draft, Feed, Provider
from portal.people import accounts
from portal.practice import drafts
from portal.rows import encrypted
from tests.scratch_practice import SETTINGS

ROOT = Path(__file__).parent.parent
OLD, NEW, LOST = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    settings = {**SETTINGS, "DATABASE_URL": database_url, "TOKEN_ENCRYPTION_KEYS": OLD}
    app = create_app(load_config(settings), TESTING=True)
    with app.app_context():
        flask_migrate.upgrade(directory="migrations")
        provider = accounts.add_provider(
            email="wren.hale@example.com",
            name="Dr. Wren Hale",
            timezone="America/Chicago",
            password="a long phrase",
            is_owner=True,
            now=utcnow(),
        )
        addresses.new_feed(provider, now=utcnow())
        drafts.keep(provider.id, "/appointments/new", {"title": "Notes"}, now=utcnow())
        db.session.add(
            Connection(
                provider_id=provider.id,
                created_at=utcnow(),
                granted_at=utcnow(),
                google_sub="1",
                email="wren.hale@example.com",
                scopes="",
                refresh_token="a refresh token",
            )
        )
        db.session.commit()
        yield app
        db.session.remove()
        db.engine.dispose()


def use(app: Flask, *keys: str) -> None:
    """As after a restart with these keys."""
    db.session.rollback()
    db.session.expire_all()
    config = app.extensions["config"]
    app.extensions["config"] = dataclasses.replace(config, token_encryption_keys=keys)
    app.extensions["keyring"] = make_keyring(keys)


def command(app: Flask, *arguments: str, stdin: str = "") -> Result:
    db.session.rollback()
    result = app.test_cli_runner().invoke(args=list(arguments), input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    db.session.expire_all()
    return result


def on_disk() -> list[str | None]:
    columns = ("SELECT token FROM feed", "SELECT fields FROM draft", "SELECT refresh_token FROM connection")
    found = [db.session.execute(sa.text(query)).scalar_one() for query in columns]
    db.session.rollback()
    return found


def readable() -> list[bool]:
    db.session.expire_all()
    values = (
        db.session.scalars(sa.select(Feed)).one().token,
        db.session.scalars(sa.select(Draft)).one().fields,
        db.session.scalars(sa.select(Connection)).one().refresh_token,
    )
    return [bool(value) for value in values]


def test_what_each_key_opens_is_counted_and_no_key_is_shown(app: Flask) -> None:
    """Failure 70."""
    use(app, NEW, OLD)
    result = command(app, "keys", "check")
    assert result.exit_code == 0
    assert "feed.token: 0 by key 1, 1 by key 2, 0 by none" in result.output
    assert f"key 2 is {hashlib.sha256(OLD.encode()).hexdigest()[:8]}" in result.output
    use(app, NEW)
    result = command(app, "keys", "check")
    assert result.exit_code == 1
    assert "connection.refresh_token: 0 by key 1, 1 by none" in result.output
    assert "3 cannot be read" in result.output
    assert not any(key in result.output for key in (OLD, NEW))


def test_after_a_rotation_the_old_key_can_be_let_go_and_a_second_one_writes_nothing(app: Flask) -> None:
    use(app, NEW, OLD)
    result = command(app, "keys", "rotate")
    assert result.exit_code == 0
    assert "feed.token: 1 written anew, 0 were already, 0 by no key" in result.output
    after_one = on_disk()
    result = command(app, "keys", "rotate")
    assert result.exit_code == 0
    assert "feed.token: 0 written anew, 1 were already" in result.output
    assert on_disk() == after_one
    use(app, NEW)
    assert readable() == [True, True, True]
    assert command(app, "keys", "check").exit_code == 0
    actions = list(db.session.scalars(sa.select(AuditEntry.action)))
    assert actions == ["keys.rotated", "keys.rotated"]


def test_a_rotation_leaves_what_it_cannot_read_and_says_how_much(app: Flask) -> None:
    before = on_disk()
    use(app, NEW, LOST)
    result = command(app, "keys", "rotate")
    assert result.exit_code == 1
    assert "3 cannot be read" in result.output
    assert on_disk() == before
    use(app, OLD)
    assert readable() == [True, True, True]


def test_a_rotation_goes_through_more_rows_than_it_takes_at_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encrypted, "ROWS_AT_ONCE", 2)
    provider = db.session.scalars(sa.select(Provider)).one()
    for _ in range(4):
        addresses.new_feed(provider, now=utcnow())
    db.session.commit()
    use(app, NEW, OLD)
    assert "feed.token: 5 written anew" in command(app, "keys", "rotate").output
    use(app, NEW)
    assert "feed.token: 5 by key 1, 0 by none" in command(app, "keys", "check").output


def test_whoever_writes_during_a_rotation_has_the_last_word(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(app, NEW, OLD)
    replace = encrypted._replace
    ring = MultiFernet([Fernet(OLD)])

    def overtake(column: sa.Column[str], key: int, stored: str, text: str | None) -> bool:
        if column.name == "refresh_token":
            newer = ring.encrypt(b"a newer token").decode()
            db.session.execute(sa.text("UPDATE connection SET refresh_token = :newer"), {"newer": newer})
        return replace(column, key, stored, text)

    monkeypatch.setattr(encrypted, "_replace", overtake)
    result = command(app, "keys", "rotate")
    assert result.exit_code == 1
    assert "1 changed meanwhile" in result.output
    assert db.session.scalars(sa.select(Connection)).one().refresh_token == "a newer token"
    monkeypatch.setattr(encrypted, "_replace", replace)
    assert command(app, "keys", "rotate").exit_code == 0
    use(app, NEW)
    assert db.session.scalars(sa.select(Connection)).one().refresh_token == "a newer token"


def test_the_unreadable_is_forgotten_after_a_question_alone_and_the_rest_stays(app: Flask) -> None:
    before = on_disk()
    use(app, NEW)
    provider = db.session.scalars(sa.select(Provider)).one()
    kept = addresses.new_feed(provider, now=utcnow())
    db.session.commit()
    kept_id, kept_token = kept.id, kept.token
    lost_id = db.session.scalars(sa.select(Feed.id).where(Feed.id != kept_id)).one()

    declined = command(app, "keys", "forget", stdin="n\n")
    assert declined.exit_code == 1
    assert "3 cannot be read" in declined.output
    assert db.session.execute(sa.text("SELECT refresh_token FROM connection")).scalar_one() == before[2]

    result = command(app, "keys", "forget", "--yes")
    assert result.exit_code == 0
    assert "feed.token: 1 deleted" in result.output
    use(app, OLD, NEW)
    assert db.session.scalars(sa.select(Connection)).one().refresh_token is None
    assert not db.session.get_one(Feed, lost_id).token
    assert addresses.feed_url("", db.session.get_one(Feed, lost_id)) is None
    assert db.session.get_one(Feed, kept_id).token == kept_token
    assert drafts.waiting(provider.id, now=utcnow()) == []
    assert command(app, "keys", "check").exit_code == 0
    assert "Nothing was deleted" in command(app, "keys", "forget").output


@pytest.mark.parametrize(
    "arguments",
    [[], ["keys"], ["keys", "rotate"], ["provider", "add"], ["client", "add"], ["sync", "now"]],
    ids=" ".join,
)
def test_every_command_has_its_help_in_an_app_that_has_no_settings(arguments: list[str]) -> None:
    result = create_help().test_cli_runner().invoke(args=[*arguments, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_help_needs_no_settings_and_everything_else_says_what_to_set(tmp_path: Path) -> None:
    def flask(*arguments: str) -> subprocess.CompletedProcess[str]:
        settings = {**plain_environment(), "PYTHONPATH": os.pathsep.join([str(ROOT)])}
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            cwd=tmp_path, env=settings, capture_output=True, text=True, check=False,
        )  # fmt: skip

    helped = flask("keys", "rotate", "--help")
    assert helped.returncode == 0, helped.stderr
    assert "Write everything anew under the first key" in helped.stdout
    refused = flask("keys", "rotate")
    assert refused.returncode != 0
    assert "SECRET_KEY" in refused.stderr
