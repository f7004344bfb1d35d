"""The model card of a run: what it was trained on, how it scored, how to use it."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mt.config.corpora import CorpusConfig, added_to
from mt.core.files import write_text
from mt.core.progress import say_time
from mt.corpora import CORPORA
from mt.runs.front_matter import front_matter
from mt.runs.names import CARD, SCORED
from mt.runs.run import Run
from mt.runs.scores import Scores, read_scores

BLEU_TELLS_NOTHING = "Validation BLEU was 0 throughout: it tells nothing of this run, and chrF says more"
HEAD = ["| split | metric | score | 95 % interval | signature, or how words were aligned |", "|---|---|---|---|---|"]


def write_card(run: Run, model: str, called: str = "") -> None:
    """Write RUN/README.md from what the run holds: config, training record, scores; `model` is its model in words.

    It begins with what the Hub reads of a model. `called` is what to call the run by; unset: where it is.
    """
    config, record = run.config, run.record
    corpus = CORPORA[config.corpus.name]
    last = run.validations[-1] if run.validations else {"update": 0, "seconds": 0}
    threads = record.get("made_with", {}).get("threads")
    on = f", {threads} thread{'s' * (threads > 1)}" if threads else ""
    called, name = called or str(run), called.rpartition("/")[2] or run.name
    scored = {folder.name: found for folder in sorted(run.path.glob(f"{SCORED}/*")) if (found := _read(run, folder))}
    rows = [row for split, found in scored.items() for row in _rows(split, found)]
    scores = ["## Scores", "", *HEAD, *rows, ""] if rows else []
    lines = [
        "---",
        *front_matter(name, config, scored),
        "---",
        "",
        f"# {name}: {config.corpus.source} to {config.corpus.target}",
        "",
        f"An encoder-decoder ({model}), trained by `mt`.",
        "",
        f"* Corpus: {corpus.title}. Licence: {corpus.licence}. Citation: {corpus.citation}",
        *_added(config.corpus),
        f"* Training: {last['update']:,} updates, {say_time(last.get('seconds', 0))}{on}",
        *([f"* Began with the weights {record['start']} of {config.train.start}"] if record.get("start") else []),
        f"* Validation: {describe_best(run.best_validation)}",
        *([f"* {BLEU_TELLS_NOTHING}"] if tells_nothing(run.validations) else []),
        "",
        *scores,
        "## Use",
        "",
        f"    mt translate {shlex.quote(called)} 'A sentence.'",
        f"    python -c \"import mt; print(mt.load('{called}').translate(['A sentence.'])[0].text)\"",
    ]
    write_text(run / CARD, "\n".join(lines) + "\n")


def describe_best(best: dict[str, Any] | None) -> str:
    """Return what the validation whose weights are kept says of them, in words."""
    if best is None:
        return "none yet"
    chrf = f", chrF {best['validation_chrf']:.2f}" if "validation_chrf" in best else ""
    by = {"bleu": "BLEU", "chrf": "chrF", "loss": "loss"}[best.get("chosen_by", "bleu")]
    return f"BLEU {best['validation_bleu']:.2f}{chrf} (greedy search) at update {best['update']:,}, the best by {by}"


def tells_nothing(validations: Sequence[dict[str, Any]]) -> bool:
    """Tell whether BLEU was 0 at every validation."""
    return bool(validations) and all(record["validation_bleu"] == 0 for record in validations)


def _read(run: Run, folder: Path) -> Scores | None:
    """Return the scores of one split, if they are of the present weights.

    Of an ensemble that is said of this run alone: the others, which a stranger may have named, are not read.
    """
    scores = read_scores(folder)
    return scores if scores and scores.weights[:1] == [run.fingerprint] else None


def _rows(split: str, scores: Scores) -> Iterator[str]:
    """Yield the rows of the scores of one split."""
    described = split + _described(scores)
    for name, one in scores.corpus.items():
        note = f". {one.note}" if one.note else ""
        signature = f"{one.signature}{note}".replace("|", r"\|")
        yield f"| {described} | {name} | {one.score:.1f} | {one.low:.1f} to {one.high:.1f} | {signature} |"
    if scores.alignment:
        yield f"| {split} | AER | {scores.alignment.score:.1f} |  | {scores.alignment.named} |"


def _described(scores: Scores) -> str:
    search = scores.search
    extras = [f", beam {search['beam']}"]
    extras += [f", {search['precision']}"] if "precision" in search else []
    extras += [f", {search['nearest']['count']} neighbours"] if "nearest" in search else []
    return "".join(extras)


def _added(corpus: CorpusConfig) -> Iterator[str]:
    """Yield a line about the pairs that training alone has besides those of the corpus."""
    added = added_to(corpus)
    if added.files is not None:
        files = added.files if isinstance(added.files, str) else " and ".join(added.files)
        yield f"* Added to training: {files}, with the tag `{added.tag}`"
