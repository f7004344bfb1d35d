"""A study trains several configs and scores each once: what the programs in scripts/ have in common."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mt import checkpoint, config_file, experiment
from mt.config import Config
from mt.evaluate import evaluate


@dataclass(frozen=True)
class Trained:
    """One config of a study, trained and scored."""

    path: Path
    config: Config
    run: Path
    split: str
    scores: dict[str, Any]
    """What scores.json of the split holds."""

    @property
    def parameters(self) -> int:
        """How many numbers the model has."""
        return sum(tensor.numel() for tensor in checkpoint.read(self.run / checkpoint.WEIGHTS)[0].values())

    @property
    def record(self) -> dict[str, Any]:
        """What the training left: best_bleu, seconds, records, ..."""
        return checkpoint.read_record(self.run / checkpoint.STATE)


def study(paths: Sequence[Path], runs: Path, overrides: Sequence[str] = (), split: str | None = None) -> list[Trained]:
    """Train what is missing in RUNS/CONFIG, resume what was interrupted, score what has no scores yet.

    A split (unset: the corpus's main test split) is translated once per model; later calls read the scores.
    Raises KeyboardInterrupt when a training was interrupted.
    """
    configs = [config_file.load(path, list(overrides)) for path in paths]  # all of them, before hours of training
    done = []
    for path, config in zip(paths, configs, strict=True):
        run = runs / path.stem
        if not experiment.train(config, run, resume=True):
            raise KeyboardInterrupt
        done.append(Trained(path, config, run, *_scores(run, split)))
    return done


def _scores(run: Path, split: str | None) -> tuple[str, dict[str, Any]]:
    """Return the name and the scores of a split, computed only where they are older than the model or missing."""
    name = split or "test"
    files = sorted(run.glob(f"eval/{name}{'' if split else '*'}/scores.json"))
    if files and files[-1].stat().st_mtime >= (run / checkpoint.WEIGHTS).stat().st_mtime:
        return files[-1].parent.name, json.loads(files[-1].read_text(encoding="utf-8"))
    return evaluate(run, split)
