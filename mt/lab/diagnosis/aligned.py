"""Does attention link the words that translate each other, where gold links are known."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mt.alignment.links import aer
from mt.corpora.pairs import Gold, Link, Split
from mt.evaluation.choice import Choice, choose_for_run, forced, ways, with_gold
from mt.inference.aligner import Aligner
from mt.lab.diagnosis.case import Case, DoesNotApplyError
from mt.lab.diagnosis.finding import Bounds, Diagnosis, Evidence, Measured, Question, show
from mt.lab.diagnosis.words import FREQUENCIES, frequency_of, source_counts
from mt.text.normal import normalise
from mt.text.words import plain

RESAMPLES = 1000
LEAST = 5
"""A word, and a pair, must have so many sure links to be named."""
ENOUGH = 20
"""Words of one frequency must have so many sure links to be compared."""


@dataclass(frozen=True)
class Linked:
    """The pairs with gold, the words that were linked in each, and the errors of each way to link."""

    pairs: Split
    gold: list[Gold]
    links: list[set[Link]]
    """Of the chosen way."""
    errors: dict[str, float]
    """AER in percent by way, and of the rows of the step before."""
    choice: Choice

    @property
    def words(self) -> list[list[str]]:
        """The source words of each pair as they are counted."""
        known = zip(self.pairs.sources, self.gold, strict=True)
        return [[plain(normalise(line[slice(*span)]).lower()) for span in gold.source_spans] for line, gold in known]


def link(case: Case) -> Linked:
    """Return how the run links the words of the pairs whose gold is known."""
    case.must_attend()
    pairs = with_gold(case.pairs)
    gold = [one for one in pairs.gold or [] if one]
    if not gold:
        raise DoesNotApplyError(f"The corpus has no gold word links for {case.split}, so alignments cannot be judged.")
    aligner = Aligner(case.run.model, case.run.tokenizers, case.run.config)
    choice = choose_for_run(case.run, aligner)
    read, errors = ways(aligner, choice), dict[str, float]()
    found = forced(aligner, pairs, read.values())
    links = list[set[Link]]()
    for name, way in read.items():
        links = [set(one.alignment(way.shift, way.threshold).links) for one in found[way]]
        errors[name] = aer(links, gold).aer
    return Linked(pairs, gold, links, errors, choice)


def interval(links: Sequence[set[Link]], gold: Sequence[Gold], resamples: int = RESAMPLES) -> tuple[float, float]:
    """Return the ends of the 95 % bootstrap interval of AER over sentences, in percent."""
    counts_X3 = np.array(
        [
            (len(one & truth.sure) + len(one & truth.possible), len(one) + len(truth.sure))
            for one, truth in zip(links, gold, strict=True)
        ]
    )
    drawn = np.random.default_rng(0).integers(len(gold), size=(resamples, len(gold)))
    right, whole = counts_X3[drawn].sum(1).T
    errors = 100 * (1 - right / np.maximum(whole, 1))
    low, high = np.quantile(errors, (0.025, 0.975))
    return float(low), float(high)


def measure_aer(case: Case) -> Measured:
    """Return AER of the chosen way, with its interval; the other ways are in the table."""
    found = case.once(link)
    low, high = interval(found.links, found.gold)
    value = found.errors["chosen"]
    rows = ((name.replace("_", " "), f"{error:.1f}") for name, error in found.errors.items())
    return Measured(
        value,
        f"{value:.1f} % of the word links are wrong ({low:.1f} to {high:.1f}, by {found.choice}).",
        _worst(found),
        (("attention", "AER, %"), *rows),
    )


def _worst(found: Linked) -> tuple[Evidence, ...]:
    """Return the three pairs of at least LEAST sure links that are linked worst."""
    size = range(len(found.gold))
    errors = [aer([found.links[row]], [found.gold[row]]).aer for row in size]
    worst = sorted((row for row in size if len(found.gold[row].sure) >= LEAST), key=lambda row: -errors[row])[:3]
    return show(found.pairs, [(row, f"{errors[row]:.0f} % of its links are wrong") for row in worst])


def errors_by(kinds: Sequence[Sequence[str]], links: Sequence[set[Link]], gold: Sequence[Gold]) -> dict[str, float]:
    """Return AER of the links of each kind of source word, in percent, where ENOUGH are sure.

    `kinds`: of each source word of each pair; words of the kind "" are left out.
    """
    found = dict[str, float]()
    for kind in sorted({kind for words in kinds for kind in words} - {""}):
        ours, truth = list[set[Link]](), list[Gold]()
        for words, some, one in zip(kinds, links, gold, strict=True):
            of = {number for number, each in enumerate(words) if each == kind}
            ours.append({pair for pair in some if pair[0] in of})
            sure, possible = (frozenset(pair for pair in both if pair[0] in of) for both in (one.sure, one.possible))
            truth.append(Gold(one.source_spans, one.target_spans, sure, possible))
        if sum(len(one.sure) for one in truth) >= ENOUGH:
            found[kind] = aer(ours, truth).aer
    return found


def measure_rare(case: Case) -> Measured:
    """Return how much worse rare words are linked than frequent ones."""
    found = case.once(link)
    counts = case.once(source_counts)
    kinds = [[frequency_of(word, counts) if word else "" for word in line] for line in found.words]
    errors = errors_by(kinds, found.links, found.gold)
    known = [kind for kind in FREQUENCIES if kind in errors]
    if len(known) < 2:
        raise DoesNotApplyError("All words with gold links are about as frequent in training, so none are rare.")
    value = errors[known[0]] - errors[known[-1]]
    rows = ((kind, f"{errors[kind]:.1f}") for kind in known)
    return Measured(
        value,
        f"Of the links of source words that training has {known[0]} {errors[known[0]]:.0f} % are wrong, of those that "
        f"it has {known[-1]} {errors[known[-1]]:.0f} %.",
        table=(("training has the word", "AER, %"), *rows),
    )


def missed_words(
    words: Sequence[Sequence[str]], links: Sequence[set[Link]], gold: Sequence[Gold]
) -> list[tuple[str, int, int]]:
    """Return each source word with how many of its sure links are missed, and how many it has; most missed first."""
    missed, every = Counter[str](), defaultdict[str, int](int)
    for line, some, one in zip(words, links, gold, strict=True):
        for pair in one.sure:
            every[line[pair[0]]] += 1
            missed[line[pair[0]]] += pair not in some
    order = sorted(every, key=lambda word: (-missed[word], every[word], word))
    return [(word, missed[word], every[word]) for word in order if word]


def measure_words(case: Case) -> Measured:
    """Return which share of the sure links is missed, and of which words the most."""
    found = case.once(link)
    rows = missed_words(found.words, found.links, found.gold)
    every = sum(many for _, _, many in rows)
    if not every:
        raise DoesNotApplyError("No sure link of the gold is of a word with letters.")
    value = 100 * sum(missed for _, missed, _ in rows) / every
    worst = [(word, missed, many) for word, missed, many in rows if missed and many >= LEAST][:10]
    named = ", ".join(word for word, _, _ in worst[:3])
    return Measured(
        value,
        f"Attention misses {value:.0f} % of the sure links{f', the most of {named}' if named else ''}.",
        table=(("source word", "missed", "sure links"), *((word, str(one), str(many)) for word, one, many in worst)),
    )


_PAPER = "Och and Ney 2003"
DIAGNOSES: dict[str, Diagnosis] = {
    "aer": Diagnosis(
        Question("How many word links are wrong?", "%", _PAPER),
        Bounds(fine=(None, 35), broken=(None, 60), attempt="model.attention.score"),
        measure_aer,
    ),
    "rare": Diagnosis(
        Question("How much worse are rare words linked than frequent ones?", "points", _PAPER),
        Bounds(fine=(None, 30), broken=(None, None), attempt="vocabulary.size"),
        measure_rare,
    ),
    "words": Diagnosis(
        Question("Which sure links are missed?", "% of sure links", _PAPER),
        Bounds(fine=(None, 35), broken=(None, 65), attempt="model.attention.score"),
        measure_words,
    ),
}
