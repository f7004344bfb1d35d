"""What the weights look like: how sharp they are, where they lie, and which words they leave out or come back to."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mt.core.arrays import Floats
from mt.inference.scorer import Scored
from mt.lab.diagnosis.case import Case, DoesNotApplyError
from mt.lab.diagnosis.finding import Bounds, Diagnosis, Measured, Question, show
from mt.lab.diagnosis.words import words_of
from mt.models.contract import Look, Site

MOST = 500
"""References that are looked at, drawn at random."""
NEVER, TWICE = 0.2, 1.8
"""A source word with less attention over all target words is never attended, with more it is attended twice."""


class Shape(NamedTuple):
    """The shape of attention, means over all steps."""

    entropy: float
    """Of a row, as a share of the largest it can have, log S; in percent."""
    largest: float
    """The largest weight of a row, in percent."""
    end: float
    """The weight of </s>, in percent."""
    punctuation: float
    """The weight of pieces without a letter or a digit, </s> left out, in percent."""
    distance: float
    """From the diagonal, as a share of the source's length, in percent."""


HEAD = ("site", "entropy, % of log S", "largest weight, %", "on </s>, %", "on punctuation, %", "off the diagonal, %")


def entropy(weights_TS: Floats) -> Floats:
    """Return the entropy of each row as a share of that of equal weights, [T]; rows are made to sum to one."""
    share_TS = weights_TS / weights_TS.sum(1, keepdims=True).clip(1e-12)
    found: Floats = -(share_TS * np.log(share_TS.clip(1e-12))).sum(1) / np.log(max(weights_TS.shape[1], 2))
    return found


def distance(weights_TS: Floats) -> Floats:
    """Return how far from the diagonal the weights of each step lie, [T]: both sides between 0 and 1, </s> left out."""
    inner_TS = weights_TS[:-1, :-1]
    steps, places = (np.arange(size) / max(size - 1, 1) for size in inner_TS.shape)
    share_TS = inner_TS / inner_TS.sum(1, keepdims=True).clip(1e-12)
    found: Floats = (share_TS * np.abs(steps[:, None] - places[None, :])).sum(1)
    return found


def is_punctuation(piece: str) -> bool:
    """Tell whether the name of a piece has signs, and no letter, digit or mark; a byte of a character has none."""
    signs = piece.replace("\u2581", "")
    if signs.startswith("<0x") or not signs:
        return False
    return all(unicodedata.category(sign)[0] in "PS" for sign in signs)


def shape_of(matrices: Sequence[Floats], punctuation: Sequence[Sequence[bool]]) -> Shape:
    """Return the shape of matrices [T, S], </s> last on both sides; `punctuation`: of each piece but </s>."""
    signs = [rows[:, :-1] @ np.array(of, float) for rows, of in zip(matrices, punctuation, strict=True)]
    columns = (
        [entropy(rows) for rows in matrices],
        [rows.max(1) for rows in matrices],
        [rows[:, -1] for rows in matrices],
        signs,
        [distance(rows) for rows in matrices],
    )
    return Shape(*(100 * float(np.concatenate(column).mean()) for column in columns))


def read_sites(case: Case) -> list[Scored]:
    """Return the sampled references as the model reads them, with the weights of all sites, [L, N, T, S]."""
    case.must_attend()
    pairs = case.pairs.take(case.draw(MOST))
    return case.scorer.score(pairs.sources, pairs.targets, Look("all"))


def shapes(case: Case) -> dict[str, Shape]:
    """Return the shape of the site of the config first, then of each layer and head where there are several."""
    read = case.once(read_sites)
    tokenizer = case.run.tokenizers.source
    signs = [[is_punctuation(tokenizer.name(piece)) for piece in one.source[:-1]] for one in read]
    every = [one.matrix_TS.astype(float) for one in read if one.matrix_TS is not None]
    layers, heads = case.run.model.sites
    site = case.scorer.site or Site(1)

    def at(where: Site) -> Shape:
        layer = [rows[where.layer - 1] for rows in every]
        picked = [rows.mean(0) if where.head is None else rows[where.head - 1] for rows in layer]
        return shape_of(picked, signs)

    found = {_name(site): at(site)}
    if layers * heads > 1:
        numbers = [Site(layer, head) for layer in range(1, layers + 1) for head in range(1, heads + 1)]
        found |= {_name(one): at(one) for one in numbers}
    return found


def _name(site: Site) -> str:
    return f"layer {site.layer}, {'mean of heads' if site.head is None else f'head {site.head}'}"


def _figure(field: str, says: str) -> Callable[[Case], Measured]:
    def measure(case: Case) -> Measured:
        found = case.once(shapes)
        value = float(getattr(next(iter(found.values())), field))
        rows = ((name, *(f"{number:.1f}" for number in one)) for name, one in found.items())
        return Measured(value, says.format(value), table=(HEAD, *rows) if field == "entropy" else None)

    return measure


