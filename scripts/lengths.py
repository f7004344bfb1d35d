"""BLEU by the length of the source, as in Bahdanau et al. 2015, figure 2.

    python scripts/lengths.py configs/multi30k-bahdanau.yaml configs/multi30k-none.yaml --output runs/lengths

Trains and scores what is missing, then writes OUTPUT.md and OUTPUT.svg from the hypotheses in the run directories.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from matplotlib.figure import Figure

from mt import cli
from mt.config.files import read_config
from mt.core.errors import UserError
from mt.core.files import read_lines, replacing, write_text
from mt.evaluation.metrics import METRICS
from mt.lab.study import Trained, study
from mt.runs.scores import CorpusScore


def lengths(
    configs: Annotated[list[Path], typer.Argument(help="YAML files of one corpus.")],
    runs: Annotated[Path, typer.Option(help="Folder of run directories.")] = Path("runs"),
    output: Annotated[Path, typer.Option(help="OUTPUT.md and OUTPUT.svg are written.")] = Path("runs/lengths"),
    bins: Annotated[int, typer.Option(min=1, help="Bins, of about as many sentences each.")] = 5,
) -> None:
    """Tabulate and draw BLEU by source length."""
    if len({read_config(path).corpus.model_dump_json() for path in configs}) > 1:
        raise UserError("the configs have different corpora: lengths are compared on one test split")
    trained = study(configs, runs)
    folders = [one.run / "eval" / one.split for one in trained]
    sources, references = (read_lines(folders[0] / f"{name}.txt") for name in ("sources", "references"))
    groups = by_length(sources, bins)
    scores = [
        [METRICS["BLEU"]([hypotheses[row] for row in rows], [references[row] for row in rows]) for rows in groups]
        for hypotheses in (read_lines(folder / "hypotheses.txt") for folder in folders)
    ]
    words = [[len(sources[row].split()) for row in rows] for rows in groups]
    write_text(Path(f"{output}.md"), table(trained, words, scores))
    draw(Path(f"{output}.svg"), trained, words, scores)
    print(table(trained, words, scores), end="")


def by_length(sources: Sequence[str], bins: int) -> list[list[int]]:
    """Return the rows of each bin, the shortest sources first.

    Sources of one length share a bin, and a small rest joins the last.
    """
    order = sorted(range(len(sources)), key=lambda row: len(sources[row].split()))
    groups: list[list[int]] = []
    for row in order:
        full = not groups or len(groups[-1]) >= len(sources) / bins
        if full and (not groups or len(sources[row].split()) > len(sources[groups[-1][-1]].split())):
            groups.append([])
        groups[-1].append(row)
    if len(groups) > 1 and 2 * len(groups[-1]) * bins < len(sources):
        groups[-2:] = [groups[-2] + groups[-1]]
    return groups


def table(trained: list[Trained], words: list[list[int]], scores: list[list[CorpusScore]]) -> str:
    """Return the bins as Markdown: BLEU with its 95 % interval."""
    head = ["config", "model", "seed", *(f"{min(one)}–{max(one)} words ({len(one)})" for one in words)]
    rows = [head, ["---"] * len(head)]
    for one, row in zip(trained, scores, strict=True):
        cells = [f"{score.score:.1f} ({score.low:.1f}–{score.high:.1f})" for score in row]
        rows.append([str(one.path), one.run.model.summary, str(one.config.seed), *cells])
    body = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return f"{body}\n\nBLEU on {trained[0].split} by words of the source: `{scores[0][0].signature}`\n"


def draw(path: Path, trained: list[Trained], words: list[list[int]], scores: list[list[CorpusScore]]) -> None:
    """Draw a curve for each config, with the intervals as bands."""
    figure = Figure(figsize=(7, 4))
    axes = figure.add_subplot()
    centres = [sum(one) / len(one) for one in words]
    for one, row in zip(trained, scores, strict=True):
        axes.plot(centres, [score.score for score in row], marker="o", label=one.path.stem)
        axes.fill_between(centres, [score.low for score in row], [score.high for score in row], alpha=0.15)
    axes.set_xlabel("words of the source (mean of the bin)")
    axes.set_ylabel("BLEU")
    axes.set_ylim(bottom=0)
    axes.legend()
    with replacing(path) as temporary:
        figure.savefig(temporary, format="svg", bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    cli.main(lengths)
