"""What is wrong with the pairs: those of training, and what the split shares with them."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from mt.corpora.groups import fold
from mt.corpora.pairs import Split
from mt.inference.scorer import Scored
from mt.lab.diagnosis.case import Case, DoesNotApplyError, spread
from mt.lab.diagnosis.finding import Bounds, Diagnosis, Measured, Question, show
from mt.lab.diagnosis.learned import FINE, share_learned
from mt.lab.diagnosis.support import support
from mt.lab.diagnosis.words import words_of
from mt.text.scripts import script_of

SAMPLE, QUICK_SAMPLE = 1500, 300
"""Training pairs that the model reads."""
MOST, QUICK_MOST = 200_000, 5000
"""Training pairs that are looked at without the model."""
FEWEST = 20
SHOWN = 3
COPIED = 0.8
"""Share of its words that a copy has in common with its source."""
APART = 4.0
"""So many times as long as usual, against its source, a target is odd."""
UNLIKELY, UNSUPPORTED = 1.5, 0.5
"""Of the median loss of a pair, and of the median of what a source adds."""
NOTHING = 0.2
"""Nats a piece that a source adds where it adds nothing to speak of."""
RARE = 0.02
"""A script that so few of the letters of a side are in is odd there."""


@dataclass(frozen=True)
class Sample:
    """Training pairs as the model reads them."""

    pairs: Split
    read: list[Scored]
    support: list[float]
    """Nats a piece that its own source adds to a target, over those of other sentences."""


def sample(case: Case) -> Sample:
    """Return training pairs as the model reads them."""
    pairs = spread(case.training, QUICK_SAMPLE if case.quick else SAMPLE)
    read = case.scorer.score(pairs.sources, pairs.targets)
    return Sample(pairs, read, [float(one.mean()) for one in support(case.scorer, read)])


def _words(case: Case) -> tuple[Split, list[tuple[list[str], list[str]]]]:
    """Return training pairs, and the words of both sides of each."""
    pairs = spread(case.training, QUICK_MOST if case.quick else MOST)
    sides = zip(pairs.sources, pairs.targets, strict=True)
    return pairs, [(words_of(source), words_of(target)) for source, target in sides]


def is_copy(source: Sequence[str], target: Sequence[str]) -> bool:
    """Tell whether a target of three words or more repeats its source, in whatever order."""
    words, others = Counter(source), Counter(target)
    both = (words & others).total()
    return both >= max(3, COPIED * max(words.total(), others.total()))


def find_odd_lengths(lengths: Sequence[tuple[int, int]]) -> list[int]:
    """Return the pairs of which a side is four times as long as is usual for the other, and three words longer.

    `lengths`: the words of source and target.
    """
    lengths_N2 = np.array(lengths)
    ratio_N = (lengths_N2[:, 1] + 1) / (lengths_N2[:, 0] + 1)
    usual_N = ratio_N / np.median(ratio_N)
    far_N = np.maximum(usual_N, 1 / usual_N) > APART
    return np.flatnonzero(far_N & (np.abs(lengths_N2[:, 1] - lengths_N2[:, 0]) > 3)).tolist()


@cache
def script_of_letter(letter: str) -> str:
    """Return the script of a letter: LATIN, CYRILLIC, or one of those without spaces."""
    return script_of([letter]) or unicodedata.name(letter, "UNKNOWN").partition(" ")[0]


def find_odd_scripts(lines: Sequence[str]) -> list[int]:
    """Return the lines most of whose letters are in scripts that hardly any letters of all lines are in."""
    counts = [Counter(script_of_letter(letter) for letter in line if letter.isalpha()) for line in lines]
    total = sum(counts, Counter[str]())
    rare = {script for script, times in total.items() if times <= RARE * total.total()}
    return [
        row for row, count in enumerate(counts) if 2 * sum(count[script] for script in rare) > max(count.total(), 1)
    ]


def count_again(keys: Iterable[object]) -> int:
    """Return how many are the same as one before them."""
    return sum(times - 1 for times in Counter(keys).values())


def _looked_at(case: Case, most: int) -> str:
    count = len(case.training.sources)
    return f"all {count:,} training pairs" if count <= most else f"{most:,} of the {count:,} training pairs"


def _misaligned(case: Case) -> Measured:
    found = case.once(sample)
    if len({tuple(one.source) for one in found.read}) == 1:
        raise DoesNotApplyError("All sources are the same, so none can be held against others.")
    if sources_add_nothing(found) and share_learned(found.read, found.read, len(case.run.tokenizers.target))[0] < FINE:
        raise DoesNotApplyError(
            "The model has learned too little to tell: sources add nothing to its targets, but it hardly knows the "
            "targets themselves either. Train it for longer; training.learned says how much it knows."
        )
    rows = find_misaligned(found)
    share = 100 * len(rows) / len(found.read)
    rows.sort(key=lambda row: found.support[row])
    losses = [-float(one.log_probabilities_T.mean()) for one in found.read]
    notes = (
        (row, f"its own source adds {found.support[row]:.2f} nats a piece; loss {losses[row]:.2f}")
        for row in rows[:SHOWN]
    )
    says = (
        f"{share:.1f} % of {_looked_at(case, len(found.read))} do not belong together, as the model sees it: the "
        f"target is hardly likelier given its own source than given those of other pairs."
    )
    return Measured(share, says, show(found.pairs, notes))


def sources_add_nothing(found: Sample) -> bool:
    """Tell whether the middle one of the targets is hardly likelier given its own source than given others.

    A model that knows its targets has been taught so by its pairs. One that knows nothing yet has only begun.
    """
    return float(np.nanmedian(found.support)) < NOTHING


def find_misaligned(found: Sample) -> list[int]:
    """Return the pairs whose target is unlikely, and not much likelier given its own source than given others.

    That is: its loss is more than 1.5 times the median, and what its source adds less than half the median. Where
    sources add nothing anywhere, all pairs are meant. Copies are another matter, and left out.
    """
    loss_N = np.array([-float(one.log_probabilities_T.mean()) for one in found.read])
    support_N = np.array(found.support)
    usual = float(np.nanmedian(support_N))
    doubtful_N = (support_N < UNSUPPORTED * usual) & (loss_N > UNLIKELY * np.median(loss_N))
    rows = np.flatnonzero(doubtful_N | sources_add_nothing(found)).tolist()
    return [row for row in rows if not is_copy(words_of(found.pairs.sources[row]), words_of(found.pairs.targets[row]))]


def _copied(case: Case) -> Measured:
    pairs, both = case.once(_words)
    rows = [row for row, (source, target) in enumerate(both) if is_copy(source, target)]
    share = 100 * len(rows) / len(both)
    says = f"In {share:.1f} % of {_looked_at(case, len(both))} the target repeats its source."
    return Measured(share, says, show(pairs, ((row, "the same on both sides") for row in rows[:SHOWN])))


def _duplicates(case: Case) -> Measured:
    pairs = spread(case.training, MOST)
    sources, targets = ([fold(line) for line in side] for side in (pairs.sources, pairs.targets))
    again = {
        "pairs": count_again(zip(sources, targets, strict=True)),
        "sources": count_again(sources),
        "targets": count_again(targets),
    }
    share = 100 * again["pairs"] / len(sources)
    rows = [(what, str(count), f"{100 * count / len(sources):.1f}") for what, count in again.items()]
    says = f"{share:.1f} % of {_looked_at(case, MOST)} repeat an earlier one."
    return Measured(share, says, table=(("the same", "times", "%"), *rows))


def _overlap(case: Case) -> Measured:
    pairs, training, notes = case.pairs, case.training, []
    sources, targets = ({fold(line) for line in side} for side in (training.sources, training.targets))
    for row, (source, target) in enumerate(zip(pairs.sources, pairs.targets, strict=True)):
        if fold(source) in sources:
            notes.append((row, "training has this source"))
        elif fold(target) in targets:
            notes.append((row, "training has this target"))
    share = 100 * len(notes) / len(pairs.sources)
    says = f"{share:.1f} % of the pairs of {case.split} share a sentence with training, which raises its scores."
    return Measured(share, says, show(pairs, notes[:SHOWN]))


def _lengths(case: Case) -> Measured:
    pairs, both = case.once(_words)
    if len(both) < FEWEST:
        raise DoesNotApplyError(f"There are only {len(both)} training pairs.")
    rows = find_odd_lengths([(len(source), len(target)) for source, target in both])
    share = 100 * len(rows) / len(both)
    says = f"In {share:.2f} % of {_looked_at(case, len(both))} a side is {APART:g} times as long as is usual."
    return Measured(share, says, show(pairs, ((row, "odd lengths") for row in rows[:SHOWN])))


def _scripts(case: Case) -> Measured:
    pairs, _ = case.once(_words)
    rows = sorted({*find_odd_scripts(pairs.sources), *find_odd_scripts(pairs.targets)})
    share = 100 * len(rows) / len(pairs.sources)
    says = f"In {share:.2f} % of {_looked_at(case, len(pairs.sources))} a side is in a script that is rare there."
    return Measured(share, says, show(pairs, ((row, "another script") for row in rows[:SHOWN])))


DIAGNOSES: dict[str, Diagnosis] = {
    "overlap": Diagnosis(
        Question("Has training seen the split?", "%"),
        Bounds(fine=(None, 5), broken=(None, 20), attempt="corpus.held_out_by"),
        _overlap,
    ),
    "misaligned": Diagnosis(
        Question(
            "Do the two sides of the training pairs belong together?",
            "%",
            "Khayrallah and Koehn 2018; Junczys-Dowmunt 2018",
        ),
        Bounds(fine=(None, 3), broken=(None, 20), attempt="corpus"),
        _misaligned,
    ),
    "copied": Diagnosis(
        Question("Do targets of training repeat their sources?", "%", "Khayrallah and Koehn 2018"),
        Bounds(fine=(None, 1), broken=(None, 10), attempt="corpus.copies"),
        _copied,
    ),
    "duplicates": Diagnosis(
        Question("Does training have pairs more than once?", "%"),
        Bounds(fine=(None, 10), broken=(None, 50), attempt="corpus"),
        _duplicates,
    ),
    "lengths": Diagnosis(
        Question("Are the two sides about equally long?", "%", "Koehn et al. 2007, clean-corpus-n"),
        Bounds(fine=(None, 0.5), broken=(None, 5), attempt="corpus"),
        _lengths,
    ),
    "scripts": Diagnosis(
        Question("Is each side written in its script?", "%"),
        Bounds(fine=(None, 0.5), broken=(None, 5), attempt="corpus"),
        _scripts,
    ),
}
