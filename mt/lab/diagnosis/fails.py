"""Where translation fails: by length, novelty, position, frequency of words; and what goes wrong there."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from sacrebleu.metrics import BLEU

from mt.lab.diagnosis import outputs
from mt.lab.diagnosis.breakdown import Matches, Part, by_frequency, by_length, by_position, by_unseen
from mt.lab.diagnosis.case import Case, DoesNotApplyError, spread
from mt.lab.diagnosis.finding import Bounds, Diagnosis, Measured, Question
from mt.lab.diagnosis.words import source_counts

FEWEST = 20
"""Sentences, or words, of which a figure is worth saying."""
PARTS = 5
MOST = 200_000
"""Training sentences in which words are counted."""


def _table(parts: Sequence[Part]) -> tuple[tuple[str, ...], ...]:
    rows = [(one.name, str(len(one.rows)), f"{one.bleu:.1f}") for one in parts]
    return ("sentences with", "how many", "BLEU"), *rows


def _length(case: Case) -> Measured:
    if len(case.texts.sources) < PARTS * FEWEST:
        raise DoesNotApplyError(f"There are only {len(case.texts.sources)} sentences to divide by length.")
    parts = by_length(case.texts, PARTS)
    best, last = max(parts, key=lambda one: one.bleu), parts[-1]
    if not best.bleu:
        raise DoesNotApplyError("No part of the split has any BLEU.")
    kept = 100 * last.bleu / best.bleu
    says = (
        f"The longest fifth of the sentences ({last.name}) has a BLEU of {last.bleu:.1f}, {kept:.0f} % of that of the "
        f"best fifth, {best.bleu:.1f} ({best.name})."
    )
    return Measured(kept, says, table=_table(parts))


def _novelty(case: Case) -> Measured:
    known, *others = parts = by_unseen(case.texts, case.once(source_counts))
    counted = [one for one in others if len(one.rows) >= FEWEST]
    if not counted or len(known.rows) < FEWEST or not known.bleu:
        rows = sum(len(one.rows) for one in others)
        raise DoesNotApplyError(f"Too few sentences have a source word that training lacks: {rows}.")
    new = counted[-1]
    kept = 100 * new.bleu / known.bleu
    says = (
        f"Sentences with {new.name} have a BLEU of {new.bleu:.1f}, {kept:.0f} % of that of sentences "
        f"without any, {known.bleu:.1f}."
    )
    return Measured(kept, says, table=_table(parts))


def _position(case: Case) -> Measured:
    fifths, tenths = (by_position(case.texts, parts) for parts in (PARTS, 2 * PARTS))
    if min(min(one.hypotheses, one.references) for one in fifths) < FEWEST:
        raise DoesNotApplyError("Its sentences are too short, or too few, to be divided.")
    first, late = fifths[0].f1, fifths[-2].f1
    rows = (
        (str(number), f"{one.f1:.1f}", *map(str, (one.right, one.hypotheses, one.found, one.references)))
        for number, one in enumerate(tenths, 1)
    )
    says = (
        f"The F1 of the words in the first fifth of the sentences is {first:.0f}, and in the last but one {late:.0f}; "
        f"the last has the full stop."
    )
    head = ("tenth of the sentence", "F1, %", "right", "words of translations", "found", "words of references")
    return Measured(first - late, says, table=(head, *rows))


def _frequency(case: Case) -> Measured:
    split = BLEU(tokenize=case.texts.tokenize).tokenizer
    known = Counter(word for line in spread(case.training, MOST).targets for word in split(line).split())
    found = by_frequency(case.texts, known)
    _, *few, _, often = found.values()
    rare = _sum(few)
    if rare.references < FEWEST:
        raise DoesNotApplyError(f"The references have only {rare.references} words that training has 1 to 10 times.")
    rows = [(kind, str(one.references), str(one.hypotheses), f"{one.f1:.1f}") for kind, one in found.items()]
    says = (
        f"The F1 of words that training has 1 to 10 times is {rare.f1:.0f}, and that of words that it has more than "
        f"100 times {often.f1:.0f}."
    )
    head = ("training has the word", "in references", "in translations", "F1, %")
    return Measured(rare.f1, says, table=(head, *rows))


def _sum(parts: Sequence[Matches]) -> Matches:
    return Matches(*np.sum([(one.both, one.hypotheses, one.references) for one in parts], 0).tolist())


DIAGNOSES: dict[str, Diagnosis] = {
    "length": Diagnosis(
        Question(
            "Does it fail on long sentences?",
            "% of the best",
            "Bahdanau et al. 2015, figure 2; Koehn and Knowles 2017, 3.4",
        ),
        Bounds(fine=(50, None), broken=(15, None), attempt="model.attention.score"),
        _length,
    ),
    "novelty": Diagnosis(
        Question("Does it fail on words that training has not?", "% of the known", "Koehn and Knowles 2017, 3.3"),
        Bounds(fine=(25, None), broken=(3, None), attempt="vocabulary.size"),
        _novelty,
    ),
    "position": Diagnosis(
        Question("Does it lose the thread within a sentence?", "points", "Neubig et al. 2019"),
        Bounds(fine=(None, 30), broken=(None, 60), attempt="model.attention.coverage"),
        _position,
    ),
    "frequency": Diagnosis(
        Question("Does it know rare words?", "F1, %", "Neubig et al. 2019; Koehn and Knowles 2017, 3.3"),
        Bounds(fine=(5, None), broken=(None, None), attempt="vocabulary.size"),
        _frequency,
    ),
    **outputs.DIAGNOSES,
}
