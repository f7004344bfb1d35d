"""What the service is asked and what it answers, as its OpenAPI schema has them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from mt.alignment.matrices import Alignment
from mt.inference.translator import Translation
from mt.text.tokenizer import Tokenizer
from mt.text.words import Unit

MOST_TEXTS, MOST_CHARACTERS = 64, 2000
"""In one request, and in one text."""
Text = Annotated[str, Field(max_length=MOST_CHARACTERS)]
Weight = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[int, Field(ge=1, le=1000)]
Steps = dict[Annotated[int, Field(ge=0)], Annotated[list[Weight], Field(max_length=MOST_CHARACTERS)]]
"""By step, from 0, a weight for each source piece, </s> included."""


class Message(BaseModel):
    """What travels: closed to keys it does not know."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Asked(Message):
    """How to translate."""

    run: str | None = None
    """Name of a run that is served. Unset: the first."""
    beam: Annotated[int, Field(ge=1, le=50)] | None = None
    """Width of the beam; 1 is greedy search. Unset: what the run's config says."""
    n_best: Annotated[int, Field(ge=1, le=20)] = 1
    """So many translations of each sentence."""
    unit: Unit | None = None
    """What alignments are in. Unset: what the run's config says."""
    layer: Number | None = None
    """Decoder layer whose attention is shown, from 1. Unset: what the run's config says."""
    head: Number | None = None
    """Its head, from 1. Unset: the mean over the heads."""
    alignments: bool = True
    """Whether to tell what the attention looked at; translations alone are found faster."""
    trace: bool = False
    """Whether to tell what the search kept and dropped at each step."""
    confidence: bool = False
    """Whether to tell what a human will have to mend."""


class Translate(Asked):
    """Sentences to translate."""

    texts: Annotated[list[Text], Field(min_length=1, max_length=MOST_TEXTS)]


class Continue(Asked):
    """A sentence whose translation is to begin as given."""

    text: Text
    prefix: Text | Annotated[list[int], Field(max_length=MOST_CHARACTERS)]
    """As text, or as numbers of pieces, which an earlier answer gave."""
    uniform: bool = False
    """Whether attention is equal for all source pieces, in every step."""
    weights: Steps = {}
    """By step, from 0: the attention in place of the model's own, a weight for each source piece, </s> included; of the
    layer and head that are asked for, or of all."""


class Matrix(Message):
    """What the attention looked at, in pieces and in words; rows belong to the target."""

    source_pieces: list[str]
    target_pieces: list[str]
    attention: list[list[float]]
    source_words: list[str]
    target_words: list[str]
    words: list[list[float]]
    """A last column belongs to </s>."""
    links: list[tuple[int, int]]
    """(source word, target word)"""


class Word(Message):
    """A word of a translation, and the probability that it is wrong."""

    word: str
    span: tuple[int, int]
    wrong: float
    check: bool


class Sure(Message):
    """What a human will probably have to mend."""

    ter: float
    """Expected, in percent."""
    good: float
    """The probability that its TER is at most `bound`."""
    bound: float
    words: list[Word]


class Translated(Message):
    """A translation."""

    text: str
    score: float
    pieces: list[str]
    numbers: list[int]
    log_probabilities: list[float]
    cut: bool
    """Whether the limit on its length ended it."""
    alignment: Matrix | None
    confidence: Sure | None
    trace: list[dict[str, Any]] | None
    others: list["Translated"]


class Answer(Message):
    """Translations, in the order of the sentences."""

    run: str
    translations: list[Translated]


class Described(Message):
    """A run that is served."""

    name: str
    source: str
    target: str
    summary: str
    """Its model, in a few words."""
    layers: int
    heads: int
    """Of each decoder layer that looks at the source; 0 without attention."""
    unit: Unit
    beam: int
    confident: bool
    """Whether it tells what a human will have to mend."""


class Judged(Message):
    """How far a signal of translations is from what it was on validation."""

    score: float
    """The Kolmogorov-Smirnov statistic, 0 to 1."""
    bound: float
    """Above it, there is an alarm; above 1, there are too few sentences for any."""
    alarm: bool
    says: str
    """A sentence of what it means."""


class Drifted(Message):
    """Whether the last sentences are like validation."""

    run: str
    window: int
    """So many sentences are judged, or what there is of them."""
    seen: int
    """Sentences since the service, the weights or diagnosis.json are new."""
    held: int
    """Different ones of them in the window."""
    false_alarms: float
    """The probability that a window like validation raises any alarm, at most."""
    says: str
    """Why nothing can be said; empty where something can, when there are enough sentences."""
    signals: dict[str, Judged]


class Failed(Message):
    """Why there is no answer."""

    error: str


def tell(one: Translation, target: Tokenizer) -> Translated:
    """Return a translation as the service tells it."""
    sure = None
    if one.confidence:
        words = [Word(word=w.word, span=w.span, wrong=w.wrong, check=w.check) for w in one.confidence.words]
        sure = Sure(ter=one.confidence.ter, good=one.confidence.good, bound=one.confidence.bound, words=words)
    return Translated(
        text=one.text,
        score=one.score,
        pieces=list(one.pieces),
        numbers=list(one.numbers),
        log_probabilities=list(one.log_probabilities),
        cut=one.cut,
        alignment=tell_alignment(one.alignment) if one.alignment else None,
        confidence=sure,
        trace=None if one.trace is None else [_selection(selection, target) for selection in one.trace],
        others=[tell(other, target) for other in one.others],
    )


def tell_alignment(one: Alignment) -> Matrix:
    """Return an alignment as the service tells it."""
    return Matrix(
        source_pieces=one.source_pieces,
        target_pieces=one.target_pieces,
        attention=one.attention.tolist(),
        source_words=one.source_words,
        target_words=one.target_words,
        words=one.words.tolist(),
        links=one.links,
    )


def _selection(selection: Any, target: Tokenizer) -> dict[str, Any]:
    """Return a step of a search, with the names of its pieces."""

    def branch(one: Any) -> dict[str, Any]:
        name = target.name(one.piece)
        return {"parent": one.parent, "piece": name, "number": one.piece, "log_probability": one.log_probability}

    return {
        "kept": [branch(one) for one in selection.kept],
        "dropped": [branch(one) for one in selection.dropped],
        "left": [
            {"step": one.step, "parent": one.parent, "log_probability": one.log_probability, "score": one.score}
            for one in selection.left
        ],
    }
