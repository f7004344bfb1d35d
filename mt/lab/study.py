"""A study trains several configs and scores each once: what the programs in scripts/ have in common."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mt.config import Config
from mt.config.files import read_config
from mt.core.errors import UserError
from mt.corpora import load_splits
from mt.evaluation import metrics
from mt.evaluation.evaluate import described, evaluate, folder_of, named, searched
from mt.runs import checkpoint
from mt.training import experiment


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


def study(
    paths: Sequence[Path],
    runs: Path,
    overrides: Sequence[str] = (),
    split: str | None = None,
    papers: bool = False,
) -> list[Trained]:
    """Train what is missing in RUNS/CONFIG, resume what was interrupted, score what has no such scores yet.

    A split is translated once per model; later calls read the scores.
    Raises KeyboardInterrupt when a training was interrupted.
    """
    # all that can be wrong is told before hours of training
    if twice := [name for name, count in Counter(path.stem for path in paths).items() if count > 1]:
        raise UserError(f"several configs are named {twice[0]}, so they would share {runs / twice[0]}: rename one")
    configs = [read_config(path, list(overrides)) for path in paths]
    for path, config in zip(paths, configs, strict=True):
        experiment.resolve(config, runs / path.stem, resume=True, overwrite=False)
        if papers:
            metrics.moses([], config.corpus.target)
    done = []
    for path, config in zip(paths, configs, strict=True):
        run = runs / path.stem
        if not experiment.train(config, run, resume=True):
            raise KeyboardInterrupt
        done.append(Trained(path, config, run, *scores_of(run, split, papers)))
    return done


def scores_of(
    run: Path, split: str | None, papers: bool = False, others: Sequence[Path] = ()
) -> tuple[str, dict[str, Any]]:
    """Return the name of a split (unset: the corpus's main test split) and its scores.

    They are computed only where they are missing, or not those of the present weights, of the config's search, or of
    the same ensemble, that of `run` and `others`.
    """
    config = read_config(run / "config.yaml")
    name = named(load_splits(config.corpus), split, config.corpus.name)
    file = folder_of(run, name, others) / "scores.json"
    if file.exists():
        scores = json.loads(file.read_text(encoding="utf-8"))
        same = scores.get("weights") == checkpoint.fingerprints(run, *others)
        same = same and scores["search"] == described(searched(config.search), others)
        if same and ("BLEU, papers" in scores or not papers):
            return name, scores
    return evaluate(run, name, papers=papers, others=others)
