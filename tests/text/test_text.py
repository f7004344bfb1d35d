"""SentencePiece: nothing of a text is lost but what is normalised, every piece knows its place in what was typed."""

import contextlib
import random
import re
import unicodedata
from collections.abc import Iterator

from tiny_vocabularies import WORDS, sentences
from tiny_vocabularies import tokenizer as tokenizer
from tiny_vocabularies import tokenizers as tokenizers

from mt.config import Vocabulary
from mt.core.special import BOS, EOS, PAD, UNK
from mt.text.normal import normalise, spans_in
from mt.text.tokenizer import Tokenizer, Tokenizers, train_tokenizers

SPECIAL_LOOKING = ["<s>", "</s>", "<unk>", "<pad>", "<0x41>", "<0xE2><0x96><0x81>", "▁<s>▁"]


def as_read(side: Tokenizer, line: str) -> str:
    return normalise(line) if side.normalizes else line


def hard_texts() -> Iterator[str]:
    """Yield texts that are easily damaged, then random ones of every plane of Unicode."""
    yield from ["", " ", "  ", " a", "a ", "  a  b  ", "\t", "a\tb", "\n", "a\r\nb", "\0", "a\0b", "▁", "▁▁", " ▁ ▁a▁"]
    yield from ["\u2028", "a\u2029b\u0085c", "\ufeffa", "\ufffd", "\u2047", " \u2047 ", "\u2585", "\xa0", "\u3000a"]
    yield from [
        "e\u0301 é",
        "\u0301",
        "👩‍👩‍👧‍👦 🇩🇪",
        "ﬁ ² Å Å",
        "שלום עולם",
        "日本語",
        "λόγος",
        "\U0010ffff",
        "\u200b\u200d\u00ad",
    ]
    yield from [
        *SPECIAL_LOOKING,
        " ".join(SPECIAL_LOOKING),
        "".join(SPECIAL_LOOKING),
        "der Hund läuft.",
        "größer " * 50,
    ]
    chosen = random.Random(2)
    ranges = [
        (0, 0x7F),
        (0x80, 0x24F),
        (0x300, 0x36F),
        (0x2000, 0x206F),
        (0x2580, 0x2585),
        (0, 0xD7FF),
        (0xE000, 0xFFFF),
        (0x1F300, 0x1FAFF),
        (0x10000, 0x10FFFF),
    ]
    familiar = [*WORDS["de"], " ", "  ", "▁", "\0", "\n", *SPECIAL_LOOKING]
    for _ in range(400):
        parts = (
            chosen.choice(familiar) if chosen.random() < 0.3 else chr(chosen.randint(*chosen.choice(ranges)))
            for _ in range(chosen.randint(1, 30))
        )
        yield "".join(parts)


def borders(data: bytes) -> list[tuple[int, int]]:
    """Return the bytes of each character: a whole one where there is one, else a single broken byte."""
    found: list[tuple[int, int]] = []
    while (at := found[-1][1] if found else 0) < len(data):
        size = 1
        for longer in range(1, 5):
            with contextlib.suppress(UnicodeDecodeError):
                if len(data[at : at + longer].decode()) == 1:
                    size = longer
        found.append((at, at + size))
    return found


def expected_spans(tokenizer: Tokenizer, pieces: list[int]) -> list[tuple[int, int]]:
    """The slow twin of spans, for pieces that have text, from their names alone."""
    surfaces = [
        bytes([int(name[3:5], 16)]) if re.fullmatch(r"<0x[0-9A-F]{2}>", name) else name.replace("▁", " ").encode()
        for name in map(tokenizer.name, pieces)
    ]
    data = b"".join(surfaces)
    blank, at, spans, characters = data.startswith(b" "), 0, [], borders(data)
    for surface in surfaces:
        start, end = at, at + len(surface)
        touched = [number for number, (first, last) in enumerate(characters) if first < end and start < last]
        spans.append((max(touched[0] - blank, 0), touched[-1] + 1 - blank))
        at = end
    return spans


def test_nothing_of_a_text_is_lost(tokenizers: Tokenizers) -> None:
    for side in set(tokenizers):
        for line in hard_texts():
            pieces = side.encode(line)
            assert side.decode(pieces) == as_read(side, line), repr(line)
            assert all(EOS < piece < len(side) for piece in pieces), f"special piece in {line!r}"


def test_pieces_stand_where_their_text_is(tokenizers: Tokenizers) -> None:
    for line in hard_texts():
        pieces = tokenizers.source.encode(line)
        found = tokenizers.source.spans(pieces)
        assert [span for _, span in found] == expected_spans(tokenizers.source, pieces), repr(line)
        assert [name for name, _ in found] == [tokenizers.source.name(piece) for piece in pieces]
        covered = {place for _, (start, end) in found for place in range(start, end)}
        read = as_read(tokenizers.source, line)
        assert covered == set(range(len(read))), repr(line)
        typed = spans_in(line) if tokenizers.source.normalizes else [(at, at + 1) for at in range(len(line))]
        for (_, (start, end)), (_, place) in zip(found, tokenizers.source.spans(pieces, line), strict=True):
            assert place == (typed[start][0], typed[end - 1][1]) if start < end else place[0] == place[1], repr(line)


