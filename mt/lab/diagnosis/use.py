"""Is attention used: what becomes of translation when its weights are replaced.

Replaced weights are none that the model has learned to live with, so a loss says that it reads them, not what attention
is worth: that takes a model trained without it (Jain and Wallace 2019; Wiegreffe and Pinter 2019; Moradi et al. 2019).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mt.corpora.pairs import Split
from mt.evaluation.metrics import Texts, bleu
from mt.inference.scorer import Scored, Scorer, mean_loss
from mt.inference.translator import Translator
from mt.lab.diagnosis.case import Case, DoesNotApplyError
from mt.lab.diagnosis.delayed import Delayed
from mt.lab.diagnosis.finding import Bounds, Diagnosis, Evidence, Measured, Question, show
from mt.lab.diagnosis.replaced import REPLACEMENTS
from mt.lab.diagnosis.words import count, edits, owners
from mt.models.contract import Look
from mt.text.normal import normalise
from mt.text.tokenizer import Tokenizer
from mt.text.words import plain, word_spans, words_in

OWN, LATE = "its own", "the previous step's"
MOST = 500
"""Pairs that are looked at, drawn at random."""
LEAST = 1.0
"""Of less BLEU than this, none can be lost."""
FUNCTION_WORDS = 50
"""So many of the most frequent target words of training count as function words."""


@dataclass(frozen=True)
class Decoded:
    """What a model does with one kind of weights."""

    bleu: float
    """Of greedy search."""
    changed: float
    """Words changed of 100 that greedy search finds with the model's own weights."""
    loss: float
    """Of the references, in nats a piece."""
    hypotheses: list[str]
    read: list[Scored]


def changed_words(before: Sequence[str], after: Sequence[str]) -> float:
    """Return the edits between two lists of lines for 100 words of the first."""
    both = [(words_in(one), words_in(other)) for one, other in zip(before, after, strict=True)]
    return 100 * sum(edits(*pair) for pair in both) / max(sum(len(words) for words, _ in both), 1)


def draw_pairs(case: Case) -> Split:
    """Return the pairs that are looked at: not more than MOST."""
    return case.pairs.take(case.draw(MOST))


def decode_all(case: Case) -> dict[str, Decoded]:
    """Return what greedy search and the references give with the model's own weights, and with each replacement."""
    case.must_attend()
    model, tokenizers, pairs = case.run.model, case.run.tokenizers, case.once(draw_pairs)
    settings = case.translator.settings.model_copy(update={"beam": 1, "coverage_penalty": 0.0})
    ways = {OWN: (model, Look()), LATE: (Delayed(model).eval(), Look())}
    ways |= {name: (model, Look(replace=replace)) for name, replace in REPLACEMENTS.items()}
    found = dict[str, Decoded]()
    for name, (made, look) in ways.items():
        translator = Translator(made, tokenizers, case.run.config)
        texts = [one.text for one in translator.translate(pairs.sources, settings, alignments=False, look=look)]
        read = Scorer(made, tokenizers, case.run.config).score(pairs.sources, pairs.targets, look)
        changed = changed_words(found[OWN].hypotheses if found else texts, texts)
        found[name] = Decoded(
            bleu(Texts(texts, pairs.targets, pairs.sources, case.texts.tokenize)), changed, mean_loss(read), texts, read
        )
    return found


def _table(found: dict[str, Decoded]) -> tuple[tuple[str, ...], ...]:
    rows = ((name, f"{one.bleu:.1f}", f"{one.loss:.2f}", f"{one.changed:.0f}") for name, one in found.items())
    return (("weights", "BLEU, greedy", "loss of references, nats", "words changed, %"), *rows)


def _evidence(case: Case, before: Sequence[str], after: Sequence[str], name: str) -> tuple[Evidence, ...]:
    """Return the three sentences that change the most for their length; the first of equals."""
    size = [changed_words([one], [two]) for one, two in zip(before, after, strict=True)]
    worst = sorted((row for row in range(len(size)) if size[row]), key=lambda row: -size[row])[:3]
    return show(case.once(draw_pairs), [(row, f"with {name} weights: {after[row]}") for row in worst], before)


def _loses(name: str) -> Callable[[Case], Measured]:
    def measure(case: Case) -> Measured:
        found = case.once(decode_all)
        own, other = found[OWN], found[name]
        if own.bleu < LEAST:
            raise DoesNotApplyError(f"Greedy BLEU is {own.bleu:.1f}, so there is no BLEU to lose: see use.loss.")
        value = 100 * (own.bleu - other.bleu) / own.bleu
        says = f"With {_SAID[name]}, greedy BLEU goes from {own.bleu:.1f} to {other.bleu:.1f}."
        table = _table(found) if name == "uniform" else None
        return Measured(value, says, _evidence(case, own.hypotheses, other.hypotheses, name), table)

    return measure


