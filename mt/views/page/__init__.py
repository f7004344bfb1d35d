"""Alignments as one HTML file that needs nothing else: its style, its script and its data are inside."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from mt.alignment.matrices import Alignment, Matrix
from mt.core.files import write_text
from mt.corpora.pairs import Gold


def write_page(
    path: Path,
    alignments: Sequence[Alignment],
    gold: Sequence[Gold | None] | None = None,
    *,
    title: str = "",
    checks: Sequence[Mapping[int, float]] | None = None,
    references: Sequence[str] | None = None,
) -> None:
    """Write a page as `page_of` makes it. Raises UserError when the disk refuses."""
    write_text(path, page_of(alignments, gold, title=title, checks=checks, references=references))


def framed(alignment: Alignment) -> str:
    """Return a frame with the page of one alignment, for a notebook, whose styles and scripts it does not touch."""
    height = 320 + 30 * len(alignment.target_words)
    page = html.escape(page_of([alignment], title=alignment.target))
    return f'<iframe title="Alignment" style="width: 100%; height: {height}px; border: 0" srcdoc="{page}"></iframe>'


def page_of(
    alignments: Sequence[Alignment],
    gold: Sequence[Gold | None] | None = None,
    *,
    title: str = "",
    checks: Sequence[Mapping[int, float]] | None = None,
    references: Sequence[str] | None = None,
) -> str:
    """Return a page that shows one alignment at a time; a word under the pointer or in focus lights up its row.

    Links of `gold` are outlined; its words must be those of the alignments. `checks`: of each sentence the target words
    to check, by their number, with the probability that they are wrong; they are underlined. A translation stands
    beside its reference where `references` has one. Weights are rounded to 3 digits, in pieces too. A sentence without
    weights shows its text only.
    """
    known = zip(alignments, gold or [None] * len(alignments), checks or [{}] * len(alignments), strict=True)
    sentences = [_sentence(*one) for one in known]
    for sentence, reference in zip(sentences, references, strict=True) if references else ():
        sentence["reference"] = reference
    # A browser ends the data at the first "</script", wherever that stands.
    data = json.dumps(sentences, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    css = _file("attention.css") + _file("page.css")
    js = _joined(_file("attention.js"), _file("page.js"))
    parts = {
        "title": html.escape(title or "Alignments"),
        "css": css,
        "css_hash": _hash(css),
        "js": js,
        "js_hash": _hash(js),
        "data": data,
    }
    # All at once, so that a sentence may hold "{{css}}".
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _file("page.html"))


def _sentence(alignment: Alignment, gold: Gold | None, checks: Mapping[int, float]) -> dict[str, Any]:
    """Return what the page needs to know of a sentence; page.js reads these keys."""
    sentence: dict[str, Any] = {
        "source": alignment.source,
        "target": alignment.target,
        "source_words": alignment.source_words,
        "target_words": alignment.target_words,
        "weights": _thousandths(alignment.words),
    }
    pieces = alignment.source_pieces[:-1]
    if pieces and alignment.attention.size and pieces != alignment.source_words:
        of_pieces = {"source_words": pieces, "target_words": alignment.target_pieces}
        sentence["pieces"] = of_pieces | {"weights": _thousandths(alignment.attention)}
    if checks:
        sentence["checks"] = {number: round(100 * chance) for number, chance in checks.items()}
    if gold is None or not alignment.words.size:
        return sentence
    if (len(gold.target_spans), len(gold.source_spans) + 1) != alignment.words.shape:
        raise ValueError(
            f"gold with {len(gold.target_spans)} target and {len(gold.source_spans)} source words does not fit "
            f"matrix {alignment.words.shape}"
        )
    return sentence | {"sure": sorted(gold.sure), "possible": sorted(gold.possible)}


def _thousandths(weights: Matrix) -> list[list[int]]:
    """Return weights in thousandths: 0 is shorter than 0.0, and most are 0."""
    thousandths: list[list[int]] = np.rint(weights.astype(np.float64) * 1000).astype(int).tolist()
    return thousandths


def _file(name: str) -> str:
    return resources.files("mt.views.page").joinpath(name).read_text(encoding="utf-8")


def _joined(*modules: str) -> str:
    """Return modules as one script, in which each sees what those before it have."""
    return re.sub(r"^(?:import .*\n|export )", "", "".join(modules), flags=re.MULTILINE)


def _hash(text: str) -> str:
    """Return what a Content-Security-Policy names a style or script by that it lets run."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
