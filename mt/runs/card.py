"""The model card of a run: what it was trained on, how it scored, how to use it."""

import json
import shlex
from pathlib import Path

from mt.config.files import read_config
from mt.runs import checkpoint
from mt.config import files as config_file
from mt.corpora import CORPORA
from mt.core.files import write_text


def write_card(run: Path) -> None:
    """Write RUN/README.md from what the run directory holds: config, training record, scores of its splits."""
    config = read_config(run / "config.yaml")
    corpus = CORPORA[config.corpus.name]
    records = checkpoint.records(run) or [{"update": 0, "seconds": 0, "validation_bleu": 0.0}]
    best = max(records, key=lambda record: float(record["validation_bleu"]))
    lines = [
        f"# {run.name}: {config.corpus.source} to {config.corpus.target}",
        "",
        f"An encoder-decoder ({config.model.summary}), trained by `mt`.",
        "",
        f"* Corpus: {corpus.title}. Licence: {corpus.licence}. Citation: {corpus.citation}",
        f"* Training: {records[-1]['update']:,} updates, {records[-1]['seconds'] / 60:.0f} minutes, "
        f"{config.threads} threads",
        f"* Validation: BLEU {best['validation_bleu']:.2f} (greedy search) at update {best['update']:,}",
        "",
        *_scores(run),
        "## Use",
        "",
        f"    mt translate {shlex.quote(str(run))} 'A sentence.'",
        f"    python -c \"import mt; print(mt.load('{run}').translate(['A sentence.'])[0].text)\"",
    ]
    write_text(run / "README.md", "\n".join(lines) + "\n")


def _scores(run: Path) -> list[str]:
    rows = []
    for file in sorted(run.glob("eval/*/scores.json")):
        scores = json.loads(file.read_text(encoding="utf-8"))
        others = map(Path, scores["search"].get("with", []))
        if scores.get("weights") != checkpoint.fingerprints(run, *others):  # of earlier weights
            continue
        search = scores["search"]
        beam = f", beam {search['beam']}" + (", " + search["precision"] if "precision" in search else "")
        if "nearest" in search:
            beam += f", {search['nearest']['count']} neighbours"
        for name, score in scores.items():
            if "score" not in score:
                continue
            interval = f"{score['low']:.1f} to {score['high']:.1f}" if "low" in score else ""
            how = score.get("signature") or score.get("named", "")
            split = file.parent.name + beam * ("signature" in score)
            rows.append(f"| {split} | {name} | {score['score']:.1f} | {interval} | {how} |")
    head = [
        "| split | metric | score | 95 % interval | signature, or how words were aligned |",
        "|---|---|---|---|---|",
    ]
    return ["## Scores", "", *head, *rows, ""] if rows else []
