"""The contract of mt/models/base.py, for every combination of cell, wiring, score and depth."""

import itertools
import math
import typing

import pytest
import torch
from tiny_models import EVERY, SOURCES, batch, config, model
from tiny_models import one_thread as one_thread
from torch import Tensor
from torch.nn import functional

from mt import models
from mt.config import Model
from mt.models.base import Output, Seq2Seq, State, reorder
from mt.search import Hypothesis, beam, greedy
from mt.special import BOS, EOS, PAD

TARGET_IN = torch.tensor([[BOS, 7, 4, 4], [BOS, 5, 8, 6], [BOS, 6, PAD, PAD]])
every = pytest.mark.parametrize("made_of", EVERY.values(), ids=EVERY.keys())
several = pytest.mark.parametrize("made_of", list(EVERY.values())[::9], ids=list(EVERY)[::9])  # each of every axis


def close(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def stepping(made: Seq2Seq, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor) -> Output:
    """The slow twin of forward."""
    memory, state = made.encode(source_BS, mask_BS)
    outputs = []
    for previous_B in target_in_BT.unbind(1):
        output, state = made.step(previous_B[:, None], state, memory)
        outputs.append(output)
    rows = [output.attention for output in outputs if output.attention is not None]
    return Output(torch.cat([output.logits for output in outputs], 1), torch.cat(rows, 1) if rows else None)


def test_every_combination_is_here_and_none_is_another() -> None:
    assert len(EVERY) == len({made_of.model_dump_json() for made_of in EVERY.values()}) == 2 * 4 * 5 * 2
    assert models.MODELS.keys() == set(typing.get_args(Model.model_fields["kind"].annotation))


@every
@torch.inference_mode()
def test_forward_is_stepping(made_of: Model) -> None:
    made, (source_BS, mask_BS) = model(made_of), batch(SOURCES)
    fast = made(source_BS, mask_BS, TARGET_IN, attention=True)
    slow = stepping(made, source_BS, mask_BS, TARGET_IN)
    assert fast.logits.shape == (3, 4, 9)
    close(fast.logits, slow.logits)
    assert fast.logits.std(1).min() > 1e-6
    quiet = made(source_BS, mask_BS, TARGET_IN)
    assert quiet.attention is None
    assert torch.equal(quiet.logits, fast.logits)
    if made_of.attention.score == "none":
        assert fast.attention is None
        assert slow.attention is None
    else:
        assert fast.attention is not None
        assert fast.attention.shape == (3, 4, 5)
        close(fast.attention, slow.attention)
        close(fast.attention.sum(-1), torch.ones(3, 4).double())
        assert (fast.attention[~mask_BS[:, None].expand(3, 4, 5)] == 0).all()
        assert fast.attention[0].std(0).min() > 1e-9


@every
@torch.inference_mode()
def test_padding_changes_nothing(made_of: Model) -> None:
    made, (source_BS, mask_BS) = model(made_of), batch([[*source, PAD][:-1] for source in SOURCES])
    wider_BS = functional.pad(source_BS, (0, 2), value=PAD)
    padded, (memory, state) = (
        made(wider_BS, wider_BS != PAD, TARGET_IN, attention=True),
        made.encode(source_BS, mask_BS),
    )
    for row, source in enumerate(SOURCES):
        pieces = len(source)
        alone = made(*batch([source]), TARGET_IN[row : row + 1], attention=True)
        close(padded.logits[row], alone.logits[0])
        if padded.attention is not None:
            assert alone.attention is not None
            close(padded.attention[row, :, :pieces], alone.attention[0])
        memory_alone, state_alone = made.encode(*batch([source]))
        for name, tensor in state_alone.items():
            assert tensor.shape[:2] == (1, 1)
            close(state[name][row], tensor[0])
        for name, tensor in memory_alone.items():
            close(memory[name][row, : tensor.shape[1]], tensor[0])


@every
def test_gradients_reach_every_number(made_of: Model) -> None:
    made, source = model(made_of, joint=False, scale=0.4), torch.tensor([[4, 5, 6], [7, 8, EOS]])
    target_in = torch.tensor([[BOS, 4, 5, 6], [BOS, 7, 8, EOS]])
    logits_BTV = made(source, source != PAD, target_in).logits
    functional.cross_entropy(logits_BTV.flatten(0, 1), target_in.roll(-1, 1).flatten()).backward()
    for name, parameter in made.named_parameters():
        assert parameter.grad is not None, name
        rows = sorted(set(source.flatten().tolist())) if name == "source_embedding.weight" else slice(None)
        assert (parameter.grad[rows] != 0).all(), name


@every
@torch.inference_mode()
def test_hypotheses_share_memory_and_follow_their_parents(made_of: Model) -> None:
    """A beam of three with random parents and pieces: each hypothesis is at every step what its own prefix gives."""
    made, (source_BS, mask_BS) = model(made_of), batch(SOURCES)
    draw = torch.Generator().manual_seed(5)
    memory, state = made.encode(source_BS, mask_BS)
    kept_memory = {name: tensor.clone() for name, tensor in memory.items()}
    previous_BK = torch.full((3, 1), BOS)
    prefixes = [[[BOS]] for _ in SOURCES]
    for _ in range(4):
        kept = {name: tensor.clone() for name, tensor in state.items()}
        output, after = made.step(previous_BK, state, memory)
        assert state.keys() == kept.keys() == after.keys()
        assert all(torch.equal(state[name], kept[name]) for name in kept)
        assert all(torch.equal(memory[name], kept_memory[name]) for name in kept_memory)
        for b, k in ((b, k) for b in range(3) for k in range(previous_BK.shape[1])):
            alone = made(*batch([SOURCES[b]]), torch.tensor([prefixes[b][k]]), attention=True)
            close(output.logits[b, k], alone.logits[0, -1])
            if output.attention is not None:
                assert alone.attention is not None
                close(output.attention[b, k, : len(SOURCES[b])], alone.attention[0, -1])
        parents_BK = torch.randint(0, previous_BK.shape[1], (3, 3), generator=draw)
        previous_BK = torch.randint(EOS + 1, 9, (3, 3), generator=draw)
        state = reorder(after, parents_BK)
        prefixes = [
            [[*prefixes[b][parents_BK[b, k]], int(previous_BK[b, k])] for k in range(3)] for b in range(len(SOURCES))
        ]


@pytest.mark.parametrize("wide", [1, 3, 5])
def test_reorder_is_the_naive_loop(wide: int) -> None:
    draw = torch.Generator().manual_seed(wide)
    state: State = {"flat": torch.randn(4, 3, 2, generator=draw), "deep": torch.randn(4, 3, 2, 5, generator=draw)}
    kept = {name: tensor.clone() for name, tensor in state.items()}
    parents_BK = torch.randint(0, 3, (4, wide), generator=draw)
    after = reorder(state, parents_BK)
    assert after.keys() == state.keys()
    for name in state:
        assert after[name].shape == (4, wide, *state[name].shape[2:])
        assert torch.equal(state[name], kept[name])
        for b in range(4):
            for k in range(wide):
                assert torch.equal(after[name][b, k], kept[name][b, parents_BK[b, k]])


@several
def test_thirty_updates_lower_the_loss(made_of: Model) -> None:
    torch.manual_seed(3)
    made = models.build(made_of, 9, 9, joint=True)
    source_BS, mask_BS = batch([[4, 5, EOS], [6, EOS]])
    target_in, target_out = torch.tensor([[BOS, 7, 8], [BOS, 8, 4]]), torch.tensor([[7, 8, EOS], [8, 4, EOS]])
    adam = torch.optim.Adam(made.parameters(), lr=0.03, foreach=True)
    losses = []
    for _ in range(30):
        logits_BTV = made(source_BS, mask_BS, target_in).logits
        loss = functional.cross_entropy(logits_BTV.flatten(0, 1), target_out.flatten())
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert losses[0] > 1.5
    assert losses[-1] < 0.5 * losses[0]


def test_another_source_another_prediction() -> None:
    for made_of in (config(), config(score="none"), config(wiring="luong"), config(wiring="luong", score="none")):
        made = model(made_of)
        first, second = (made(*batch([source]), TARGET_IN[:1]).logits for source in ([4, 5, EOS], [5, 4, EOS]))
        assert (first - second).abs().max() > 1e-3


# Search on real models ------------------------------------------------------------------------------------------------


def forced(made: Seq2Seq, source: list[int], tokens: list[int]) -> tuple[float, Tensor | None]:
    """Forced decoding by forward: the log probability of the output with its </s>, and the attention."""
    output = made(*batch([source]), torch.tensor([[BOS, *tokens]]), attention=True)
    log_probability = 0.0
    for logits, piece in zip(output.logits[0].tolist(), [*tokens, EOS], strict=True):
        log_probability += logits[piece] - math.log(math.fsum(map(math.exp, logits)))
    return log_probability, None if output.attention is None else output.attention[0]


def assert_forced(made: Seq2Seq, source: list[int], found: Hypothesis) -> None:
    log_probability, attention = forced(made, source, found.tokens)
    assert found.log_probability == pytest.approx(log_probability, abs=1e-11)
    if attention is None:
        assert found.attention is None
    else:
        assert found.attention is not None
        close(found.attention, attention)


@several
@pytest.mark.parametrize("alpha", [0.0, 1.0])
@torch.inference_mode()
def test_beam_of_full_width_is_brute_force_over_forward(made_of: Model, alpha: float) -> None:
    made, sources, limits = model(made_of, vocabulary=6), [[4, 5, EOS], [5, 5, 4, 4, EOS], [EOS]], [4, 4, 3]
    found = beam(made, *batch(sources), torch.tensor(limits), 15, alpha, 15)
    for source, limit, hypotheses in zip(sources, limits, found, strict=True):
        outputs = [list(o) for length in range(limit) for o in itertools.product((4, 5), repeat=length)]
        scores = [forced(made, source, o)[0] / ((5 + len(o) + 1) / 6) ** alpha for o in outputs]
        assert len(hypotheses) == len(outputs) == 2**limit - 1
        best_first = sorted(zip(scores, outputs, strict=True), reverse=True)
        assert [h.tokens for h in hypotheses] == [output for _, output in best_first]
        assert [h.score for h in hypotheses] == pytest.approx([score for score, _ in best_first], abs=1e-11)
        for hypothesis in hypotheses:
            assert_forced(made, source, hypothesis)


@several
@pytest.mark.parametrize("width", [0, 3])
@torch.inference_mode()
def test_batched_search_is_one_by_one_and_forced_decoding(made_of: Model, width: int) -> None:
    made, sources = model(made_of, vocabulary=30), [[9, 4, EOS], [8, 7, 6, 5, 4, 9, EOS], [EOS], [*SOURCES[0], 5, EOS]]

    def search(rows: list[int]) -> list[Hypothesis]:
        some = *batch([sources[row] for row in rows]), torch.tensor([3 * len(sources[row]) for row in rows])
        return [found[0] for found in beam(made, *some, width, 1.0)] if width else greedy(made, *some)

    for row, found in enumerate(search([0, 1, 2, 3])):
        (alone,) = search([row])
        assert found.tokens == alone.tokens
        assert found.score == pytest.approx(alone.score, abs=1e-12)
        assert_forced(made, sources[row], found)
