"""A translation: its text and all that is known of it. It shows, draws and saves itself. No torch."""

import html
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mt.alignment.files import write_jsonl, write_npz
from mt.alignment.matrices import Alignment, Matrix, Side, align
from mt.core.errors import UserError
from mt.core.special import EOS
from mt.inference.lines import Line
from mt.text.tokenizer import Tokenizers
from mt.text.words import Unit
from mt.views.page import framed, write_page

if TYPE_CHECKING:  # they import torch, and matplotlib, which only pictures need
    from mt.inference.confidence import Confidence
    from mt.search import Trace
    from mt.views.heat_map import Picture

# A model can emit any byte, but one line in is one line out, and text has no NUL.
NOT_IN_A_LINE = str.maketrans("\n\r\0", "   ")


@dataclass(frozen=True, eq=False)
class Translation:
    """The best translation of a line, or the first sample."""

    text: str = ""
    score: float = 0.0
    """What it was ranked by."""
    log_probabilities: tuple[float, ...] = ()
    """Natural, the model's own, of each of its pieces."""
    pieces: tuple[str, ...] = ()
    """The last is </s>."""
    numbers: tuple[int, ...] = ()
    """Of its pieces but the last: what a prefix may be made of."""
    alignment: Alignment | None = None
    """None where the model has no attention, or none was asked for."""
    others: tuple["Translation", ...] = ()
    """The next best ones, or the other samples, without any of their own."""
    attention: Matrix | None = None
    """[layers, heads, pieces, source pieces]: the weights of every site, where they were asked for."""
    cut: bool = False
    """Whether the limit on its length ended it (search.max_ratio, search.max_extra): the model would rather have gone
    on, with a probability of more than a half."""
    confidence: "Confidence | None" = None
    """What a human will probably have to mend, where that was asked for; None where the source has no text."""
    trace: "Trace | None" = None
    """What the search dropped, where that was asked for; pieces are numbers, named by `Tokenizer.name`."""

    def __repr__(self) -> str:
        others = f", {len(self.others)} other{'s' * (len(self.others) > 1)}" if self.others else ""
        return f"<Translation {self.text!r}, score {self.score:.3f}{others}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the translation with its alignment, if it has one, or as text."""
        return framed(self.alignment) if self.alignment else f"<p>{html.escape(self.text)}</p>"

    @property
    def n_best(self) -> list["Translation"]:
        """The n best, this one first."""
        return [self, *self.others]

    def plot(self, title: str = "") -> "Picture":
        """Return a matplotlib figure of the alignment; a notebook shows it, and `savefig` writes it.

        Raises UserError when there is none.
        """
        from mt.views.heat_map import draw

        return draw(self._shown(), title)

    def save(self, path: str | Path) -> None:
        """Write the alignment: as a picture, .png, .svg or .pdf; a page, .html; or its matrices, .json or .npz.

        They are those of `mt translate --picture` and `--alignments`. Raises UserError when there is none, for any
        other suffix, and when the disk refuses.
        """
        path = Path(path)
        write = WRITERS.get(path.suffix.lower())
        if write is None:
            raise UserError(f"cannot save {path}: the name must end in {', '.join(WRITERS)}")
        write(path, self._shown())

    def _shown(self) -> Alignment:
        """Return the alignment. Raises UserError where there is nothing to see."""
        if self.alignment is None:
            raise UserError("this translation has no alignment: its model has no attention, or none was asked for")
        if not self.alignment.words.size:
            raise UserError("this translation has no words, so there is no alignment to show")
        return self.alignment


def _draw(path: Path, alignment: Alignment) -> None:
    from mt.views.heat_map import heat_map

    heat_map(path, alignment)


WRITERS: dict[str, Callable[[Path, Alignment], None]] = {
    ".png": _draw,
    ".svg": _draw,
    ".pdf": _draw,
    ".html": lambda path, alignment: write_page(path, [alignment], title=alignment.target),
    ".json": lambda path, alignment: write_jsonl(path, [alignment]),
    ".npz": lambda path, alignment: write_npz(path, [alignment]),
}
"""What writes an alignment, by the suffix of the file."""


class Pieces(Protocol):
    """A hypothesis, whatever search found it."""

    @property
    def tokens(self) -> list[int]:
        """Its pieces, without </s>."""

    @property
    def score(self) -> float:
        """What it was ranked by."""

    @property
    def log_probabilities(self) -> list[float]:
        """Natural, of each piece and of </s>."""


def write(
    tokenizers: Tokenizers, unit: Unit, line: Line, found: Pieces, limit: int, weights: Matrix | None
) -> Translation:
    """Return what was found for a line as a translation, aligned by these weights where there are any."""
    target, tokens = tokenizers.target, found.tokens
    text = target.decode(tokens).translate(NOT_IN_A_LINE)
    names = tuple(target.name(piece) for piece in (*tokens, EOS))
    cut = len(found.log_probabilities) >= limit and found.log_probabilities[-1] < math.log(0.5)
    alignment = None
    if weights is not None:
        source = Side(line.text, tokenizers.source.spans(line.source[:-1], line.text), line.words)
        alignment = align(source, Side(text, target.spans(tokens)), weights, unit=unit)
    return Translation(
        text, found.score, tuple(found.log_probabilities), names, tuple(tokens), cut=cut, alignment=alignment
    )


def distinct(found: list[Translation]) -> list[Translation]:
    """Return each text once, the first time it comes."""
    first: dict[str, Translation] = {}
    for one in found:
        first.setdefault(one.text, one)
    return list(first.values())
