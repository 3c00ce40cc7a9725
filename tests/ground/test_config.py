"""Settings: what is refused at the start, what is only told, and what an operator is shown of them."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from demo.processes import ROOT, Answer, free_port, plain_environment, run
from portal import create_app
from portal.config import Config, ConfigError, load_config
from portal.settings import SETTINGS
from scripts import env_example

KEY = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="  # the same in every process that collects these tests
GOOD = {"SECRET_KEY": "kZ3v9-only-for-tests-81xq", "TOKEN_ENCRYPTION_KEYS": KEY}


def refusal(**settings: str) -> str:
    """What is said to settings that cannot be used."""
    with pytest.raises(ConfigError) as caught:
        load_config({**GOOD, **settings})
    return str(caught.value)


def test_every_setting_has_one_declaration_and_one_field() -> None:
    fields = [field.name for field in dataclasses.fields(Config) if field.name != "warnings"]
    assert sorted(setting.name.lower() for setting in SETTINGS) == sorted(fields)
    assert all(setting.meaning.endswith((".", "lockstep", "unix://", "number")) for setting in SETTINGS)


def test_what_is_set_by_default_passes_its_own_check() -> None:
    config = load_config({**GOOD, **{each.name: each.default for each in SETTINGS if each.default}})
    assert config == load_config(GOOD)
    assert (config.sync_poll_seconds, config.audit_keep_days, config.proxy_hops) == (60, 2190, 0)


def test_the_example_for_operators_is_the_one_that_the_settings_write() -> None:
    assert (ROOT / "deploy" / "lockstep.env.example").read_text() == env_example.text(), (
        "write it anew: python -m scripts.env_example"
    )


def test_the_example_lacks_nothing_but_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    lines = [line for line in env_example.text().splitlines() if line and not line.startswith("#")]
    shown = dict(line.split("=", 1) for line in lines)
    assert shown.keys() >= {"SECRET_KEY", "TOKEN_ENCRYPTION_KEYS", "DATABASE_URL", "REDIS_URL", "PUBLIC_URL"}
    shown["DATABASE_URL"] = f"sqlite:///{tmp_path / 'portal.db'}"
    monkeypatch.chdir(tmp_path)  # no .env of this folder
    told = refusal(**shown | {"SECRET_KEY": "", "TOKEN_ENCRYPTION_KEYS": ""})
    assert [line.split()[0] for line in told.splitlines()] == ["SECRET_KEY", "TOKEN_ENCRYPTION_KEYS"]
    assert load_config({**shown, **GOOD}).warnings == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("SECRET_KEY", value) for value in ("", "short", "change-me", "a" * 40)),
        *(("TOKEN_ENCRYPTION_KEYS", value) for value in ("", ",", "no-key", f"{KEY},x")),
        *(("SYNC_POLL_SECONDS", value) for value in ("0", "-1", "1.5", "soon", "²", "٣", "9" * 30, "86401")),
        *(("SESSION_IDLE_SECONDS", value) for value in ("59", "1e3", "99999999")),
        *(("AUDIT_KEEP_DAYS", value) for value in ("364", "0", "36501", "six years")),
        *(("PROXY_HOPS", value) for value in ("-1", "11", "yes")),
        *(("GOOGLE_WEBHOOK_ALLOW_HTTP", value) for value in ("maybe", "2", "onn")),
        *(
            ("REDIS_URL", value)
            for value in ("127.0.0.1:6379", "http://queue", "valkey://queue", "redis://q:x")
        ),
        *(
            ("SMTP_URL", value)
            for value in ("mail.example", "http://mail.example", "smtp://", "smtp://m:99999")
        ),
        *(
            ("DATABASE_URL", value)
            for value in (
                *(
                    "postgres://lockstep@/lockstep",
                    "postgresql://lockstep@/lockstep",
                    "mysql://x/y",
                    "portal.db",
                ),
                *("sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:////proc/none/portal.db"),
            )
        ),
        *(
            ("PUBLIC_URL", value)
            for value in (
                *("calendar.example", "ftp://calendar.example", "https://", "https://a:b@calendar.example"),
                *(
                    "https://calendar.example/portal",
                    "https://calendar.example?x=1",
                    "https://calendar.example#x",
                ),
                *("https://calendar.example:0", "https://calendar.example:x", "https://a b", "https://a\\b"),
                *("https://[::1", "https://@calendar.example"),
            )
        ),
        *(
            ("GOOGLE_API_ENDPOINT", value)
            for value in ("www.googleapis.com", "https://u:p@host", "unix:///x")
        ),
        *(("GOOGLE_OIDC_METADATA_URL", value) for value in ("accounts", "gopher://accounts")),
        *(("APP_CALENDAR_NAME", value) for value in ("x" * 101, "two\nlines")),
        *(("MAIL_FROM", value) for value in ("nobody", "a@b\nBcc: c@d")),
        *(("FLASK_DEBUG", value) for value in ("1", "true", "anything")),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_by_its_name(name: str, value: str) -> None:
    told = refusal(**{name: value})
    assert told.startswith(name)
    assert len(told.splitlines()) == 1
    assert not value or len(value) < 12 or value not in told, "it may be a secret"


def test_everything_that_is_wrong_is_told_at_once() -> None:
    told = refusal(SECRET_KEY="short", PROXY_HOPS="many", PUBLIC_URL="nowhere").splitlines()
    assert [line.split()[0] for line in told] == ["SECRET_KEY", "PUBLIC_URL", "PROXY_HOPS"]
    assert "secrets.token_urlsafe(48)" in told[0], "how to make one"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "https://calendar.example:8443/"),
        ("PUBLIC_URL", "http://[::1]:5000"),
        ("DATABASE_URL", "postgresql+psycopg://lockstep:p%40ss@/lockstep?host=/run/postgresql"),
        ("REDIS_URL", "unix:///run/valkey/valkey.sock?db=1"),
        ("REDIS_URL", "rediss://:password@queue.example:6380/0"),
        ("SMTP_URL", "smtps://user:p%40ss@mail.example"),
        ("MAIL_FROM", "The practice <calendar@practice.example>"),
        ("GOOGLE_WEBHOOK_ALLOW_HTTP", "On"),
        ("FLASK_DEBUG", "0"),
        ("SUPPORT_CONTACT", ""),
    ],
)
def test_what_can_be_used_is_taken(name: str, value: str) -> None:
    assert load_config({**GOOD, name: value}).warnings == ()


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"SYNC_POL_SECONDS": "5"}, "SYNC_POLL_SECONDS"),
        ({"SMTP_URI": "smtp://mail.example"}, "SMTP_URL"),
        ({"GOOGLE_CLIENT_ID": "x"}, "GOOGLE_CLIENT_SECRET"),
        ({"PUBLIC_URL": "http://calendar.practice.example"}, "https"),
        ({"PUBLIC_URL": "http://8.8.8.8"}, "https"),
    ],
)
def test_what_is_probably_not_meant_is_told_at_the_start(
    settings: dict[str, str], word: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    database = {"DATABASE_URL": f"sqlite:///{tmp_path / 'portal.db'}"}
    config = load_config({**GOOD, **database, **settings})
    assert len(config.warnings) == 1
    create_app(config)
    told = capfd.readouterr()
    assert word in told.err
    assert told.out == "", "what a command prints is for whoever called it"


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:5000", "http://localhost", "http://10.1.2.3", "http://calendar.local"]
)
def test_plain_http_in_the_house_is_nobodys_concern(address: str) -> None:
    assert load_config({**GOOD, "PUBLIC_URL": address}).warnings == ()


def test_a_slip_in_a_name_that_is_needed_is_told_with_the_refusal() -> None:
    told = refusal(TOKEN_ENCRYPTION_KEYS="", TOKEN_ENCRYPTION_KEY=GOOD["TOKEN_ENCRYPTION_KEYS"])
    assert told.splitlines()[1:] == ["TOKEN_ENCRYPTION_KEY is no setting. Is TOKEN_ENCRYPTION_KEYS meant?"]
    assert load_config({**GOOD, "TOKEN_ENCRYPTION_KEY": "x"}).warnings == (), "nothing is missing"


# As programs


def start(*command: str, **settings: str) -> Answer:
    environment = {**plain_environment(), **GOOD, "DATABASE_URL": "sqlite:///instance/never.db", **settings}
    return run([sys.executable, *command], environment, timeout_seconds=30)


@pytest.mark.parametrize("command", [("worker.py",), ("-m", "flask", "--app", "wsgi", "sync", "doctor")])
def test_a_program_with_a_weak_secret_ends_and_says_what_to_set(command: tuple[str, ...]) -> None:
    answer = start(*command, SECRET_KEY="short")
    assert answer.exit_code == 3
    assert answer.stderr.startswith("SECRET_KEY is missing or weak.")
    assert "Traceback" not in answer.stderr


def test_gunicorns_master_ends_with_the_message_instead_of_trying_for_ever() -> None:
    bind = f"127.0.0.1:{free_port()}"
    answer = start(
        "-m",
        "gunicorn",
        "--no-control-socket",
        "--bind",
        bind,
        "--workers",
        "2",
        "wsgi:app",
        SECRET_KEY="short",
    )
    assert answer.exit_code == 3
    assert "SECRET_KEY is missing or weak." in answer.stderr
    assert answer.stderr.count("Booting worker") <= 2
    assert "Traceback" not in answer.stderr
