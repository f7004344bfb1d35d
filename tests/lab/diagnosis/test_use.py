"""What replaces weights, and the figures of use, against plain Python on examples worked on paper."""

import math

import numpy as np
import pytest
import torch
from tiny_models import EVERY, SOURCES, batch, model
from tiny_vocabularies import sentences
from torch import Tensor

from mt.config import Vocabulary
from mt.core.special import BOS, EOS, PAD
from mt.inference.scorer import Scored, mean_loss
from mt.lab.diagnosis.delayed import Delayed
from mt.lab.diagnosis.replaced import REPLACEMENTS, only_largest, permuted, uniform, without_largest
from mt.lab.diagnosis.use import changed_words, is_function, loss_of_kind
from mt.lab.diagnosis.words import count, edits, frequency_of, owners, words_of
from mt.models.contract import Look, reorder
from mt.text.tokenizer import train_tokenizers

MASK = torch.tensor([[True, True, True], [True, True, False]])


def weights() -> Tensor:
    """Of two sentences of three and of two pieces, one head, one step."""
    return torch.tensor([[[[0.5, 0.3, 0.2]]], [[[1.0, 0.0, 0.0]]]])


def test_replacements_on_paper() -> None:
    third = 1 / 3
    torch.testing.assert_close(uniform(weights(), MASK, 1)[:, 0, 0], torch.tensor([[third] * 3, [0.5, 0.5, 0]]))
    torch.testing.assert_close(without_largest(weights(), MASK, 1)[:, 0, 0], torch.tensor([[0, 0.6, 0.4], [0, 1.0, 0]]))
    torch.testing.assert_close(only_largest(weights(), MASK, 1)[:, 0, 0], torch.tensor([[1.0, 0, 0], [1.0, 0, 0]]))
    moved = permuted(weights(), MASK, 1)[:, 0, 0].tolist()
    assert moved[0] in [pytest.approx([0.3, 0.2, 0.5]), pytest.approx([0.2, 0.5, 0.3])], "every piece has moved"
    assert moved[1] == [0, 1, 0]


def test_rows_that_do_not_sum_to_one_keep_their_sum() -> None:
    half = weights() / 2
    for replace in (without_largest, only_largest, permuted):
        torch.testing.assert_close(replace(half, MASK, 1).sum(-1), half.sum(-1))


