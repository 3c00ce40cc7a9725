"""The house keeps its own rules: locks, vendored files, make targets, the shape of the code."""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.txt", "requirements-dev.txt")
OWN_PACKAGES = {"portal", "sandbox", "demo", "bench", "tests", "scripts", "wsgi", "worker", "migrations"}


def tracked_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def locked_names(lock: str) -> set[str]:
    return {_plain(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / lock).read_text(), re.M)}


def direct_names(source: str) -> set[str]:
    lines = (ROOT / source).read_text().splitlines()
    return {_plain(re.split(r"[\[=<>;]", line)[0]) for line in lines if line and line[0] not in "#-"}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_hashes(lock: str) -> None:
    pins = re.split(r"^(?=[A-Za-z0-9])", (ROOT / lock).read_text(), flags=re.M)[1:]
    assert len(pins) > 20
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_no_path(lock: str) -> None:
    banned = re.compile(r"://|--index|--find-links|--trusted|/tmp|\s/\S+/")
    assert [line for line in (ROOT / lock).read_text().splitlines() if banned.search(line)] == []


@pytest.mark.parametrize(("source", "lock"), [(name.replace(".txt", ".in"), name) for name in LOCKS])
def test_everything_asked_for_is_locked(source: str, lock: str) -> None:
    assert direct_names(source) - locked_names(lock) == set()


def test_both_locks_agree() -> None:
    def pins(lock: str) -> dict[str, str]:
        return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / lock).read_text(), re.M))

    portal, everything = (pins(lock) for lock in LOCKS)
    assert {name: everything.get(name) for name in portal} == portal


def test_the_portal_imports_only_what_it_asks_for_by_name() -> None:
    distributions = metadata.packages_distributions()
    asked = direct_names("requirements.in")
    imported = _imported_roots([*python_files("portal", "migrations"), ROOT / "wsgi.py", ROOT / "worker.py"])
    foreign = imported - set(sys.stdlib_module_names) - OWN_PACKAGES
    unasked = {name for name in foreign if asked.isdisjoint(map(_plain, distributions.get(name, [name])))}
    assert unasked == set()


def _imported_roots(files: list[Path]) -> set[str]:
    roots: set[str] = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                roots |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                roots.add(node.module.split(".")[0])
    return roots


@pytest.mark.parametrize("folder", ["static/vendor", "tests/browser/vendor"])
def test_vendored_files_are_the_ones_recorded(folder: str) -> None:
    lines = (ROOT / folder / "SHA256SUMS").read_text().splitlines()
    recorded = {name: digest for digest, name in (line.split("  ") for line in lines)}
    scripts = (ROOT / folder).glob("*.js")
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in scripts}
    assert found == recorded
    assert all(re.search(r"-\d+\.\d+\.\d+\.", name) for name in found), "the version belongs in the name"


def test_every_promised_make_target_is_explained_by_help() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    promised = [
        "demo",
        "test",
        "test-browser",
        "test-long",
        "run",
        "worker",
        "lint",
        "format",
        "bench",
        "help",
    ]
    assert [target for target in promised if not re.search(rf"make {target} +\S", shown)] == []


def test_ci_runs_lint_and_both_suites() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "set -euo pipefail" in script
    assert re.findall(r"^make (\S+)$", script, re.M) == ["lint", "test", "test-browser"]


def test_no_function_is_longer_than_sixty_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in python_files("portal", "sandbox", "demo", "bench")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _length(node) > 60
    ]
    assert long == []


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the function, its docstring not counted."""
    first = node.body[0]
    documented = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (node.end_lineno or 0) - node.lineno + 1 - docstring


def test_the_repository_speaks_of_no_machine_and_no_registry() -> None:
    words = ["/wo" + "rk/", "/ro" + "ot/", "pypi" + ".org", "python" + "hosted", "registry.npm" + "js"]
    words += ["deb.debian" + ".org", "file" + "://"]
    texts = {path: path.read_text(errors="replace") for path in tracked_files() if path.suffix != ".webp"}
    vendored = ("static/vendor/", "tests/browser/vendor/")
    found = [
        f"{name}: {word}"
        for path, text in texts.items()
        if not (name := str(path.relative_to(ROOT))).startswith(vendored)
        for word in words
        if word in text
    ]
    assert found == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    banned = re.compile(r"pytest\.(?:skip|xfail|importorskip)|mark\.(?:skip|skipif|xfail)\b|unittest\.skip")
    files = [path for path in python_files("tests") if path.name not in ("test_house.py", "suite_rules.py")]
    assert [str(path.relative_to(ROOT)) for path in files if banned.search(path.read_text())] == []


@pytest.mark.parametrize("options", [(), ("-n", "1")], ids=["here", "in another process"])
def test_a_skipped_test_fails_the_run(tmp_path: Path, options: tuple[str, ...]) -> None:
    passing = run_the_suite_on(tmp_path, "def test_passes():\n    assert 1 + 1 == 2\n", *options)
    assert (passing.returncode, "1 passed" in passing.stdout) == (0, True)
    left_out = "import pytest\ndef test_is_left_out():\n    pytest.skip('why')\n"
    skipping = run_the_suite_on(tmp_path, left_out, *options)
    assert (skipping.returncode, "NOT ALLOWED" in skipping.stdout) == (1, True)


def test_a_test_cannot_reach_beyond_this_machine(tmp_path: Path) -> None:
    call = "socket.create_connection(('192.0.2.1', 80), timeout=1)"
    calling = run_the_suite_on(tmp_path, f"import socket\ndef test_calls_out():\n    {call}\n")
    assert "ReachedTheNetwork: a test connected to 192.0.2.1" in calling.stdout
    assert calling.returncode == 1


def run_the_suite_on(folder: Path, body: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run one small test file under this suite's rules."""
    (folder / "test_small.py").write_text(body)
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(ROOT / "pyproject.toml"), f"--rootdir={ROOT}"]
    command += ["-p", "tests.suite_rules", "-p", "no:cacheprovider", *options, str(folder / "test_small.py")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
