"""The toy corpus: drawn from a grammar, so it needs no download, has any size, and its word links are known exactly."""

from collections.abc import Iterator
from itertools import islice
from random import Random

from mt.config.corpora import ToyCorpus
from mt.corpora.pairs import Corpus, Gold, Split
from mt.corpora.toy.grammar import Pair, derive


def pairs(seed: int) -> Iterator[Pair]:
    """Yield sentence pairs without end; neither side of one is a side of another."""
    random = Random(seed)
    seen: set[str] = set()
    while True:
        pair = derive(random)
        if pair.german not in seen and pair.english not in seen:
            seen |= {pair.german, pair.english}
            yield pair


def load(config: ToyCorpus) -> dict[str, Split]:
    """Return the splits; test and validation come first from the seed, and depend on no key of the training pairs."""
    drawn = pairs(config.seed)
    test, validation = (_split(islice(drawn, config.held_out), config.source) for _ in range(2))
    if config.longest is not None:
        drawn = (pair for pair in drawn if _words(pair, config.source) <= config.longest)
    return {"train": _split(islice(drawn, config.pairs), config.source), "validation": validation, "test": test}


def _words(pair: Pair, source: str) -> int:
    return len((pair.german if source == "de" else pair.english).split())


def _split(drawn: Iterator[Pair], source: str) -> Split:
    sources: list[str] = []
    targets: list[str] = []
    gold: list[Gold | None] = []
    for pair in drawn:
        german, english = (pair.german, pair.german_spans), (pair.english, pair.english_spans)
        (source_line, source_spans), (target_line, target_spans) = (
            (german, english) if source == "de" else (english, german)
        )
        links = pair.links if source == "de" else frozenset((j, i) for i, j in pair.links)
        sources.append(source_line)
        targets.append(target_line)
        gold.append(Gold(source_spans, target_spans, sure=links, possible=links))
    return Split(sources, targets, gold)


CORPUS = Corpus(
    title="toy: a synchronous English-German grammar",
    languages="en, de in either direction",
    size="any number of pairs; by default 20,000 and 500 in each of validation and test",
    licence="same as mt",
    citation="none needed",
    origin="generated",
    find=lambda config: "generated",
    load=load,
)
