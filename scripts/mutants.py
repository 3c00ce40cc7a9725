"""Changes the core on purpose, one small thing at a time, and sees whether the tests notice.

`python -m scripts.mutants [--seed N] [--sample N] [--at-once N]`. Every mutant lives in a forked process
alone: no file is touched, so a run may be stopped at any time, and goes on where it was. What needs no second
look is remembered under build/mutants/. The summary is docs/measurements/mutation.md.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import hashlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import random
import signal
import sys
import time
import tomllib
import traceback
import types
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.long_tests import MEASUREMENTS, commit_words, machine_words

ROOT = Path(__file__).resolve().parent.parent
CORE = ("outbound", "inbound", "event", "recurrence", "breaker", "pace", "trouble", "modes", "health")
SEED, SAMPLE = 20261123, 400
TESTS = ("tests/sync", "tests/google")
MEMORY = ROOT / "build" / "mutants"
EQUIVALENTS = ROOT / "scripts" / "equivalent_mutants.toml"
LONGEST_SECONDS = 300  # of real time; a mutant that runs for so long has been noticed
CORE_EXAMPLES = "60"  # of the state machine; the other tests run as they always do
PREIMPORTED = (
    "pytest", "hypothesis", "hypothesis.stateful", "flask", "flask_login", "flask_wtf", "flask_migrate",
    "flask_sqlalchemy", "sqlalchemy.orm", "authlib.integrations.flask_client", "googleapiclient.discovery",
    "google_auth_httplib2", "icalendar", "rq", "redis", "psycopg", "psutil", "structlog",
    "argon2", "cryptography.fernet", "sandbox.client",
)  # fmt: skip

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult,
}  # fmt: skip
OTHER_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
NOT_RUN = ("annotation", "returns", "decorator_list", "type_params")  # notes for readers, or made at import


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one module. `number`: its place among all changes of that module."""

    module: str
    number: int
    where: str  # the function or class around it
    line: int
    text: str  # the line, as it is
    change: str

    @property
    def name(self) -> str:
        return f"{self.module}:{self.line} {self.change}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a mutant ended: killed (by which test file), survived, or timeout, which counts as killed."""

    mutant: Mutant
    outcome: str
    killer: str = ""


# Making mutants


def mutants_of(module: str) -> list[Mutant]:
    """Every change that this program knows to make to a module, in the order of its text."""
    source = source_of(module)
    lines = source.splitlines()
    found = []
    for number, (site, old, new) in enumerate(_changes(ast.parse(source))):
        change = f"{_words(old)} → {_words(new)}"
        found.append(Mutant(module, number, site.where, site.line, lines[site.line - 1].strip(), change))
    return found


def mutated(mutant: Mutant) -> types.CodeType:
    """The module's code with this one change."""
    tree = ast.parse(source_of(mutant.module))
    for number, (site, _, new) in enumerate(_changes(tree)):
        if number == mutant.number:
            site.put(new)
            ast.fix_missing_locations(tree)
            return compile(tree, str(path_of(mutant.module)), "exec")
    raise ValueError(f"{mutant.module} has no change {mutant.number}")


@dataclass(frozen=True, slots=True)
class _Site:
    """A node's place in its tree."""

    parent: ast.AST
    field: str
    index: int | None
    where: str
    line: int

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def _changes(tree: ast.Module) -> Iterator[tuple[_Site, ast.AST, ast.AST]]:
    for site, node in _sites(tree, "module", 1):
        for new in _variants(node):
            yield site, node, ast.copy_location(new, node) if hasattr(node, "lineno") else new


