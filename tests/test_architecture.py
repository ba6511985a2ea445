"""The house itself: floors, doors, names and sizes, read from the source with `ast`."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "trafficrl"
MODULES = sorted(PACKAGE.rglob("*.py"))
FLOORS = (
    "errors",
    "files",
    "xmlfiles",
    "config",
    "runs",
    "network",
    "demand",
    "simulation",
    "control",
    "env",
    "training",
    "evaluation",
    "launch",
    "app",
)
DOORS = {
    "traci": ("simulation/",),
    "libsumo": ("simulation/",),
    "sumolib": ("network/",),
    "torch": ("training/",),
    "stable_baselines3": ("training/",),
    "hydra": ("config/store.py", "config/load.py", "launch/", "app/"),
    "hydra_plugins": ("launch/",),
    "submitit": ("launch/",),
}
EVERY_MODULE = pytest.mark.parametrize(
    "path", MODULES, ids=[path.relative_to(PACKAGE).as_posix() for path in MODULES]
)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(module: ast.Module) -> Iterator[str]:
    """Every module or name that is imported anywhere in the file, by its full name."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


NAMES = {name_of(path) for path in MODULES}


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def floor(name: str) -> int:
    parts = name.split(".")
    return FLOORS.index(parts[1]) if len(parts) > 1 else -1


FACE = PACKAGE / "__init__.py"
BEHIND_FACE = ("trafficrl.app.api", "trafficrl.errors")
"""What `import trafficrl` shows, for whoever asks; type checkers read it from imports."""


@EVERY_MODULE
def test_imports_go_down_only(path: Path) -> None:
    if path == FACE:
        assert {name for name in imported(tree(path)) if name in NAMES} == set(BEHIND_FACE)
        return
    here = floor(name_of(path))
    ours = [name for name in imported(tree(path)) if name.split(".")[0] == "trafficrl"]
    assert [name for name in ours if floor(name) > here] == []


@EVERY_MODULE
def test_each_library_has_one_door(path: Path) -> None:
    place = path.relative_to(PACKAGE).as_posix()
    used = {name.split(".")[0] for name in imported(tree(path))}
    closed = [name for name, doors in DOORS.items() if not place.startswith(doors)]
    assert used & set(closed) == set()


NEEDS_TORCH = ("trafficrl.app.dry_run", "trafficrl.app.learn", "trafficrl.training.models")
"""May be imported where they are needed: torch takes seconds, and many a command needs none."""


@EVERY_MODULE
def test_imports_are_absolute_and_on_top(path: Path) -> None:
    module = tree(path)
    nodes = [node for node in ast.walk(module) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [node.lineno for node in nodes if isinstance(node, ast.ImportFrom) and node.level] == []
    late = [node for node in nodes if node not in module.body]
    allowed = BEHIND_FACE if path == FACE else NEEDS_TORCH
    assert [n.lineno for n in late if getattr(n, "module", "") not in allowed] == []


def test_no_module_imports_itself_through_others() -> None:
    graph = {name_of(path): set(imported(tree(path))) for path in MODULES}

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        todo = list(graph[start])
        while todo:
            name = todo.pop()
            if name in graph and name not in found:
                found.add(name)
                todo.extend(graph[name])
        return found

    assert [name for name in graph if name in reached(name)] == []


def exports(module: ast.Module) -> list[str] | None:
    for node in module.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


@EVERY_MODULE
def test_all_is_true(path: Path) -> None:
    if path.name == "__init__.py":
        return
    listed = exports(tree(path))
    assert listed is not None
    assert len(set(listed)) == len(listed)
    loaded = import_module(name_of(path))
    assert [name for name in listed if not hasattr(loaded, name)] == []


def test_what_another_module_imports_is_public() -> None:
    listed = {name_of(path): exports(tree(path)) for path in MODULES}
    private = [
        f"{name_of(path)}: from {node.module} import {alias.name}"
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and listed.get(str(node.module)) is not None
        for alias in node.names
        if alias.name not in (listed[str(node.module)] or [])
    ]
    assert private == [], "\n".join(private)


@EVERY_MODULE
def test_files_and_functions_fit_on_a_screen(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 250
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in functions(tree(path))
        if node.end_lineno is not None
    }
    assert {name: length for name, length in long.items() if length > 50} == {}


@EVERY_MODULE
def test_a_broad_except_says_why_or_raises_again(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    silent = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
        and ast.unparse(node.body[-1]) != "raise"
        and not any("#" in line for line in lines[node.lineno - 2 : node.lineno + 1])
    ]
    assert silent == []


def test_no_module_is_named_after_nothing() -> None:
    vague = {"utils", "util", "common", "helpers", "misc"}
    assert [path for path in MODULES if path.stem in vague or path.parent.name in vague] == []


def test_rooms_hold_nothing_but_a_docstring_in_their_init() -> None:
    for path in PACKAGE.glob("*/__init__.py"):
        body = tree(path).body
        assert len(body) == 1, path
        assert isinstance(body[0], ast.Expr), path


def tracked_files() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("an unpacked source archive has no git index")
    return [ROOT / name for name in done.stdout.split("\0") if name]


def test_no_tracked_file_names_a_path_of_one_machine() -> None:
    pattern = re.compile(r"(?<![\w.])/(work|home|root|Users|mnt|scratch)/\w")
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in tracked_files()
        if path.suffix in {".py", ".yaml", ".toml", ".md", ".yml", ".cfg", ".sh", ""}
        and path.is_file()
        for line in path.read_text(encoding="utf-8").splitlines()
        if pattern.search(line) and path != Path(__file__)
    ]
    assert found == []


def test_importing_the_package_starts_nothing() -> None:
    code = (
        "import sys, trafficrl, trafficrl.config.load, trafficrl.network.model;"
        "heavy = {'torch', 'libsumo', 'traci', 'matplotlib'} & set(sys.modules);"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


HELPED = """
import os, sys
from importlib import import_module
import trafficrl.config.load  # which all of them import, once
for command in sys.argv[1:]:
    sys.stdout.flush()
    if (child := os.fork()) == 0:
        sys.argv = ["-c", "--help"]
        try:
            sys.exit(import_module(f"trafficrl.app.{command}").main())
        except SystemExit as end:
            sys.exit(end.code or ("torch" in sys.modules and f"{command} has torch"))
    if status := os.waitpid(child, 0)[1]:
        sys.exit(f"{command}: {status}")
"""


def test_a_command_begins_without_torch() -> None:
    commands = ["train", "evaluate", "status", "generate", "collect", "compare", "report"]
    words = [sys.executable, "-W", "error", "-c", HELPED, *commands]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"trafficrl-{command}" in done.stdout for command in commands)
