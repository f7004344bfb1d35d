"""Validation: what it says of a model, and which of two is better."""

import logging
import math
import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from mt.core import exchange, ranks
from mt.data.pieces import Pieces, report_split
from mt.evaluation import metrics
from mt.evaluation.tokenize import choose_tokenizer
from mt.inference.translator import Translator
from mt.models.contract import Seq2Seq
from mt.training.losses import cross_entropy
from mt.training.materials import Materials

log = logging.getLogger("mt")
ORDER = ("bleu", "chrf", "loss")
"""What weights can be chosen by; the next one decides where two validations tie."""


class Validator:
    """Scores models on the validation split of a training."""

    def __init__(self, given: Materials, cache: Path):
        self.split, self.config, self.tokenizers = given.splits["validation"], given.config, given.tokenizers
        self.pieces = Pieces(self.split, given.tokenizers, cache)
        report_split("validation", self.split, self.pieces, sys.maxsize)
        self.tokenize = choose_tokenizer(
            given.config.metrics.tokenize, given.config.corpus.target, given.splits["train"].targets
        )
        references = self.split.targets
        note = metrics.short_references(metrics.Texts(references, references, tokenize=self.tokenize))
        if note:
            log.warning("validation: %s, and chrF more", note)
        asked = given.config.train.choose_by
        self.choose_by = "chrf" if note and asked == "bleu" else asked
        """What makes a validation the best (train.choose_by); never BLEU where it tells little."""

    def score(self, model: Seq2Seq) -> dict[str, float]:
        """Return what metrics.jsonl says of a model: loss, BLEU and chrF, or the loss alone where it is not finite."""
        loss = self.loss(model)
        if not math.isfinite(loss):
            return {"validation_loss": loss}
        texts = self.translate(model)
        return {"validation_loss": loss, "validation_bleu": metrics.bleu(texts), "validation_chrf": metrics.chrf(texts)}

    def translate(self, model: Seq2Seq) -> metrics.Texts:
        """Return greedy translations, to be scored."""
        hypotheses = exchange.collect(self.greedy(model, ranks.deal(list(self.split.sources))))
        return metrics.Texts(hypotheses, self.split.targets, self.split.sources, self.tokenize)

    def greedy(self, model: Seq2Seq, sources: Sequence[str]) -> list[str]:
        """Return the translation of each source by greedy search."""
        greedy = self.config.search.model_copy(update={"beam": 1, "sample": False})
        translator = Translator(model, self.tokenizers, self.config)
        return [found.text for found in translator.translate(sources, greedy, alignments=False)]

    @torch.inference_mode()
    def loss(self, model: Seq2Seq) -> float:
        """Return the unsmoothed cross-entropy in nats per target piece."""
        losses = []
        for _, batch in islice(self.pieces.batches(self.config.train.batch_tokens), ranks.rank(), None, ranks.count()):
            there = batch.to(model.device)
            logits_BTV = model(*there.given).logits
            losses.append(cross_entropy(logits_BTV, there.target_out_BT, 0.0).item())
        return sum(exchange.collect(losses)) / int(self.pieces.target_lengths.sum())


def rank(record: dict[str, Any], choose_by: str) -> tuple[float, ...]:
    """Return what compares two validations, as metrics.jsonl has them: the larger the better."""
    first = ORDER.index(choose_by)
    names = (*ORDER[first:], *ORDER[:first])
    # Runs of an earlier version have no chrF, and were not chosen by it.
    figures = {name: float(record.get(f"validation_{name}", 0.0)) for name in names}
    return tuple(-figure if name == "loss" else figure for name, figure in figures.items())


def describe(record: dict[str, Any]) -> str:
    """Return a validation in a line for the log."""
    perplexity = math.exp(min(record["validation_loss"], 700))
    told = f"{perplexity:.2f}" if perplexity < 1e6 else f"{perplexity:.1e}"
    return (
        f"update {record['update']}, epoch {record['epoch']}: validation loss {record['validation_loss']:.3f}, "
        f"perplexity {told}, greedy BLEU {record['validation_bleu']:.2f}, chrF {record['validation_chrf']:.2f}"
        f"{', the best so far' if record['best'] else ''}"
    )
