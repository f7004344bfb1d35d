"""What scores.json of a run holds, as typed values: a score travels with its signature and its interval."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from mt.alignment.links import AlignmentScore
from mt.config import Config, Search
from mt.core.files import read_json, write_text

FILE = "scores.json"


@dataclass(frozen=True)
class CorpusScore:
    """A corpus score in percent, the ends of its 95 % bootstrap interval, and sacreBLEU's signature."""

    score: float
    low: float
    high: float
    signature: str
    lines: int | None = None
    """How many sentences were scored, where they are not all of the split."""
    note: str | None = None
    """Why the figure tells little, where it does."""


@dataclass(frozen=True)
class WayScore(AlignmentScore):
    """How well one way of making links aligns: the fields of evaluation.choice.Choice beside those of its score."""

    layer: int
    head: int | None
    reading: str
    threshold: float | None


@dataclass(frozen=True)
class AlignmentErrors:
    """The alignment error rate in one direction, by each way of making links."""

    score: float
    """The AER of the chosen way."""
    named: str
    """The chosen way in words."""
    pairs: int
    """How many pairs have gold links."""
    as_it_is: WayScore
    shifted: WayScore
    posterior: WayScore
    chosen: WayScore


@dataclass(frozen=True)
class Part:
    """So many of so many."""

    count: int
    of: int

    def __str__(self) -> str:
        return f"{self.count:,} of {self.of:,}"


@dataclass(frozen=True)
class Outputs:
    """How many of a split's translations are not whole."""

    lines: int
    empty: int
    """Without any text."""
    cut: int
    """Ended by the limit on their length (search.max_ratio, search.max_extra)."""


@dataclass(frozen=True)
class Scores:
    """All scores of one split by one search."""

    corpus: dict[str, CorpusScore]
    """By the name of the metric: BLEU, chrF, TER; where asked for also "BLEU, papers" and "BLEU, novel"."""
    search: dict[str, Any]
    """The settings of the search, and "with", the other members of an ensemble."""
    weights: list[str]
    """A fingerprint of the weights of each member."""
    alignment: AlignmentErrors | None = None
    outputs: Outputs | None = None
    """None in what an earlier version wrote."""
    seen: Part | None = None
    """Pairs that share a sentence with training (corpora/groups.py); None in what an earlier version wrote, and where
    training is not known."""
    copied: dict[str, Part] | None = None
    """How many numbers and unknown names came through (evaluation/copied.py); None as above."""
    given: list[str] | None = None
    """The files that were scored in place of a split: the source, and its references."""

    def write(self, folder: Path) -> None:
        """Write FOLDER/scores.json."""
        tree: dict[str, Any] = {name: _without_none(asdict(score)) for name, score in self.corpus.items()}
        if self.alignment:
            tree["AER"] = asdict(self.alignment)
        told = {"outputs": self.outputs, "seen": self.seen}
        tree |= {name: asdict(one) for name, one in told.items() if one}
        if self.copied is not None:
            tree["copied"] = {kind: asdict(part) for kind, part in self.copied.items()}
        tree |= {"given": self.given} if self.given else {}
        tree |= {"search": self.search, "weights": self.weights}
        write_text(folder / FILE, json.dumps(tree, indent=2) + "\n")


def read_scores(folder: Path) -> Scores | None:
    """Return what FOLDER/scores.json holds; None where there is none. Raises DamagedError where it is."""
    file = folder / FILE
    if not file.exists():
        return None
    return read_json(file, "delete it, and `mt eval` writes it again", _parse)


def _parse(tree: Any) -> Scores:
    search = tree.pop("search")
    counts = search["beam"], search.get("nearest", {"count": 0})["count"]
    if not all(isinstance(count, int) for count in counts):
        raise ValueError("its search has no number of hypotheses, or of neighbours")
    others = {"search": search, "weights": tree.pop("weights", [])}
    others |= {"alignment": tree.pop("AER", None)}
    others |= {name: tree.pop(name, None) for name in ("outputs", "seen", "copied", "given")}
    return TypeAdapter(Scores).validate_python({"corpus": tree} | others)


def _without_none(tree: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in tree.items() if value is not None}


def searched(config: Config) -> Config:
    """Return the config by which a split is searched: this one, but never by sampling."""
    return config.model_copy(update={"search": config.search.model_copy(update={"sample": False})})


def describe_search(settings: Search, others: Sequence[object] = ()) -> dict[str, Any]:
    """Return what scores.json says of the search, and of the other members of an ensemble."""
    idle: dict[str, Any] = dict.fromkeys(("batch", "distinct"), True)
    idle |= {"precision": True} if settings.precision == "float32" else {}
    idle |= {} if settings.shortlist else {"shortlist": True}
    if not settings.nearest.count:
        idle["nearest"] = True
    elif settings.nearest.index == "exact":
        idle["nearest"] = {"index", "probes"}
    return settings.model_dump(exclude=idle) | ({"with": [str(other) for other in others]} if others else {})
