"""A PostgreSQL database, by its own programs: pg_dump, pg_restore and psql.

No password stands in an argument, where every user of the machine could read it: the programs are told
by their environment where to connect.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import parse_qsl, unquote, urlsplit

from deploy.keeping.settings import Refusal
from deploy.keeping.shelf import MARK, Counts

KEPT_PREFIX = "before_"  # of the schema that holds what a restore replaced
# libpq's environment for what may stand after the question mark
_PARAMETERS = {
    "application_name": "PGAPPNAME",
    "channel_binding": "PGCHANNELBINDING",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "dbname": "PGDATABASE",
    "gssencmode": "PGGSSENCMODE",
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "options": "PGOPTIONS",
    "passfile": "PGPASSFILE",
    "password": "PGPASSWORD",
    "port": "PGPORT",
    "service": "PGSERVICE",
    "sslcert": "PGSSLCERT",
    "sslcrl": "PGSSLCRL",
    "sslkey": "PGSSLKEY",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "user": "PGUSER",
}
# An error of the server's may repeat what is in a row; its code says enough
_PSQL = (
    *("psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--no-password"),
    *("--set=ON_ERROR_STOP=1", "--set=VERBOSITY=sqlstate", "--set=SHOW_CONTEXT=never"),
)


def environment(database_url: str) -> dict[str, str]:
    """What libpq has to know, from a DATABASE_URL."""
    parts = urlsplit(database_url)
    named = {
        "PGHOST": parts.hostname,
        "PGPORT": str(parts.port) if parts.port else None,
        "PGUSER": unquote(parts.username) if parts.username else None,
        "PGPASSWORD": unquote(parts.password) if parts.password else None,
        "PGDATABASE": unquote(parts.path.lstrip("/")),
    }
    for key, value in parse_qsl(parts.query, keep_blank_values=True):
        if key not in _PARAMETERS:
            raise Refusal(f"DATABASE_URL has the parameter {key}, which a backup cannot pass on")
        named[_PARAMETERS[key]] = value
    return {**os.environ, **{name: value for name, value in named.items() if value}}


def size(database_url: str) -> int:
    """Bytes of the database; a dump is compressed and stays below."""
    return int(_ask(environment(database_url), "SELECT pg_database_size(current_database())"))


def dump(database_url: str, target: Path) -> Counts:
    """One consistent dump, read again to its end; rows per table. What restores kept is left out."""
    _run(
        *("pg_dump", "--no-password", "--format=custom", "--no-owner", "--no-privileges"),
        *(f"--exclude-schema={KEPT_PREFIX}*", f"--file={target}"),
        environment=environment(database_url),
    )
    return count(target)


def count(dumped: Path) -> Counts:
    """Rows per table of a dump. Raises Refusal when it cannot be read to its end."""
    counts: dict[str, int] = {}
    table = None
    with _as_sql(dumped) as lines:
        for line in lines:
            if table is not None and line != b"\\.\n":
                counts[table] += 1
            elif table is not None:
                table = None
            elif found := re.match(rb'COPY public\."?([^" (]+)"? .*FROM stdin;\n', line):
                table = found[1].decode()
                counts[table] = 0
    return counts


def restore(
    database_url: str, dumped: Path, *, kept_schema: str, restored_at: str, backup_made_at: str
) -> Counts:
    """Put a dump in the place of what the schema `public` holds, in one transaction.

    The old schema stays under another name, untouched; rows per table of it are given back. Raises
    Refusal, with everything as it was, when somebody else is connected or anything fails.
    """
    where = environment(database_url)
    counts = _count_rows(where)
    mark = (
        f"CREATE TABLE IF NOT EXISTS public.{MARK} "
        "(restored_at VARCHAR(32) PRIMARY KEY, backup_made_at VARCHAR(32) NOT NULL);\n"
        f"DELETE FROM public.{MARK};\n"
        f"INSERT INTO public.{MARK} VALUES ('{restored_at}', '{backup_made_at}');\n"
    )
    before = (
        f'BEGIN;\n{_REFUSE_OTHERS}ALTER SCHEMA public RENAME TO "{kept_schema}";\nCREATE SCHEMA public;\n'
    )
    # Others are looked for again at the end: whoever came meanwhile wrote to what is being replaced
    _replay(where, dumped, before=before, after=f"{mark}{_REFUSE_OTHERS}COMMIT;\n")
    return counts


def try_out(database_url: str, dumped: Path, scratch: str) -> Counts:
    """Put a dump into a new database of this name beside ours, count its rows, and drop it again."""
    ours = environment(database_url)
    try:
        _ask(ours, f'CREATE DATABASE "{scratch}"')
    except Refusal as error:
        raise Refusal(
            f'no scratch database could be made; the role needs this once: ALTER ROLE "…" CREATEDB\n{error}'
        ) from None
    try:
        there = {**ours, "PGDATABASE": scratch}
        _replay(there, dumped, before="BEGIN;\n", after="COMMIT;\n")
        return _count_rows(there)
    finally:
        _ask(ours, f'DROP DATABASE "{scratch}"')


# A connection that is just ending is waited for
_REFUSE_OTHERS = """\
DO $lockstep$ DECLARE tries int := 0; BEGIN LOOP
    PERFORM pg_stat_clear_snapshot();
    EXIT WHEN NOT EXISTS (
        SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND usesysid IS NOT NULL AND pid <> pg_backend_pid()
    );
    IF tries = 20 THEN RAISE EXCEPTION USING ERRCODE = 'LS001'; END IF;
    tries := tries + 1;
    PERFORM pg_sleep(0.1);
