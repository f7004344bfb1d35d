"""METRICS: sacreBLEU's figures with signature and interval, the same as sacreBLEU's own command line gives."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from sacrebleu.metrics import BLEU, CHRF, TER

from mt.core.errors import UserError
from mt.runs.scores import CorpusScore

RESAMPLES = 1000


def bleu(hypotheses: list[str], references: list[str]) -> float:
    """Return corpus BLEU in percent without an interval: quick, for validation.

    Raises UserError when the two lists differ in length or are empty.
    """
    _check(hypotheses, references)
    return float(BLEU().corpus_score(hypotheses, [references]).score)


def _score(metric_class: Callable[[], Any], hypotheses: list[str], references: list[str]) -> CorpusScore:
    """Score as `sacrebleu --confidence` does; resampling works on statistics counted once per sentence.

    Raises UserError when the two lists differ in length or are empty.
    """
    _check(hypotheses, references)
    metric = metric_class()
    result = metric.corpus_score(hypotheses, [references], n_bootstrap=RESAMPLES)
    signature = str(metric.get_signature())
    # sacreBLEU publishes the interval only in its JSON, and not there when the mean is 0: every resample is 0 then.
    report = json.loads(result.format(width=12, signature=signature, is_json=True))
    mean, half_width = report.get("confidence_mean", 0.0), report.get("confidence_var", 0.0)
    return CorpusScore(float(result.score), mean - half_width, mean + half_width, signature)


def _chrf() -> Any:
    """Return sacreBLEU's chrF. Its bootstrap raises TypeError when a resample has no match, and so a 0 of another type.

    This 0 is of the counts' type, as the scores of other resamples are.
    """
    metric = CHRF()
    compute = metric._compute_f_score
    metric._compute_f_score = lambda counts: compute(counts) or 0.0 * counts[0]
    return metric


def papers(hypotheses: list[str], references: list[str], language: str) -> CorpusScore:
    """Return the BLEU that papers on Multi30k print: of `moses` words, no further tokenizer, lower case.

    Raises UserError also when sacremoses is not installed.
    """
    metric = partial(BLEU, tokenize="none", lowercase=True, force=True)  # force: it is meant to be tokenized
    return _score(metric, moses(hypotheses, language), moses(references, language))


def moses(lines: list[str], language: str) -> list[str]:
    """Return lines in lower case, their punctuation normalised and their words apart as Moses' scripts do it."""
    try:
        from sacremoses import MosesPunctNormalizer, MosesTokenizer
    except ImportError as error:
        raise UserError(
            "the papers' score needs sacremoses: pip install 'mt[papers]', or pip install sacremoses"
        ) from error
    normalizer, tokenizer = MosesPunctNormalizer(language), MosesTokenizer(language)
    return [tokenizer.tokenize(normalizer.normalize(line.lower()), return_str=True, escape=False) for line in lines]


def _check(hypotheses: list[str], references: list[str]) -> None:
    # sacreBLEU itself would score the shorter list and say nothing.
    if len(hypotheses) != len(references):
        raise UserError(
            f"cannot score {len(hypotheses):,} hypotheses against {len(references):,} references; "
            f"give one hypothesis for each reference, in the same order"
        )
    if not references:
        raise UserError("nothing to score: there are no sentences; check that the split is not empty")


METRICS: dict[str, Callable[[list[str], list[str]], CorpusScore]] = {
    "BLEU": partial(_score, BLEU),
    "chrF": partial(_score, _chrf),
    "TER": partial(_score, TER),
}
