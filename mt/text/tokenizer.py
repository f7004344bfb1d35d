"""SentencePiece vocabularies: train, encode, decode, and where each piece stands in its sentence.

SentencePiece takes text as it is (identity normalisation, bytes for characters never seen), so decode(encode(text)) is
text for every Unicode text, or normalise(text) where the vocabulary has text normalised: that is done here, so that
nobody can forget it. The blank that SentencePiece puts before a sentence is put and taken here, too.
"""

import io
import itertools
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import sentencepiece

from mt.config import Vocabulary
from mt.core.errors import UserError
from mt.core.files import replacing
from mt.core.manifest import read_whole
from mt.core.special import BOS, EOS, PAD, UNK
from mt.text.normal import Span, normalise, spans_in

BLANK = "▁"  # how SentencePiece writes a blank; a ▁ of the text itself goes through its three bytes


class Tokenizer:
    """One SentencePiece vocabulary; where it `normalizes`, it reads all text in its normal form (normal.py)."""

    def __init__(self, model: bytes, normalizes: bool):
        self.model, self.normalizes = model, normalizes
        self._processor = sentencepiece.SentencePieceProcessor()
        self._processor.load_from_serialized_proto(model)  # unlike the constructor, it refuses an empty file
        self._blank_bytes = [self._processor.piece_to_id(f"<0x{byte:02X}>") for byte in BLANK.encode()]
        self._tags = set(itertools.takewhile(self._processor.is_control, range(EOS + 1, len(self))))
        self._bytes = {self._processor.piece_to_id(f"<0x{byte:02X}>"): bytes([byte]) for byte in range(256)}

    def __len__(self) -> int:
        return int(self._processor.get_piece_size())

    @property
    def identity(self) -> bytes:
        """What is the same of two vocabularies that cut all text into the same pieces."""
        return self.model + b"nfc" * self.normalizes

    def has_tag(self, name: str) -> bool:
        """Tell whether the vocabulary has a piece that is this tag."""
        return self._processor.piece_to_id(name) in self._tags

    def tag(self, name: str) -> list[int]:
        """Return the piece that is a tag, in a list; none where there is no name. Raises KeyError where it is none."""
        if not name:
            return []
        if not self.has_tag(name):
            raise KeyError(f"{name} is no tag of this vocabulary")
        return [self._processor.piece_to_id(name)]

    def encode(self, text: str) -> list[int]:
        """Return the pieces of `text`, without <s> and </s>; none for an empty text. None of them is a tag."""
        if self.normalizes:
            text = normalise(text)
        if not text:
            return []
        first, *rest = f" {text}".split(BLANK)
        pieces: list[int] = self._processor.encode(first)
        for part in rest:
            pieces += self._blank_bytes + self._processor.encode(part)
        return pieces

    def decode(self, pieces: Sequence[int]) -> str:
        """Return the text of `pieces`. Bytes that are not UTF-8 (a model can emit them) become U+FFFD, one each."""
        text = b"".join(map(self._surface, pieces)).decode("utf-8", "surrogateescape")
        return re.sub("[\udc80-\udcff]", "\ufffd", text).removeprefix(" ")

    def spans(self, pieces: Sequence[int], text: str | None = None) -> list[tuple[str, Span]]:
        """Return each piece's name and its half-open character span in decode(pieces).

        With the `text` that these pieces, or with more behind them, are those of: its span in there, as it was typed.
        A piece that is part of a character (a byte) spans the whole of it; one without text (</s>) spans nothing.
        """
        surfaces = [self._surface(piece) for piece in pieces]
        decoded = b"".join(surfaces).decode("utf-8", "surrogateescape")
        blank = decoded.startswith(" ")  # which decode drops
        owners = [
            number - blank
            for number, character in enumerate(decoded)
            for _ in character.encode("utf-8", "surrogateescape")
        ]
        spans, byte, end = list[tuple[str, Span]](), 0, 0
        for piece, surface in zip(pieces, surfaces, strict=True):
            characters = owners[byte : byte + len(surface)]
            byte += len(surface)
            start, end = (max(characters[0], 0), characters[-1] + 1) if characters else (end, end)
            spans.append((self.name(piece), (start, end)))
        if text is None or not self.normalizes or normalise(text) == text:
            return spans
        return _typed(spans, spans_in(text))

    def name(self, piece: int) -> str:
        """Return how SentencePiece writes a piece: "▁Hund", "<0xF0>", "</s>"."""
        return str(self._processor.id_to_piece(piece))

    def surface(self, piece: int) -> str:
        """Return the text of a piece, with a blank where a word begins; part of a character is a lone surrogate."""
        return self._surface(piece).decode("utf-8", "surrogateescape")

    def is_byte(self, piece: int) -> bool:
        """Tell whether a piece is a byte of a character that the vocabulary does not have: <0xF0>."""
        return piece in self._bytes

    def _surface(self, piece: int) -> bytes:
        if piece <= EOS or piece in self._tags:
            return b""
        return self._bytes.get(piece) or self.name(piece).replace(BLANK, " ").encode()


