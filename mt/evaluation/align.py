"""Align given pairs by forced decoding, in one direction or both, write it, and score it."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path

from mt.alignment.files import write_all
from mt.alignment.gold import read_gold
from mt.alignment.links import SYMMETRISATIONS, aer, by_target
from mt.alignment.matrices import Alignment
from mt.core.errors import UserError
from mt.core.files import must_be_writable
from mt.core.progress import Meter
from mt.corpora.pairs import Gold, Link, Split
from mt.evaluation.choice import Choice, Reading, as_it_is, forced, of_run
from mt.evaluation.given import read_given
from mt.inference.aligner import Aligner, load_aligner
from mt.runs.names import ALIGNED, CHOICE
from mt.runs.own import must_be_own
from mt.runs.run import Run
from mt.text.words import Unit

log = logging.getLogger("mt")
IN_WORDS: Unit = "words"
PLAIN: tuple[Reading, ...] = ("as-is", "shifted")
"""How attention is read where nothing is chosen, which is scored beside what is."""


@dataclass(frozen=True)
class Wanted:
    """What the user says of a Choice; None: as the run chose, or as it is where it chose nothing."""

    layer: int | None = None
    head: int | None = None
    """0: the mean over the heads."""
    reading: Reading | None = None
    threshold: float | None = None
    """0: argmax."""

    def over(self, choice: Choice, layers: int) -> Choice:
        """Return the choice with what is wanted instead, for a decoder of so many layers."""
        return Choice(
            self.layer or (layers if self.reading == "posterior" else choice.layer),  # which is that of the last
            choice.head if self.head is None else self.head or None,
            choice.reading if self.reading is None else self.reading,
            choice.threshold if self.threshold is None else self.threshold or None,
        )


@dataclass(frozen=True)
class Pairs:
    """Which pairs: two files, or else a split of the run's corpus (unset: its main test split)."""

    split: str | None = None
    source: Path | None = None
    target: Path | None = None
    gold: Path | None = None
    """Gold links, with their format; its words are those between white space."""
    gold_format: str | None = None
    unit: Unit | None = None
    """In what links are written; None: as the run's config says. Errors are those of the gold's own words."""


@dataclass(frozen=True)
class Reverse:
    """A run from the target language to the source language, and how its links join those of the first."""

    run: Run
    symmetrise: str = "grow-diag-final-and"


def align(
    run: Run, asked: Pairs, wanted: Wanted, reverse: Reverse | None, output: Path | None
) -> tuple[list[Alignment], list[str]]:
    """Write STEM.npz, .jsonl and .pharaoh; return the alignments, and where gold is known their scores in words.

    Matrices are those of `run`; links are symmetrised when there is a reverse run. STEM is `output`, for a split by
    default RUN/align/SPLIT. Raises UserError that says what does not fit.
    """
    forward = load_aligner(run)
    backward = load_aligner(reverse.run) if reverse else None
    if backward and reverse:
        _must_mirror(forward, backward, reverse.run)
    unit = asked.unit or run.config.alignment.unit
    if backward and unit == "pieces":
        _must_share_pieces(forward, backward)
    if output is None:
        must_be_own(run)
    name, pairs = _read(run, asked)
    stem = output or run / ALIGNED / str(name)
    must_be_writable(Path(f"{stem}.npz"))
    sides = [_Side(run, forward, pairs, _choose(run, forward, wanted))]
    if backward and reverse:
        sides.append(_Side(reverse.run, backward, mirror(pairs), _choose(reverse.run, backward, wanted)))
    readings: tuple[Reading, ...] = PLAIN if any(gold and gold.possible for gold in pairs.gold or []) else ()
    asked_for = [(None, unit), *([(None, IN_WORDS)] if readings else []), *((one, IN_WORDS) for one in readings)]
    each_way = zip(*(_force(side, asked_for) for side in sides), strict=True)
    found, *scored = [_join(both, reverse.symmetrise) if reverse else both[0] for both in each_way]
    how = " and ".join(f"{side.run} ({side.choice})" for side in sides)
    how = f"{reverse.symmetrise} of {how}" if reverse else how
    write_all(stem, found)
    log.info("aligned %d pairs by %s; written to %s.npz, .jsonl and .pharaoh", len(found), how, stem)
    titles = [how, *(f"{reading}, as the config has it" for reading in readings)] if readings else []
    return found, [f"{_score(links, pairs.gold)}: {title}" for links, title in zip(scored, titles, strict=True)]


