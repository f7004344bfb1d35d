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
import yaml

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
    extras = PROJECT["optional-dependencies"]
    used = [*PROJECT["dependencies"], *(one for name in extras.keys() - {"dev"} for one in extras[name])]
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
    assert PROJECT["scripts"] == {"mt": "mt.__main__:main"}


def build(what: str, source: Path, folder: Path) -> Path:
    """Build a wheel, an editable one, or the sources, as pip would, and unpack it; return where."""
    code = f"import hatchling.build; print(hatchling.build.build_{what}({str(folder)!r}))"
    folder.mkdir()
    done = subprocess.run([sys.executable, "-c", code], cwd=source, capture_output=True, text=True, check=True)
    name = done.stdout.splitlines()[-1]
    shutil.unpack_archive(folder / name, folder, format="zip" if name.endswith(".whl") else "gztar")
    return folder


def content(folder: Path) -> dict[str, bytes]:
    """Return the files of a package."""
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def says(path: Path, folder: Path, *arguments: str) -> str:
    """Return what `mt` says that is found at `path`, started in another folder."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
        "PYTHONPATH": str(path)
    }
    code = "import sys, mt; sys.argv[0] = 'mt'; from mt.__main__ import main; print(mt.__file__, flush=True); main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    where, _, said = done.stdout.partition("\n")
    assert Path(where).is_relative_to(path)
    return said


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel") / "wheel")


def test_a_wheel_holds_the_package_and_the_configs(wheel: Path) -> None:
    configs = {f"configs/{name}": data for name, data in content(ROOT / "configs").items()}
    assert content(wheel / "mt") == content(ROOT / "mt") | configs
    assert "configs/toy.yaml" in configs


def test_the_sources_make_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    (sources,) = build("sdist", ROOT, tmp_path / "sdist").glob("mt-*/")
    assert content(build("wheel", sources, tmp_path / "wheel") / "mt") == content(wheel / "mt")


def test_an_editable_install_is_the_checkout(tmp_path: Path) -> None:
    (path,) = build("editable", ROOT, tmp_path / "editable").glob("*.pth")
    assert path.read_text().split() == [str(ROOT)]


def test_names_of_configs_work_from_anywhere_once_installed(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("extends: base\ncorpus: {name: toy}\nseed: 8\n")
    for path in (wheel, ROOT):
        assert "A synchronous grammar" in says(path, tmp_path, "config")
        assert "name: toy" in says(path, tmp_path, "config", "toy")
        assert "wiring: luong" in says(path, tmp_path, "config", "attention/luong-general")
        assert "seed: 8" in says(path, tmp_path, "config", "mine.yaml")


def test_the_notebook_runs_from_a_wheel_in_another_folder(wheel: Path, tmp_path: Path) -> None:
    sys.path.append(str(ROOT / "tests/docs"))
    from test_quickstart import check_notebook

    check_notebook(tmp_path, wheel)


def test_help_is_the_default_and_lists_every_target() -> None:
    listed = make(ROOT, "--silent").stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert sorted(re.findall(r"^  make (\w+) +\S", listed, re.MULTILINE)) == sorted(phony[1].split())
    assert {"CONFIG=NAME", "RUN=DIR", "SPLIT=NAME", "ARGS=...", "PYTHON=python3"} <= set(listed.split())


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["train"], ".venv/bin/mt train --resume"),
        (["train", "CONFIG=toy"], '.venv/bin/mt train "toy" --resume'),
        (
            ["train", "CONFIG=configs/toy.yaml", "RUN=runs/a b", "ARGS=train.epochs=3"],
            '.venv/bin/mt train "configs/toy.yaml" train.epochs=3 --run "runs/a b" --resume',
        ),
        (["eval"], ".venv/bin/mt eval"),
        (
            ["eval", "RUN=runs/x", "SPLIT=validation", "ARGS=search.beam=10 --plot"],
            '.venv/bin/mt eval "runs/x" --split "validation" search.beam=10 --plot',
        ),
        (["translate", "RUN=runs/x"], '.venv/bin/mt translate "runs/x"'),
        (["study", "CONFIG=beam", "ARGS=--dry-run"], '.venv/bin/mt study "beam" --dry-run'),
        (["test", "ARGS=-k toy"], ".venv/bin/python -m pytest -n auto --dist loadscope -k toy"),
    ],
)
def test_variables_pass_through(arguments: list[str], command: str) -> None:
    printed = make(ROOT, "--dry-run", *arguments).stdout.splitlines()
    assert " ".join(printed[-1].split()) == command


def test_only_tests_and_checks_install_the_tools_of_development() -> None:
    for target, tools in {"train": 0, "eval": 0, "demo": 0, "install": 0, "test": 1, "check": 1}.items():
        planned = make(ROOT, "--dry-run", "--always-make", target).stdout
        assert (planned.count("-e '.[neighbours,papers,paragraphs,web]'"), planned.count("-e '.[dev]'")) == (
            1,
            tools,
        ), target


def test_other_machines_check_what_make_checks() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text())["jobs"]
    assert [step["run"] for step in jobs["check"]["steps"] if "run" in step] == ["make check PYTHON=python"]
    matrix = jobs["check"]["strategy"]["matrix"]
    assert matrix["python"] == ["3.11", "3.13"]
    assert PROJECT["requires-python"] == f">={matrix['python'][0]}"


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
