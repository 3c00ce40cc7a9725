"""Writes deploy/lockstep.env.example from the settings' one declaration. After a change there, run

`python -m scripts.env_example`; a test holds that the file is the one that would be written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from portal.settings import SETTINGS, Setting

TARGET = Path(__file__).resolve().parent.parent / "deploy" / "lockstep.env.example"
HEAD = """\
# Settings of Lockstep, written by `python -m scripts.env_example`. Lines with nothing after the equals sign
# have to be filled in; a name behind `#` shows what holds without it."""


def text() -> str:
    """The whole file."""
    return "\n\n".join([HEAD, *("\n".join(_lines(setting)) for setting in SETTINGS)]) + "\n"


def _lines(setting: Setting) -> Iterator[str]:
    yield from (f"# {line}" for line in setting.meaning.splitlines())
    if setting.make:
        yield f"# Make one: {setting.make}"
    if setting.example is None:
        yield f"# {setting.name}={setting.default or ''}"
    else:
        yield f"{setting.name}={setting.example}"


if __name__ == "__main__":
    TARGET.write_text(text())
