"""Train what is missing, resume what was interrupted, score all of it, and write one table from configs alone.

    python scripts/compare.py configs/multi30k-bahdanau.yaml configs/multi30k-none.yaml

Each config CONFIG.yaml has its run in RUNS/CONFIG; with `--seed 1 --seed 2` one for each seed, RUNS/seed1/CONFIG and so
on, and its row has means and deviations; a second row is the ensemble of all seeds. A trained run is only scored, once.
The table goes to OUTPUT.md, OUTPUT.json and the terminal.
"""

import json
from itertools import chain
from pathlib import Path
from statistics import fmean, stdev
from typing import Annotated, Any

import typer

from mt import cli
from mt.core.files import write_text
from mt.lab.study import Trained, scores_of, study

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
    rows: list[list[dict[str, Any]]] = []
    for group in zip(*studies, strict=True):
        rows.append([row(one) for one in group])
        if len(group) > 1:
            rows.append([ensemble(rows[-1], scores_of(group[0].run, split, papers, [one.run for one in group[1:]])[1])])
    write_text(Path(f"{output}.json"), json.dumps(list(chain(*rows)), indent=2, ensure_ascii=False) + "\n")
    write_text(Path(f"{output}.md"), table(rows))
    print(table(rows), end="")


def row(one: Trained) -> dict[str, Any]:
    """Return what the table says of one run."""
    config, record = one.config, one.record
    return {
        "config": str(one.path),
        "corpus": f"{config.corpus.name} {config.corpus.source}-{config.corpus.target}",
        "split": one.split,
        "model": config.model.summary,
        "seed": config.seed,
        "parameters": one.parameters,
        "validation_bleu": record["best_bleu"],
        "scores": one.scores,
        "minutes": record["seconds"] / 60,
        "threads": record["made_with"]["threads"],
    }


def ensemble(members: list[dict[str, Any]], scores: dict[str, Any]) -> dict[str, Any]:
    """Return the row of an ensemble, whose cost is that of its members."""
    costs = {cost: sum(member[cost] for member in members) for cost in ("parameters", "minutes")}
    seeds = " + ".join(str(member["seed"]) for member in members)
    return members[0] | costs | {"model": "ensemble", "seed": seeds, "scores": scores, "validation_bleu": None}


def table(groups: list[list[dict[str, Any]]]) -> str:
    """Return one row for each group, the runs of one config, as Markdown."""
    scores = [one["scores"] for group in groups for one in group]
    metrics = [metric for metric in METRICS if any(metric in every for every in scores)]
    head = ["config", "corpus", "split", "model", "seed", "parameters", "validation BLEU", *metrics, "minutes"]
    lines = [" | ".join(head), "|".join(["---"] * len(head))]
    for group in groups:
        first = group[0]
        cells = [first["config"], first["corpus"], first["split"], first["model"]]
        cells += [", ".join(str(one["seed"]) for one in group), f"{first['parameters'] / 1e6:.2f}M"]
        cells += [cell([{"score": one["validation_bleu"]} for one in group if one["validation_bleu"] is not None])]
        cells += [cell([one["scores"][metric] for one in group if metric in one["scores"]]) for metric in metrics]
        lines.append(" | ".join([*cells, f"{fmean(one['minutes'] for one in group):.0f}"]))
    signatures = {name: score["signature"] for every in scores for name, score in every.items() if "signature" in score}
    notes = [f"* {metric}: `{signature}`" for metric, signature in signatures.items()]
    if any("AER" in every for every in scores):
        notes.append("* AER: one direction, with the layer, head, reading and threshold that were best on validation")
    return "\n".join([f"| {line} |" for line in lines] + ["", *notes]) + "\n"


def cell(scores: list[dict[str, Any]]) -> str:
    """Return a score with its 95 % interval, or the mean of several with their deviation."""
    if not scores:
        return ""
    if len(scores) > 1:
        values = [one["score"] for one in scores]
        return f"{fmean(values):.1f} ± {stdev(values):.1f}"
    (one,) = scores
    return f"{one['score']:.1f}" + (f" ({one['low']:.1f}–{one['high']:.1f})" if "low" in one else "")


if __name__ == "__main__":
    cli.main(compare)
