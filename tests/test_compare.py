"""scripts/compare.py trains what is missing, leaves what is trained, and makes one table from configs alone."""

import json
import subprocess
import sys
from pathlib import Path

from conftest import ENVIRONMENT

SCRIPT = Path(__file__).parent.parent / "scripts/compare.py"


def test_a_trained_and_a_missing_run_become_one_table(numbers):
    folder = numbers.parent
    config = (folder / "numbers.yaml").read_text()
    (folder / "run.yaml").write_text(config)  # what the fixture trained in `run`
    (folder / "none.yaml").write_text("extends: numbers.yaml\nmodel: {attention: {score: none}}\ntrain: {epochs: 1}\n")
    before = (numbers / "state.safetensors").read_bytes()
    command = [sys.executable, str(SCRIPT), str(folder / "run.yaml"), str(folder / "none.yaml")]
    options = ["--runs", str(folder), "--output", str(folder / "table.v1")]
    done = subprocess.run([*command, *options], capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert done.returncode == 0, done.stderr
    assert (numbers / "state.safetensors").read_bytes() == before
    rows = json.loads((folder / "table.v1.json").read_text())
    assert [row["config"] for row in rows] == [str(folder / "run.yaml"), str(folder / "none.yaml")]
    assert rows[0]["scores"]["BLEU"]["score"] > 95 > rows[1]["scores"]["BLEU"]["score"]
    assert rows[0]["parameters"] > rows[1]["parameters"] > 10000
    assert rows[1]["model"] == "GRU, no attention"
    table = (folder / "table.v1.md").read_text()
    assert done.stdout == table
    assert f"{rows[0]['scores']['BLEU']['score']:.1f}" in table
    assert rows[0]["scores"]["BLEU"]["signature"] in table


def test_a_wrong_config_is_told_before_anything_is_trained(numbers, tmp_path):
    (tmp_path / "wrong.yaml").write_text(f"extends: {numbers.parent}/numbers.yaml\nmodel: {{hiden: 3}}\n")
    command = [sys.executable, str(SCRIPT), str(numbers.parent / "numbers.yaml"), str(tmp_path / "wrong.yaml")]
    options = ["--runs", str(tmp_path / "runs")]
    done = subprocess.run([*command, *options], capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert done.returncode == 1
    assert "did you mean hidden?" in done.stderr
    assert not (tmp_path / "runs").exists()
