"""What is measured of translations without a reference: the same of validation and of what is asked of a service.

Letters: N sentences; T target pieces and S source pieces, both with </s> as the last.
"""

from collections.abc import Sequence

import numpy as np

from mt.core.arrays import Floats
from mt.corpora.pairs import Span
from mt.inference.confidence import CHECK, Observed, observed, sigmoid
from mt.inference.scorer import Scored, Scorer
from mt.runs.confidence import Fitted
from mt.text.scripts import count_scripts
from mt.text.tokenizer import Tokenizer
from mt.text.words import word_spans

SUPPORT = 0.3
"""A target word is unsupported when no source piece gets this weight, or more, in any of its steps."""
DIGITS = 6
"""To which signals are rounded, so that what is equal on validation and later is so in every digit."""


def traffic_signals(
    scorer: Scorer,
    sources: Sequence[str],
    hypotheses: Sequence[str],
    scripts: frozenset[str],
    fitted: Fitted | None,
) -> dict[str, Floats]:
    """Return the signals of translations, one at least, by name, [N] each, from one forced pass over each.

    They are those of `observe`, and `length_ratio`, target pieces for each source piece; `byte_share`, the source
    pieces that are bytes of characters that the vocabulary lacks; `unknown_scripts`, the source letters in other
    scripts than these; with attention, `unsupported_words`, the target words that look at no source piece (SUPPORT);
    and where confidence was `fitted`, `expected_ter` in percent, and `words_to_check`, the words that are rather wrong
    than right. Shares are from 0 to 1, and 0 of nothing. Sources must have text.
    """
    read = scorer.score(sources, hypotheses)
    seen = observed(read, hypotheses, scorer.tokenizers.target)
    found = dict(seen.sentences)
    found["length_ratio"] = np.array([len(one.target) / len(one.source) for one in read])
    found["byte_share"] = np.array([_byte_share(one.source[:-1], scorer.tokenizers.source) for one in read])
    found["unknown_scripts"] = np.array([unknown_share(source, scripts) for source in sources])
    if all(one.matrix_TS is not None for one in read):
        pairs = zip(read, hypotheses, strict=True)
        found["unsupported_words"] = np.array(
            [
                unsupported_share(
                    one, [span for _, span in scorer.tokenizers.target.spans(one.target[:-1], text)], text
                )
                for one, text in pairs
            ]
        )
    if fitted:
        found |= _confidence(fitted, seen)
    return {name: np.asarray(values_N.round(DIGITS), np.float64) for name, values_N in found.items()}


def unknown_share(source: str, scripts: frozenset[str]) -> float:
    """Return the share of a text's letters that are in none of these scripts."""
    counts = count_scripts(source)
    return sum(count for name, count in counts.items() if name not in scripts) / max(counts.total(), 1)


def unsupported_share(read: Scored, pieces: Sequence[Span], text: str) -> float:
    """Return the share of a translation's words that are unsupported, given the half-open spans of its pieces."""
    assert read.matrix_TS is not None
    largest_T = read.matrix_TS[:, :-1].max(1, initial=0)
    words = [
        [step for step, (start, stop) in enumerate(pieces) if start < word[1] and stop > word[0]]
        for word in word_spans(text)
    ]
    return sum(float(largest_T[steps].max(initial=0)) < SUPPORT for steps in words) / max(len(words), 1)


def _byte_share(pieces: Sequence[int], tokenizer: Tokenizer) -> float:
    return sum(tokenizer.is_byte(piece) for piece in pieces) / max(len(pieces), 1)


def _confidence(fitted: Fitted, seen: Observed) -> dict[str, Floats]:
    """Return what confidence says of each sentence, as numbers."""
    wrong_W, start, shares = sigmoid(fitted.predictors.wrong.predict(seen.words)), 0, list[float]()
    for spans in seen.spans:
        words = wrong_W[start : start + len(spans)]
        shares.append(float((words >= CHECK).mean()) if len(words) else 0.0)
        start += len(spans)
    ter_N = fitted.predictors.ter.predict(seen.sentences).clip(0)
    return {"expected_ter": ter_N, "words_to_check": np.array(shares)}
