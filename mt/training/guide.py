"""The guide of a guided alignment: known word links as the attention that each target piece should pay.

Letters of shapes: B sentences, T target pieces, S source pieces.
"""

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path

import torch
from torch import Tensor

from mt.alignment.files import read_pharaoh
from mt.config.train import GuideConfig
from mt.core.errors import UserError
from mt.corpora.pairs import Link, Span, Split
from mt.text.tokenizer import Tokenizer, Tokenizers
from mt.text.words import Unit, spans_of


class Guide:
    """Links of every training pair between the pieces of its two sides, as (target piece, source piece)."""

    def __init__(self, settings: GuideConfig, split: Split, tokenizers: Tokenizers, unit: Unit = "words"):
        gold = split.gold or [None] * len(split.sources)
        self.links: list[list[Link]] = []
        for number, (links, pair) in enumerate(zip(_links(settings, split), gold, strict=True)):
            source, target = split.sources[number], split.targets[number]
            known = (pair.source_spans, pair.target_spans) if pair else (None, None)
            if settings.links != "gold" and unit in {"characters", "pieces"}:
                known = None, None
            sides = [
                _pieces(tokenizer, line, unit, words)
                for tokenizer, line, words in zip(tokenizers, (source, target), known, strict=True)
            ]
            for source_word, target_word in links:
                if source_word >= len(sides[0]) or target_word >= len(sides[1]):
                    raise UserError(
                        f"{settings.links}, line {number + 1}: no link {source_word}-{target_word}: the training pair "
                        f"has {len(sides[0])} source and {len(sides[1])} target {unit}, counted from 0"
                    )
            self.links.append(
                sorted(
                    {
                        (target_piece + settings.shift, source_piece)
                        for source_word, target_word in links
                        for source_piece in sides[0][source_word]
                        for target_piece in sides[1][target_word]
                    }
                )
            )
        self.digest = hashlib.sha256(repr(self.links).encode()).hexdigest()[:16]
        """Of the links; a resumed run must have the same."""

    def batch(self, rows: Sequence[int], target: int, source: int) -> Tensor:
        """Return guide_BTS of these training pairs: linked pieces share a row equally, a row without links is zero."""
        guide_BTS = torch.zeros(len(rows), target, source)
        links = torch.tensor([(place, *link) for place, row in enumerate(rows) for link in self.links[row]])
        guide_BTS[tuple(links.long().view(-1, 3).T)] = 1
        return guide_BTS / guide_BTS.sum(2, keepdim=True).clamp_min(1)


def load_guide(settings: GuideConfig, split: Split, tokenizers: Tokenizers, unit: Unit = "words") -> Guide | None:
    """Return the guide of a training split, or None when there is to be none. Raises UserError when it does not fit."""
    return Guide(settings, split, tokenizers, unit) if settings.links else None


def _links(settings: GuideConfig, split: Split) -> Sequence[Collection[Link]]:
    """Return the word links of each training pair."""
    if settings.links == "gold":
        found = [pair.sure if pair else frozenset[Link]() for pair in split.gold or []]
        if not any(found):
            raise UserError("train.guide.links is gold, but this corpus has no gold links for its training pairs")
        return found
    path = Path(str(settings.links))
    lines = read_pharaoh(path)
    if len(lines) != len(split.sources):
        raise UserError(
            f"{path} has {len(lines):,} lines for {len(split.sources):,} training pairs; make one line for each pair, "
            f"for example with `mt align RUN --split train`"
        )
    return lines


def _pieces(tokenizer: Tokenizer, line: str, unit: Unit, words: Sequence[Span] | None) -> list[list[int]]:
    """Return the pieces that each word overlaps: the words that are known, else what the unit divides the line into."""
    spans = [span for _, span in tokenizer.spans(tokenizer.encode(line), line)]
    if unit == "pieces" and words is None:
        return [[piece] for piece in range(len(spans))]
    return [
        [piece for piece, (start, end) in enumerate(spans) if start < word_end and end > word_start]
        for word_start, word_end in (spans_of(line, unit) if words is None else words)
    ]
