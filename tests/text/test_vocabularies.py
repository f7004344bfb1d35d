"""Vocabularies: joint or separate, as large as the text allows, written and read back."""

import random
import re
from pathlib import Path

import pytest
from tiny_vocabularies import WORDS, sentences
from tiny_vocabularies import tokenizer as tokenizer
from tiny_vocabularies import tokenizers as tokenizers

from mt.config import Vocabulary
from mt.core.errors import UserError
from mt.text.tokenizer import Tokenizer, Tokenizers, load_tokenizers, train_tokenizers


def test_joint_is_one_vocabulary_and_separate_two() -> None:
    joint = train_tokenizers(sentences("de"), sentences("en"), Vocabulary(size=320))
    assert joint.joint
    assert joint.source is joint.target
    separate = train_tokenizers(sentences("de"), sentences("en"), Vocabulary(size=310, joint=False))
    assert not separate.joint
    assert (len(separate.source), len(separate.target), len(joint.source)) == (310, 310, 320)
    eszett = [[side.name(piece) for piece in side.encode("Straße")] for side in separate]
    assert "<0xC3>" not in eszett[0]  # the German side has seen ß, the English side spells its bytes
    assert "<0xC3>" in eszett[1]


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
@pytest.mark.parametrize("joint", [True, False])
def test_a_vocabulary_larger_than_the_text_allows_names_the_largest(kind: str, joint: bool) -> None:
    config = Vocabulary.model_validate({"kind": kind, "size": 5000, "joint": joint})
    with pytest.raises(UserError, match=r"vocabulary\.size is 5000, but the (source )?training text") as caught:
        train_tokenizers(sentences("de"), sentences("en"), config)
    assert ("source" in str(caught.value)) is not joint
    largest = re.search(r"the largest possible is (\d+)$", str(caught.value))
    assert largest
    fits = config.model_copy(update={"size": int(largest[1])})
    assert (
        len(train_tokenizers(sentences("de"), sentences("de") if not joint else sentences("en"), fits).source)
        == fits.size
    )
    with pytest.raises(UserError, match="largest possible"):
        train_tokenizers(sentences("de"), sentences("en"), config.model_copy(update={"size": fits.size + 1}))


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_a_vocabulary_smaller_than_the_alphabet_names_the_smallest(kind: str) -> None:
    lines = ["".join(map(chr, range(start, start + 40))) for start in range(0x4E00, 0x4E00 + 400, 20)]
    config = Vocabulary.model_validate({"kind": kind, "size": 300})
    with pytest.raises(UserError, match=r"300, but the training text has more characters than that") as caught:
        train_tokenizers(lines, lines, config)
    smallest = re.search(r"the smallest possible is (\d+)$", str(caught.value))
    assert smallest
    fits = config.model_copy(update={"size": int(smallest[1])})
    assert train_tokenizers(lines, lines, fits).source.encode("\u4e00")[-1] > 260
    with pytest.raises(UserError, match="smallest possible"):
        train_tokenizers(lines, lines, config.model_copy(update={"size": fits.size - 1}))


@pytest.mark.parametrize("lines", [[], [""], ["a"], ["\0"], ["▁"]])
def test_hardly_any_text_is_refused_in_words(lines: list[str]) -> None:
    with pytest.raises(UserError, match=r"largest possible is 26\d$|cannot make a vocabulary"):
        train_tokenizers(lines, lines, Vocabulary(size=300))


def test_a_long_line_is_trained_on_and_encoded() -> None:
    line = " ".join(random.Random(4).choices(WORDS["de"], k=5000))
    tokenizer = train_tokenizers([line], [line], Vocabulary(size=320)).source
    assert tokenizer.decode(tokenizer.encode(line)) == line
    assert len(tokenizer.encode(line)) < 20000


def test_a_run_directory_gives_back_its_vocabularies(tokenizers: Tokenizers, tmp_path: Path) -> None:
    config = Vocabulary(joint=tokenizers.joint, normalize="nfc" if tokenizers.source.normalizes else "none")
    assert load_tokenizers(tmp_path, config) is None
    tokenizers.save(tmp_path)
    files = ["tokenizer.model"] if tokenizers.joint else ["tokenizer.source.model", "tokenizer.target.model"]
    assert sorted(file.name for file in tmp_path.iterdir()) == files
    back = load_tokenizers(tmp_path, config)
    assert back is not None
    assert back.joint is tokenizers.joint
    assert [side.identity for side in back] == [side.identity for side in tokenizers]
    assert back.target.encode("the dog sleeps") == tokenizers.target.encode("the dog sleeps")
    (tmp_path / files[-1]).unlink()
    assert load_tokenizers(tmp_path, config) is None


@pytest.mark.parametrize("keep", [0, 1, 1000, -1])
def test_a_damaged_vocabulary_is_named(tokenizer: Tokenizer, tmp_path: Path, keep: int) -> None:
    Tokenizers(tokenizer, Tokenizer(tokenizer.model, normalizes=True)).save(tmp_path)
    damaged = tmp_path / "tokenizer.target.model"
    damaged.write_bytes(tokenizer.model[:keep])
    with pytest.raises(UserError, match=r"tokenizer\.target\.model is not a SentencePiece model; restore it"):
        load_tokenizers(tmp_path, Vocabulary(joint=False))
