"""METRICS: sacreBLEU's figures with signature and interval, the same as sacreBLEU's own command line gives."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count, takewhile
from pathlib import Path
from typing import Any

from sacrebleu.metrics import BLEU, CHRF, TER

from mt.core.errors import UserError
from mt.core.files import read_lines
from mt.runs.scores import CorpusScore, Scores

RESAMPLES = 1000
ORDER = 4
"""The longest n-grams of BLEU."""


@dataclass(frozen=True)
class Texts:
    """What a metric compares. Raises UserError when there is nothing, or not one hypothesis for each reference."""

    hypotheses: Sequence[str]
    references: Sequence[str]
    sources: Sequence[str] = ()
    """For metrics that read them; sacreBLEU's do not."""
    tokenize: str = "13a"
    """sacreBLEU's tokenizer for the target language (see tokenize.py)."""
    more: Sequence[Sequence[str]] = ()
    """Further references of all sentences, a list for each further translator."""

    def __post_init__(self) -> None:
        if isinstance(self.hypotheses, str) or isinstance(self.references, str):
            raise UserError("give lists of sentences to score: a text alone would be scored letter by letter")
        # sacreBLEU itself would score the shorter list and say nothing.
        for references in self.every:
            if len(self.hypotheses) != len(references):
                raise UserError(
                    f"cannot score {len(self.hypotheses):,} hypotheses against {len(references):,} references; "
                    f"give one hypothesis for each reference, in the same order"
                )
        if not self.references:
            raise UserError("nothing to score: there are no sentences; check that the split is not empty")

    @property
    def every(self) -> list[list[str]]:
        """All references, a list for each translator, the first first: as sacreBLEU takes them."""
        return [list(one) for one in (self.references, *self.more)]

    def take(self, rows: Sequence[int]) -> "Texts":
        """Return these sentences."""
        parts = (self.hypotheses, self.references, self.sources, *self.more)
        hypotheses, references, sources, *more = ([lines[row] for row in rows] if lines else [] for lines in parts)
        return Texts(hypotheses, references, sources, self.tokenize, more)

    def split(self) -> "Texts":
        """Return them with spaces between the words that BLEU counts."""
        words: Callable[[str], str] = BLEU(tokenize=self.tokenize).tokenizer
        hypotheses, references, *more = ([*map(words, lines)] for lines in (self.hypotheses, *self.every))
        return replace(self, hypotheses=hypotheses, references=references, more=more)


def read_texts(folder: Path, scores: Scores) -> Texts:
    """Return what `mt eval` scored in a folder, to be compared with others. Raises UserError when it is damaged."""
    remedy = f"delete {folder}, and score the split again"
    hypotheses, references, sources = (
        read_lines(folder / f"{name}.txt", remedy) for name in ("hypotheses", "references", "sources")
    )
    more = [read_lines(file, remedy) for file in further_references(folder)]
    if "BLEU" not in scores.corpus or len({len(one) for one in (hypotheses, references, sources, *more)}) > 1:
        raise UserError(f"{folder} is damaged: its files do not belong together; delete it, and score the split again")
    tokenize = re.search(r"tok:([^|]+)", scores.corpus["BLEU"].signature)
    name = tokenize[1] if tokenize else "13a"
    if name not in BLEU.TOKENIZERS:
        raise UserError(f"{folder} was scored by words that sacreBLEU does not know ({name}): {remedy}")
    return Texts(hypotheses, references, sources, name, more)


def further_references(folder: Path) -> list[Path]:
    """Return the files of the further references in a folder of scores: references.2.txt, and so on."""
    files = (folder / f"references.{number}.txt" for number in count(2))
    return [*takewhile(Path.exists, files)]


def bleu(texts: Texts) -> float:
    """Return corpus BLEU in percent without an interval: quick, for validation."""
    return float(BLEU(tokenize=texts.tokenize).corpus_score(texts.hypotheses, texts.every).score)


def chrf(texts: Texts) -> float:
    """Return corpus chrF in percent without an interval: quick, for validation."""
    return float(CHRF().corpus_score(texts.hypotheses, texts.every).score)


