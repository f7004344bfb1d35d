"""Imports point one way (the table below), files and functions stay short, and nothing unpickles."""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Each room of `mt` may import itself and what its row names. A row names only rows above it, so there are no cycles.
TEXT = "core config"
CORPORA = f"{TEXT} text"
DATA = f"{CORPORA} corpora"
RUNS = f"{DATA} data alignment models"
NEIGHBOURS = f"{RUNS} runs"
INFERENCE = f"{NEIGHBOURS} neighbours search views"
EXPORT = f"{INFERENCE} inference"
EVALUATION = f"{EXPORT} export"
TRAINING = f"{EVALUATION} evaluation"
LAB = f"{TRAINING} training"
WEB = f"{LAB} lab"
COMMANDS = f"{WEB} web"
MAY_IMPORT = {
    "core": "",
    "config": "core",
    "text": TEXT,
    "attention": "",
    "corpora": CORPORA,
    "models": "core config attention",
    "data": DATA,
    "alignment": "core text corpora.pairs",
    "search": "core config models.contract",  # and so no model class
    "views": "core corpora.pairs alignment",
    "runs": RUNS,
    "neighbours": NEIGHBOURS,
    "inference": INFERENCE,
    "export": EXPORT,
    "evaluation": EVALUATION,
    "training": TRAINING,
    "lab": LAB,
    "web": WEB,
    "commands": COMMANDS,
    "cli": f"{COMMANDS} commands",
    "__main__": "cli",
    "": "core runs inference evaluation training",  # mt/__init__.py, lazily
}
ROOT_FILES = 3
WITHOUT_TORCH = {"config", "alignment", "views"}
FILE_LINES, FUNCTION_LINES = 300, 50
UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


def name_of(path: Path, root: Path = ROOT) -> str:
    """Return the module's name: mt/models/__init__.py is mt.models."""
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def imports(tree: ast.Module, package: str) -> Iterator[tuple[int, str]]:
    """Yield (line, dotted name) of everything imported anywhere in a file, TYPE_CHECKING and functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def module_of(name: str, modules: dict[str, str]) -> str:
    """Return the module of `mt` that an imported name stands in: mt.disk for mt.disk.replacing; "" for others."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def wrong_imports(modules: dict[str, str], packages: set[str]) -> Iterator[str]:
    """Yield each import that the table forbids; `modules` maps names to source texts."""
    for module, source in modules.items():
        package = module if module in packages else module.rpartition(".")[0]
        room = module.removeprefix("mt").removeprefix(".").split(".")[0]
        if room not in MAY_IMPORT:
            yield f"{module}: new here; give it a row in MAY_IMPORT"
            continue
        for line, name in imports(ast.parse(source), package):
            target = module_of(name, modules)
            outside = name.split(".")[0]
            if outside != "mt":
                if outside in sys.stdlib_module_names:
                    continue
                if room == "attention" and outside != "torch":
                    yield f"{module}, line {line}: imports {name}; attention knows only torch"
                if room in WITHOUT_TORCH and outside == "torch":
                    yield f"{module}, line {line}: imports {name}; {room} knows no torch"
            elif target in {"", "mt"}:
                yield f"{module}, line {line}: imports {name}; name the room it needs"
            elif target.split(".")[1] != room and not any(
                f"{target}.".startswith(f"mt.{allowed}.") for allowed in MAY_IMPORT[room].split()
            ):
                yield f"{module}, line {line}: imports {target}; it may import: {MAY_IMPORT[room] or 'nothing of mt'}"


def cycles(modules: dict[str, str], packages: set[str]) -> Iterator[str]:
    """Yield the modules that import themselves through others, inside a room too."""
    direct = {}
    for module, source in modules.items():
        package = module if module in packages else module.rpartition(".")[0]
        found = {module_of(name, modules) for _, name in imports(ast.parse(source), package)}
        direct[module] = found & modules.keys() - {module}
    for start in modules:
        reached, frontier = set[str](), {start}
        while frontier:
            frontier = set().union(*(direct[module] for module in frontier)) - reached
            reached |= frontier
        if start in reached:
            yield f"{start} imports itself, through {sorted(reached - {start})}"


def too_long(module: str, source: str) -> Iterator[str]:
    """Yield the file, and each function in it, that asks to be split."""
    lines = source.count("\n")
    if lines > FILE_LINES:
        yield f"{module}: {lines} lines, more than {FILE_LINES}"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{module}, {node.name}: {lines} lines, more than {FUNCTION_LINES}"


def unsafe(module: str, source: str) -> Iterator[str]:
    """Yield what could run code from a file, or hide an import from this test."""
    tree = ast.parse(source)
    for line, name in imports(tree, "mt"):
        if UNPICKLERS & set(name.split(".")):
            yield f"{module}, line {line}: imports {name}"
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        flags = {word.arg: ast.unparse(word.value) for word in node.keywords}
        if called.endswith("torch.load") and flags.get("weights_only") != "True":
            yield f"{module}, line {node.lineno}: torch.load without weights_only=True"
        if flags.get("allow_pickle", "False") != "False":
            yield f"{module}, line {node.lineno}: {called} with allow_pickle"
        if called.endswith(("import_module", "__import__")):
            yield f"{module}, line {node.lineno}: {called} hides an import"


