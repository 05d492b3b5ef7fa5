"""The laws of the house and its budgets, held over whatever files there are."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FRONT = [path for path in [ROOT / "app.py", *sorted((ROOT / "pages").rglob("*.py"))] if path.is_file()]
ROOMS = sorted((ROOT / "tlcore").rglob("*.py"))
RECIPE = sorted((ROOT / "distillation").glob("*.py"))
SOURCES = [*ROOMS, *FRONT, ROOT / "start.py", *RECIPE]
HEAVY = {"tensorflow", "keras", "jax", "torch"}
EVERY_ERROR = {"Exception", "BaseException"}
BANNED_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
FILE_LINES, FUNCTION_LINES = 300, 60
THE_ONE_THAT_FREEZES = ROOT / "tlcore" / "training" / "freezing.py"
AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def each(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=short)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def modules() -> dict[str, Path]:
    """Return every module of tlcore by its dotted name."""
    return {short(path).removesuffix(".py").removesuffix("/__init__").replace("/", "."): path for path in ROOMS}


def statements(node: ast.AST, also_in_functions: bool) -> Iterator[ast.AST]:
    """Walk the nodes that run at import; with ``also_in_functions`` those that run later too. No TYPE_CHECKING."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if not also_in_functions and isinstance(child, AnyFunction | ast.Lambda):
            continue
        yield child
        yield from statements(child, also_in_functions)


def imports(path: Path, also_in_functions: bool = False) -> set[str]:
    """Return the dotted names that a file imports; those of tlcore as modules, the rest as they stand."""
    package = short(path.parent).split("/")
    found = set()
    for node in statements(tree(path), also_in_functions):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = (
                ".".join([*package[: len(package) - node.level + 1], node.module or ""]) if node.level else node.module
            )
            base = (base or "").strip(".")
            names = {f"{base}.{alias.name}" for alias in node.names}
            found |= {name if name in modules() else base for name in names}
    return found


def top_names(path: Path, also_in_functions: bool = True) -> set[str]:
    return {name.split(".")[0] for name in imports(path, also_in_functions)}


def with_packages(names: set[str]) -> set[str]:
    """Add the packages of each module: importing ``a.b.c`` runs ``a`` and ``a.b`` first."""
    parts = [name.split(".") for name in names]
    return {".".join(part[:length]) for part in parts for length in range(1, len(part) + 1)} & modules().keys()


def reached_by_the_front() -> dict[str, str]:
    """Return the modules of tlcore that the web process imports, now or later, each with who asks for it."""
    asked_by = {name: short(path) for path in FRONT for name in with_packages(imports(path, also_in_functions=True))}
    waiting = list(asked_by)
    while waiting:
        asking = waiting.pop()
        for name in with_packages(imports(modules()[asking], also_in_functions=True)) - asked_by.keys():
            asked_by[name] = asking
            waiting.append(name)
    return asked_by


# ---- law 1: pages -> tlcore, never back


@each(ROOMS)
def test_a_room_knows_neither_streamlit_nor_the_pages(path: Path) -> None:
    assert not top_names(path) & {"streamlit", "pages", "app", "start"}


# ---- law 2: the web process never imports TensorFlow or Keras


@each(FRONT)
def test_a_page_asks_no_network_itself(path: Path) -> None:
    assert not top_names(path) & HEAVY


def test_nothing_that_the_web_process_reaches_imports_a_network() -> None:
    guilty = {name: by for name, by in reached_by_the_front().items() if top_names(modules()[name]) & HEAVY}
    assert not guilty, f"imported by the web process and importing TensorFlow or Keras (module: who asks): {guilty}"


def test_the_web_process_runs_without_a_network_in_memory() -> None:
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code, "streamlit", *sorted(reached_by_the_front())]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split("\n")[-2] == "[]"


@each(SOURCES)
def test_processes_are_started_afresh(path: Path) -> None:
    """Spawned by ``multiprocessing``, a process would run the Streamlit script again."""
    assert "multiprocessing" not in top_names(path)


# ---- no circles


def test_no_module_imports_itself_in_a_circle() -> None:
    edges = {name: imports(path) & modules().keys() - {name} for name, path in modules().items()}
    finished: set[str] = set()

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"a circle of imports: {' -> '.join([*above[above.index(name) :], name])}"
        if name not in finished:
            for other in sorted(edges[name]):
                walk(other, (*above, name))
            finished.add(name)

    for name in sorted(edges):
        walk(name, ())
    assert finished == set(edges)


