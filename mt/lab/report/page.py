"""A report as one HTML file that needs nothing else: its style is inside, its pictures are SVG, it has no script."""

import base64
import hashlib
import re
from collections.abc import Iterator, Sequence
from importlib import resources

from mt.lab.report import svg
from mt.lab.report.blocks import Block, Chart, Heading, Sentence, Table
from mt.lab.report.markdown import points

SHORT = 32
"""Characters that a cell keeps on one line."""


def to_html(title: str, summary: Sequence[str], blocks: Sequence[Block]) -> str:
    """Return the page of a report."""
    css = resources.files("mt.lab.report").joinpath("report.css").read_text(encoding="utf-8")
    headings = [block.title for block in blocks if isinstance(block, Heading)]
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">',
        f"<title>{svg.safe(title)}</title>\n<style>{css}</style>\n</head>\n<body>",
        f"<header><h1>{_word(title)}</h1>{_says(summary)}</header>",
        f'<nav aria-label="Sections"><ul>{"".join(map(_link, headings))}</ul></nav>\n<main>',
        *_sections(blocks),
        "</main>\n</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _sections(blocks: Sequence[Block]) -> Iterator[str]:
    is_open = False
    for block in blocks:
        if isinstance(block, Heading):
            yield from ["</section>"] if is_open else []
            yield f'<section id="{_id(block.title)}"><h2>{svg.safe(block.title)}</h2>'
            yield _says(block.says)
            is_open = True
        else:
            yield from _block(block)
    yield from ["</section>"] if is_open else []


def _block(block: Table | Chart | Sentence) -> Iterator[str]:
    match block:
        case Table():
            yield _folded(block) if block.folded else f"<h3>{_word(block.title)}</h3>{_table(block)}"
        case Chart():
            legend = "".join(f"<li>{svg.swatch(number)}{_word(name)}</li>" for number, name in enumerate(block.curves))
            numbers = _folded(points(block))
            yield f'<figure><figcaption>{_word(block.title)}</figcaption><div class="picture">{svg.chart(block)}</div>'
            yield f'<ul class="legend">{legend}</ul></figure>{numbers}'
        case Sentence():
            yield from _sentence(block)


def _sentence(sentence: Sentence) -> Iterator[str]:
    told = [("source", sentence.source), ("reference", sentence.reference), *sentence.outputs.items()]
    rows = "".join(f"<dt>{_word(name)}</dt><dd>{_word(text or '(no text)')}</dd>" for name, text in told)
    note = f'<p class="note">{_word(sentence.note)}</p>' if sentence.note else ""
    yield f"<article><h3>{_word(sentence.title)}</h3><dl>{rows}</dl>{note}"
    if sentence.maps:
        yield '<div class="maps">'
        for one in sentence.maps:
            label = svg.safe(f"Attention of {one.run}")
            yield f'<figure><figcaption>{_word(one.run)}</figcaption><div class="scroll" tabindex="0" role="region" '
            yield f'aria-label="{label}: {svg.safe(sentence.title)}">{svg.heat_map(one)}</div></figure>'
        yield "</div>"
    yield "</article>"


def _folded(table: Table) -> str:
    return f"<details><summary>{_word(table.title)}</summary>{_table(table)}</details>"


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_word(cell)}</th>' if cell else "<td></td>" for cell in table.head)
    rows = "".join(f'<tr><th scope="row">{_word(row[0])}</th>{"".join(map(_cell, row[1:]))}</tr>' for row in table.rows)
    note = f'<p class="note">{_word(table.note)}</p>' if table.note else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{svg.safe(table.title)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>{note}"
    )


def _cell(text: str) -> str:
    kind = ' class="short"' if len(text) <= SHORT else ""
    return f"<td{kind}>{_word(text)}</td>"


def _says(lines: Sequence[str]) -> str:
    return "".join(f"<p>{_code(line)}</p>" for line in lines)


def _code(line: str) -> str:
    """Return text in which what stands between backquotes is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", svg.safe(line))


def _link(title: str) -> str:
    return f'<li><a href="#{_id(title)}">{svg.safe(title)}</a></li>'


def _id(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower())


def _word(text: str) -> str:
    """Return text in a direction of its own."""
    return f'<bdi dir="auto">{svg.safe(text)}</bdi>'