def _typed(spans: list[tuple[str, Span]], typed: Sequence[Span]) -> list[tuple[str, Span]]:
    """Return spans in a normalised text as spans in what was typed, given those of each of its characters.

    Where the pieces end within a character, its bytes count as characters, maybe more than there are.
    """
    starts = [start for start, _ in typed] + [typed[-1][1] if typed else 0]
    most, found = len(typed), list[tuple[str, Span]]()
    for name, (start, end) in spans:
        first = starts[min(start, most)]
        found.append((name, (first, typed[min(end, most) - 1][1] if start < min(end, most) else first)))
    return found


class Tokenizers(NamedTuple):
    """The vocabularies of an experiment: the same object twice when it is joint."""

    source: Tokenizer
    target: Tokenizer

    @property
    def joint(self) -> bool:
        """Whether both languages share one vocabulary."""
        return self.source is self.target

    def save(self, run: Path) -> None:
        """Write tokenizer.model, or tokenizer.source.model and tokenizer.target.model, into a run directory."""
        files = (
            {"tokenizer": self.source}
            if self.joint
            else {"tokenizer.source": self.source, "tokenizer.target": self.target}
        )
        for name, tokenizer in files.items():
            with replacing(run / f"{name}.model") as temporary:
                temporary.write_bytes(tokenizer.model)


def load_tokenizers(run: Path, config: Vocabulary) -> Tokenizers | None:
    """Return the vocabularies that a run directory holds, or None when one is missing."""
    names = ["tokenizer.model"] if config.joint else ["tokenizer.source.model", "tokenizer.target.model"]
    files = [run / name for name in names]
    if not all(file.exists() for file in files):
        return None
    tokenizers = [_read(file, config.normalize == "nfc") for file in files]
    return Tokenizers(tokenizers[0], tokenizers[-1])


def _read(file: Path, normalizes: bool) -> Tokenizer:
    try:
        return Tokenizer(read_whole(file, "restore it, or train again")[0], normalizes)
    except (OSError, RuntimeError, ValueError) as error:
        raise UserError(f"{file} is not a SentencePiece model; restore it or train again ({error})") from error


def train_tokenizers(
    sources: Sequence[str], targets: Sequence[str], config: Vocabulary, tags: Sequence[str] = ()
) -> Tokenizers:
    """Train the vocabularies on these sentences, which must be the training split and nothing else.

    The tags are pieces of the source vocabulary that no text has.
    BPE: Sennrich et al. 2016; unigram: Kudo 2018. Raises UserError when the text has fewer pieces than asked for, or
    more characters.
    """
    if config.joint:
        joint = _train(itertools.chain(sources, targets), config, "", tags)
        return Tokenizers(joint, joint)
    return Tokenizers(_train(sources, config, "source ", tags), _train(targets, config, "target "))


def _train(lines: Iterable[str], config: Vocabulary, side: str, tags: Sequence[str] = ()) -> Tokenizer:
    model, normalizes = io.BytesIO(), config.normalize == "nfc"
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=(f" {normalise(line) if normalizes else line}" for line in lines),
            model_writer=model,
            model_type=config.kind,
            vocab_size=config.size,
            character_coverage=1.0,
            byte_fallback=True,
            normalization_rule_name="identity",
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
            max_sentence_length=1 << 20,
            pad_id=PAD,
            unk_id=UNK,
            bos_id=BOS,
            eos_id=EOS,
            control_symbols=[*tags],
            num_threads=1,  # more would make the unigram model depend on the number
            minloglevel=2,
        )
    except RuntimeError as error:
        raise UserError(_wrong_size(str(error), config, side)) from error
    return Tokenizer(model.getvalue(), normalizes)


def _wrong_size(error: str, config: Vocabulary, side: str) -> str:
    """Say which sizes are possible; SentencePiece tells in its error."""
    asked = f"vocabulary.size is {config.size}, but the {side}training text"
    if most := re.search(r"<= (\d+)", error.rpartition("]")[2]):
        return f"{asked} does not yield so many pieces; the largest possible is {most[1]}"
    if least := re.search(r"smaller than required_chars. \d+ vs (\d+)", error):
        return f"{asked} has more characters than that; the smallest possible is {least[1]}"
    return f"SentencePiece cannot make a vocabulary of the {side}training text: {error}"