_SAID = {
    "uniform": "equal weights for all source pieces",
    "permuted": "the weights given to other source pieces",
    LATE: "the weights of the step before",
    "largest zeroed": "the largest weight taken away",
    "largest only": "the largest weight alone",
}


def measure_loss(case: Case) -> Measured:
    """Return how much worse the references are predicted with uniform weights."""
    found = case.once(decode_all)
    own, other = found[OWN].loss, found["uniform"].loss
    return Measured(
        other - own,
        f"With equal weights the loss of the references goes from {own:.2f} to {other:.2f} nats a piece.",
    )


def is_function(tokenizer: Tokenizer, pieces: Sequence[int], text: str, words: frozenset[str]) -> list[bool | None]:
    """Return of each piece whether its word is among these; None for </s>, and for punctuation."""
    spans = word_spans(text)
    names = [plain(normalise(text[slice(*span)]).lower()) for span in spans]
    where = [span for _, span in tokenizer.spans(pieces[:-1], text)]
    told = [None if owner is None or not names[owner] else names[owner] in words for owner in owners(where, spans)]
    return [*told, None]


def measure_content(case: Case) -> Measured:
    """Return how much more uniform weights cost the content words than the function words."""
    found = case.once(decode_all)
    words = frozenset(word for word, _ in count(case.training.targets).most_common(FUNCTION_WORDS))
    tokenizer = case.run.tokenizers.target
    kinds = [
        is_function(tokenizer, one.target, text, words)
        for one, text in zip(found[OWN].read, case.once(draw_pairs).targets, strict=True)
    ]
    flat = np.array([-1 if kind is None else int(kind) for line in kinds for kind in line])
    losses = {name: [loss_of_kind(one.read, flat, kind) for kind in (0, 1)] for name, one in found.items()}
    rises = np.array(losses["uniform"]) - np.array(losses[OWN])
    if not np.isfinite(rises).all():
        raise DoesNotApplyError("The references have no content words, or no function words, to compare.")
    rows = ((name, *(f"{loss:.2f}" for loss in both)) for name, both in losses.items())
    return Measured(
        float(rises[0] - rises[1]),
        f"With equal weights content words lose {rises[0]:.2f} nats a piece, and the {FUNCTION_WORDS} most frequent "
        f"words of training {rises[1]:.2f}.",
        table=(("weights", "loss of content words, nats", "loss of function words, nats"), *rows),
    )


def loss_of_kind(read: Sequence[Scored], kinds: NDArray[np.int64], kind: int) -> float:
    """Return the mean loss of the pieces of a kind; NaN where there are none."""
    losses = -np.concatenate([one.log_probabilities_T for one in read])[kinds == kind]
    return float(losses.mean()) if len(losses) else float("nan")


_LIPTON = "Jain and Wallace 2019; Wiegreffe and Pinter 2019"
_MORADI = "Moradi et al. 2019"
_LOST = "% of BLEU"
DIAGNOSES: dict[str, Diagnosis] = {
    "uniform": Diagnosis(
        Question("How much BLEU is lost when all source pieces weigh the same?", _LOST, _LIPTON),
        Bounds(fine=(30, None), broken=(10, None), attempt="model.attention.score"),
        _loses("uniform"),
    ),
    "permuted": Diagnosis(
        Question("How much BLEU is lost when the weights go to other source pieces?", _LOST, _LIPTON),
        Bounds(fine=(30, None), broken=(10, None), attempt="model.attention.score"),
        _loses("permuted"),
    ),
    "previous": Diagnosis(
        Question("How much BLEU is lost with the weights of the step before?", _LOST, _MORADI),
        Bounds(fine=(20, None), broken=(5, None), attempt="model.attention.wiring"),
        _loses(LATE),
    ),
    "without_largest": Diagnosis(
        Question("How much BLEU is lost without the largest weight?", _LOST, _MORADI),
        Bounds(fine=(20, None), broken=(5, None), attempt="model.attention.score"),
        _loses("largest zeroed"),
    ),
    "only_largest": Diagnosis(
        Question("How much BLEU is lost when only the largest weight stays?", _LOST, _MORADI),
        Bounds(fine=(None, 30), broken=(None, 70), attempt="model.attention.score"),
        _loses("largest only"),
    ),
    "loss": Diagnosis(
        Question("How much worse are the references predicted with equal weights?", "nats", _LIPTON),
        Bounds(fine=(0.3, None), broken=(0.05, None), attempt="model.attention.score"),
        measure_loss,
    ),
    "content": Diagnosis(
        Question("How much more do content words need attention than function words?", "nats", _MORADI),
        Bounds(fine=(-1.5, None), broken=(None, None)),
        measure_content,
    ),
}
