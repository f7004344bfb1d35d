"""docs/quickstart.ipynb runs from its first cell to its last, in a process and a folder of its own.

Its cells are executed as a notebook would execute them, one namespace for all; nbformat and nbclient, which start a
kernel for that, would be two dependencies for the twenty lines below. test_packaging.py runs it, once, from a wheel.
"""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from doc_blocks import ROOT

NOTEBOOK = ROOT / "docs/quickstart.ipynb"
RUNNER = """
import ast, json, sys
names = {}
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] != "code":
        continue
    *before, last = ast.parse("".join(cell["source"])).body
    if not isinstance(last, ast.Expr):
        before, last = [*before, last], None
    exec(compile(ast.Module(before, []), cell["id"], "exec"), names)
    if last:
        shown = eval(compile(ast.Expression(last.value), cell["id"], "eval"), names)
        if shown is None:
            continue
        html, png = getattr(shown, "_repr_html_", None), getattr(shown, "_repr_png_", None)
        print(f"a picture of {len(png())} bytes" if png else html() if html else repr(shown))
"""


def run_notebook(folder: Path, package: Path) -> str:
    """Execute the cells in order in a folder, with `mt` from another; return what they print and show."""
    environment = os.environ | {"PYTHONPATH": str(package), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-c", RUNNER, str(NOTEBOOK)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def cells() -> list[dict[str, Any]]:
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]


def check_notebook(folder: Path, package: Path) -> None:
    """Execute it in a folder, with `mt` from another, and hold what it shows against what its prose says."""
    shown = run_notebook(folder, package)
    assert "<b>runs/quickstart</b>: de to en, trained" in shown
    assert "<iframe" in shown
    assert "a picture of " in shown
    assert "BLEU " in shown
    assert "unknown key search.baem in this call: did you mean search.beam?" in shown
    assert (folder / "attention.svg").stat().st_size > 1000
    assert json.loads((folder / "attention.json").read_text())["target_words"]


def test_it_is_committed_without_outputs_and_is_a_notebook() -> None:
    tree = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (tree["nbformat"], tree["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in cells()}) == len(cells())
    for cell in cells():
        assert cell["cell_type"] in {"code", "markdown"}
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
            assert ast.parse("".join(cell["source"])).body
