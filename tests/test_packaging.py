"""What `pip install .` and `make` promise: dependencies declared and pinned, targets that pass their variables on."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
COPIED = ("Makefile", "pyproject.toml", "constraints.txt")


def distribution(requirement: str) -> str:
    """Return the normal form of the name a requirement starts with."""
    return re.sub(r"[-_.]+", "-", re.split(r"[<>=!~;\[ ]", requirement, maxsplit=1)[0]).lower()


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make there as a user would: without what a `make check` around this test hands down."""
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.run(["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True)


def test_every_dependency_is_pinned_exactly() -> None:
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", pin) for pin in pins)
    declared = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["dev"]
    assert {distribution(one) for one in declared} - {"mt"} <= {distribution(pin) for pin in pins}


def test_every_import_is_a_declared_dependency() -> None:
    owners = importlib.metadata.packages_distributions()
    used = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["papers"]]
    declared = {distribution(one) for one in used}
    for path in sorted((ROOT / "mt").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
            for name in {name.split(".")[0] for name in names} - {"mt"} - sys.stdlib_module_names:
                assert {distribution(owner) for owner in owners.get(name, [])} & declared, f"{path} imports {name}"


def test_python_m_mt_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "mt", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "train" in done.stdout
    assert "translate" in done.stdout
    assert PROJECT["scripts"] == {"mt": "mt.cli:main"}


def test_help_is_the_default_and_lists_every_target() -> None:
    listed = make(ROOT, "--silent").stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert sorted(re.findall(r"^  make (\w+) +\S", listed, re.MULTILINE)) == sorted(phony[1].split())
    assert {"CONFIG=FILE", "RUN=DIR", "SPLIT=NAME", "ARGS=...", "PYTHON=python3"} <= set(listed.split())


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["train"], ".venv/bin/mt train --resume"),
        (
            ["train", "CONFIG=configs/toy.yaml", "RUN=runs/a b", "ARGS=train.epochs=3"],
            '.venv/bin/mt train "configs/toy.yaml" train.epochs=3 --run "runs/a b" --resume',
        ),
        (["eval"], ".venv/bin/mt eval"),
        (
            ["eval", "RUN=runs/x", "SPLIT=validation", "ARGS=--plot"],
            '.venv/bin/mt eval "runs/x" --split "validation" --plot',
        ),
        (["translate", "RUN=runs/x"], '.venv/bin/mt translate "runs/x"'),
        (["compare", "CONFIG=a.yaml b.yaml"], ".venv/bin/python scripts/compare.py a.yaml b.yaml"),
        (["test", "ARGS=-k toy"], ".venv/bin/python -m pytest -n auto --dist loadscope -k toy"),
    ],
)
def test_variables_pass_through(arguments: list[str], command: str) -> None:
    printed = make(ROOT, "--dry-run", *arguments).stdout.splitlines()
    assert " ".join(printed[-1].split()) == command


def test_translate_without_a_run_says_so() -> None:
    done = make(ROOT, "--dry-run", "translate")
    assert done.returncode != 0
    assert "make translate RUN=runs/NAME" in done.stderr


@pytest.mark.parametrize(
    ("script", "complaints"),
    [
        ("exit 1", ["mt needs Python 3.11 or newer"]),
        (
            '[ "$1" = -c ] || { echo "ensurepip is not available" >&2; exit 1; }',
            ["ensurepip is not available", "apt install python3-venv"],
        ),
    ],
)
def test_an_unfit_python_is_refused_with_a_hint(tmp_path: Path, script: str, complaints: list[str]) -> None:
    for name in COPIED:
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "unfit"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    done = make(tmp_path, "install", f"PYTHON={python}")
    assert done.returncode != 0
    assert [line for line in complaints if line not in done.stderr] == []
    assert "Installing" not in done.stdout


def test_clean_keeps_data_and_runs(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    kept, removed = ["data/x", "runs/y/__pycache__/z", "mt/a.py"], [".venv/b", "mt/__pycache__/c", ".ruff_cache/d"]
    for name in [*kept, *removed, "scripts/e.py", "tests/f.py"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert make(tmp_path, "clean").returncode == 0
    assert all((tmp_path / name).exists() for name in kept)
    assert not any((tmp_path / name).parent.exists() for name in removed)
