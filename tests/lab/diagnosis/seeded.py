"""Runs with a known fault, trained in seconds by the real command line on number words and on the toy corpus."""

import random
from dataclasses import dataclass
from pathlib import Path

from conftest import NUMBERS

PAIRS = 700
Pair = tuple[str, str]


@dataclass(frozen=True)
class Faults:
    """Which of the pairs were spoiled."""

    pairs: list[Pair]
    copied: set[Pair]
    misaligned: set[Pair]


def number_pairs(count: int = PAIRS, seed: int = 5) -> list[Pair]:
    """Different sentences of three to five number words."""
    rng, found = random.Random(seed), dict[str, str]()
    while len(found) < count:
        words = rng.choices(sorted(NUMBERS), k=rng.randint(3, 5))
        found[" ".join(words)] = " ".join(NUMBERS[word] for word in words)
    return list(found.items())


def spoil(pairs: list[Pair]) -> Faults:
    """A tenth of the targets repeat their source, and a tenth go to the next of that tenth."""
    rows = random.Random(3).sample(range(len(pairs)), len(pairs) // 5)
    copied, moved = rows[::2], rows[1::2]
    spoilt = list(pairs)
    for row in copied:
        spoilt[row] = (pairs[row][0], pairs[row][0])
    for row, other in zip(moved, [*moved[1:], moved[0]], strict=True):
        spoilt[row] = (pairs[row][0], pairs[other][1])
    return Faults(spoilt, {spoilt[row] for row in copied}, {spoilt[row] for row in moved})


def shuffle(pairs: list[Pair]) -> list[Pair]:
    """All targets go to other sources."""
    targets = [target for _, target in pairs]
    random.Random(4).shuffle(targets)
    return [(source, target) for (source, _), target in zip(pairs, targets, strict=True)]


def write_config(folder: Path, pairs: list[Pair], train: str) -> Path:
    """Write a corpus of these pairs, and a config for it; return the config."""
    folder.mkdir(parents=True, exist_ok=True)
    for side, language in enumerate(("de", "en")):
        (folder / f"pairs.{language}").write_text("".join(pair[side] + "\n" for pair in pairs))
    config = folder / "seeded.yaml"
    config.write_text(f"""
corpus: {{name: files, source: de, target: en, train: ["{folder}/pairs.de", "{folder}/pairs.en"], held_out: 40}}
vocabulary: {{size: 330}}
model: {{embedding: 32, hidden: 48, encoder_hidden: 32, attention: {{width: 32}},
  dropout: {{embedding: 0, encoder: 0, decoder: 0, readout: 0}}}}
train: {{batch_tokens: 150, warmup: 20, validate_every: 10000, {train}}}
search: {{beam: 2}}
threads: 1
""")
    return config


def write_toy(folder: Path) -> Path:
    """Write the config of a training that learns 200 pairs by heart."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "heart.yaml"
    config.write_text("""
corpus: {name: toy, pairs: 200, held_out: 40}
vocabulary: {size: 400}
model: {kind: transformer, width: 64, layers: 1, heads: 2, feedforward: 128,
  dropout: {embedding: 0, attention: 0, residual: 0}}
train: {epochs: 30, batch_tokens: 600, learning_rate: 0.005, warmup: 20, validate_every: 10000, label_smoothing: 0}
search: {beam: 2}
threads: 1
""")
    return config
