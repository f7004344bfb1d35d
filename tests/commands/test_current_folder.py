"""Code that lies in the folder where `mt` is started is not run."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
START = "from mt.cli import main; main()"


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    environment["PYTHONPATH"] = str(ROOT)
    return subprocess.run(
        [sys.executable, *words, "corpora"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_python_m_mt_takes_nothing_from_the_current_folder(tmp_path: Path) -> None:
    for name in ("yaml", "typer", "numpy", "datasets", "logging"):
        (tmp_path / f"{name}.py").write_text("open('run-by-accident', 'w').close()\n")
    done = run("-m", "mt", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "toy" in done.stdout
    assert not (tmp_path / "run-by-accident").exists()
    run("-c", START, folder=tmp_path)  # `-c` puts the folder first: so the trap works
    assert (tmp_path / "run-by-accident").exists()


def test_every_python_that_mt_starts_leaves_the_current_folder_out() -> None:
    started = [
        line.strip()
        for path in (ROOT / "mt").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.search(r'sys\.executable, "', line)
    ]
    assert started
    assert all('sys.executable, "-P"' in line for line in started)