def missing(reference: str, hypothesis: str) -> tuple[int, int]:
    """Return how many words of a reference its hypothesis lacks, and how many it has."""
    asked = Counter(words_of(reference))
    return (asked - Counter(words_of(hypothesis))).total(), asked.total()


def repeated(reference: str, hypothesis: str) -> tuple[int, int]:
    """Return how many words come again in a hypothesis more often than in its reference, and how many it has."""
    made, asked = Counter(words_of(hypothesis)), Counter(words_of(reference))
    return sum(max(times - max(asked[word], 1), 0) for word, times in made.items()), made.total()


def _unbalanced(
    is_odd: Callable[[Floats], NDArray[np.bool_]], wrong: Callable[[str, str], tuple[int, int]], says: str
) -> Callable[[Case], Measured]:
    """Return what measures the percentage of odd source words, and what is wrong with and without one."""

    def measure(case: Case) -> Measured:
        case.must_attend()
        odd, words, counts, notes = 0, 0, np.zeros((2, 2), int), list[tuple[int, int, str]]()
        for row, (reference, one) in enumerate(zip(case.pairs.targets, case.translations, strict=True)):
            if one.alignment is None or not one.alignment.target_words:
                continue
            here = is_odd(one.alignment.words[:, :-1].astype(float).sum(0))
            odd, words = odd + int(here.sum()), words + len(here)
            counts[int(here.any())] += wrong(reference, one.text)
            named = ", ".join(word for word, of in zip(one.alignment.source_words, here, strict=True) if of)
            notes.append((int(here.sum()), row, named))
        if not words:
            raise DoesNotApplyError("All translations are empty, so there is no attention to add up.")
        worst = [(row, named) for count, row, named in sorted(notes, key=lambda note: -note[0])[:3] if count]
        without, within = (100 * part / max(whole, 1) for part, whole in counts.tolist())
        value = 100 * odd / words
        told = says.format(value=value, within=within, without=without)
        return Measured(value, told, show(case.pairs, worst, case.texts.hypotheses))

    return measure


_COVERAGE = "Tu et al. 2016"
DIAGNOSES: dict[str, Diagnosis] = {
    "entropy": Diagnosis(
        Question("How spread out are the weights?", "% of log S", "Ghader and Monz 2017"),
        Bounds(fine=(None, 85), broken=(None, 95), attempt="model.attention.score"),
        _figure("entropy", "The weights of a step have {:.0f} % of the entropy of equal weights."),
    ),
    "largest": Diagnosis(
        Question("How much weight has the most attended piece?", "%", "Ghader and Monz 2017"),
        Bounds(fine=(18, None), broken=(8, None), attempt="model.attention.score"),
        _figure("largest", "The most attended source piece has {:.0f} % of the weight, on average."),
    ),
    "end": Diagnosis(
        Question("How much weight lies on </s>?", "%", "Ferrando and Costa-jussà 2021"),
        Bounds(fine=(None, 30), broken=(None, 60), attempt="model.attention.score"),
        _figure("end", "{:.0f} % of the weight lies on the source's </s>."),
    ),
    "punctuation": Diagnosis(
        Question("How much weight lies on punctuation?", "%", "Ferrando and Costa-jussà 2021"),
        Bounds(fine=(None, 30), broken=(None, 60), attempt="model.attention.score"),
        _figure("punctuation", "{:.0f} % of the weight lies on pieces of punctuation."),
    ),
    "diagonal": Diagnosis(
        Question("How far from the diagonal do the weights lie?", "% of the source", "Luong et al. 2015"),
        Bounds(fine=(None, 70), broken=(None, None)),
        _figure("distance", "The weights lie {:.0f} % of the source's length off the diagonal."),
    ),
    "never": Diagnosis(
        Question("How many source words are never attended?", "% of words", _COVERAGE),
        Bounds(fine=(None, 30), broken=(None, 60), attempt="model.attention.coverage"),
        _unbalanced(
            lambda sums: sums < NEVER,
            missing,
            "{value:.1f} % of the source words are hardly attended; translations of sentences with such a word lack "
            "{within:.0f} % of the reference's words, the others {without:.0f} %.",
        ),
    ),
    "twice": Diagnosis(
        Question("How many source words are attended twice?", "% of words", _COVERAGE),
        Bounds(fine=(None, 20), broken=(None, 50), attempt="model.attention.coverage"),
        _unbalanced(
            lambda sums: sums > TWICE,
            repeated,
            "{value:.1f} % of the source words are attended twice or more; in translations of sentences with such a "
            "word {within:.1f} % of the words are repetitions, in the others {without:.1f} %.",
        ),
    ),
}
