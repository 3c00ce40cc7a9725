"""Lockstep: a calendar portal for mental-health practices. `create_app` is the only wiring."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog
from flask import Flask, request
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import cli, extensions, jobs, logs, models, outward, views
from portal.columns import make_keyring
from portal.config import ROOT, Config, ConfigError, load_config
from portal.google import oauth
from portal.rows import pausing
from portal.views.door import asking, throttling
from portal.views.page import headers, signing_in

__all__ = ["create_app", "models", "start"]

YEAR_SECONDS = 31_536_000

log = structlog.get_logger()


class Portal(Flask):
    """Flask, whose log of a crash names no address: a feed's is its secret."""

    def log_exception(
        self,
        exc_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None],
    ) -> None:
        self.logger.error("crashed in %s [%s]", request.endpoint, request.method, exc_info=exc_info)


def start() -> Portal:
    """The app of a program of its own. Settings that cannot be used end the program, and say why."""
    logs.tell_uncaught_by_kind()
    try:
        return create_app()
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        raise


def create_app(config: Config | None = None, **overrides: Any) -> Portal:
    """Build the app from `config`, or from the environment. `overrides` are Flask settings, for tests."""
    logs.install()
    config = config or load_config()
    app = Portal("portal", root_path=str(Path(__file__).parent), instance_path=str(ROOT / "instance"))
    app.template_folder = str(ROOT / "templates")
    app.static_folder = str(ROOT / "static")
    app.config.from_mapping(_flask_settings(config), **overrides)
    app.extensions["config"] = config
    app.extensions["keyring"] = make_keyring(config.token_encryption_keys)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=config.proxy_hops, x_proto=config.proxy_hops)  # type: ignore[method-assign]
    asking.register(app)
    _bind_extensions(app, config)
    throttling.register(app, config)
    signing_in.register(app)
    headers.register(app)
    views.register(app)
    cli.register(app)
    outward.guard(app, pausing.may_send)
    for advice in config.warnings:
        log.warning("settings", advice=advice)
    return app


def create_help() -> Flask:
    """An app that knows what commands there are, and can run none of them."""
    app = Flask("portal", static_folder=None)
    cli.register(app)
    return app


def _flask_settings(config: Config) -> dict[str, Any]:
    """Cookies are Secure and carry the `__Host-` prefix when, and only when, the portal is on https."""
    return {
        "SECRET_KEY": config.secret_key,
        "SQLALCHEMY_DATABASE_URI": config.database_url,
        # with the pool's own five 32 in each process: two stay below the hundred that PostgreSQL allows
        "SQLALCHEMY_ENGINE_OPTIONS": {"pool_pre_ping": True, "hide_parameters": True, "max_overflow": 27},
        "SESSION_COOKIE_NAME": "__Host-session" if config.is_https else "session",
        "SESSION_COOKIE_SECURE": config.is_https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "WTF_CSRF_TIME_LIMIT": None,  # a calendar stays open for days; the session's own end bounds the token
        "SEND_FILE_MAX_AGE_DEFAULT": YEAR_SECONDS,
        "MAX_CONTENT_LENGTH": 1_000_000,
    }


def _bind_extensions(app: Flask, config: Config) -> None:
    extensions.db.init_app(app)
    extensions.migrate.init_app(app, directory=str(ROOT / "migrations"))
    extensions.login_manager.init_app(app)
    extensions.csrf.init_app(app)
    extensions.htmx.init_app(app)
    app.teardown_request(extensions.forget_reading)
    oauth.register(app, config)
    jobs.bind(app, config)
