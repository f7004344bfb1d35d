"""How often equal systems are called different, and how often different ones are: the tables of significance.md.

    python scripts/calibration.py runs/x/eval/validation runs/y/eval/validation --runs runs/seeds

The two folders hold what two runs made of the same split. RUNS gets 20 seeds of a small config, which take minutes.
"""

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from mt import cli
from mt.config import Config
from mt.core.arrays import Floats
from mt.core.files import read_lines, write_lines
from mt.evaluation.metrics import Texts
from mt.evaluation.significance import LEVEL, compare_counts, over_seeds, resample
from mt.evaluation.sums import count, measure_of
from mt.inference.load import translator_of
from mt.runs.run import Run
from mt.training import experiment
from mt.views.markdown import tabulate

WORDS = {"null": "zero", "eins": "one", "zwei": "two", "drei": "three", "vier": "four", "fünf": "five"}
WORDS |= {"sechs": "six", "sieben": "seven", "acht": "eight", "neun": "nine", "zehn": "ten", "elf": "eleven"}
PAIRS, HELD_OUT, SEEDS, GROUP = 500, 100, 20, 3
SPLITS = 4000
MORE = (0.0, 0.05, 0.1, 0.2)
"""How much more often one of two mixed systems has the better run's sentence."""


def calibrate(
    better: Annotated[Path, typer.Argument(help="RUN/eval/SPLIT of a run.")],
    worse: Annotated[Path, typer.Argument(help="The same of a worse run.")],
    runs: Annotated[Path, typer.Option(help="Folder of the 20 seeds; those that are there are kept.")],
    repeats: Annotated[int, typer.Option(help="Pairs of mixed systems for each true difference.")] = 400,
) -> None:
    """Print both tables as Markdown."""
    head = ["true difference", "approximate randomisation", "centred bootstrap", "sacreBLEU's paired bootstrap"]
    print(tabulate(head, mixed(better, worse, repeats)), end="\n\n")
    print(tabulate(["true difference", "two-level bootstrap", "a plain one, uncorrected"], over_splits(runs)))


def mixed(better: Path, worse: Path, repeats: int) -> Iterator[list[str]]:
    """Compare systems that take each sentence from one of two runs, by lot: equal ones, and then unequal ones."""
    references = read_lines(better / "references.txt")
    outputs = [read_lines(folder / "hypotheses.txt") for folder in (better, worse)]
    counts = [count("BLEU", Texts(lines, references)) for lines in outputs]
    ends = [measure_of("BLEU").score(one.sum(0)) for one in counts]
    for more in MORE:
        draw, found = np.random.default_rng(1), []
        for _ in range(repeats):
            # A sentence's two outputs go to the two systems, so that both together always hold both runs.
            swaps = draw.random((len(references), 1)) < (1 + more) / 2
            found.append(compare_counts("BLEU", np.where(swaps, *counts[::-1]), np.where(swaps, *counts)))
        ways = ("p", "centred", "paired_bootstrap")
        cells = (wilson(sum(getattr(one, way) < LEVEL for one in found), repeats) for way in ways)
        yield [f"{more * float(ends[0] - ends[1]):.2f} BLEU", *cells]


def over_splits(runs: Path) -> Iterator[list[str]]:
    """Compare 3 of the seeds with 3 others, split at random; then with a known number of points added to one side."""
    texts = [output(runs, seed) for seed in range(1, SEEDS + 1)]
    counts = [count("BLEU", one) for one in texts]
    scores = np.array([measure_of("BLEU").score(one.sum(0)) for one in counts])
    resampled = np.array([resample("BLEU", one) for one in counts])
    spread = float(scores.std(ddof=1))
    print(f"<!-- BLEU of the seeds: mean {scores.mean():.1f}, standard deviation {spread:.2f} -->")
    draw = np.random.default_rng(1)
    splits = np.array([draw.choice(SEEDS, 2 * GROUP, replace=False) for _ in range(SPLITS)])
    covariance = np.cov(resampled)
    for added in (0, 2, 4, 6):
        shift = np.repeat([0, added * spread], GROUP)
        found = [
            over_seeds(
                "BLEU", scores[split] + shift, covariance[np.ix_(split, split)], baselines=GROUP, sentences=HELD_OUT
            )
            for split in splits
        ]
        different = np.array([not one.inside_noise for one in found])
        few = [plain(resampled[split] + shift[:, None], scores[split] + shift, draw) for split in splits[:1000]]
        yield [f"{added} standard deviations", jackknife(different, splits), f"{np.mean(few):.1%}"]


