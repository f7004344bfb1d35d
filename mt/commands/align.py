"""`mt align`: align the words of given pairs."""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mt.commands.options import Files, RunPath, check_given, open_run
from mt.config.overrides import change, parse_changes
from mt.core.errors import UsageError

if TYPE_CHECKING:  # help need not wait for it
    from mt.alignment.matrices import Alignment

Symmetrisation = Literal["grow-diag-final-and", "intersection", "union"]
Reading = Literal["as-is", "shifted", "posterior"]
GoldFormat = Literal["pharaoh0", "pharaoh1", "naacl"]


def align(
    run: RunPath,
    files: Files = None,
    split: Annotated[str | None, typer.Option(help="Pairs of the corpus. Unset: its main test split.")] = None,
    source: Annotated[Path | None, typer.Option(help="Instead of a split: a file, one sentence a line.")] = None,
    target: Annotated[Path | None, typer.Option(help="Its translation, line by line.")] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write OUTPUT.npz, .jsonl and .pharaoh. Unset: RUN/align/SPLIT.")
    ] = None,
    reverse: Annotated[Path | None, typer.Option(help="A run from target to source, to symmetrise with.")] = None,
    symmetrise: Annotated[Symmetrisation | None, typer.Option(help="Unset: grow-diag-final-and.")] = None,
    layer: Annotated[
        int | None,
        typer.Option(min=1, help="Decoder layer. Unset, as the next three: RUN's choice; the last for the posterior."),
    ] = None,
    head: Annotated[int | None, typer.Option(min=0, help="Head; 0 is the mean over the heads.")] = None,
    read: Annotated[
        Reading | None, typer.Option(help="Which weights: of the step, of the next step, or the posterior.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, help="Link all words whose weight is at least this; 0: argmax.")
    ] = None,
    gold: Annotated[Path | None, typer.Option(help="Gold links of white-space words. Unset: the corpus's.")] = None,
    gold_format: Annotated[GoldFormat | None, typer.Option(help="Pharaoh from 0 or 1, or NAACL style.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="What links are written in, such as alignment.unit=pieces."),
    ] = None,
    plot: Annotated[bool, typer.Option("--plot", help="Print the first pair's matrix.")] = False,
) -> None:
    """Align the words of given pairs; AER where gold is known. What is chosen applies to both directions."""
    if symmetrise and not reverse:
        raise UsageError("--symmetrise needs the other direction: --reverse RUN")
    if (gold is None) != (gold_format is None):
        raise UsageError("give --gold and --gold-format together: the format says from which number words are counted")
    check_given(split, source, target, files)
    if source and output is None:
        raise UsageError("say with --output where the alignment of two files goes")
    changes = _parse(settings or [])
    asked, other = open_run(run), open_run(reverse) if reverse else None
    unit = change(asked.config, changes).alignment.unit if changes else None
    from mt.evaluation.align import Pairs, Reverse, Wanted, align

    pairs = Pairs(split, source, target, gold, gold_format, unit)
    backward = Reverse(other, symmetrise or "grow-diag-final-and") if other else None
    found, scores = align(asked, pairs, Wanted(layer, head, read, threshold), backward, output)
    print("".join(f"{score}\n" for score in scores), end="")
    if plot and found:
        _plot(found[0])


def _plot(first: "Alignment") -> None:
    from mt.views.terminal import blocks, may_colour

    width = shutil.get_terminal_size().columns
    print(blocks(first.words, first.source_words, first.target_words, width, colour=may_colour(sys.stdout)))


def _parse(settings: list[str]) -> dict[str, Any]:
    """Return the changes that settings ask for. Raises UsageError where one has no effect on given pairs."""
    changes = parse_changes(settings)
    if idle := changes.keys() - {"alignment"}:
        raise UsageError(f"{min(idle)} has no effect on given pairs: only keys of alignment can be set here")
    return changes
