"""The scores of a run that a study searches: made once for each search, and kept beside those of other searches."""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from mt.config import Config
from mt.config.corpora import CorpusConfig
from mt.config.overrides import CHANGEABLE
from mt.corpora import load_splits
from mt.evaluation.evaluate import Asked, evaluate
from mt.evaluation.novelty import novel
from mt.neighbours.datastore import has_current_datastore, write_datastore
from mt.runs.lock import writing
from mt.runs.run import Run
from mt.runs.scores import Scores, describe_search, read_scores, searched


def score(run: Run, config: Config, split: str, metrics: Sequence[str]) -> None:
    """Translate and score a split by a config that differs from the run's at most in CHANGEABLE, unless it is done."""
    if is_scored(run, config, split, metrics):
        return
    nearest = config.search.nearest
    if nearest.count and not has_current_datastore(run, nearest.index):
        with writing(run.path):
            write_datastore(run, nearest.index)
    papers, novel = "BLEU, papers" in metrics, "BLEU, novel" in metrics
    evaluate(run, Asked(split, config, papers=papers, novel=novel, suffix=suffix(run, config)))


def is_scored(run: Run, config: Config, split: str, metrics: Sequence[str]) -> bool:
    """Tell whether there are scores of the present weights by this search, with these metrics."""
    scores = scores_of(run, config, split)
    missing = set(metrics) - scores.corpus.keys() if scores else set(metrics)
    return not missing or (missing == {"BLEU, novel"} and not _has_novel(run.config.corpus, split))


@cache
def _has_novel(corpus: CorpusConfig, split: str) -> bool:
    """Tell whether a split has sentences whose source is new; of others there is no score."""
    splits = load_splits(corpus)
    return bool(novel(splits[split].sources, splits["train"].sources))


def scores_of(run: Run, config: Config, split: str) -> Scores | None:
    """Return the scores of the present weights by this search; None where there are none."""
    scores = read_scores(folder_of(run, config, split))
    if scores is None or scores.weights != [run.fingerprint]:
        return None
    return scores if scores.search == describe_search(searched(config).search) else None


def folder_of(run: Run, config: Config, split: str) -> Path:
    """Return where the scores of a split by this search are: RUN/eval/SPLIT, of other searches RUN/eval/SPLIT@HASH."""
    return Path(f"{run.scored(split)}{suffix(run, config)}")


def suffix(run: Run, config: Config) -> str:
    """Return what tells the folder of a search from that of the run's own: nothing where they are the same."""
    told, own = (
        {node: getattr(one, node).model_dump(mode="json", exclude_defaults=True) for node in CHANGEABLE}
        for one in (config, run.config)
    )  # without defaults: a key that a later version adds changes nothing
    return "" if told == own else "@" + hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:8]