def plain(resampled: Floats, scores: Floats, draw: np.random.Generator) -> bool:
    """Tell whether a bootstrap calls sides different that resamples seeds, then sentences, and corrects nothing."""
    rounds = resampled.shape[1]
    sides = [
        resampled[side + draw.integers(GROUP, size=(rounds, GROUP)), np.arange(rounds)[:, None]].mean(1)
        for side in (0, GROUP)
    ]
    noise = sides[1] - sides[0]
    delta = scores[GROUP:].mean() - scores[:GROUP].mean()
    return bool((np.abs(noise - noise.mean()) >= abs(delta)).mean() < LEVEL)


def wilson(hits: int, of: int) -> str:
    """Return a share with its 95 % interval (Wilson 1927)."""
    share, z = hits / of, 1.96
    middle, reach = share + z**2 / (2 * of), z * math.sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    low, high = ((middle + sign * reach) / (1 + z**2 / of) for sign in (-1, 1))
    return f"{share:.1%} [{low:.1%}, {high:.1%}]"


def jackknife(different: np.ndarray, splits: np.ndarray) -> str:
    """Return the share of splits with its 95 % interval, which allows for seeds being in many splits."""
    without = np.array([different[(splits != seed).all(1)].mean() for seed in range(SEEDS)])
    error = math.sqrt((SEEDS - 1) / SEEDS * float(((without - without.mean()) ** 2).sum()))
    share = float(different.mean())
    return f"{share:.1%} [{max(0, share - 1.96 * error):.1%}, {min(1, share + 1.96 * error):.1%}]"


def output(runs: Path, seed: int) -> Texts:
    """Return what a seed makes of the test split; train it where it is not there yet."""
    sources, references = write_numbers(runs)
    folder = runs / f"seed-{seed}"
    if not (folder / "hypotheses.txt").exists():
        tree = {
            "corpus": {"name": "files", "source": "de", "target": "en", "held_out": 20, "held_out_by": "pairs"}
            | {"train": [str(runs / "numbers.de"), str(runs / "numbers.en")]}
            | {"test": [str(runs / "test.de"), str(runs / "test.en")]},
            "vocabulary": {"size": 330},
            "model": {"kind": "rnn", "embedding": 32, "hidden": 48, "encoder_hidden": 32, "attention": {"width": 32}}
            | {"dropout": {"embedding": 0.1, "encoder": 0, "decoder": 0, "readout": 0}},
            "train": {"epochs": 5, "batch_tokens": 150, "learning_rate": 0.01, "warmup": 30, "validate_every": 100000},
            "search": {"beam": 1},
            "seed": seed,
            "threads": 1,
        }
        experiment.train(Config.model_validate(tree), folder, resume=True)
        run = Run(folder)
        found = translator_of(run, (), run.config).translate(sources, alignments=False)
        write_lines(folder / "hypotheses.txt", [one.text for one in found])
    return Texts(read_lines(folder / "hypotheses.txt"), references)


def write_numbers(runs: Path) -> tuple[list[str], list[str]]:
    """Write a corpus of number words, and return the test split: sources and references."""
    draw = random.Random(1)
    rows = [draw.choices(sorted(WORDS), k=draw.randint(2, 6)) for _ in range(PAIRS + HELD_OUT)]
    sources, targets = [" ".join(row) for row in rows], [" ".join(WORDS[word] for word in row) for row in rows]
    for name, lines in {"de": sources, "en": targets}.items():
        write_lines(runs / f"numbers.{name}", lines[:PAIRS])
        write_lines(runs / f"test.{name}", lines[PAIRS:])
    return sources[PAIRS:], targets[PAIRS:]


if __name__ == "__main__":
    cli.main(calibrate)
