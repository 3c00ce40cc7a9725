"""A stand-in for Google: OAuth, Calendar API v3, push, pages to look at. Strict on purpose; see README.md.

Its wings, from the ground up; each may import those before it, none behind it: ground, trouble, push, state,
sign_in, calls, event, resources, api, people, control, pages. `app.py` joins them, `server.py` serves them.
"""

from __future__ import annotations

from sandbox.client import SandboxClient
from sandbox.server import Sandbox, serve
from sandbox.state.grants import Client

__all__ = ["Client", "Sandbox", "SandboxClient", "serve"]
