"""The parts of a stream have each of its pairs once an epoch, in batches that a key alone decides."""

from pathlib import Path

import pytest
from corpus_files import elsewhere as elsewhere
from corpus_files import write
from test_data import SPLIT
from test_data import tokenizers as tokenizers

from mt.config.corpora import FilesCorpus
from mt.core.errors import UserError
from mt.core.special import EOS
from mt.corpora import open_stream
from mt.data.batches import batch_order
from mt.data.reading import Sizes, Streamed, keep_survey, kept_survey
from mt.text.tokenizer import Tokenizers

SIZES = Sizes(batch_tokens=100, max_pieces=90, seed=7)


def streamed(tokenizers: Tokenizers, buffer: int = 350, sources: list[str] = SPLIT.sources) -> Streamed:
    targets = SPLIT.targets[: len(sources)]
    files = write("a.de", "\n".join(sources) + "\n"), write("a.en", "\n".join(targets) + "\n")
    other = write("b.de", "a\n"), write("b.en", "b\n")
    config = FilesCorpus(
        **{"name": "files", "source": "de", "target": "en", "train": files, "validation": other, "test": other},
        streaming=True,
        shuffle_buffer=buffer,
    )
    stream = open_stream(config)
    assert stream is not None
    return Streamed(stream, stream.survey(1, 1)[0], stream.head(), tokenizers, SIZES)


def texts(reading: Streamed, epoch: int) -> list[tuple[str, str]]:
    """Return all pairs of an epoch as they are read, by decoding the batches."""
    found, state = list[tuple[str, str]](), dict[str, object]()
    for number in range(reading.parts):
        part = reading.part((epoch, number), state)
        for rows in part.batches:
            batch = part.pieces.batch(rows)
            for source, target in zip(batch.source_BS.tolist(), batch.target_out_BT.tolist(), strict=True):
                sides = zip(reading.tokenizers, (source, target), strict=True)
                found.append(tuple(one.decode(side[: side.index(EOS)]) for one, side in sides))
        state = part.after
    assert state == {}
    return found


def test_an_epoch_has_each_pair_once_in_another_order(tokenizers: Tokenizers) -> None:
    reading = streamed(tokenizers)
    assert reading.parts == 4
    first, second = texts(reading, 0), texts(reading, 1)
    expected = sorted(zip(SPLIT.sources, SPLIT.targets, strict=True))
    assert sorted(first) == sorted(second) == expected
    assert first != second
    assert first == texts(streamed(tokenizers), 0)
    assert sorted(first[:300]) == sorted(zip(SPLIT.sources[:300], SPLIT.targets[:300], strict=True))


def test_a_part_is_read_where_another_reading_stood(tokenizers: Tokenizers) -> None:
    one, other = streamed(tokenizers), streamed(tokenizers)
    state = one.part((0, 0), {}).after
    going_on, anew = one.part((0, 1), state), other.part((0, 1), state)
    assert going_on.pieces.rows[:] == anew.pieces.rows[:]
    assert going_on.batches == anew.batches
    lengths = anew.pieces.source_lengths, anew.pieces.target_lengths
    assert anew.batches == batch_order(*lengths, 100, 90, (7, 0, 1))
    assert one.part((0, 1), state) is going_on


def test_a_stream_that_has_changed_is_refused(tokenizers: Tokenizers) -> None:
    lines = Path(write("a.de", "\n".join(SPLIT.sources) + "\n")).read_text().splitlines()
    longer, shorter, other = [*lines, "mehr"], lines[:900], [*lines[:-1], "anders"]
    for changed in (longer, shorter, other):
        reading = streamed(tokenizers)
        write("a.de", "\n".join(changed) + "\n")
        write("a.en", "\n".join([*SPLIT.targets, "more"][: len(changed)]) + "\n")
        with pytest.raises(UserError, match=r"a\.de and a\.en has changed since .* when it had 1,200 lines"):
            texts(reading, 0)


def test_a_part_may_have_no_pairs(tokenizers: Tokenizers) -> None:
    sources = [*SPLIT.sources[:40], *[""] * 60, *SPLIT.sources[40:50]]
    reading = streamed(tokenizers, 10, sources)
    assert reading.parts == 11
    assert sorted(texts(reading, 0)) == sorted(
        zip(SPLIT.sources[:50], [*SPLIT.targets[:40], *SPLIT.targets[100:110]], strict=True)
    )


def test_what_is_known_of_a_stream_is_kept(tokenizers: Tokenizers, tmp_path: Path) -> None:
    survey = streamed(tokenizers).survey
    assert kept_survey(tmp_path) is None
    keep_survey(survey, tmp_path)
    assert kept_survey(tmp_path) == survey
    (tmp_path / "survey.json").write_text("{}")
    assert kept_survey(tmp_path) is None