def _score(metric: Any, texts: Texts) -> CorpusScore:
    """Score as `sacrebleu --confidence` does; resampling works on statistics counted once per sentence."""
    result = metric.corpus_score(texts.hypotheses, texts.every, n_bootstrap=RESAMPLES)
    signature = str(metric.get_signature())
    # sacreBLEU publishes the interval only in its JSON, and not there when the mean is 0: every resample is 0 then.
    report = json.loads(result.format(width=12, signature=signature, is_json=True))
    mean, half_width = report.get("confidence_mean", 0.0), report.get("confidence_var", 0.0)
    return CorpusScore(float(result.score), mean - half_width, mean + half_width, signature)


def _bleu(texts: Texts, **options: Any) -> CorpusScore:
    metric = BLEU(**{"tokenize": texts.tokenize} | options)
    return replace(_score(metric, texts), note=short_references(texts))


def count_short(texts: Texts) -> int:
    """Return how many references have fewer words than the longest n-grams of BLEU."""
    return sum(len(reference.split()) < ORDER for reference in texts.split().references)


def short_references(texts: Texts) -> str | None:
    """Return what is to be said where most references are short."""
    short = count_short(texts)
    if 2 * short <= len(texts.references):
        return None
    return f"{short:,} of {len(texts.references):,} references have fewer than {ORDER} words: BLEU tells little here"


def _chrf(texts: Texts) -> CorpusScore:
    """Score by sacreBLEU's chrF.

    Its bootstrap raises TypeError when a resample has no match, and so a 0 of another type. This 0 is of the counts'
    type, as the scores of other resamples are.
    """
    metric = CHRF()
    compute = metric._compute_f_score
    metric._compute_f_score = lambda counts: compute(counts) or 0.0 * counts[0]
    return _score(metric, texts)


def _ter(texts: Texts) -> CorpusScore:
    """Score by sacreBLEU's TER, which knows words by the spaces around them: others are parted as BLEU parts them."""
    if texts.tokenize == "13a":
        return _score(_typed_ter(), texts)
    score = _score(_typed_ter(), texts.split())
    return replace(score, signature=f"{score.signature}, of the words of BLEU's tok:{texts.tokenize}")


def _typed_ter() -> TER:
    """Return sacreBLEU's TER, whose score of resamples without any words is of the counts' type, as others are.

    Its bootstrap raises TypeError where types differ, as they do where some lines of the references are empty.
    """
    metric = TER()
    compute = metric._compute_score_from_stats

    def typed(counts: Any) -> Any:
        found = compute(counts)
        found.score += 0 * counts[0]
        return found

    metric._compute_score_from_stats = typed
    return metric


def papers(texts: Texts, language: str) -> CorpusScore:
    """Return the BLEU that papers on Multi30k print: of `moses` words, no further tokenizer, lower case.

    Raises UserError when sacremoses is not installed.
    """
    hypotheses, references, *more = (moses(lines, language) for lines in (texts.hypotheses, *texts.every))
    words = Texts(hypotheses, references, tokenize="none", more=more)
    return _bleu(words, lowercase=True, force=True)  # force: it is meant to be tokenized


def moses(lines: Sequence[str], language: str) -> list[str]:
    """Return lines in lower case, their punctuation normalised and their words apart as Moses' scripts do it."""
    try:
        from sacremoses import MosesPunctNormalizer, MosesTokenizer
    except ImportError as error:
        raise UserError(
            "the papers' score needs sacremoses: pip install 'mt[papers]', or pip install sacremoses"
        ) from error
    normalizer, tokenizer = MosesPunctNormalizer(language), MosesTokenizer(language)
    return [tokenizer.tokenize(normalizer.normalize(line.lower()), return_str=True, escape=False) for line in lines]


METRICS: dict[str, Callable[[Texts], CorpusScore]] = {
    "BLEU": _bleu,
    "chrF": _chrf,
    "TER": _ter,
}
