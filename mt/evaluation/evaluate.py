"""Translate a split, score it, and write everything to the run."""

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mt.alignment.files import write_all
from mt.alignment.matrices import EMPTY, Alignment
from mt.config import Config
from mt.core.errors import UserError
from mt.core.files import must_be_writable, write_lines
from mt.core.progress import Meter
from mt.corpora.groups import MOST, overlap
from mt.corpora.pairs import Gold, Split
from mt.evaluation import metrics
from mt.evaluation.choice import Choice, as_it_is, choose_for_run, forced, score, ways, with_gold
from mt.evaluation.confidence import check_split, describe, measure_for_run
from mt.evaluation.copied import count_copied
from mt.evaluation.given import Given, split_of
from mt.evaluation.novelty import novel
from mt.evaluation.tokenize import choose_tokenizer
from mt.inference.aligner import Aligner
from mt.inference.load import translator_of
from mt.inference.outputs import count_outputs, warn_of
from mt.models.contract import default_site, describe_look
from mt.runs.card import write_card
from mt.runs.own import must_be_own
from mt.runs.run import Run
from mt.runs.scores import FILE, AlignmentErrors, CorpusScore, Part, Scores, WayScore, describe_search, searched
from mt.views.heat_map import heat_map
from mt.views.page import write_page

log = logging.getLogger("mt")
SHOWN = 50
"""Sentences on the page of alignments."""


@dataclass(frozen=True)
class Asked:
    """What is to be scored, and how."""

    split: str | None = None
    """Unset: the last of the test splits."""
    config: Config | None = None
    """The run's, with what is changed of it for this once, never with sampling. Unset: as it is."""
    others: tuple[Run, ...] = ()
    """The other members of an ensemble."""
    plot: bool = False
    papers: bool = False
    """Whether to add the BLEU that papers on Multi30k print."""
    novel: bool = False
    """Whether to add the BLEU of sentences whose source is new."""
    confidence: bool = False
    """Whether to measure confidence (confidence.py)."""
    suffix: str = ""
    """Of the name of the folder that all is written to, to keep the scores of several searches of one run."""
    given: Given | None = None
    """What is scored in place of a split."""

    def folder(self, run: Run, name: str) -> Path:
        """Return where the scores of a test set of this name are."""
        return Path(f"{run.scored(name, self.others)}{self.suffix}")


def evaluate(run: Run, asked: Asked = Asked()) -> tuple[str, Scores]:
    """Score a split, or what is given; return its name and its scores.

    Writes scores.json, hypotheses, references, sources, alignments (npz, jsonl, pharaoh) in `run.scored`,
    RUN/alignment.json where the corpus has gold, and RUN/confidence.json where it is asked for. An ensemble has a
    folder of its own, and no AER, because how attention is read is chosen for one run. Raises UserError when the runs
    make no ensemble, or when one is to be drawn; when confidence is to be measured where it cannot be.
    """
    must_be_own(run)
    config = searched(asked.config or run.config)
    translator, test = translator_of(run, asked.others, config), asked.given or split_of(run, asked.split)
    name, pairs, training = test.name, test.pairs, test.training
    _check(run, asked, test)
    folder, errors, language = asked.folder(run, name), None, config.corpus.target
    must_be_writable(folder / FILE)
    tokenize = choose_tokenizer(config.metrics.tokenize, language, (training or pairs).targets)
    if pairs.dropped:
        log.warning("%s: %d pair%s with an empty side left out", name, pairs.dropped, "s" * (pairs.dropped > 1))
    meter = Meter(f"translating {name}", "line", len(pairs.sources))
    found = translator.translate(pairs.sources, gold=pairs.gold, progress=meter.add)
    meter.close()
    hypotheses = [translation.text for translation in found]
    alignments = [translation.alignment or EMPTY for translation in found] if translator.has_attention else []
    texts = metrics.Texts(hypotheses, pairs.targets, pairs.sources, tokenize, test.more)
    corpus = score_text(texts, language if asked.papers else None)
    if asked.novel and training:
        corpus |= score_novel(texts, training)
    if translator.has_attention and not asked.others:
        errors = _align(run, asked, pairs, folder, alignments if asked.plot else None)
    weights = [one.fingerprint for one in (run, *asked.others)]
    scores = Scores(
        corpus,
        describe_search(translator.settings, asked.others),
        weights,
        errors,
        warn_of(count_outputs(pairs.sources, found)),
        Part(overlap(training, pairs)[0], len(pairs.sources)) if training else None,
        count_copied(texts, training) if training else None,
        list(test.files) or None,
    )
    _write(folder, texts, alignments, scores)
    write_card(run, run.model.summary)
    log.info("%s\nwritten to %s", table(name, len(hypotheses), scores), folder)
    if asked.confidence:
        log.info("%s", describe(name, measure_for_run(run, config, name, texts)))
    return name, scores


def _check(run: Run, asked: Asked, test: Given) -> None:
    """Raise UserError where what is asked of a test set cannot be done, before it is translated."""
    if asked.novel and not test.training:
        raise UserError("--novel needs what the run was trained on, which is not here: leave it out")
    if asked.others and asked.plot:
        raise UserError("--plot draws what one run looks at: leave out --with")
    if asked.plot and not run.model.has_attention:
        raise UserError("this model has no attention (model.attention.score: none), so there is nothing to plot")
    if asked.papers:
        metrics.moses([], run.config.corpus.target)  # says that sacremoses is missing
    if asked.confidence:
        check_split(test.name, asked.others)