def _sites(parent: ast.AST, where: str, line: int) -> Iterator[tuple[_Site, ast.AST]]:
    """Every node below `parent` that is run, with its place."""
    for field, value in ast.iter_fields(parent):
        if field in NOT_RUN:
            continue
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if not isinstance(child, ast.AST) or _is_docstring(child):
                continue
            at = getattr(child, "lineno", line)
            yield _Site(parent, field, index, where, at), child
            name = child.name if isinstance(child, ast.FunctionDef | ast.ClassDef) else where
            yield from _sites(child, name, at)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _variants(node: ast.AST) -> Iterator[ast.AST]:
    """What a node can be changed into."""
    match node:
        case ast.Compare():
            yield from _other_comparisons(node)
        case ast.BoolOp():
            yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.BinOp() | ast.AugAssign() if type(node.op) in ARITHMETIC:
            yield _with(node, op=ARITHMETIC[type(node.op)]())
        case ast.Constant():
            yield from _other_constants(node)
        case ast.Name(id=name) if name in OTHER_NAMES:
            yield _with(node, id=OTHER_NAMES[name])
        case _:
            yield from _other_flow(node)


def _other_flow(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.If():
            yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
        case ast.IfExp():
            yield _with(node, body=node.orelse, orelse=node.body)
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield _with(node, value=ast.Constant(None))
        case ast.Assign(value=value) if not _is_none(value):
            yield _with(node, value=ast.Constant(None))
        case ast.Expr():
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()
        case _:
            yield from _other_choices(node)


def _other_choices(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.comprehension(ifs=[_, *_]):
            yield _with(node, ifs=[])
        case ast.match_case(guard=guard) if guard is not None:
            yield _with(node, guard=None)
        case ast.MatchOr(patterns=[first, second]):
            yield from (second, first)
        case ast.MatchOr(patterns=patterns):
            for left_out in range(len(patterns)):
                yield _with(node, patterns=patterns[:left_out] + patterns[left_out + 1 :])


def _other_comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    for number, operator in enumerate(node.ops):
        if type(operator) in COMPARISONS:
            other = COMPARISONS[type(operator)]()
            yield _with(node, ops=[*node.ops[:number], other, *node.ops[number + 1 :]])


def _other_constants(node: ast.Constant) -> Iterator[ast.AST]:
    match node.value:
        case bool():
            yield ast.Constant(not node.value)
        case int() | float():
            yield ast.Constant(node.value + 1)
        case str():
            yield ast.Constant(f"XX{node.value}XX")


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _words(node: ast.AST) -> str:
    if isinstance(node, ast.If):
        return f"if {ast.unparse(node.test)}"
    if isinstance(node, ast.comprehension):
        return ast.unparse(node).strip()
    if isinstance(node, ast.match_case):
        guard = f" if {ast.unparse(node.guard)}" if node.guard else ""
        return f"case {ast.unparse(node.pattern)}{guard}"
    return ast.unparse(node)


# Trying one


class Impostor(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Hands out the changed code in the module's name."""

    def __init__(self, mutant: Mutant) -> None:
        self.name, self.code = f"portal.sync.{mutant.module}", mutated(mutant)
        self.path = str(path_of(mutant.module))

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.path, loader=self)

    def exec_module(self, module: types.ModuleType) -> None:
        exec(self.code, module.__dict__)  # noqa: S102 (our own code, with one change)


def child_main(mutant: Mutant | None, files: Sequence[str], report: Path) -> int:
    """In the forked process: run these tests until the first fails, and tell which file that was in."""
    if mutant is not None:
        sys.meta_path.insert(0, Impostor(mutant))
    import pytest

    failed: list[str] = []

    class Failures:
        def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
            if report.failed:
                failed.append(report.nodeid.split("::")[0])

        def pytest_collectreport(self, report: pytest.CollectReport) -> None:
            if report.failed:
                failed.append(report.nodeid.split("::")[0])

    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--hypothesis-seed=0"]
    options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # Hypothesis is there before pytest
    code = pytest.main([*options, *files], plugins=[Failures()])
    report.write_text(failed[0] if failed else "collection")
    return int(code)


def try_one(mutant: Mutant | None, files: Sequence[str], report: Path) -> int:
    """Fork and run; gives back the process id. Its exit code is pytest's."""
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 99
    try:
        os.setsid()
        silence = os.open(os.devnull if mutant else str(MEMORY / "baseline.log"), os.O_WRONLY | os.O_CREAT)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        code = child_main(mutant, files, report)
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(code)


class Trials:
    """Mutants under trial, `at_once` at a time: each first against its own tests, then against all."""

    def __init__(self, memory: Memory, *, at_once: int) -> None:
        self.memory, self.at_once = memory, at_once
        self.running: dict[int, tuple[Mutant, bool, float]] = {}

    def run(self, mutants: Sequence[Mutant]) -> None:
        waiting = list(reversed(mutants))
        while waiting or self.running:
            while waiting and len(self.running) < self.at_once:
                self._start(waiting.pop(), is_last=False)
            self._reap()
            self._end_the_endless()
            time.sleep(0.02)

    def _start(self, mutant: Mutant, *, is_last: bool) -> None:
        folder = ROOT / "tests" / "sync"
        own = [str(path.relative_to(ROOT)) for path in folder.glob(f"test_{mutant.module}*.py")]
        files = list(TESTS) if is_last or not own else own
        pid = try_one(mutant, files, self._report(mutant))
        self.running[pid] = (mutant, is_last or not own, time.monotonic())

    def _reap(self) -> None:
        for pid in list(self.running):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            mutant, is_last, _ = self.running.pop(pid)
            if os.waitstatus_to_exitcode(status) != 0:
                self.memory.keep(Verdict(mutant, "killed", self._report(mutant).read_text()))
            elif is_last:
                self.memory.keep(Verdict(mutant, "survived"))
            else:
                self._start(mutant, is_last=True)

    def _end_the_endless(self) -> None:
        for pid, (mutant, _, since) in list(self.running.items()):
            if time.monotonic() - since > LONGEST_SECONDS:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                del self.running[pid]
                self.memory.keep(Verdict(mutant, "timeout"))

    def _report(self, mutant: Mutant) -> Path:
        path = MEMORY / f"{mutant.module}-{mutant.number}.report"
        if not path.exists():
            path.write_text("crash")
        return path


_sources: dict[str, str] = {}


class Memory:
    """Verdicts of earlier runs. One holds while the module and the test file that killed are unchanged;
    a survivor's holds while no test is changed."""

    def __init__(self) -> None:
        MEMORY.mkdir(parents=True, exist_ok=True)
        self.path = MEMORY / "verdicts.jsonl"
        self.verdicts: dict[Mutant, Verdict] = {}
        self.digests: dict[str, str] = {}
        for line in self.path.read_text().splitlines() if self.path.exists() else []:
            record = json.loads(line)
            verdict = Verdict(Mutant(**record["mutant"]), record["outcome"], record["killer"])
            if record["digest"] == self._digest(verdict):
                self.verdicts[verdict.mutant] = verdict

    def keep(self, verdict: Verdict) -> None:
        self.verdicts[verdict.mutant] = verdict
        with self.path.open("a") as file:
            file.write(json.dumps({**asdict(verdict), "digest": self._digest(verdict)}) + "\n")
        print(f"{len(self.verdicts):5} {verdict.outcome:9} {verdict.mutant.name[:110]}", flush=True)

    def _digest(self, verdict: Verdict) -> str:
        is_file = verdict.killer and (ROOT / verdict.killer).is_file()
        tests = [ROOT / verdict.killer] if is_file else _test_files()
        paths = [path_of(verdict.mutant.module), *tests]
        name = " ".join(str(path) for path in paths)
        if name not in self.digests:
            self.digests[name] = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
        return self.digests[name]


def _test_files() -> list[Path]:
    return sorted(path for folder in TESTS for path in (ROOT / folder).rglob("test_*.py"))


def source_of(module: str) -> str:
    """As it was at the first look: somebody may be editing it."""
    if module not in _sources:
        _sources[module] = path_of(module).read_text()
    return _sources[module]


def path_of(module: str) -> Path:
    return ROOT / "portal" / "sync" / f"{module}.py"


# Telling


def equivalents() -> dict[tuple[str, str, str], str]:
    """Changes that alter nothing anybody could see: (module, line of text, change) -> the reason."""
    if not EQUIVALENTS.exists():
        return {}
    listed = tomllib.loads(EQUIVALENTS.read_text())["equivalent"]
    return {(each["module"], each["text"], each["change"]): each["reason"] for each in listed}


def write_summary(verdicts: Sequence[Verdict], *, seed: int, total: int) -> tuple[Path, float]:
    known = equivalents()
    reasons = {v.mutant: known.get((v.mutant.module, v.mutant.text, v.mutant.change)) for v in verdicts}
    survived = [each for each in verdicts if each.outcome == "survived"]
    equivalent = [each for each in survived if reasons[each.mutant]]
    killed = len(verdicts) - len(survived)
    share = killed / (len(verdicts) - len(equivalent))
    lines = [
        "# Mutation testing of the core",
        "",
        "`python -m scripts.mutants` changes one small thing and runs `tests/sync` and `tests/google`.",
        "Not changed: docstrings, annotations and decorators. Nothing else is left out.",
        "",
        f"- {commit_words()}",
        f"- {machine_words()}",
        f"- seed: {seed}, a sample of {len(verdicts)} of {total} mutants",
        f"- killed: {killed}; survived: {len(survived)}, of which {len(equivalent)} change nothing (below)",
        f"- **{share:.1%} killed** of those that change something",
        "",
        "| Module | Mutants | Killed | Survived | of these equivalent |",
        "|---|---|---|---|---|",
        *(_module_row(module, verdicts, equivalent) for module in CORE),
        "",
        "## Survivors",
        "",
        *(_survivor(each, reasons[each.mutant]) for each in survived),
    ]
    path = MEASUREMENTS / "mutation.md"
    MEASUREMENTS.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines).rstrip() + "\n")
    return path, share