@dataclass(frozen=True)
class _Side:
    """One direction: a run, the pairs as it reads them, and how links are made."""

    run: Run
    made: Aligner
    pairs: Split
    choice: Choice


def mirror(pairs: Split) -> Split:
    """Return the pairs in the other direction."""
    return Split(pairs.targets, pairs.sources, [gold and _mirror(gold) for gold in pairs.gold] if pairs.gold else None)


def _mirror(gold: Gold) -> Gold:
    sure, possible = (frozenset(turn(links)) for links in (gold.sure, gold.possible))
    return Gold(gold.target_spans, gold.source_spans, sure, possible)


def turn(links: Collection[Link]) -> set[Link]:
    """Return links with source and target exchanged."""
    return {(target, source) for source, target in links}


def _choose(run: Run, made: Aligner, wanted: Wanted) -> Choice:
    """Return what is wanted, else what the run chose, or what its config says where it chose nothing."""
    chosen = of_run(run)
    if chosen is None and None in astuple(wanted):
        log.info("%s has no %s of its own: what is not said is as the config has it (mt eval chooses)", run, CHOICE)
    return wanted.over(chosen or as_it_is(made), made.model.sites[0])


def _force(side: _Side, ways: Sequence[tuple[Reading | None, Unit]]) -> list[list[Alignment]]:
    """Return the alignments by the side's choice (None) or a reading as the config has it, all from one decoding."""
    choices = [as_it_is(side.made, reading) if reading else side.choice for reading, _ in ways]
    meter = Meter(f"aligning with {side.run}", "pair", len(side.pairs.sources))
    found = forced(side.made, side.pairs, choices, meter)
    meter.close()
    return [
        [one.alignment(choice.shift, choice.threshold, unit) for one in found[choice]]
        for choice, (_, unit) in zip(choices, ways, strict=True)
    ]


def _join(both: Sequence[list[Alignment]], symmetrise: str) -> list[Alignment]:
    """Return the alignments of the first direction, with links that are made of those of both."""
    join = SYMMETRISATIONS[symmetrise]
    return [
        replace(one, links=by_target(join(set(one.links), turn(two.links)))) for one, two in zip(*both, strict=True)
    ]


def _read(run: Run, asked: Pairs) -> tuple[str | None, Split]:
    """Return the name of the split, if it is one, and the pairs."""
    name, pairs = read_given(run, asked.split, asked.source, asked.target)
    if asked.gold and asked.gold_format:
        pairs = replace(pairs, gold=read_gold(asked.gold, asked.gold_format, pairs))
    return name, pairs


def _must_mirror(forward: Aligner, backward: Aligner, run: Run) -> None:
    ours, theirs = forward.config.corpus, backward.config.corpus
    if (ours.source, ours.target) != (theirs.target, theirs.source):
        raise UserError(
            f"{run} translates {theirs.source} to {theirs.target}; the reverse of a run from {ours.source} to "
            f"{ours.target} must translate {ours.target} to {ours.source}"
        )


def _must_share_pieces(forward: Aligner, backward: Aligner) -> None:
    if [one.identity for one in forward.tokenizers] != [one.identity for one in reversed(backward.tokenizers)]:
        raise UserError(
            "the two runs have different vocabularies, so links between their pieces cannot be joined: give another "
            "alignment.unit, or leave out --reverse"
        )


def _score(found: Sequence[Alignment], gold: Sequence[Gold | None] | None) -> str:
    pairs = zip(found, gold or [], strict=True)
    known = [(set(one.links), truth) for one, truth in pairs if truth and truth.possible]
    score = aer([links for links, _ in known], [truth for _, truth in known])
    return (
        f"AER {score.aer:.2f}, precision {score.precision:.2f}, recall {score.recall:.2f}, F1 {score.f1:.2f} "
        f"({len(known)} pairs with gold)"
    )
