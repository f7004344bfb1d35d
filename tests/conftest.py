"""One thread for every test (tiny tensors only lose by more), and a small model trained by the real command line."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from config_files import write

from mt.core.device import has_bfloat16

torch.set_num_threads(1)

needs_bfloat16 = pytest.mark.skipif(not has_bfloat16(), reason="this processor has no instructions for bfloat16")

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
NUMBERS = {
    "null": "zero", "eins": "one", "zwei": "two", "drei": "three", "vier": "four", "fünf": "five", "sechs": "six",
    "sieben": "seven", "acht": "eight", "neun": "nine", "zehn": "ten", "elf": "eleven", "zwölf": "twelve",
}  # fmt: skip


def mt(*arguments: object, stdin: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command line in a new process."""
    command = [sys.executable, "-m", "mt", *(a if isinstance(a, bytes) else str(a) for a in arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, env=ENVIRONMENT, cwd=cwd, check=False)


def write_numbers(folder: Path, pairs: int) -> Path:
    """Write a parallel corpus of number words, and a config for it; return the config."""
    rng = random.Random(5)
    rows = [rng.choices(sorted(NUMBERS), k=rng.randint(1, 6)) for _ in range(pairs)]
    (folder / "numbers.de").write_text("".join(" ".join(row) + "\n" for row in rows))
    (folder / "numbers.en").write_text("".join(" ".join(NUMBERS[word] for word in row) + "\n" for row in rows))
    config = folder / "numbers.yaml"
    config.write_text(f"""
corpus: {{name: files, source: de, target: en, train: ["{folder}/numbers.de", "{folder}/numbers.en"], held_out: 60}}
vocabulary: {{size: 330}}
model: {{embedding: 32, hidden: 48, encoder_hidden: 32, attention: {{width: 32}},
  dropout: {{embedding: 0.1, encoder: 0, readout: 0}}}}
train: {{epochs: 8, batch_tokens: 200, learning_rate: 0.01, warmup: 30}}
threads: 1
""")
    return config


@pytest.fixture(scope="session")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run directory of a model that translates number words."""
    folder = tmp_path_factory.mktemp("numbers")
    result = mt("train", write_numbers(folder, 1200), "--run", folder / "run")
    assert result.returncode == 0, result.stderr
    return folder / "run"


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    return write(tmp_path / "toy.yaml", "corpus: {name: toy}\n")
