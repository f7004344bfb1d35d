"""film.jsonl: what a model made of a few validation sentences, at each validation, to watch it learn.

The first line is the sentences, each other line a frame.
"""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from mt.core.files import parse_file, write_lines
from mt.core.parse import readable_lines


@dataclass(frozen=True)
class Sentence:
    """A pair of the validation split; the pieces of either side end with </s>, words are in `alignment.unit`."""

    source: str
    target: str
    source_pieces: list[str]
    target_pieces: list[str]
    source_words: list[str]
    target_words: list[str]


@dataclass(frozen=True)
class Seen:
    """What a model made of a sentence."""

    attention: list[list[int]] | None
    """In thousandths, a row for each target piece: the weights that predicted it, one for each source piece. None where
    the model has no attention."""
    translation: str
    """By greedy search, where attention was read of the target as it stands."""


@dataclass(frozen=True)
class Frame:
    """A validation: what the model made of each sentence, in their order."""

    update: int
    epoch: int
    sentences: list[Seen]


@dataclass(frozen=True)
class Film:
    """The sentences and all frames so far. Raises ValueError where a frame is not of these sentences."""

    sentences: list[Sentence] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)

    def __post_init__(self) -> None:
        for frame in self.frames:
            for sentence, seen in zip(self.sentences, frame.sentences, strict=True):
                rows = seen.attention
                shape = [len(sentence.source_pieces)] * len(sentence.target_pieces)
                if rows is not None and [len(row) for row in rows] != shape:
                    raise ValueError(f"the attention of update {frame.update} does not fit its sentence")

    def write(self, path: Path) -> None:
        """Replace the file by this film."""
        lines = [SENTENCES.dump_json(self.sentences), *map(FRAME.dump_json, self.frames)]
        write_lines(path, [line.decode() for line in lines])


RESCUED = "training goes on with what can be read of it"
"""What happens to a damaged film where its training is resumed."""
SENTENCES, FRAME = TypeAdapter(list[Sentence]), TypeAdapter(Frame)


def read_film(path: Path, remedy: str = "restore it, or delete it, and go without the frames it had") -> Film:
    """Return the film of a file; an empty one where there is none. Raises DamagedError where it is damaged."""
    if not path.exists():
        return Film()
    return parse_file(path, remedy, _parse)


def rescue_film(path: Path, sentences: list[Sentence]) -> Film:
    """Return what can be read of a damaged film of these sentences."""
    frames: dict[int, Frame] = {}
    for frame in readable_lines(path.read_bytes() if path.is_file() else b"", FRAME.validate_json):
        try:
            Film(sentences, [frame])
        except ValueError:
            continue
        frames[frame.update] = frame
    return Film(sentences, [*frames.values()])


def _parse(data: bytes) -> Film:
    first, *others = data.splitlines()
    return Film(SENTENCES.validate_json(first), [FRAME.validate_json(line) for line in others])
