"""What the Hugging Face Hub reads of a model, at the head of its card: languages, task, data, scores."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mt.config import Config
from mt.corpora import CORPORA
from mt.corpora.multi30k import HUB_NAME
from mt.runs.scores import Scores

LANGUAGE = re.compile(r"[a-z]{2,3}")
"""A code of ISO 639; a corpus of files may call its languages anything."""
METRICS = {"BLEU": "bleu", "chrF": "chrf", "TER": "ter"}
"""What the Hub calls our metrics."""
PLAIN = re.compile(r"[\w.-]+")
"""The name of a split; that of the scores of an ensemble, or of another search, has more than that."""


def front_matter(name: str, config: Config, scored: Mapping[str, Scores]) -> list[str]:
    """Return the lines of YAML that say what a run is, with the scores of its splits."""
    corpus = config.corpus
    languages = [one for one in (corpus.source, corpus.target) if LANGUAGE.fullmatch(one)]
    data_set = _data_set(config)
    results = [
        _result(config, split, scores) for split, scores in scored.items() if PLAIN.fullmatch(split) and scores.corpus
    ]
    results = [one for one in results if one["metrics"]]
    tree: dict[str, Any] = {
        **({"language": languages} if languages else {}),
        "library_name": "mt",
        "pipeline_tag": "translation",
        "tags": ["translation", "attention"],
        **({"datasets": [data_set]} if data_set else {}),
        **({"metrics": [*METRICS.values()], "model-index": [{"name": name, "results": results}]} if results else {}),
    }
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True).splitlines()


def _data_set(config: Config) -> str:
    """Return what the Hub calls the corpus; nothing where it is not there, or is a folder."""
    corpus = config.corpus
    if corpus.name == "multi30k":
        return HUB_NAME
    return corpus.path if corpus.name == "hub" and not Path(corpus.path).is_dir() else ""


def _result(config: Config, split: str, scores: Scores) -> dict[str, Any]:
    name, data_set = config.corpus.name, _data_set(config)
    return {
        "task": {"type": "translation", "name": f"Translation, {config.corpus.source} to {config.corpus.target}"},
        "dataset": {
            "name": data_set if name == "hub" and data_set else CORPORA[name].title,
            "type": data_set or name,
            "split": split,
        },
        "metrics": [
            {"type": METRICS[metric], "name": metric, "value": round(one.score, 2)}
            for metric, one in scores.corpus.items()
            if metric in METRICS
        ],
    }
