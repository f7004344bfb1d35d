"""The model card of a run: what it was trained on, how it scored, how to use it."""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mt.core.files import write_text
from mt.corpora import CORPORA
from mt.runs.run import CARD, SCORED, Run
from mt.runs.scores import Scores, read_scores

BLEU_TELLS_NOTHING = "Validation BLEU was 0 throughout: it tells nothing of this run, and chrF says more"
HEAD = ["| split | metric | score | 95 % interval | signature, or how words were aligned |", "|---|---|---|---|---|"]


def write_card(run: Run, model: str) -> None:
    """Write RUN/README.md from what the run holds: config, training record, scores; `model` is its model in words."""
    config, record = run.config, run.record
    corpus = CORPORA[config.corpus.name]
    last = run.validations[-1] if run.validations else {"update": 0, "seconds": 0}
    threads = record.get("made_with", {}).get("threads")
    on = f", {threads} thread{'s' * (threads > 1)}" if threads else ""
    rows = [row for folder in sorted(run.path.glob(f"{SCORED}/*")) for row in _rows(run, folder)]
    scores = ["## Scores", "", *HEAD, *rows, ""] if rows else []
    lines = [
        f"# {run.path.name}: {config.corpus.source} to {config.corpus.target}",
        "",
        f"An encoder-decoder ({model}), trained by `mt`.",
        "",
        f"* Corpus: {corpus.title}. Licence: {corpus.licence}. Citation: {corpus.citation}",
        f"* Training: {last['update']:,} updates, {last.get('seconds', 0) / 60:.0f} minutes{on}",
        *([f"* Began with the weights {record['start']} of {config.train.start}"] if record.get("start") else []),
        f"* Validation: {describe_best(run.best_validation)}",
        *([f"* {BLEU_TELLS_NOTHING}"] if tells_nothing(run.validations) else []),
        "",
        *scores,
        "## Use",
        "",
        f"    mt translate {shlex.quote(str(run))} 'A sentence.'",
        f"    python -c \"import mt; print(mt.load('{run}').translate(['A sentence.'])[0].text)\"",
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


def _rows(run: Run, folder: Path) -> Iterator[str]:
    """Yield the rows of one split's scores, if they are of the present weights."""
    scores = read_scores(folder)
    if scores is None or scores.weights != _fingerprints(run, scores):
        return
    split = folder.name + _described(scores)
    for name, one in scores.corpus.items():
        note = f". {one.note}" if one.note else ""
        yield f"| {split} | {name} | {one.score:.1f} | {one.low:.1f} to {one.high:.1f} | {one.signature}{note} |"
    if scores.alignment:
        yield f"| {folder.name} | AER | {scores.alignment.score:.1f} |  | {scores.alignment.named} |"


def _fingerprints(run: Run, scores: Scores) -> list[str]:
    return [run.fingerprint, *(Run(other).fingerprint for other in scores.search.get("with", []))]


def _described(scores: Scores) -> str:
    search = scores.search
    extras = [f", beam {search['beam']}"]
    extras += [f", {search['precision']}"] if "precision" in search else []
    extras += [f", {search['nearest']['count']} neighbours"] if "nearest" in search else []
    return "".join(extras)
