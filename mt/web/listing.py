"""The sentences of a scored split, and what is known of each besides its translation."""

from collections.abc import Sequence
from dataclasses import dataclass

from sacrebleu.metrics import CHRF

from mt.core.errors import UserError
from mt.corpora.pairs import Gold, Split
from mt.evaluation.metrics import Texts, read_texts
from mt.evaluation.novelty import find_nearest
from mt.inference.aligner import Aligner, View
from mt.inference.confidence import observe
from mt.inference.scorer import Scorer
from mt.inference.translator import Translator
from mt.runs.names import SCORED
from mt.runs.run import Run
from mt.runs.scores import FILE, read_scores
from mt.web.messages import Matrix, Message, tell_alignment
from mt.web.served import Loaded, Served

MOST = 2000
"""Sentences of a split that are listed."""


class Listed(Message):
    """A sentence of a scored split."""

    number: int
    """From 1."""
    source: str
    reference: str
    hypothesis: str
    chrf: float
    """In percent."""
    words: int
    """Of the source."""
    log_probability: float
    """Of a piece of the hypothesis, in nats, the mean over all."""
    entropy: float | None
    """Of the attention, in nats; None without attention."""
    coverage: float | None
    """How far the mass that a source piece gets is from 1, the mean over all; None without attention."""
    ter: float | None
    """Expected, in percent; None where no confidence was fitted."""


class Near(Message):
    """The training pair that shares the most words with a sentence."""

    source: str
    target: str
    shared: int
    words: int
    """Words of the sentence itself."""


class Known(Message):
    """What is known of a sentence besides its translation."""

    nearest: Near | None
    aligned: Matrix | None
    """The reference, as the model reads it off, in the words of the gold links; None where there are none."""
    sure: list[tuple[int, int]]
    """Gold links, (source word, target word)."""
    possible: list[tuple[int, int]]
    missing: str | None
    """Why training and gold cannot be looked at, where they cannot."""


@dataclass(frozen=True)
class Listing:
    """Reads off all sentences of a scored split."""

    served: Served

    def __call__(self, splits: Sequence[str]) -> list[list[Listed]]:
        """Return the sentences of each split."""
        return [self._list(split) for split in splits]

    def _list(self, split: str) -> list[Listed]:
        run, translator = self.served.load()
        texts = scored_texts(run, split)
        texts = texts.take(range(min(MOST, len(texts.sources))))
        seen = observe(Scorer(run.model, run.tokenizers, run.config), texts.sources, texts.hypotheses).sentences
        nothing = [None] * len(texts.sources)
        entropies, coverages = (seen.get(name, nothing) for name in ("attention_entropy", "coverage_deviation"))
        ters = _expected(translator, texts) or nothing
        chrf, found = CHRF(), list[Listed]()
        for row, (source, reference, hypothesis) in enumerate(
            zip(texts.sources, texts.references, texts.hypotheses, strict=True)
        ):
            found.append(
                Listed(
                    number=row + 1,
                    source=source,
                    reference=reference,
                    hypothesis=hypothesis,
                    chrf=chrf.sentence_score(hypothesis, [reference]).score,
                    words=len(source.split()),
                    log_probability=seen["mean_log_probability"][row],
                    entropy=entropies[row],
                    coverage=coverages[row],
                    ter=ters[row],
                )
            )
        return found


def _expected(translator: Translator, texts: Texts) -> list[float | None] | None:
    """Return the expected TER of each translation; None where no confidence was fitted for these weights."""
    if translator.estimator is None:
        return None
    try:
        sure = translator.estimator.estimate(texts.sources, texts.hypotheses)
    except UserError:
        return None
    return [one.ter if one else None for one in sure]


def scored_texts(run: Run, split: str) -> Texts:
    """Return what `mt eval` scored. Raises UserError where it has not."""
    # Looked up among those that are there: a name from outside is no path.
    known = split in {path.parent.name for path in (run / SCORED).glob(f"*/{FILE}")}
    scores = read_scores(run.scored(split)) if known else None
    if scores is None:
        raise UserError(f"{run.path.name} has no scores of {split!r}: `mt eval {run} --split {split}` scores it")
    return read_texts(run.scored(split), scores)


@dataclass(frozen=True)
class Knowing:
    """Looks sentences of a split up in the corpus that the run was trained on."""

    served: Served
    split: str

    def __call__(self, numbers: Sequence[int]) -> list[Known]:
        """Return what is known of the sentences with these numbers, from 1. Raises UserError where there is none."""
        loaded = self.served.load()
        texts = scored_texts(loaded.run, self.split)
        if wrong := [number for number in numbers if not 1 <= number <= len(texts.sources)]:
            raise UserError(f"{self.split} has sentences 1 to {len(texts.sources)}, and not {wrong[0]}")
        return [self._look_up(loaded, texts, number - 1) for number in numbers]

    def _look_up(self, loaded: Loaded, texts: Texts, row: int) -> Known:
        try:
            splits = loaded.run.splits
        except UserError as error:
            return Known(nearest=None, aligned=None, sure=[], possible=[], missing=str(error))
        training, tested = splits["train"], splits.get(self.split)
        (near,) = find_nearest([texts.sources[row]], training.sources)
        nearest = None
        if near.number is not None:
            source, target = training.sources[near.number], training.targets[near.number]
            nearest = Near(source=source, target=target, shared=near.shared, words=near.words)
        gold = tested.gold[row] if tested and tested.gold and tested.sources == texts.sources else None
        if gold is None or not loaded.translator.has_attention:
            return Known(nearest=nearest, aligned=None, sure=[], possible=[], missing=None)
        return Known(
            nearest=nearest,
            aligned=_read_gold(loaded, texts, row, gold),
            sure=sorted(gold.sure),
            possible=sorted(gold.possible),
            missing=None,
        )


def _read_gold(loaded: Loaded, texts: Texts, row: int, gold: Gold) -> Matrix:
    run, translator = loaded
    aligner = Aligner(translator.model, translator.tokenizers, run.config)
    view = View(aligner.site)
    (found,) = aligner.forced(Split([texts.sources[row]], [texts.references[row]], [gold]), [view])[view]
    return tell_alignment(found.alignment())
