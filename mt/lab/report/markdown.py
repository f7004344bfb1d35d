"""A report as Markdown: the same words and tables; curves are tables, heat maps shaded blocks."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from mt.lab.report.blocks import Block, Chart, Heading, Sentence, Table
from mt.views.markdown import tabulate
from mt.views.terminal import blocks as shade

MARKUP = re.compile(r"[\\`*~$]|\](?=[(\[])|(?<!\w)_|_(?!\w)")
"""What would be read as code, emphasis, a link, a picture or a formula."""


def to_markdown(title: str, summary: Sequence[str], blocks: Sequence[Block]) -> str:
    """Return the text of a report."""
    parts = [f"# {_text(title)}", *(f"* {_prose(line)}" for line in summary)]
    for block in blocks:
        parts += ["", *_block(block)]
    return "\n".join(parts) + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading(title, says):
            yield f"## {_text(title)}"
            yield ""
            yield from (f"* {_prose(line)}" for line in says)
        case Table():
            yield from _table(block)
        case Chart():
            yield from _table(points(block))
        case Sentence():
            yield from _sentence(block)


def points(chart: Chart) -> Table:
    """Return the numbers of a chart: a row for each x, a column for each curve."""
    curves = {name: dict(curve) for name, curve in chart.curves.items()}
    across = sorted({x for curve in curves.values() for x in curve})
    rows = [
        [f"{round(x, 2):.9g}", *(_number(curve[x]) if x in curve else "" for curve in curves.values())] for x in across
    ]
    return Table(f"{chart.title}, in numbers", [chart.x, *curves], rows, folded=True)


def _number(value: float) -> str:
    """Return a number with two decimals, or, where these would tell little, three digits."""
    return f"{value:.2f}" if abs(value) >= 1 or not value else f"{value:.3g}"


def _table(table: Table) -> Iterator[str]:
    yield f"**{_text(table.title)}**"
    yield ""
    yield tabulate([_text(cell) for cell in table.head], [[_text(cell) for cell in row] for row in table.rows])
    if table.note:
        yield ""
        yield _text(table.note)


def _sentence(sentence: Sentence) -> Iterator[str]:
    outputs = [[name, text] for name, text in sentence.outputs.items()]
    rows = [["source", sentence.source], ["reference", sentence.reference], *outputs]
    yield from _table(Table(sentence.title, ["", "text"], rows, sentence.note))
    for one in sentence.maps:
        yield from ("", f"What {_text(one.run)} looks at:", "", "```text")
        drawn = shade(np.array(one.weights), one.source_words, one.target_words)
        yield from (line.replace("```", "'''") for line in drawn.splitlines())
        yield "```"


def _prose(line: str) -> str:
    """Return text in which what stands between backquotes is code."""
    parts = " ".join(line.split()).split("`")
    if len(parts) % 2 == 0:
        return _text(line)
    return "`".join(part if number % 2 else _escape(part) for number, part in enumerate(parts))


def _text(cell: str) -> str:
    """Return text in one line that is no markup."""
    return _escape(" ".join(cell.split()))


def _escape(text: str) -> str:
    return MARKUP.sub(r"\\\g<0>", text.replace("&", "&amp;").replace("<", "&lt;"))
