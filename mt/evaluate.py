"""Translate a split, score it, and write everything to the run."""

import json
import logging
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from mt import alignments as words
from mt import checkpoint, corpora, plots
from mt.card import write_card
from mt.corpora.pairs import Gold, Split
from mt.disk import write_lines, write_text
from mt.errors import UserError
from mt.metrics import METRICS
from mt.progress import Meter
from mt.translate import Translator

log = logging.getLogger("mt")


def evaluate(
    run: Path, split: str | None = None, beam: int | None = None, plot: bool = False
) -> tuple[str, dict[str, Any]]:
    """Score a split (unset: the last of the test splits) with beam search; return its name and what scores.json holds.

    Writes scores.json, hypotheses, references, sources, alignments (npz, jsonl, pharaoh) under RUN/eval/SPLIT.
    """
    config, tokenizers, model = checkpoint.load(run)
    torch.set_num_threads(config.threads or 1)
    splits = corpora.load(config.corpus)
    name = split or [name for name in splits if name.startswith("test")][-1]
    if name not in splits:
        raise UserError(f"{config.corpus.name} has no split {name!r}; it has {', '.join(splits)}")
    pairs, translator = splits[name], Translator(model, tokenizers, config)
    meter = Meter(f"translating {name}", "line", len(pairs.sources))
    found = translator.translate(pairs.sources, beam=beam, gold=pairs.gold, progress=meter.add)
    meter.close()
    hypotheses = [translation.text for translation in found]
    scores = {metric: asdict(score(hypotheses, pairs.targets)) for metric, score in METRICS.items()}
    folder = run / "eval" / name
    if translator.has_attention:
        words.write_all(folder / "alignments", [translation.alignment or words.EMPTY for translation in found])
    if translator.has_attention and any(pairs.gold or []):
        scores["AER"] = alignment_error(translator, pairs, pairs.gold or [])
    write_lines(folder / "sources.txt", pairs.sources)
    write_lines(folder / "references.txt", pairs.targets)
    write_lines(folder / "hypotheses.txt", hypotheses)
    write_text(folder / "scores.json", json.dumps(scores, indent=2) + "\n")
    if plot and (first := found[0].alignment):
        plots.heat_map(folder / "alignment.png", first.words, first.source_words, first.target_words)
    write_card(run)
    log.info("%s\nwritten to %s", table(name, len(hypotheses), beam or config.search.beam, scores), folder)
    return name, scores


def alignment_error(translator: Translator, pairs: Split, gold: list[Gold | None]) -> dict[str, Any]:
    """Return AER, precision, recall and F1 of forced decoding's argmax links over the pairs whose gold is known.

    "shifted" is the AER when each word takes the weights of the step after it (Luong et al. 2015, footnote 14).
    """
    known = [triple for triple in zip(pairs.sources, pairs.targets, gold, strict=True) if triple[2]]
    sources, targets, links = (list(column) for column in zip(*known, strict=True))
    here, shifted = (
        words.aer([set(alignment.links) for alignment in translator.align(sources, targets, links, shift)], links)
        for shift in (0, 1)
    )
    figures = {"precision": here.precision, "recall": here.recall, "f1": here.f1, "pairs": len(known)}
    return {"score": here.aer, "shifted": shifted.aer} | figures


def table(split: str, lines: int, beam: int, scores: dict[str, dict[str, Any]]) -> str:
    """Return scores as a table for the terminal."""
    rows = [f"{split}: {lines} sentences, beam {beam}"]
    for name, score in scores.items():
        interval = f"[{score['low']:.2f}, {score['high']:.2f}]" if "low" in score else f"{score['shifted']:.2f} shifted"
        rows.append(f"  {name:5} {score['score']:6.2f}  {interval:16} {score.get('signature', '')}".rstrip())
    return "\n".join(rows)
