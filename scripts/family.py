"""The whole family side by side: parameters, BLEU on toy and on gnt, AER, and speed relative to the first row.

    python scripts/family.py configs/attention/additive.yaml configs/attention/none.yaml ...

Each config is trained and scored as it is and on the toy corpus, where its run is missing. Speeds are ratios measured
here, in rounds of all rows, so that a busy machine slows all of them. OUTPUT (Markdown) is written.
"""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Annotated

import torch
import typer

from mt import cli
from mt.core.files import write_text
from mt.inference.load import translator_of
from mt.lab.study import Trained, study
from mt.runs.scores import CorpusScore
from mt.training.experiment import gather
from mt.training.trainer import Trainer

TOY = ("corpus={name: toy, pairs: 10000}", "vocabulary.size=1500", "train.epochs=5")
"""What differs on the toy corpus."""
UPDATES, SENTENCES = 6, 48


def family(
    configs: Annotated[list[Path], typer.Argument(help="YAML files; the first is what speeds are relative to.")],
    runs: Annotated[Path, typer.Option(help="Folder of the folders gnt/ and toy/ of run directories.")] = Path(
        "runs/family"
    ),
    output: Annotated[Path | None, typer.Option(help="Markdown file. Unset: train and score only.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds of the speed measurement.")] = 5,
) -> None:
    """Train, score, time and tabulate the family."""
    given, toy = study(configs, runs / "gnt"), study(configs, runs / "toy", TOY)
    if output is None:
        return
    torch.set_num_threads(1)
    speeds = ratios([timers(one) for one in given], rounds)
    text = table(given, toy, speeds)
    write_text(output, text)
    print(text, end="")


def timers(one: Trained) -> tuple[Callable[[], float], Callable[[], float]]:
    """Return what measures training (seconds a target piece) and translating (seconds a sentence) of a trained run."""
    run = one.run
    trainer = Trainer(run, gather(run.config, run, resume=True))
    chosen = trainer.order(0)[:UPDATES]
    translator, lines = translator_of(run, [], run.config), run.splits[one.split].sources[:SENTENCES]

    def training() -> float:
        clock = time.perf_counter()
        tokens = sum(trainer.update(rows, 0.5)[1] for rows in chosen)
        return (time.perf_counter() - clock) / tokens

    def decoding() -> float:
        clock = time.perf_counter()
        translator.translate(lines)
        return (time.perf_counter() - clock) / len(lines)

    return training, decoding


def ratios(rows: list[tuple[Callable[[], float], Callable[[], float]]], rounds: int) -> list[tuple[float, float]]:
    """Return each row's speed in training and in decoding relative to the first row: medians over the rounds."""
    measured = [[[timer() for timer in row] for row in rows] for _ in range(rounds)]
    return [
        (median(one[0][0] / one[row][0] for one in measured), median(one[0][1] / one[row][1] for one in measured))
        for row in range(len(rows))
    ]


def table(given: list[Trained], toy: list[Trained], speeds: list[tuple[float, float]]) -> str:
    """Return the family as Markdown."""
    head = [
        "config",
        "model",
        "parameters",
        "toy BLEU",
        "gnt BLEU",
        "gnt chrF",
        "AER as-is",
        "AER shifted",
        "AER posterior",
        "AER chosen",
        "training tokens/s",
        "decoding sentences/s",
    ]
    lines = [head, ["---"] * len(head)]
    for one, two, (training, decoding) in zip(given, toy, speeds, strict=True):
        errors = one.scores.alignment
        ways = [errors.as_it_is, errors.shifted, errors.posterior, errors.chosen] if errors else []
        lines.append(
            [
                f"`{one.path.stem}`",
                one.run.model.summary,
                f"{one.run.parameters / 1e6:.2f}M",
                interval(two.scores.corpus["BLEU"]),
                interval(one.scores.corpus["BLEU"]),
                f"{one.scores.corpus['chrF'].score:.1f}",
                *([f"{way.aer:.1f}" for way in ways] or [""] * 4),
                f"{training:.2f}",
                f"{decoding:.2f}",
            ]
        )
    notes = [
        f"Seed {given[0].config.seed}, one thread, beam {given[0].config.search.beam}; BLEU with its 95 % interval: "
        f"`{given[0].scores.corpus['BLEU'].signature}`.",
        "AER is that of one direction on gnt. Speeds are relative to the first row, medians of rounds in one run.",
    ]
    if taught := [f"`{one.path.stem}`" for one in given if one.config.train.guide.links]:
        notes.append(f"Taught known links: {', '.join(taught)}.")
    return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", *notes]) + "\n"


def interval(score: CorpusScore) -> str:
    """Return a score and its interval."""
    return f"{score.score:.1f} ({score.low:.1f}–{score.high:.1f})"


if __name__ == "__main__":
    cli.main(family)
