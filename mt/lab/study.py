"""A study trains several configs and scores each once: what the programs in scripts/ have in common."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mt.config import Config
from mt.config.files import read_config
from mt.core.errors import UserError
from mt.evaluation import metrics
from mt.evaluation.evaluate import Asked, describe_search, evaluate, searched
from mt.runs.run import Run
from mt.runs.scores import Scores, read_scores
from mt.training import experiment


@dataclass(frozen=True)
class Trained:
    """One config of a study, trained and scored."""

    path: Path
    config: Config
    run: Run
    split: str
    scores: Scores


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
        experiment.resolve(config, Run(runs / path.stem), resume=True, overwrite=False)
        if papers:
            metrics.moses([], config.corpus.target)
    done = []
    for path, config in zip(paths, configs, strict=True):
        if not experiment.train(config, runs / path.stem, resume=True):
            raise KeyboardInterrupt
        run = Run(runs / path.stem)
        done.append(Trained(path, config, run, *scores_of(run, split, papers)))
    return done


def scores_of(run: Run, split: str | None, papers: bool = False, others: Sequence[Run] = ()) -> tuple[str, Scores]:
    """Return the name of a split (unset: the corpus's main test split) and its scores.

    They are computed only where they are missing, or not those of the present weights, of the config's search, or of
    the same ensemble, that of `run` and `others`.
    """
    name = run.split_name(split)
    scores = read_scores(run.scored(name, others))
    if scores is not None:
        same = scores.weights == [one.fingerprint for one in (run, *others)]
        same = same and scores.search == describe_search(searched(run.config).search, others)
        if same and ("BLEU, papers" in scores.corpus or not papers):
            return name, scores
    return evaluate(run, Asked(name, others=tuple(others), papers=papers))