def _module_row(module: str, verdicts: Sequence[Verdict], equivalent: Sequence[Verdict]) -> str:
    of_it = Counter(each.outcome for each in verdicts if each.mutant.module == module)
    same = sum(each.mutant.module == module for each in equivalent)
    killed = of_it["killed"] + of_it["timeout"]
    return f"| `{module}.py` | {of_it.total()} | {killed} | {of_it['survived']} | {same} |"


def _survivor(verdict: Verdict, reason: str | None) -> str:
    mutant = verdict.mutant
    judged = f"equivalent: {reason}" if reason else "**not noticed**"
    return f"- `{mutant.module}.py`, `{mutant.where}`: `{mutant.change}` in `{mutant.text}`. {judged}"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--sample", type=int, default=SAMPLE)
    parser.add_argument("--at-once", type=int, default=2, choices=(1, 2))
    asked = parser.parse_args(arguments)
    everything = [mutant for module in CORE for mutant in mutants_of(module)]
    chosen = random.Random(asked.seed).sample(everything, min(asked.sample, len(everything)))  # noqa: S311
    memory = Memory()
    _prepare()
    if not _passes_unchanged():
        print(f"the tests fail without any change; see {MEMORY / 'baseline.log'}")
        return 2
    Trials(memory, at_once=asked.at_once).run([each for each in chosen if each not in memory.verdicts])
    verdicts = [memory.verdicts[mutant] for mutant in chosen]
    path, share = write_summary(verdicts, seed=asked.seed, total=len(everything))
    print(f"{share:.1%} killed, summary in {path.relative_to(ROOT)}")
    return 0 if share >= 0.9 else 1


def _prepare() -> None:
    """Import what every trial would import, but for the portal; keep Hypothesis from learning of mutants."""
    os.environ["CORE_EXAMPLES"] = CORE_EXAMPLES
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(MEMORY / "hypothesis")
    for name in PREIMPORTED:
        importlib.import_module(name)
    assert not any(name.split(".")[0] == "portal" for name in sys.modules), (
        "a trial must import its own portal"
    )


def _passes_unchanged() -> bool:
    _, status = os.waitpid(try_one(None, TESTS, MEMORY / "baseline.report"), 0)
    return os.waitstatus_to_exitcode(status) == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
