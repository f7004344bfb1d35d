"""BLEU by the length of the source, as in Bahdanau et al. 2015, figure 2.

    python scripts/lengths.py designs --output runs/lengths

Runs a study, where it is not complete, and writes OUTPUT.md and OUTPUT.svg from the hypotheses of the split it names.
A point of several seeds is shown by the first.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from matplotlib.figure import Figure

from mt import cli
from mt.config.study import read_study
from mt.core.errors import UserError
from mt.core.files import replacing, write_text
from mt.evaluation.metrics import METRICS, Texts, read_texts
from mt.lab.study.plan import Member, make_plan
from mt.lab.study.score import folder_of, scores_of
from mt.lab.study.study import study
from mt.runs.scores import CorpusScore
from mt.views.markdown import tabulate


def lengths(
    name: Annotated[Path, typer.Argument(metavar="STUDY", help="A study, as of `mt study`.")],
    runs: Annotated[Path, typer.Option(help="Folder of the study's folder.")] = Path("runs/studies"),
    output: Annotated[Path, typer.Option(help="OUTPUT.md and OUTPUT.svg are written.")] = Path("runs/lengths"),
    bins: Annotated[int, typer.Option(min=1, help="Bins, of about as many sentences each.")] = 5,
) -> None:
    """Tabulate and draw BLEU by source length."""
    given, points = read_study(name)
    plan = make_plan(name.stem, given, points, runs / name.stem)
    study(plan)
    members = [member for member in plan.members if member.seed == given.seeds[0]]
    texts = [read(member) for member in members]
    if any(one.references != texts[0].references for one in texts):
        raise UserError("the points are scored on different sentences: lengths are compared on one split")
    groups = by_length(texts[0].sources, bins)
    scores = [[METRICS["BLEU"](one.take(rows)) for rows in groups] for one in texts]
    words = [[len(texts[0].sources[row].split()) for row in rows] for rows in groups]
    write_text(Path(f"{output}.md"), table(members, words, scores))
    draw(Path(f"{output}.svg"), members, words, scores)
    print(table(members, words, scores), end="")


def read(member: Member) -> Texts:
    """Return what was scored of the last split of a member."""
    run, split = member.run, member.splits[-1]
    config = member.config_of(run)
    scores = scores_of(run, config, split)
    if scores is None:
        raise UserError(f"{run} has no scores of {split}: run the study")
    return read_texts(folder_of(run, config, split), scores)


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


def table(members: list[Member], words: list[list[int]], scores: list[list[CorpusScore]]) -> str:
    """Return the bins as Markdown: BLEU with its 95 % interval."""
    head = ["point", "model", "seed", *(f"{min(one)}–{max(one)} words ({len(one)})" for one in words)]
    rows = []
    for one, row in zip(members, scores, strict=True):
        cells = [f"{score.score:.1f} ({score.low:.1f}–{score.high:.1f})" for score in row]
        rows.append([one.point.label, one.run.model.summary, str(one.seed), *cells])
    split, signature = members[0].splits[-1], scores[0][0].signature
    return f"{tabulate(head, rows)}\n\nBLEU on {split} by words of the source: `{signature}`\n"


def draw(path: Path, members: list[Member], words: list[list[int]], scores: list[list[CorpusScore]]) -> None:
    """Draw a curve for each point, with the intervals as bands."""
    figure = Figure(figsize=(7, 4))
    axes = figure.add_subplot()
    centres = [sum(one) / len(one) for one in words]
    for one, row in zip(members, scores, strict=True):
        axes.plot(centres, [score.score for score in row], marker="o", label=one.point.label)
        axes.fill_between(centres, [score.low for score in row], [score.high for score in row], alpha=0.15)
    axes.set_xlabel("words of the source (mean of the bin)")
    axes.set_ylabel("BLEU")
    axes.set_ylim(bottom=0)
    axes.legend()
    with replacing(path) as temporary:
        figure.savefig(temporary, format="svg", bbox_inches="tight", metadata={"Date": None})


if __name__ == "__main__":
    cli.main(lengths)