MT = {name_of(path): path.read_text(encoding="utf-8") for path in sorted((ROOT / "mt").rglob("*.py"))}
MT_PACKAGES = {name_of(path.parent / "x.py").removesuffix(".x") for path in (ROOT / "mt").rglob("__init__.py")}
SCRIPTS = {name_of(path): path.read_text(encoding="utf-8") for path in sorted((ROOT / "scripts").rglob("*.py"))}


def test_imports_point_one_way() -> None:
    problems = list(wrong_imports(MT, MT_PACKAGES))
    assert not problems, "\n".join(problems)


def test_no_module_imports_itself_through_others() -> None:
    problems = list(cycles(MT, MT_PACKAGES))
    assert not problems, "\n".join(problems)


def test_the_root_holds_the_entry_and_no_more() -> None:
    assert len(list((ROOT / "mt").glob("*.py"))) <= ROOT_FILES


def test_the_table_names_only_rows_above() -> None:
    above: set[str] = set()
    for room, allowed in MAY_IMPORT.items():
        assert {name.split(".")[0] for name in allowed.split()} <= above, room
        above.add(room)


@pytest.mark.parametrize("check", [too_long, unsafe])
def test_files_are_short_and_safe(check: Callable[[str, str], Iterator[str]]) -> None:
    problems = [problem for module, source in (MT | SCRIPTS).items() for problem in check(module, source)]
    assert not problems, "\n".join(problems)


def test_importing_mt_does_not_load_the_house() -> None:
    code = "import sys, mt, mt.config; print(sorted({'torch', 'datasets', 'matplotlib', 'numpy'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("module", "source", "complaint"),
    [
        ("mt.core.files", "import mt.config", "imports mt.config"),
        ("mt.core.files", "from mt import config", "imports mt.config"),
        ("mt.core.files", "from .. import config", "imports mt.config"),
        ("mt.core.files", "from ..config import load", "imports mt.config"),
        ("mt.core.files", "def f():\n    from mt.models.contract import State", "line 2: imports mt.models.contract"),
        ("mt.core.files", "if TYPE_CHECKING:\n    import mt.config as c", "line 2: imports mt.config"),
        ("mt.core.files", "from mt import load", "name the room"),
        ("mt.models.contract", "from ..search import beam", "imports mt.search"),
        ("mt.search", "from mt.models import build", "imports mt.models;"),
        ("mt.search", "from mt.text import Tokenizer", "imports mt.text"),
        ("mt.alignment.matrices", "from mt.corpora import CORPORA", "imports mt.corpora;"),
        ("mt.attention", "import math, numpy", "imports numpy"),
        ("mt.attention", "from mt.core.errors import UserError", "imports mt.core.errors"),
        ("mt.views.page", "import torch", "views knows no torch"),
        ("mt.shed", "", "give it a row"),
    ],
)
def test_a_wrong_import_is_found(module: str, source: str, complaint: str) -> None:
    rooms = (
        "mt",
        "mt.core.errors",
        "mt.core.special",
        "mt.config",
        "mt.models",
        "mt.models.contract",
        "mt.corpora",
        "mt.search",
        "mt.text",
    )
    problems = list(wrong_imports(dict.fromkeys(rooms, "") | {module: source}, {"mt", "mt.models", "mt.corpora"}))
    assert len(problems) == 1
    assert complaint in problems[0]


def test_right_imports_pass() -> None:
    modules = {
        "mt": "def f():\n    from mt.inference.translator import load",
        "mt.inference.translator": "import os\nfrom mt.models.contract import State\nfrom mt import search",
        "mt.search": "import torch\nfrom .models.contract import State",
        "mt.models": "from mt.models.contract import State\nfrom . import contract",
        "mt.models.contract": "from torch import Tensor",
    }
    packages = {"mt", "mt.models"}
    assert list(wrong_imports(modules, packages)) == []
    assert list(cycles(modules, packages)) == []


def test_a_cycle_is_found() -> None:
    modules = {
        "mt.corpora.a": "from . import b",
        "mt.corpora.b": "import mt.corpora.c",
        "mt.corpora.c": "from .a import x",
    }
    assert len(list(cycles(modules, set()))) == 3


@pytest.mark.parametrize(
    ("check", "source", "complaint"),
    [
        (too_long, "x = 1\n" * 301, "301 lines"),
        (too_long, "class A:\n  async def long(self):\n" + "    x = 1\n" * 50, "long: 51 lines"),
        (unsafe, "from pickle import loads", "imports pickle.loads"),
        (unsafe, "def f():\n  torch.load(p, weights_only=False)", "line 2: torch.load"),
        (unsafe, "numpy.load(p, allow_pickle=True)", "allow_pickle"),
        (unsafe, "importlib.import_module('mt.cli')", "hides"),
    ],
)
def test_a_long_or_unsafe_file_is_found(
    check: Callable[[str, str], Iterator[str]], source: str, complaint: str
) -> None:
    (problem,) = check("mt.x", source)
    assert complaint in problem


def test_short_and_safe_files_pass() -> None:
    body = "def f():\n" + "    x = 1\n" * 49
    assert list(too_long("mt.x", body * 6)) == []
    assert list(unsafe("mt.x", "torch.load(p, weights_only=True)\nnp.load(p, allow_pickle=False)\nimport json")) == []
