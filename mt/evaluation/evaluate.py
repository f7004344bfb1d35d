"""Translate a split, score it, and write everything to the run."""

import json
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mt.alignment.files import write_all
from mt.alignment.matrices import EMPTY, Alignment
from mt.config import Config, Precision, Search
from mt.config.files import read_config
from mt.core.errors import UserError
from mt.core.files import write_lines, write_text
from mt.core.progress import Meter
from mt.corpora import load_splits
from mt.corpora.pairs import Gold, Split
from mt.data.pieces import digest
from mt.evaluation import metrics
from mt.evaluation.choice import Choice, choose_for_run, forced, score, ways, with_gold
from mt.evaluation.novelty import novel
from mt.inference.aligner import Aligner
from mt.inference.aligner import load_aligner as load_aligner
from mt.inference.translator import load
from mt.runs import checkpoint
from mt.runs.card import write_card
from mt.text.tokenizer import Tokenizers
from mt.views.heat_map import heat_map
from mt.views.page import write_page

log = logging.getLogger("mt")
SHOWN = 50
"""Sentences on the page of alignments."""


def evaluate(
    run: Path,
    split: str | None = None,
    beam: int | None = None,
    plot: bool = False,
    papers: bool = False,
    novel: bool = False,
    others: Sequence[Path] = (),
    nearest: int | None = None,
    precision: Precision | None = None,
) -> tuple[str, dict[str, Any]]:
    """Score a split (unset: the last of the test splits) with beam search; return its name and what scores.json holds.

    Writes scores.json, hypotheses, references, sources, alignments (npz, jsonl, pharaoh) in `folder_of` the split, and
    RUN/alignment.json where the corpus has gold. With `others` the ensemble is scored, in a folder of its own; it
    has no AER, because how attention is read is chosen for one run. Raises UserError when they make no ensemble, or
    when one is to be drawn. `nearest` replaces the config's search.nearest.count, `precision` its search.precision.
    """
    if others and plot:
        raise UserError("--plot draws what one run looks at: leave out --with")
    translator, config = load(run, *others, nearest=nearest, precision=precision), read_config(run / "config.yaml")
    weights = checkpoint.fingerprints(run, *others)  # now: a training may replace them while the split is translated
    if papers:
        metrics.moses([], config.corpus.target)  # says that sacremoses is missing before the split is translated
    name, splits = splits_of(run, config, translator.tokenizers, split)
    pairs = splits[name]
    settings = searched(translator.settings, beam)
    if plot and not translator.has_attention:
        raise UserError("this model has no attention (model.attention.score: none), so there is nothing to plot")
    meter = Meter(f"translating {name}", "line", len(pairs.sources))
    found = translator.translate(pairs.sources, settings, gold=pairs.gold, progress=meter.add)
    meter.close()
    hypotheses = [translation.text for translation in found]
    alignments = [translation.alignment or EMPTY for translation in found]
    scores = of_text(hypotheses, pairs, config.corpus.target if papers else None)
    if novel:
        scores |= of_novel(hypotheses, pairs, splits["train"])
    folder = folder_of(run, name, others)
    if translator.has_attention and not others:
        aligner, known = load_aligner(run), with_gold(pairs)
        choice = choose_for_run(run, aligner, splits["validation"])
        if known.sources:
            scores["AER"] = alignment_error(aligner, known, choice)
        if plot:
            draw(folder, alignments, aligner, known, choice)
    scores["search"], scores["weights"] = described(settings, others), weights
    write(folder, pairs, hypotheses, alignments if translator.has_attention else [], scores)
    write_card(run)
    log.info("%s\nwritten to %s", table(name, len(hypotheses), scores), folder)
    return name, scores


def write(
    folder: Path, pairs: Split, hypotheses: list[str], alignments: list[Alignment], scores: dict[str, Any]
) -> None:
    """Write what `evaluate` says; scores.json is there only when all is of one search."""
    (folder / "scores.json").unlink(missing_ok=True)
    if alignments:
        write_all(folder / "alignments", alignments)
    for what, lines in {"sources": pairs.sources, "references": pairs.targets, "hypotheses": hypotheses}.items():
        write_lines(folder / f"{what}.txt", lines)
    write_text(folder / "scores.json", json.dumps(scores, indent=2) + "\n")


def folder_of(run: Path, split: str, others: Sequence[Path] = ()) -> Path:
    """Return where the scores of a split are: RUN/eval/SPLIT, of an ensemble RUN/eval/SPLIT+OTHER+...

    OTHER is the way to it from the folder that RUN is in: x, or seed2-x for ../seed2/x.
    """
    ways = [os.path.relpath(other, run.parent).split(os.sep) for other in others]
    return run / "eval" / "+".join([split, *("-".join(part for part in way if part != "..") for way in ways)])


def searched(config: Search, beam: int | None = None) -> Search:
    """Return how a split is searched: as the config says, but never by sampling, and with another beam if given."""
    return config.model_copy(update={"sample": False} | ({"beam": beam} if beam else {}))


def described(settings: Search, others: Sequence[Path] = ()) -> dict[str, Any]:
    """Return what scores.json says of the search, and of the other members of an ensemble."""
    idle = {"batch"} | ({"nearest"} if not settings.nearest.count else set())
    idle |= {"precision"} if settings.precision == "float32" else set()
    return settings.model_dump(exclude=idle) | ({"with": [str(other) for other in others]} if others else {})


