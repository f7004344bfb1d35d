"""Does search help, and does a wide beam harm: the beam curse."""

from collections.abc import Sequence
from dataclasses import dataclass

from mt.evaluation.metrics import Texts, bleu
from mt.inference.translator import Translation
from mt.lab.diagnosis.case import Case, DoesNotApplyError, first
from mt.lab.diagnosis.finding import Bounds, Diagnosis, Measured, Question, show
from mt.text.normal import normalise

BEAMS = (1, 2, 5, 10, 20, 50)
QUICK_BEAMS = (1, 5, 20)
SAMPLE = 100
"""Sentences that are searched in so many ways; fewer when it is to be quick."""
QUICK_SAMPLE = 25
HEAD = ("beam", "length penalty", "BLEU", "length ratio", "empty or cut, %")
Way = tuple[int, float]
"""Beam and length penalty."""


@dataclass(frozen=True)
class Searched:
    """What one way of searching found."""

    translations: list[Translation]
    bleu: float
    ratio: float
    """Words of the translations to words of the references."""
    missing: float
    """Percent of the translations that are empty or cut."""


def sweep(case: Case) -> dict[Way, Searched]:
    """Return what each beam finds with the run's own length penalty, and with 0 and 1.

    The smallest and the largest beam alone are asked without the run's own.
    """
    own = case.translator.settings.length_penalty
    beams = QUICK_BEAMS if case.quick else BEAMS
    ways = [(beam, own) for beam in beams] + [(beam, other) for other in (0.0, 1.0) for beam in (5, beams[-1])]
    return {way: _search(case, *way) for way in dict.fromkeys(ways)}


def _search(case: Case, beam: int, penalty: float) -> Searched:
    pairs = first(case.pairs, QUICK_SAMPLE if case.quick else SAMPLE)
    settings = case.translator.settings.model_copy(update={"beam": beam, "length_penalty": penalty})
    found = case.translator.translate(pairs.sources, settings, alignments=False)
    texts = Texts([one.text for one in found], pairs.targets, pairs.sources, case.texts.tokenize)
    return Searched(found, bleu(texts), length_ratio(texts), missing(pairs.sources, found))


def length_ratio(texts: Texts) -> float:
    """Return the words of the hypotheses for each word of the references, as BLEU counts words."""
    words = texts.split()
    counts = [sum(len(line.split()) for line in lines) for lines in (words.hypotheses, words.references)]
    return counts[0] / max(counts[1], 1)


def missing(sources: Sequence[str], found: Sequence[Translation]) -> float:
    """Return the percentage of the translations that are empty or cut."""
    made = [one for source, one in zip(sources, found, strict=True) if normalise(source)]
    return 100 * sum(one.cut or not one.text.strip() for one in made) / max(len(made), 1)


def _table(case: Case) -> tuple[tuple[str, ...], ...]:
    rows = [
        (str(beam), f"{penalty:g}", f"{one.bleu:.1f}", f"{one.ratio:.3f}", f"{one.missing:.1f}")
        for (beam, penalty), one in case.once(sweep).items()
    ]
    return HEAD, *rows


def _curse(case: Case) -> Measured:
    own = case.translator.settings.length_penalty
    by_beam = {beam: one.bleu for (beam, penalty), one in case.once(sweep).items() if penalty == own}
    widest, best = max(by_beam), max(by_beam, key=by_beam.__getitem__)
    lost = max(by_beam.values()) - by_beam[widest]
    count = len(next(iter(case.once(sweep).values())).translations)
    says = (
        f"With the run's length penalty of {own:g}, a beam of {widest} has a BLEU of {by_beam[widest]:.1f}, which is "
        f"{lost:.1f} less than that of the best beam, {best} ({count} sentences)."
    )
    return Measured(lost, says, table=_table(case))


def _penalty(case: Case) -> Measured:
    own = case.translator.settings.length_penalty
    by_penalty = {penalty: one.bleu for (beam, penalty), one in case.once(sweep).items() if beam == 5}
    best = max(by_penalty, key=by_penalty.__getitem__)
    lost = by_penalty[best] - by_penalty[own]
    told = ", ".join(f"{figure:.1f} with {penalty:g}" for penalty, figure in sorted(by_penalty.items()))
    says = f"With a beam of 5, BLEU by length penalty is {told}; the run has {own:g}, {lost:.1f} less than the best."
    return Measured(lost, says, table=_table(case))


def _length(case: Case) -> Measured:
    ratio = length_ratio(case.texts)
    return Measured(ratio, f"Its translations have {ratio:.3f} words for each word of the references.")


def _missing(case: Case) -> Measured:
    share = missing(case.pairs.sources, case.translations)
    notes = [
        (row, "cut by the limit on its length" if one.cut else "empty")
        for row, (source, one) in enumerate(zip(case.pairs.sources, case.translations, strict=True))
        if source.strip() and (one.cut or not one.text.strip())
    ]
    says = f"{share:.1f} % of its translations are empty, or were cut because they did not end."
    return Measured(share, says, show(case.pairs, notes[:3], case.texts.hypotheses))


def _wide(case: Case) -> Measured:
    own, beams = case.translator.settings.length_penalty, QUICK_BEAMS if case.quick else BEAMS
    narrow, wide = (case.once(sweep)[beam, own].translations for beam in (5, beams[-1]))
    better = [other.score > one.score + 1e-4 for one, other in zip(narrow, wide, strict=True) if one.pieces]
    if not better:
        raise DoesNotApplyError("There is no translation to compare.")
    share = 100 * sum(better) / len(better)
    says = f"For {share:.0f} % of the sentences a beam of {beams[-1]} finds a higher score than a beam of 5."
    return Measured(share, says)


DIAGNOSES: dict[str, Diagnosis] = {
    "missing": Diagnosis(
        Question("How many translations are empty, or do not end?", "%", "Stahlberg and Byrne 2019"),
        Bounds(fine=(None, 2), broken=(None, 10), attempt="search.length_penalty"),
        _missing,
    ),
    "length": Diagnosis(
        Question("Are translations as long as references?", "words for a word", "Murray and Chiang 2018"),
        Bounds(fine=(0.85, 1.15), broken=(0.7, 1.4), attempt="search.length_penalty"),
        _length,
    ),
    "curse": Diagnosis(
        Question("Does a wide beam harm?", "BLEU", "Koehn and Knowles 2017, 3.6; Murray and Chiang 2018"),
        Bounds(fine=(None, 3), broken=(None, 15), attempt="search.length_penalty"),
        _curse,
    ),
    "penalty": Diagnosis(
        Question("Is there a better length penalty?", "BLEU", "Wu et al. 2016, eq. 14"),
        Bounds(fine=(None, 2), broken=(None, 10), attempt="search.length_penalty"),
        _penalty,
    ),
    "wide": Diagnosis(
        Question("How often does a wide beam find a higher score?", "%", "Stahlberg and Byrne 2019"),
        Bounds(fine=(None, 50), broken=(None, None), attempt="search.beam"),
        _wide,
    ),
}
