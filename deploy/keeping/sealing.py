"""Encryption with age: https://age-encryption.org"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from deploy.keeping.settings import Refusal, Settings

SUFFIX = ".age"


def need_age() -> None:
    if shutil.which("age") is None:
        raise Refusal("the program `age` is not there (on Debian: apt-get install age)")


def seal(plain: Path, sealed: Path, recipient: str) -> None:
    """Encrypt for a public key, or for all of a file of them."""
    option = "--recipients-file" if recipient.startswith(("/", "./")) else "--recipient"
    _age("BACKUP_AGE_RECIPIENT cannot be used", option, recipient, "--output", str(sealed), str(plain))


def open_sealed(backup: Path, folder: Path, settings: Settings) -> Path:
    """The backup itself, or what is in it, decrypted into the folder."""
    if backup.suffix != SUFFIX:
        return backup
    need_age()
    if settings.age_identity is None:
        raise Refusal("the backup is encrypted: name the file with the secret key in BACKUP_AGE_IDENTITY")
    plain = folder / backup.stem
    identity = str(settings.age_identity.resolve())
    said = "the backup cannot be decrypted with this BACKUP_AGE_IDENTITY"
    _age(said, "--decrypt", "--identity", identity, "--output", str(plain), str(backup))
    return plain


def _age(said: str, *arguments: str) -> None:
    done = subprocess.run(["age", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refusal(f"{said}\n{done.stderr.strip()}")