def of_text(hypotheses: list[str], pairs: Split, moses: str | None) -> dict[str, Any]:
    """Return BLEU, chrF and TER, and the papers' BLEU where the language for Moses's rules is given."""
    scores = {metric: asdict(of(hypotheses, pairs.targets)) for metric, of in metrics.METRICS.items()}
    return scores | ({"BLEU, papers": asdict(metrics.papers(hypotheses, pairs.targets, moses))} if moses else {})


def of_novel(hypotheses: Sequence[str], pairs: Split, training: Split) -> dict[str, Any]:
    """Return BLEU of the sentences whose source is new (novelty.py), and how many; nothing if there are none."""
    new = novel(pairs.sources, training.sources)
    if not new:
        log.warning("no source is novel: one training source always holds more than half of the words")
        return {}
    scored = metrics.METRICS["BLEU"]([hypotheses[line] for line in new], [pairs.targets[line] for line in new])
    return {"BLEU, novel": asdict(scored) | {"lines": len(new)}}


def splits_of(
    run: Path, config: Config, tokenizers: Tokenizers, split: str | None = None
) -> tuple[str, dict[str, Split]]:
    """Return the name of the split that is meant, and the splits of a run's corpus.

    Raises UserError when its text is not what the run was trained on: a split held out of it would be another one.
    """
    splits = load_splits(config.corpus)
    name = named(splits, split, config.corpus.name)
    if (run / checkpoint.STATE).exists():
        then = str(checkpoint.read_record(run / checkpoint.STATE)["made_with"]["data"])
        if not then.startswith("".join(digest(splits[part], tokenizers) for part in ("train", "validation"))):
            raise UserError(f"the data has changed since {run} was trained, which may so have been on what it would be "
                            f"scored on: restore the data, or train anew (--overwrite)")  # fmt: skip
    if count := splits[name].dropped:
        log.warning("%s: %d pair%s with an empty side left out", name, count, "s" * (count > 1))
    return name, splits


def named(splits: dict[str, Split], name: str | None, corpus: str) -> str:
    """Return the name of the split that is meant; unset: the last of the test splits."""
    name = name or [name for name in splits if name.startswith("test")][-1]
    if name not in splits:
        raise UserError(f"{corpus} has no split {name!r}; it has {', '.join(splits)}")
    return name


def alignment_error(aligner: Aligner, known: Split, choice: Choice) -> dict[str, Any]:
    """Return AER, precision, recall and F1 of forced decoding over pairs whose gold is known, in one direction.

    "as_it_is": the layer and head of the config, argmax; "shifted": the same by the next step's weights; "posterior":
    that of the last layer, argmax; "chosen": as chosen on validation, whose AER is the "score".
    """
    read = ways(aligner, choice)
    found = forced(aligner, known, read.values())
    scores: dict[str, Any] = {}
    for name, way in read.items():
        (scored,) = score(found[way], way.shift, [way.threshold])
        scores[name] = asdict(scored) | asdict(way)
    return {"score": scores["chosen"]["aer"], "named": str(choice), "pairs": len(known.sources)} | scores


def draw(folder: Path, alignments: list[Alignment], aligner: Aligner, known: Split, choice: Choice) -> None:
    """Write alignments.html of the first 50 sentences, and alignment.png and .svg of the first.

    They show references beside their gold where there is gold, and otherwise the translations.
    """
    gold: list[Gold | None] | None = None
    title = f"{folder.name}: translations"
    if known.sources:
        gold, title = (known.gold or [])[:SHOWN], f"{folder.name}: references, {choice}"
        shown = Split(known.sources[:SHOWN], known.targets[:SHOWN], gold)
        alignments = [one.alignment(choice.shift, choice.threshold) for one in forced(aligner, shown, [choice])[choice]]
    first, links = alignments[0], gold[0].possible if gold and gold[0] else None
    for suffix in ("png", "svg"):
        heat_map(folder / f"alignment.{suffix}", first.words, first.source_words, first.target_words, title, links)
    write_page(folder / "alignments.html", alignments[:SHOWN], gold, title)


def table(split: str, lines: int, scores: dict[str, dict[str, Any]]) -> str:
    """Return scores as a table for the terminal."""
    rows = [f"{split}: {lines} sentences, beam {scores['search']['beam']}"]
    for name, one in scores.items():
        if "signature" in one:
            interval = f"[{one['low']:.2f}, {one['high']:.2f}]"
            of = f"  of {one['lines']} sentences" if "lines" in one else ""
            rows.append(f"  {name:12} {one['score']:6.2f}  {interval:16} {one['signature']}{of}")
    return "\n".join([*rows, *_alignment_rows(scores["AER"])]) if "AER" in scores else "\n".join(rows)


def _alignment_rows(aer: dict[str, Any]) -> Iterator[str]:
    titles = {
        "as_it_is": "as it is",
        "shifted": "shifted",
        "posterior": "posterior",
        "chosen": f"chosen: {aer['named']}",
    }
    for key, title in titles.items():
        one = aer[key]
        yield (
            f"  AER          {one['aer']:6.2f}  precision {one['precision']:.2f}, recall {one['recall']:.2f}, "
            f"F1 {one['f1']:.2f}  {title}"
        )