@pytest.mark.parametrize("name", REPLACEMENTS)
def test_padding_gets_no_weight_and_changes_nothing(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.rand(2, 2, 3, 5, generator=generator)
    mask = torch.tensor([[True] * 5, [True, True, True, False, False]])
    given = rows.masked_fill(~mask[:, None, None], -torch.inf).softmax(-1)
    replaced = REPLACEMENTS[name](given, mask, 1)
    alone = REPLACEMENTS[name](given[1:, ..., :3], mask[1:, :3], 1)
    assert not replaced[1, ..., 3:].any()
    torch.testing.assert_close(replaced[1:, ..., :3], alone)
    torch.testing.assert_close(replaced.sum(-1), torch.ones(2, 2, 3))


RNN, TRANSFORMER = (
    next(name for name in EVERY if name.startswith(kind)) for kind in ("additive-global", "transformer-2-2")
)


Weights = dict[int, Tensor]


def plain_delayed(name: str, source: list[int], target: list[int]) -> tuple[Tensor, list[dict[int, Tensor]]]:
    """Step through one sentence alone, keeping each layer's own weights in a list of plain Python."""
    made = model(EVERY[name])
    source_BS, mask_BS = batch([source])
    memory, state = made.encode(source_BS, mask_BS)
    history: list[dict[int, Tensor]] = []
    logits = []
    for piece in [BOS, *target[:-1]]:
        before = history[-1] if history else None
        here: Weights = {}

        def late(
            own: Tensor, mask: Tensor, layer: int, before: Weights | None = before, here: Weights = here
        ) -> Tensor:
            here[layer] = own.clone()
            return own if before is None else before[layer]

        output, state = made.step(torch.tensor([[piece]]), state, memory, Look("all", late))
        history.append(here)
        logits.append(output.logits[0, 0])
    return torch.stack(logits), history


@pytest.mark.parametrize("name", [RNN, TRANSFORMER])
@torch.inference_mode()
def test_delayed_attention_against_one_sentence_at_a_time(name: str) -> None:
    targets = [[4, 5, 6, EOS], [7, 8, EOS], [5, EOS]]
    late = Delayed(model(EVERY[name])).eval()
    source_BS, mask_BS = batch(SOURCES)
    before_BT = torch.tensor([[BOS, *target[:-1], *[PAD] * (4 - len(target))] for target in targets])
    output = late(source_BS, mask_BS, before_BT, Look("all"))
    assert output.attention is not None
    for row, (source, target) in enumerate(zip(SOURCES, targets, strict=True)):
        logits, history = plain_delayed(name, source, target)
        torch.testing.assert_close(output.logits[row, : len(target)], logits)
        for step in range(1, len(target)):
            for layer, own in history[step - 1].items():
                used = output.attention[row, layer - 1, :, step, : len(source)]
                torch.testing.assert_close(used, own[0, :, 0])


@torch.inference_mode()
def test_delayed_weights_follow_their_hypothesis() -> None:
    late = Delayed(model(EVERY[RNN])).eval()
    source_BS, mask_BS = batch(SOURCES)
    memory, state = late.encode(source_BS, mask_BS)
    state = reorder(state, torch.zeros(3, 2, dtype=torch.long))
    _, state = late.step(torch.tensor([[4, 5]] * 3), state, memory)
    straight, _ = late.step(torch.tensor([[6, 7]] * 3), state, memory, Look("all"))
    swapped = reorder(state, torch.tensor([[1, 0]] * 3))
    crossed, _ = late.step(torch.tensor([[7, 6]] * 3), swapped, memory, Look("all"))
    torch.testing.assert_close(crossed.logits, straight.logits.flip(1))


def read(log_probabilities: list[float]) -> Scored:
    numbers = np.array(log_probabilities, np.float32)
    whole = np.arange(len(numbers))
    return Scored([EOS], whole.tolist(), numbers, numbers, whole, None, numbers)


def test_figures_on_paper() -> None:
    assert edits(["a", "b", "c"], ["a", "x", "c", "d"]) == 2
    assert edits([], ["a"]) == 1
    assert changed_words(["a b c", "d"], ["a x c", "d e"]) == pytest.approx(100 * 2 / 4)
    assert changed_words(["我喜欢猫"], ["我喜欢狗"]) == pytest.approx(100 / 4)
    both = [read([-1, -2]), read([-6])]
    assert mean_loss(both) == pytest.approx(3)
    kinds = np.array([0, 1, 0])
    assert loss_of_kind(both, kinds, 0) == pytest.approx(3.5)
    assert loss_of_kind(both, kinds, 1) == pytest.approx(2)
    assert math.isnan(loss_of_kind(both, kinds, 7))


def test_words_on_paper() -> None:
    assert words_of("„Hund,“ --") == ["hund"]
    assert words_of("Der Hund, der bellt!") == ["der", "hund", "der", "bellt"]
    counts = count(["Der Hund, der bellt!", "der Kater"])
    assert counts["der"] == 3
    assert [frequency_of(word, counts) for word in ("der", "kater", "ofen")] == [
        *("3 to 10 times", "1 to 2 times", "never")
    ]
    assert [frequency_of("x", {"x": times}).split()[0] for times in (2, 3, 10, 11, 100, 101)] == [
        *("1", "3", "3", "11", "11", "more")
    ]
    assert owners([(0, 2), (2, 5), (5, 6), (6, 9)], [(0, 3), (6, 9)]) == [0, 0, None, 1]
    assert owners([(0, 1)], []) == [None]


def test_kinds_of_pieces() -> None:
    tokenizer = train_tokenizers(sentences("de"), sentences("en"), Vocabulary(size=330)).target
    text = "the dog runs ."
    pieces = [*tokenizer.encode(text), EOS]
    told = is_function(tokenizer, pieces, text, frozenset({"the"}))
    place = 0
    expected: list[bool | None] = []
    for piece in pieces[:-1]:
        place += len(tokenizer.name(piece).replace("\u2581", " ")) - (not expected)
        begun = len(text[:place].split())
        word = text.split()[begun - 1] if tokenizer.name(piece) != "\u2581" else "."
        expected.append(None if word == "." else word == "the")
    assert told == [*expected, None]
    assert {True, False, None} == set(told)
    typed = "the\u0301 dog"  # words are counted as models read them: in NFC
    assert True in is_function(tokenizer, [*tokenizer.encode(typed), EOS], typed, frozenset({"th\u00e9"}))
