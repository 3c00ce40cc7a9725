"""Writes deploy/lockstep.env.example from where the settings are declared. After a change there, run

`python -m scripts.env_example`; a test holds that the file is the one that would be written.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deploy.keeping.settings import SETTINGS as OF_BACKUPS
from portal.settings import SETTINGS, Setting

TARGET = Path(__file__).resolve().parent.parent / "deploy" / "lockstep.env.example"
HEAD = """\
# Settings of Lockstep, written by `python -m scripts.env_example`. Lines with nothing after the equals sign
# have to be filled in; a name behind `#` shows what holds without it."""
# Read by compose.yaml alone
OF_CONTAINERS = (
    (
        "QUEUE_PASSWORD",
        "For compose.yaml alone: the password of its queue, in letters and digits.\n"
        'Make one: python3 -c "import secrets; print(secrets.token_hex(32))"',
        "",
    ),
)


def text() -> str:
    """The whole file."""
    return (
        "\n\n".join(
            [HEAD, *map(_told, SETTINGS), *(_told_apart(*each) for each in (*OF_BACKUPS, *OF_CONTAINERS))]
        )
        + "\n"
    )


def _told(setting: Setting) -> str:
    return "\n".join(_lines(setting))


def _told_apart(name: str, meaning: str, default: str) -> str:
    """A setting that the portal does not read."""
    return "\n".join([*(f"# {line}" for line in meaning.splitlines()), f"# {name}={default}"])


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