def test_spans_of_a_sentence_by_hand(tokenizer: Tokenizer) -> None:
    spans = tokenizer.spans(tokenizer.encode("der Hund 🐕.\U00010348"))
    places = list(dict.fromkeys(place for _, place in spans))
    names = ["".join(name for name, place in spans if place == wanted) for wanted in places]
    assert places[-4:] == [(8, 9), (9, 10), (10, 11), (11, 12)]
    assert names[-4:] == ["▁", "<0xF0><0x9F><0x90><0x95>", ".", "<0xF0><0x90><0x8D><0x88>"]
    assert "".join(names[:-4]) == "▁der▁Hund"
    assert places[0][0] == 0
    assert places[-5][1] == 8


def test_all_ways_to_type_a_sentence_are_the_same_pieces_each_where_it_was_typed(tokenizer: Tokenizer) -> None:
    pieces = tokenizer.encode("größer über Straße")
    for typed in ("gro\u0308ßer u\u0308ber Straße", "\u200bgrößer\xa0über \u2003Stra\xadße\ufeff"):
        assert tokenizer.encode(typed) == pieces
        spans = tokenizer.spans(pieces, typed)
        assert [name for name, _ in spans] == [tokenizer.name(piece) for piece in pieces]
        assert "".join(typed[start:end] for start, end in dict.fromkeys(span for _, span in spans)) == typed
        assert tokenizer.spans(pieces[:3], typed) == spans[:3]
    pieces, typed = tokenizer.encode("ü日"), "u\u0308日"
    for count in range(len(pieces) + 1):  # as search.max_source cuts, within a character, too
        cut = tokenizer.spans(pieces[:count], typed)
        assert all(0 <= start <= end <= len(typed) for _, (start, end) in cut)
        assert all(span in {(0, 0), (0, 2), (2, 3), (3, 3)} for _, span in cut)
    assert tokenizer.encode("\u200b \xad") == []
    as_it_is = Tokenizer(tokenizer.model, normalizes=False)
    assert as_it_is.encode("u\u0308ber") != as_it_is.encode("über")
    assert as_it_is.identity != tokenizer.identity


def test_a_vocabulary_is_trained_on_what_is_normalised() -> None:
    typed = [unicodedata.normalize("NFD", line).replace(" ", "\xa0") for line in sentences("de")]
    made = [
        train_tokenizers(lines, lines, Vocabulary(size=310, normalize=how)).source.model
        for lines, how in ((sentences("de"), "nfc"), (typed, "nfc"), (typed, "none"))
    ]
    assert made[0] == made[1] != made[2]


def test_any_pieces_a_model_may_emit_have_text_and_spans(tokenizer: Tokenizer) -> None:
    chosen = random.Random(3)
    bytes_of = [piece for piece in range(len(tokenizer)) if tokenizer.name(piece).startswith("<0x")]
    assert len(bytes_of) == 256
    lead = [piece for piece in bytes_of if tokenizer.name(piece) in {"<0xE2>", "<0xF0>", "<0x96>", "<0x81>", "<0x9F>"}]
    broken = 0
    for _ in range(400):
        pieces = [chosen.choice(chosen.choice([bytes_of, lead, range(EOS + 1, len(tokenizer))])) for _ in range(12)]
        line = tokenizer.decode(pieces)
        broken += "\ufffd" in line
        spans = [span for _, span in tokenizer.spans(pieces)]
        assert spans == expected_spans(tokenizer, pieces)
        assert all(0 <= start <= end <= len(line) for start, end in spans)
    assert broken > 100


def test_bytes_that_are_no_character_become_replacement_characters(tokenizer: Tokenizer) -> None:
    first, second, third = tokenizer.encode("▁")[-3:]
    a = tokenizer.encode("xa")[-1]
    assert [tokenizer.name(piece) for piece in (first, second, third, a)] == ["<0xE2>", "<0x96>", "<0x81>", "a"]
    assert tokenizer.decode([first, second, third]) == "▁"
    assert tokenizer.decode([first, second, a]) == "\ufffd\ufffda"
    assert tokenizer.decode([a, third, first]) == "a\ufffd\ufffd"
    assert tokenizer.spans([first, second, a]) == [("<0xE2>", (0, 1)), ("<0x96>", (1, 2)), ("a", (2, 3))]
    assert tokenizer.spans([a, first, second, third]) == [
        ("a", (0, 1)),
        ("<0xE2>", (1, 2)),
        ("<0x96>", (1, 2)),
        ("<0x81>", (1, 2)),
    ]


def test_special_pieces_have_fixed_numbers_and_no_text(tokenizers: Tokenizers) -> None:
    assert (PAD, UNK, BOS, EOS) == (0, 1, 2, 3)
    for side in tokenizers:
        assert [side.name(piece) for piece in (PAD, UNK, BOS, EOS)] == ["<pad>", "<unk>", "<s>", "</s>"]
        pieces = side.encode("der Hund")
        surrounded = [BOS, UNK, *pieces, EOS, PAD]
        assert side.decode(surrounded) == "der Hund"
        assert side.spans(surrounded) == [
            ("<s>", (0, 0)),
            ("<unk>", (0, 0)),
            *side.spans(pieces),
            ("</s>", (8, 8)),
            ("<pad>", (8, 8)),
        ]


def test_training_text_that_looks_special_is_text() -> None:
    lines = [f"{word} der {word}" for word in SPECIAL_LOOKING] * 20 + sentences("de")
    for kind in ("bpe", "unigram"):
        tokenizer = train_tokenizers(lines, lines, Vocabulary.model_validate({"kind": kind, "size": 310})).source
        assert [tokenizer.name(piece) for piece in range(4)] == ["<pad>", "<unk>", "<s>", "</s>"]
        for line in lines[: len(SPECIAL_LOOKING)]:
            assert tokenizer.decode(tokenizer.encode(line)) == line
            assert min(tokenizer.encode(line)) > EOS
