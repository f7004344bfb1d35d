"""The configuration: one frozen, typed tree, and what every key means. Each subtree has a file; files.py reads YAML."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mt.config.alignment import AlignmentConfig
from mt.config.corpora import CorpusConfig, added_to
from mt.config.log import Log
from mt.config.metrics import Metrics
from mt.config.models import Model, RNNModel
from mt.config.search import Nearest, Search
from mt.config.train import Train
from mt.config.tree import Precision, Seed, Tree
from mt.config.vocabulary import Vocabulary

__all__ = [
    "ASIDE",
    "MACHINE",
    "AlignmentConfig",
    "Config",
    "Log",
    "Metrics",
    "Nearest",
    "Precision",
    "Search",
    "Train",
    "Vocabulary",
]


MACHINE = {"device", "threads"}
"""Keys that say how a machine computes; with others a run goes on, though not bit for bit."""
ASIDE = MACHINE | {"log"}
"""Keys that are no part of the experiment: a run goes on with others."""


class Config(Tree):
    """An experiment."""

    corpus: Annotated[CorpusConfig, Field(discriminator="name")]
    """What is translated: `name` says which corpus, and the other keys are its own."""
    vocabulary: Vocabulary = Vocabulary()
    model: Annotated[Model, Field(discriminator="kind")] = RNNModel()
    """What translates: `kind` says which model, and the other keys are its own."""
    train: Train = Train()
    search: Search = Search()
    alignment: AlignmentConfig = AlignmentConfig()
    metrics: Metrics = Metrics()
    log: Log = Log()
    seed: Seed = 1
    """Of all that is random in training: first weights, order, dropout."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where the arithmetic is done: cuda and mps are GPUs, of NVIDIA or AMD and of Apple. auto: on a GPU where this
    machine has one. No part of the experiment: a run that one device trained goes on, and translates, on another."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Threads for the arithmetic, at most one for each processor this process may use. Unset: OMP_NUM_THREADS, else one
    for each processor, up to 8. No part of the experiment: another number may resume it, though not bit for bit."""

    @model_validator(mode="after")
    def _languages_differ(self) -> Self:
        if self.corpus.source == self.corpus.target:
            raise ValueError(
                f"source and target are both {self.corpus.source!r}; choose two languages",
                *("corpus.source", "corpus.target"),
            )
        return self

    @model_validator(mode="after")
    def _a_stream_is_read_once(self) -> Self:
        if not getattr(self.corpus, "streaming", False):
            return self
        for key, wanted in {
            "train.guide.links": self.train.guide.links,
            "train.teacher.runs": self.train.teacher.runs,
            "search.nearest.count": self.search.nearest.count,
            "search.shortlist": self.search.shortlist,
        }.items():
            if wanted:
                raise ValueError(f"{key} needs all training pairs at hand, and corpus.streaming has them not", key)
        return self

    @model_validator(mode="after")
    def _what_needs_attention_has_it(self) -> Self:
        if self.search.coverage_penalty and not self.model.has_attention:
            raise ValueError(
                "a coverage penalty asks where attention looked, and this model has none", "search.coverage_penalty"
            )
        if self.train.guide.links and not self.model.has_attention:
            raise ValueError("a guide teaches attention, and this model has none", "train.guide.links")
        if self.train.guide.links and added_to(self.corpus).files is not None:
            raise ValueError(
                "a guide has links of all training pairs, and those that are added have none",
                *("train.guide.links", "corpus.added.files"),
            )
        covered = isinstance(self.model, RNNModel) and self.model.attention.coverage
        if self.train.coverage_loss and not covered:
            raise ValueError("the coverage loss needs model.attention.coverage: true", "train.coverage_loss")
        return self