END LOOP; END $lockstep$;
"""


def _replay(where: Mapping[str, str], dumped: Path, *, before: str, after: str) -> None:
    """The dump as SQL, through psql.

    `after` is sent only once all of the dump was read: without its COMMIT nothing has happened.
    """
    with tempfile.TemporaryFile() as errors:
        psql = subprocess.Popen(
            [*_PSQL, "--file=-"],
            env=dict(where),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        assert psql.stdin
        # A pipe that breaks: psql has ended, and what it said is read below
        with contextlib.suppress(BrokenPipeError), psql.stdin:
            psql.stdin.write(before.encode())
            with _as_sql(dumped) as lines:
                shutil.copyfileobj(lines, psql.stdin)
            psql.stdin.write(after.encode())
        exit_code = psql.wait()
        errors.seek(0)
        said = errors.read().decode().strip()
    if "LS001" in said:
        raise Refusal(
            "somebody is connected to the database: stop the web server and the worker first; "
            "nothing was changed"
        )
    if exit_code:
        raise Refusal(f"the dump could not be put back; nothing was changed\n{said}")


def _ask(where: Mapping[str, str], sql: str) -> str:
    return _run(*_PSQL, f"--command={sql}", environment=where).strip()


def _count_rows(where: Mapping[str, str]) -> Counts:
    """Rows per table of the schema `public`, as it is in the database."""
    query = (
        "SELECT format('SELECT %L, count(*) FROM public.%I', tablename, tablename) "
        "FROM pg_tables WHERE schemaname = 'public'\n\\gexec\n"
    )
    told = _run(*_PSQL, "--file=-", environment=where, stdin=query)
    return {table: int(rows) for table, _, rows in (line.rpartition("|") for line in told.splitlines())}


@contextmanager
def _as_sql(dumped: Path) -> Iterator[IO[bytes]]:
    """What a dump would have psql do, line by line. Raises Refusal when it cannot be read to its end."""
    command = ["pg_restore", "--no-owner", "--no-privileges", "--file=-", str(dumped)]
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors) as reader:
            assert reader.stdout
            yield reader.stdout
        if reader.returncode:
            errors.seek(0)
            raise Refusal(f"{dumped} cannot be read\n{errors.read().decode().strip()}")


def _run(*command: str, environment: Mapping[str, str], stdin: str | None = None) -> str:
    done = subprocess.run(
        command, env=dict(environment), input=stdin or "", capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refusal(f"{command[0]} failed\n{done.stderr.strip()}")
    return done.stdout
