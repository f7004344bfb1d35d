"""Train what is missing, resume what was interrupted, score all of it, and write one table from configs alone.

    python scripts/compare.py configs/multi30k-bahdanau.yaml configs/multi30k-none.yaml

Each config CONFIG.yaml has its run in RUNS/CONFIG; with `--seed 1 --seed 2` one for each seed, RUNS/seed1/CONFIG and so
on, and its row has means and deviations; a second row is the ensemble of all seeds. A trained run is only scored, once.
The table goes to OUTPUT.md, OUTPUT.json and the terminal.
"""

import json
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from statistics import fmean, stdev
from typing import Annotated

import typer

from mt import cli
from mt.core.files import write_text
from mt.lab.study import Trained, scores_of, study
from mt.runs.scores import Scores

METRICS = ("BLEU", "BLEU, papers", "chrF", "TER", "AER")


def compare(
    configs: Annotated[list[Path], typer.Argument(help="YAML files, such as configs/*.yaml.")],
    runs: Annotated[Path, typer.Option(help="Folder of run directories.")] = Path("runs"),
    output: Annotated[Path, typer.Option(help="OUTPUT.md and OUTPUT.json are written.")] = Path("runs/compare"),
    split: Annotated[str | None, typer.Option(help="Split to score. Unset: the corpus's main test split.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="Once for each seed. Unset: the config's own.")] = None,
    papers: Annotated[bool, typer.Option("--papers", help="Also the papers' BLEU, as in mt eval.")] = False,
) -> None:
    """Train, score and tabulate experiments."""
    if seed:
        studies = [study(configs, runs / f"seed{one}", [f"seed={one}"], split, papers) for one in seed]
    else:
        studies = [study(configs, runs, split=split, papers=papers)]
    rows: list[list[Row]] = []
    for group in zip(*studies, strict=True):
        rows.append([row(one) for one in group])
        if len(group) > 1:
            rows.append([ensemble(rows[-1], scores_of(group[0].run, split, papers, [one.run for one in group[1:]])[1])])
    write_text(
        Path(f"{output}.json"), json.dumps([asdict(one) for one in chain(*rows)], indent=2, ensure_ascii=False) + "\n"
    )
    write_text(Path(f"{output}.md"), table(rows))
    print(table(rows), end="")


@dataclass(frozen=True)
class Row:
    """What the table says of one run, or of an ensemble."""

    config: str
    corpus: str
    split: str
    model: str
    seed: str
    parameters: int
    validation_bleu: float | None
    scores: Scores
    minutes: float
    threads: int | None

    def score(self, metric: str) -> float | None:
        """Return a score; None where it has none."""
        if metric == "AER":
            return self.scores.alignment.score if self.scores.alignment else None
        return self.scores.corpus[metric].score if metric in self.scores.corpus else None


def row(one: Trained) -> Row:
    """Return what the table says of one run."""
    config, record = one.config, one.run.record
    return Row(
        config=str(one.path),
        corpus=f"{config.corpus.name} {config.corpus.source}-{config.corpus.target}",
        split=one.split,
        model=one.run.model.summary,
        seed=str(config.seed),
        parameters=one.run.parameters,
        validation_bleu=one.run.best_validation["validation_bleu"] if one.run.best_validation else None,
        scores=one.scores,
        minutes=record["seconds"] / 60,
        threads=record["made_with"]["threads"],
    )


def ensemble(members: list[Row], scores: Scores) -> Row:
    """Return the row of an ensemble, whose cost is that of its members."""
    return replace(
        members[0],
        model="ensemble",
        seed=" + ".join(member.seed for member in members),
        parameters=sum(member.parameters for member in members),
        validation_bleu=None,
        scores=scores,
        minutes=sum(member.minutes for member in members),
    )


def table(groups: list[list[Row]]) -> str:
    """Return one row for each group, the runs of one config, as Markdown."""
    every = [one for group in groups for one in group]
    metrics = [metric for metric in METRICS if any(one.score(metric) is not None for one in every)]
    head = ["config", "corpus", "split", "model", "seed", "parameters", "validation BLEU", *metrics, "minutes"]
    lines = [" | ".join(head), "|".join(["---"] * len(head))]
    for group in groups:
        first = group[0]
        cells = [first.config, first.corpus, first.split, first.model]
        cells += [", ".join(one.seed for one in group), f"{first.parameters / 1e6:.2f}M"]
        cells += [cell([one.validation_bleu for one in group])]
        cells += [scored(group, metric) for metric in metrics]
        lines.append(" | ".join([*cells, f"{fmean(one.minutes for one in group):.0f}"]))
    signatures = {name: score.signature for one in every for name, score in one.scores.corpus.items()}
    notes = [f"* {metric}: `{signature}`" for metric, signature in signatures.items()]
    if "AER" in metrics:
        notes.append("* AER: one direction, with the layer, head, reading and threshold that were best on validation")
    return "\n".join([f"| {line} |" for line in lines] + ["", *notes]) + "\n"


def scored(group: list[Row], metric: str) -> str:
    """Return the score of a group; that of a single run with its 95 % interval."""
    one = group[0].scores.corpus.get(metric)
    interval = f" ({one.low:.1f}–{one.high:.1f})" if one and len(group) == 1 else ""
    return cell([row.score(metric) for row in group]) + interval


def cell(values: list[float | None]) -> str:
    """Return a value, or the mean of several with their deviation; nothing where there is none."""
    known = [value for value in values if value is not None]
    if len(known) > 1:
        return f"{fmean(known):.1f} ± {stdev(known):.1f}"
    return f"{known[0]:.1f}" if known else ""


if __name__ == "__main__":
    cli.main(compare)
