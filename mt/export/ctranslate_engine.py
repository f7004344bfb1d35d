"""A Transformer that CTranslate2 computes, and searches. No torch."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mt.config import Search
from mt.config.exported import Exported
from mt.core.errors import UserError
from mt.core.special import BOS, EOS, PAD, UNK
from mt.export.folder import read_vocabularies
from mt.export.search import Hypothesis, Sentence

PATIENCE = 2
"""A beam goes on until so many times its width have ended, and the best of these are taken."""


class CTranslateModel:
    """A model, whose beam search is CTranslate2's; scores are the model's own, and ranked as `mt.search` ranks them."""

    def __init__(self, folder: Path, told: Exported):
        try:
            from ctranslate2 import Translator
        except ImportError as error:
            raise UserError("this model needs CTranslate2: pip install ctranslate2, or 'mt[export]'") from error

        self._model: Any = Translator(str(folder), device="cpu")
        vocabularies = read_vocabularies(folder, told)
        self._source, target = ([one.name(piece) for piece in range(len(one))] for one in vocabularies)
        self._target, self._number = target, {name: piece for piece, name in enumerate(target)}

    def search(
        self, sentences: Sequence[Sentence], settings: Search, n_best: int, *, attention: bool
    ) -> list[list[Hypothesis]]:
        """Return the hypotheses of each source, best first; those of one limit are searched together."""
        if any(one.prefix for one in sentences):
            raise UserError("CTranslate2 searches without prefixes here: translate by the run, or by its ONNX export")
        found: dict[int, list[Hypothesis]] = {}
        together = defaultdict[int, list[int]](list)
        for row, one in enumerate(sentences):
            together[one.limit].append(row)
        for limit, rows in together.items():
            named = [[self._source[piece] for piece in sentences[row].source] for row in rows]
            found |= zip(rows, self._some(named, limit, settings, n_best, attention), strict=True)
        return [found[row] for row in range(len(sentences))]

    def _some(
        self, sources: list[list[str]], limit: int, settings: Search, n_best: int, attention: bool
    ) -> list[list[Hypothesis]]:
        width = max(settings.beam, n_best)
        many = 1 if width == 1 else PATIENCE * width
        results = self._model.translate_batch(
            sources,
            beam_size=width,
            patience=PATIENCE,
            num_hypotheses=many,
            length_penalty=1,  # not 0, which would end the beam with the first that ends best
            suppress_sequences=[[self._target[piece]] for piece in (PAD, UNK, BOS)],
            return_end_token=True,
            return_attention=attention,
            max_batch_size=1 if attention and width > 1 else 0,  # of several, beams mix up the first attention
            max_input_length=0,
            max_decoding_length=limit,
            min_decoding_length=0,
        )
        ended = [
            (row, tokens[: limit - 1] if tokens[-1:] != [self._target[EOS]] else tokens[:-1], weights)
            for row, result in enumerate(results)
            for tokens, weights in zip(result.hypotheses, result.attention or [None] * many, strict=False)
        ]
        scores = self._model.score_batch(
            [sources[row] for row, _, _ in ended], [tokens for _, tokens, _ in ended], max_input_length=0
        )
        found: list[dict[tuple[int, ...], Hypothesis]] = [{} for _ in sources]
        for (row, tokens, weights), score in zip(ended, scores, strict=True):
            pieces = [self._number[token] for token in tokens]
            penalty = 1 if width == 1 else ((5 + len(pieces) + 1) / 6) ** settings.length_penalty
            own = [float(one) for one in score.log_probs]
            found[row][tuple(pieces)] = Hypothesis(
                pieces, sum(own) / penalty, own, None if weights is None else np.array(weights)
            )
        return [sorted(some.values(), key=lambda one: -one.score)[:n_best] for some in found]
