"""Vocabularies of a few invented words, and the sentences they are made of."""

import itertools
import random

import pytest

from mt.config import Vocabulary
from mt.text.tokenizer import Tokenizer, Tokenizers, train_tokenizers

WORDS = {
    "de": ["der", "Hund", "läuft", "Straße", "größer", "über", "Äpfel", "schläft", "nicht", "Katze", "und", "schnell"],
    "en": ["the", "dog", "runs", "street", "bigger", "over", "apples", "sleeps", "not", "cat", "and", "naïvely"],
}


def sentences(language: str, count: int = 200) -> list[str]:
    """Return sentences of words and compounds of a language."""
    chosen = random.Random(language)
    return [
        " ".join("".join(chosen.choices(WORDS[language], k=chosen.choice([1, 1, 2]))) for _ in range(8)) + "."
        for _ in range(count)
    ]


@pytest.fixture(
    scope="module",
    params=itertools.product(("bpe", "unigram"), (True, False), ("nfc", "none")),
    ids=lambda param: f"{param[0]}-{'joint' if param[1] else 'separate'}-{param[2]}",
)
def tokenizers(request: pytest.FixtureRequest) -> Tokenizers:
    kind, joint, normalize = request.param
    config = Vocabulary(kind=kind, joint=joint, size=310, normalize=normalize)
    return train_tokenizers(sentences("de"), sentences("en"), config)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_tokenizers(sentences("de"), sentences("en"), Vocabulary(size=330)).source
