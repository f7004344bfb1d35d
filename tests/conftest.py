"""One thread for every test (tiny tensors only lose by more), and a small model trained by the real command line."""

import os

# Before PyTorch is imported, here and in the processes that tests start: threads that spin while they wait take the
# processor from those that work.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import random
import shutil
from pathlib import Path

import pytest
import torch
from command_line import ENVIRONMENT as ENVIRONMENT
from command_line import mt as mt
from command_line import mt_process as mt_process
from config_files import write
from filelock import FileLock

from mt.core import device

torch.set_num_threads(1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Let `-n auto` be as many workers as this process may keep busy, each of which has one thread; 8 at most."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OMP_NUM_THREADS")
        return min(device.processors(), 8)


NUMBERS = {
    "null": "zero",
    "eins": "one",
    "zwei": "two",
    "drei": "three",
    "vier": "four",
    "fünf": "five",
    "sechs": "six",
    "sieben": "seven",
    "acht": "eight",
    "neun": "nine",
    "zehn": "ten",
    "elf": "eleven",
    "zwölf": "twelve",
}


def write_numbers(folder: Path, pairs: int) -> Path:
    """Write a parallel corpus of number words, and a config for it; return the config."""
    rng = random.Random(5)
    rows = [rng.choices(sorted(NUMBERS), k=rng.randint(1, 4)) for _ in range(pairs)]
    (folder / "numbers.de").write_text("".join(" ".join(row) + "\n" for row in rows))
    noise = ("again " * (number % 20 == 7) for number in range(pairs))  # which none can know: no score is perfect
    lines = (again + " ".join(NUMBERS[word] for word in row) for row, again in zip(rows, noise, strict=True))
    (folder / "numbers.en").write_text("".join(line + "\n" for line in lines))
    config = folder / "numbers.yaml"
    config.write_text(f"""
corpus: {{name: files, source: de, target: en, train: ["{folder}/numbers.de", "{folder}/numbers.en"], held_out: 60}}
vocabulary: {{size: 330}}
model: {{embedding: 32, hidden: 48, encoder_hidden: 32, attention: {{width: 32}},
  dropout: {{embedding: 0.1, encoder: 0, readout: 0}}}}
train: {{epochs: 8, batch_tokens: 150, learning_rate: 0.01, warmup: 30}}
threads: 1
""")
    return config


@pytest.fixture(scope="session")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run directory of a model that translates number words: trained once, a copy for each worker."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "numbers"
    with FileLock(f"{shared}.lock"):
        if not shared.exists():
            shared.mkdir()
            result = mt("train", write_numbers(shared, 1200), "--run", shared / "run")
            assert result.returncode == 0, result.stderr
    return shutil.copytree(shared, tmp_path_factory.mktemp("numbers"), dirs_exist_ok=True) / "run"


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    return write(tmp_path / "toy.yaml", "corpus: {name: toy}\n")


@pytest.fixture
def bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let PyTorch compute bfloat16 where the processor cannot: by its own loops, which have all that oneDNN lacks."""
    monkeypatch.setattr(torch.backends.mkldnn, "enabled", device.has_bfloat16())
    monkeypatch.setattr(device, "has_bfloat16", lambda *_: True)