def _align(run: Run, asked: Asked, pairs: Split, folder: Path, drawn: list[Alignment] | None) -> AlignmentErrors | None:
    """Return the errors of alignment where gold is known, and draw: references by their gold, else `drawn`."""
    aligner, known = Aligner(run.model, run.tokenizers, asked.config or run.config), with_gold(pairs)
    choice = as_it_is(aligner) if asked.given else choose_for_run(run, aligner)
    errors = alignment_errors(aligner, known, choice) if known.sources else None
    if drawn is not None:
        draw(folder, drawn, pairs.targets, aligner, known, choice)
    return errors


def _write(folder: Path, texts: metrics.Texts, alignments: list[Alignment], scores: Scores) -> None:
    """Write what `evaluate` says; scores.json is there only when all is of one search."""
    (folder / FILE).unlink(missing_ok=True)
    if alignments:
        write_all(folder / "alignments", alignments)
    for file in metrics.further_references(folder):
        file.unlink()
    more = {f"references.{number}": lines for number, lines in enumerate(texts.more, 2)}
    parts = {"sources": texts.sources, "references": texts.references, "hypotheses": texts.hypotheses} | more
    for what, lines in parts.items():
        write_lines(folder / f"{what}.txt", lines)
    scores.write(folder)


def score_text(texts: metrics.Texts, moses: str | None) -> dict[str, CorpusScore]:
    """Return BLEU, chrF and TER, and the papers' BLEU where the language for Moses's rules is given."""
    scores = {metric: of(texts) for metric, of in metrics.METRICS.items()}
    return scores | ({"BLEU, papers": metrics.papers(texts, moses)} if moses else {})


def score_novel(texts: metrics.Texts, training: Split) -> dict[str, CorpusScore]:
    """Return BLEU of the sentences whose source is new (novelty.py), and how many; nothing if there are none."""
    new = novel(texts.sources, training.sources)
    if not new:
        log.warning("no source is novel: one training source always holds more than half of the words")
        return {}
    score = metrics.METRICS["BLEU"](texts.take(new))
    return {"BLEU, novel": replace(score, lines=len(new))}


def alignment_errors(aligner: Aligner, known: Split, choice: Choice) -> AlignmentErrors:
    """Return AER, precision, recall and F1 of forced decoding over pairs whose gold is known, in one direction.

    "as_it_is": the layer and head of the config, argmax; "shifted": the same by the next step's weights; "posterior":
    that of the last layer, argmax; "chosen": as chosen on validation, whose AER is the "score".
    """
    read = ways(aligner, choice)
    found = forced(aligner, known, read.values())
    scores: dict[str, WayScore] = {}
    for name, way in read.items():
        (scored,) = score(found[way], way.shift, [way.threshold])
        scores[name] = WayScore(**asdict(scored), **asdict(way))
    return AlignmentErrors(scores["chosen"].aer, str(choice), len(known.sources), **scores)


def draw(
    folder: Path, alignments: list[Alignment], references: list[str], aligner: Aligner, known: Split, choice: Choice
) -> None:
    """Write alignments.html of the first 50 sentences, and alignment.png and .svg of the first.

    They show references where there is gold, beside it where they are in its words, and otherwise the translations,
    each beside its reference.
    """
    gold: list[Gold | None] | None = None
    unit, title, what = aligner.config.alignment.unit, f"{folder.name}: translations", "translation"
    looks_at = describe_look(aligner.model, default_site(aligner.model, aligner.config.model.report))
    if known.sources:
        gold, title, what = (known.gold or [])[:SHOWN], f"{folder.name}: references, {choice}", "reference"
        looks_at = f"Attention of {aligner.model.summary}, {choice}"
        shown = Split(known.sources[:SHOWN], known.targets[:SHOWN], gold)
        read = forced(aligner, shown, [choice])[choice]
        alignments = [one.alignment(choice.shift, choice.threshold, unit) for one in read]
        gold = gold if unit in {"words", "tokens"} else None
    first, links = alignments[0], gold[0].possible if gold and gold[0] else None
    for suffix in ("png", "svg"):
        heat_map(folder / f"alignment.{suffix}", first, f"{looks_at}\nsentence 1 of {folder.name}, {what}", links)
    beside = None if known.sources else references[:SHOWN]
    write_page(folder / "alignments.html", alignments[:SHOWN], gold, title=title, references=beside)


def table(split: str, lines: int, scores: Scores) -> str:
    """Return scores as a table for the terminal."""
    rows = [f"{split}: {lines} sentences, beam {scores.search['beam']}"]
    for name, one in scores.corpus.items():
        of = f"  of {one.lines} sentences" if one.lines else ""
        rows.append(f"  {name:12} {one.score:6.2f}  {f'[{one.low:.2f}, {one.high:.2f}]':16} {one.signature}{of}")
        rows += [f"  {'':12} {one.note}"] if one.note else []
    rows += [f"  {kind:12} {part} came through" for kind, part in (scores.copied or {}).items() if part.of]
    if scores.seen and scores.seen.count:
        rows.append(f"  {'seen':12} {scores.seen} pairs share a sentence with training{_doubt(scores.seen)}")
    return "\n".join([*rows, *(_alignment_rows(scores.alignment) if scores.alignment else [])])


def _doubt(seen: Part) -> str:
    return f", more than {MOST:.0%}: the scores are too high" if seen.count > MOST * seen.of else ""


def _alignment_rows(errors: AlignmentErrors) -> Iterator[str]:
    titles = {
        "as it is": errors.as_it_is,
        "shifted": errors.shifted,
        "posterior": errors.posterior,
        f"chosen: {errors.named}": errors.chosen,
    }
    for title, one in titles.items():
        yield (
            f"  AER          {one.aer:6.2f}  precision {one.precision:.2f}, recall {one.recall:.2f}, "
            f"F1 {one.f1:.2f}  {title}"
        )
