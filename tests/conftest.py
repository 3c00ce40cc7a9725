"""What every test gets: the rules of this suite, and the real servers that tests may ask for."""

from __future__ import annotations

pytest_plugins = ["tests.suite_rules"]