# ---- names and budgets


def test_no_file_has_a_name_that_gathers_everything() -> None:
    named = [short(path) for path in SOURCES if BANNED_NAMES & set(short(path).removesuffix(".py").split("/"))]
    assert named == []


@each(SOURCES)
def test_a_file_fits_its_budget(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= FILE_LINES


@each(SOURCES)
def test_a_function_fits_its_budget(path: Path) -> None:
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, AnyFunction)]
    lengths = {node.name: (node.end_lineno or node.lineno) - node.lineno + 1 for node in functions}
    assert {name: lines for name, lines in lengths.items() if lines > FUNCTION_LINES} == {}


def public(path: Path) -> Iterator[ast.ClassDef | AnyFunction]:
    """Yield the public classes and functions of a file and the public methods of its public classes."""
    for node in tree(path).body:
        if isinstance(node, ast.ClassDef | AnyFunction) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (item for item in node.body if isinstance(item, AnyFunction) and item.name[0] != "_")


@each(SOURCES)
def test_every_file_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(tree(path))


@each([*ROOMS, ROOT / "start.py"])
def test_everything_public_has_a_docstring(path: Path) -> None:
    assert [node.name for node in public(path) if not ast.get_docstring(node)] == []


@each(SOURCES)
def test_everything_public_is_fully_typed(path: Path) -> None:
    untyped = []
    for node in public(path):
        if isinstance(node, ast.ClassDef):
            continue
        given = node.args
        arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
        names = [item.arg for item in arguments if item and not item.annotation and item.arg not in {"self", "cls"}]
        untyped += [f"{node.name}({name})" for name in names] + ([] if node.returns else [f"{node.name} ->"])
    assert untyped == []


# ---- errors are never swallowed


def swallows_everything(node: ast.AST) -> bool:
    """Tell whether a node drops every error unseen: a broad ``except`` that does nothing, or a broad ``suppress``."""
    if isinstance(node, ast.ExceptHandler):
        caught = (
            {ast.unparse(item) for item in ast.walk(node.type) if isinstance(item, ast.Name)} if node.type else set()
        )
        does_nothing = all(isinstance(item, ast.Pass | ast.Continue) or is_a_bare_value(item) for item in node.body)
        return does_nothing and (node.type is None or bool(caught & EVERY_ERROR))
    if isinstance(node, ast.Call):
        given = {ast.unparse(item) for item in node.args}
        return ast.unparse(node.func).endswith("suppress") and bool(given & EVERY_ERROR)
    return False


def is_a_bare_value(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


@each(SOURCES)
def test_no_error_is_swallowed(path: Path) -> None:
    assert [f"line {node.lineno}" for node in ast.walk(tree(path)) if swallows_everything(node)] == []


# ---- who may freeze


def sets_trainable(node: ast.AST) -> bool:
    """Tell whether a node sets ``.trainable`` of something."""
    if isinstance(node, ast.Call):
        names = [item.value for item in node.args if isinstance(item, ast.Constant)]
        return ast.unparse(node.func) == "setattr" and "trainable" in names
    return isinstance(node, ast.Attribute) and node.attr == "trainable" and isinstance(node.ctx, ast.Store)


@each([path for path in SOURCES if path != THE_ONE_THAT_FREEZES])
def test_only_freezing_sets_what_learns(path: Path) -> None:
    assert [f"line {node.lineno}" for node in ast.walk(tree(path)) if sets_trainable(node)] == []


# ---- the whole tree


def test_ruff_finds_nothing() -> None:
    answer = subprocess.run([sys.executable, "-m", "ruff", "check", "."], cwd=ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout


@pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="needs the repository")
def test_no_text_names_a_folder_of_the_machine_it_was_written_on() -> None:
    machine_folders = tuple(f"/{name}/".encode() for name in ("wo" + "rk", "fa" + "rm"))
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    files = [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    texts = {short(path): content for path in files if b"\0" not in (content := path.read_bytes())}
    assert texts
    assert [name for name, content in texts.items() if any(folder in content for folder in machine_folders)] == []
