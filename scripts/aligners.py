"""How well models align: one direction and both, by every reading, and after teaching themselves.

    python scripts/aligners.py configs/aligner/all-text.yaml --rounds 1 --output runs/aligners.md

Each config is trained as it is (RUNS/CONFIG) and from target to source (RUNS/CONFIG.reverse). A round of self-guidance
(Garg et al. 2019; Zenkel et al. 2020) trains both anew, guided by the links that the two before make together of the
training pairs (RUNS/CONFIG.guided1 and RUNS/CONFIG.guided1.reverse). What is trained already is only measured.
"""

from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Annotated

import typer

from mt import cli
from mt.alignment.files import pharaoh
from mt.alignment.links import AlignmentScore, aer, by_target, grow_diag_final_and
from mt.config import Config
from mt.config.files import read_config
from mt.core.errors import UserError
from mt.core.files import write_lines, write_text
from mt.core.progress import Meter
from mt.corpora import load_splits
from mt.corpora.pairs import Link, Split
from mt.evaluation.align import turn
from mt.evaluation.choice import Choice, choose_for_run, forced, ways
from mt.inference.aligner import load_aligner
from mt.runs.run import Run
from mt.training import experiment
from mt.views.markdown import tabulate

WEIGHT = 0.5
"""Of the guided loss in self-guidance."""
GUIDE = "posterior"
"""The way that makes the guiding links: no gold has a say in it."""


@dataclass(frozen=True)
class Direction:
    """A trained run of one direction."""

    run: Run
    ways: dict[str, Choice]
    """As evaluation.choice.ways has them, one of them chosen on validation."""

    def links(self, split: str, way: str) -> list[set[Link]]:
        """Return the links of each pair of a split."""
        pairs, choice = self.run.splits[split], self.ways[way]
        meter = Meter(f"aligning {split} with {self.run.path.name}, {choice}", "pair", len(pairs.sources))
        found = forced(load_aligner(self.run), pairs, [choice], meter)[choice]
        meter.close()
        return [set(one.alignment(choice.shift, choice.threshold).links) for one in found]


@dataclass(frozen=True)
class Row:
    """How well a pair of runs aligns in one way."""

    run: str
    way: str
    scores: tuple[AlignmentScore, AlignmentScore, AlignmentScore]
    """Of the first direction, of the other, and of both symmetrised."""


def aligners(
    configs: Annotated[list[Path], typer.Argument(help="YAML files; the corpus must have gold links.")],
    runs: Annotated[Path, typer.Option(help="Folder of run directories.")] = Path("runs/aligners"),
    rounds: Annotated[int, typer.Option(min=0, help="Rounds of self-guidance.")] = 0,
    output: Annotated[Path, typer.Option(help="Markdown file.")] = Path("runs/aligners.md"),
) -> None:
    """Train in both directions, align the test split, and tabulate AER."""
    first, *_ = [read_config(path) for path in configs]
    for path in configs:
        must_fit(path)  # before hours of training
    rows = []
    for path in configs:
        guides: list[str] = ["null", "null"]
        for number in range(rounds + 1):
            name = f"{path.stem}.guided{number}" if number else path.stem
            there, back = (
                trained(path, runs / f"{name}{end}", turn, guide)
                for end, turn, guide in zip(("", ".reverse"), (False, True), guides, strict=True)
            )
            rows += [Row(name, way, scores(there, back, way)) for way in there.ways]
            if number < rounds:
                guides = guiding(there, back, runs / name)
    text = table(rows, first)
    write_text(output, text)
    print(text, end="")


def must_fit(path: Path) -> None:
    """Raise UserError when this config cannot be measured."""
    config = read_config(path)
    if not config.model.has_attention:
        raise UserError(f"{path} has no attention (model.attention.score: none), so there is nothing to align by")
    if not any(load_splits(config.corpus).get("test", Split([], [])).gold or []):
        raise UserError(
            f"{path}: its corpus, {config.corpus.name}, has no test split with gold links; gnt and toy have"
        )


def trained(path: Path, folder: Path, turn: bool, guide: str) -> Direction:
    """Return the run, trained where it is missing, source and target exchanged if it is to `turn`."""
    corpus = read_config(path).corpus
    source, target = (corpus.target, corpus.source) if turn else (corpus.source, corpus.target)
    guidance = [f"train.guide={{links: {guide}, weight: {WEIGHT}}}"] if guide != "null" else []
    config = read_config(path, [f"corpus={{source: {source}, target: {target}}}", *guidance])
    if not experiment.train(config, folder, resume=True):
        raise KeyboardInterrupt
    run = Run(folder)
    aligner = load_aligner(run)
    return Direction(run, ways(aligner, choose_for_run(run, aligner)))


def scores(there: Direction, back: Direction, way: str) -> tuple[AlignmentScore, AlignmentScore, AlignmentScore]:
    """Return the scores on the test pairs whose gold is known: of one direction, of the other, of both symmetrised."""
    gold = there.run.splits["test"].gold or []

    def score(links: list[set[Link]]) -> AlignmentScore:
        known = [(one, truth) for one, truth in zip(links, gold, strict=True) if truth]
        return aer([one for one, _ in known], [truth for _, truth in known])

    one, two, both = joined(there, back, "test", way)
    return score(one), score(two), score(both)


def joined(there: Direction, back: Direction, split: str, way: str) -> tuple[list[set[Link]], ...]:
    """Return the links of each pair, source to target: of one direction, of the other, of both symmetrised."""
    one, two = there.links(split, way), [turn(links) for links in back.links(split, way)]
    return one, two, [grow_diag_final_and(*pair) for pair in zip(one, two, strict=True)]


def guiding(there: Direction, back: Direction, stem: Path) -> list[str]:
    """Write the symmetrised links of the training pairs, for either direction, and return the two files' names."""
    _, _, both = joined(there, back, "train", GUIDE)
    files = [f"{stem}.pharaoh", f"{stem}.reverse.pharaoh"]
    for file, links in zip(files, (both, [turn(one) for one in both]), strict=True):
        write_lines(Path(file), [pharaoh(by_target(one)) for one in links])
    return files


def table(rows: list[Row], config: Config) -> str:
    """Return the scores as Markdown."""
    there, back = f"{config.corpus.source}-{config.corpus.target}", f"{config.corpus.target}-{config.corpus.source}"
    head = ["run", "way", f"AER {there}", f"AER {back}", "AER both", "precision", "recall"]
    lines = []
    for row in rows:
        one, two, both = row.scores
        figures = one.aer, two.aer, *astuple(both)[:3]
        lines.append([f"`{row.run}`", row.way.replace("_", "-"), *(f"{figure:.1f}" for figure in figures)])
    return (
        f"{tabulate(head, lines)}\n\nAER in %, test split, seed {config.seed}. Both: grow-diag-final-and, with "
        "precision and recall. The ways are those of `scores.json`; `chosen` was chosen for each direction alone "
        "on validation's gold.\n"
    )


if __name__ == "__main__":
    cli.main(aligners)
