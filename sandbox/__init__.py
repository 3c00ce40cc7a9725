"""A stand-in for Google: OAuth, Calendar API v3, push, pages to look at. Strict on purpose; see README.md."""

from __future__ import annotations

from sandbox.client import SandboxClient
from sandbox.grants import Client
from sandbox.server import Sandbox, serve

__all__ = ["Client", "Sandbox", "SandboxClient", "serve"]
