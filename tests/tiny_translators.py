"""Translators with a real vocabulary and an untrained model, in float64 where numbers are compared."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_models import config as tiny
from tiny_models import one_thread as one_thread
from tiny_models import redraw

from mt.config import Config, Search, Vocabulary
from mt.config.files import to_yaml
from mt.core.files import write_text
from mt.core.special import EOS
from mt.inference.translator import Translation, Translator
from mt.models.rnn.model import RNN
from mt.runs import checkpoint
from mt.text.tokenizer import BLANK, Tokenizers, train_tokenizers

GERMAN = [
    "Der graue Kater schläft unter dem Tisch.",
    "Unsere Nachbarin malt einen roten Zaun, und der Kater sieht zu.",
    "Ein Junge wirft den Ball über den Zaun.",
    "Der Ofen ist kalt.",
    "Kalt ist der Tee auch!",
    "Wem gehört der Ball unter dem roten Tisch, und warum ist er kalt?",
]
ENGLISH = [
    "The grey cat sleeps under the table.",
    "Our neighbour paints a red fence, and the cat looks on.",
    "A boy throws the ball over the fence.",
    "The stove is cold.",
    "Cold is the tea, too!",
    "Whose is the ball under the red table, and why is it cold?",
]
LINES = [*GERMAN, "", "Ball", *reversed(ENGLISH), "  \t ", "Tee Tee Tee Tee Tee Tee Tee Tee Tee Tee Tee Tee"]
WITH_TEXT = [line for line in LINES if line.strip()]


def vocabularies(joint: bool = True) -> Tokenizers:
    return train_tokenizers(GERMAN, ENGLISH, Vocabulary(size=350 if joint else 320, joint=joint))


def settings(score: str = "additive", wiring: str = "bahdanau", cell: str = "gru", **search: float) -> Config:
    """Wider than tiny, so that outputs differ."""
    widths = {"embedding": 16, "hidden": 12, "encoder_hidden": 8}
    return Config.model_validate(
        {
            "corpus": {"name": "toy"},
            "vocabulary": {"size": 350},
            "model": tiny(cell, wiring, score=score).model_dump() | widths,
            "search": {"beam": 4, "batch": 5, "max_extra": 3, "max_ratio": 0.5, "length_penalty": 1.5} | search,
        }
    )


def translator(config: Config, only: Callable[[str], bool] = lambda piece: True, ending: float = 1.0) -> Translator:
    """Random weights; no output but pieces whose name is `only`; `ending` makes </s> likelier."""
    tokenizers = vocabularies()
    model = checkpoint.build(config, tokenizers)
    assert isinstance(model, RNN)
    redraw(model, seed=11, scale=0.9)
    bias = model.output.bias.detach()
    for piece in range(EOS + 1, len(tokenizers.target)):
        bias[piece] -= 0 if only(tokenizers.target.name(piece)) else 99
    bias[EOS] += ending
    return Translator(model.eval(), tokenizers, config)


def searching(made: Translator, **changes: float) -> Search:
    return made.settings.model_copy(update=changes)


def is_word(piece: str) -> bool:
    """Pieces that start a word: any sequence of them is what the tokenizer makes of its text."""
    return piece.startswith(BLANK) and piece != BLANK


def assert_same(one: Translation, other: Translation, within: float = 1e-10) -> None:
    assert one.text == other.text
    assert one.score == pytest.approx(other.score, abs=within)
    assert (one.alignment is None) == (other.alignment is None)
    if one.alignment and other.alignment:
        assert one.alignment.links == other.alignment.links
        assert one.alignment.target_pieces == other.alignment.target_pieces
        np.testing.assert_allclose(one.alignment.attention, other.alignment.attention, rtol=0, atol=within)
        np.testing.assert_allclose(one.alignment.words, other.alignment.words, rtol=0, atol=within)


def write_run(run: Path, joint: bool = True, score: str = "additive") -> Translator:
    config = settings(score).model_copy(update={"vocabulary": Vocabulary(size=350 if joint else 320, joint=joint)})
    tokenizers = vocabularies(joint)
    model = checkpoint.build(config, tokenizers)
    redraw(model, seed=11)
    model.float()
    write_text(run / "config.yaml", to_yaml(config))
    tokenizers.save(run)
    checkpoint.save(run / "model.safetensors", checkpoint.weights(model), {"update": 7})
    return Translator(model.eval(), tokenizers, config)
