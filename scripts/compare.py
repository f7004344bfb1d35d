"""Train what is missing, resume what was interrupted, score all of it, and write one table from configs alone.

    python scripts/compare.py configs/multi30k.yaml configs/multi30k-none.yaml

Each config CONFIG.yaml has its run in RUNS/CONFIG. A trained run is only scored, once. The table goes to
OUTPUT.md and OUTPUT.json and to the terminal.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from mt import cli
from mt.disk import write_text
from mt.lab.study import Trained, study

METRICS = ("BLEU", "chrF", "TER", "AER")


def compare(
    configs: Annotated[list[Path], typer.Argument(help="YAML files, such as configs/*.yaml.")],
    runs: Annotated[Path, typer.Option(help="Folder of run directories.")] = Path("runs"),
    output: Annotated[Path, typer.Option(help="OUTPUT.md and OUTPUT.json are written.")] = Path("runs/compare"),
    split: Annotated[str | None, typer.Option(help="Split to score. Unset: the corpus's main test split.")] = None,
) -> None:
    """Train, score and tabulate experiments."""
    rows = [row(one) for one in study(configs, runs, split=split)]
    write_text(Path(f"{output}.json"), json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
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


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as Markdown: scores with their 95 % intervals."""
    head = ["config", "corpus", "split", "model", "seed", "parameters", "validation BLEU", *METRICS, "minutes"]
    lines = [" | ".join(head), "|".join(["---"] * len(head))]
    for one in rows:
        cells = [one["config"], one["corpus"], one["split"], one["model"], str(one["seed"])]
        cells += [
            f"{one['parameters'] / 1e6:.2f}M",
            f"{one['validation_bleu']:.1f}",
            *(cell(one["scores"].get(metric)) for metric in METRICS),
        ]
        lines.append(" | ".join([*cells, f"{one['minutes']:.0f}"]))
    signatures = {
        metric: score["signature"] for one in rows for metric, score in one["scores"].items() if "signature" in score
    }
    notes = [f"* {metric}: `{signature}`" for metric, signature in signatures.items()]
    if any("AER" in one["scores"] for one in rows):
        notes.append("* AER: one direction, with the layer, head, reading and threshold that were best on validation")
    return "\n".join([f"| {line} |" for line in lines] + ["", *notes]) + "\n"


def cell(score: dict[str, Any] | None) -> str:
    """Return a score and its interval."""
    if score is None:
        return ""
    return f"{score['score']:.1f}" + (f" ({score['low']:.1f}–{score['high']:.1f})" if "low" in score else "")


if __name__ == "__main__":
    cli.main(compare)
