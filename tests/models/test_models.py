"""The contract of mt/models/contract.py, for every member of the family and the Transformer."""

import contextlib
import itertools
import typing

import pytest
import torch
from pydantic import ValidationError
from tiny_models import (
    EVERY,
    HALF_WIDTH,
    RARE,
    RNNS,
    SCORES,
    SOURCES,
    TRANSFORMERS,
    WINDOWS,
    batch,
    close,
    config,
    model,
    of_the_family,
    transformer,
)
from tiny_models import one_thread as one_thread
from torch import Tensor
from torch.nn import functional

from mt import models
from mt.config.models import Model, RNNModel, TransformerModel
from mt.core.special import BOS, EOS, PAD
from mt.models import build_model
from mt.models.contract import Look, Output, Seq2Seq, Site, State, default_site, reorder
from mt.models.rnn.wirings import WIRINGS

TARGET_IN = torch.tensor([[BOS, 7, 4, 4, 6, 8], [BOS, 5, 8, 6, 6, PAD], [BOS, 6, PAD, PAD, PAD, PAD]])
every = pytest.mark.parametrize("made_of", EVERY.values(), ids=EVERY.keys())


ALL = Look("all")


def stepping(made: Seq2Seq, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, look: Look = ALL) -> Output:
    """The slow twin of forward."""
    memory, state = made.encode(source_BS, mask_BS)
    outputs = []
    for previous_B in target_in_BT.unbind(1):
        output, state = made.step(previous_B[:, None], state, memory, look)
        outputs.append(output)
    rows = [output.attention for output in outputs if output.attention is not None]
    return Output(torch.cat([output.logits for output in outputs], 1), torch.cat(rows, -2) if rows else None)


AXES = ("score", "window", "wiring", "flag", "heads", "coverage", "cell", "layers", "head", "longest")


def choices(made_of: RNNModel) -> tuple[object, ...]:
    a = made_of.attention
    choice = (a.score, a.window, a.wiring, a.feeding, a.heads, a.coverage, made_of.cell, made_of.layers)
    return *choice, made_of.report.head, a.longest


def test_every_combination_that_the_configuration_allows_is_here() -> None:
    allowed = set()
    for choice in itertools.product((*SCORES, "none"), WINDOWS, WIRINGS, (True, False), (1, 2), (True, False)):
        with contextlib.suppress(ValidationError):
            allowed.add(choices(of_the_family(*choice))[:6])
    assert {choices(made_of)[:6] for made_of in RNNS.values()} == allowed
    assert len(EVERY) == len({made_of.model_dump_json() for made_of in EVERY.values()}) == 6 * 24 + 2 * 12 + 4 + 8 + 6
    assert list(models.MODELS) == [
        typing.get_args(tag.model_fields["kind"].annotation)[0] for tag in typing.get_args(Model)
    ]


@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(range(len(AXES)), 2)))
def test_what_takes_turns_meets_everything(one: int, other: int) -> None:
    """All pairs of values are met but those the configuration refuses, and a head to report where there is but one."""
    rows = [dict(zip(AXES, choices(made_of), strict=True)) for made_of in RNNS.values()]
    first, second = AXES[one], AXES[other]
    never = {
        *((("score", "none"), rest) for rest in (("window", "local-m"), ("window", "local-p"), ("heads", 2))),
        *((("score", score), ("coverage", True)) for score in ("dot", "general", "location", "scaled_dot", "none")),
        *((rest, ("head", 2)) for rest in (("score", "none"), ("heads", 1), ("coverage", True))),
        (("heads", 2), ("coverage", True)),
    }
    for pair in itertools.product({row[first] for row in rows}, {row[second] for row in rows}):
        met = any((row[first], row[second]) == pair for row in rows)
        assert met == (((first, pair[0]), (second, pair[1])) not in never), (first, second, pair)


# forward, step, padding -----------------------------------------------------------------------------------------------


def assert_weights(attention_BTS: Tensor, mask_BS: Tensor, made_of: RNNModel | TransformerModel) -> None:
    """Nothing outside the window; rows sum to one, but for local-p, where they sum to less (test_windows.py)."""
    window = made_of.attention.window if isinstance(made_of, RNNModel) else "global"
    length_B11, place_S = mask_BS.sum(1)[:, None, None], torch.arange(mask_BS.shape[1])
    step_T1 = torch.arange(attention_BTS.shape[1])[:, None]
    allowed = mask_BS[:, None].expand_as(attention_BTS)
    if window == "local-m":
        allowed = allowed & ((place_S - step_T1.minimum(length_B11 - 1)).abs() <= HALF_WIDTH[window])
    assert (attention_BTS[~allowed] == 0).all()
    sums_BT = attention_BTS.sum(-1)
    if window == "local-p":
        assert ((sums_BT > 0) & (sums_BT < 1)).all()
        assert ((attention_BTS > 0).sum(-1) <= 2 * HALF_WIDTH[window]).all()
    else:
        close(sums_BT, torch.ones_like(sums_BT))


@pytest.mark.parametrize("made_of", [RARE["untied"], config(), *list(TRANSFORMERS.values())[:2]])
@torch.inference_mode()
def test_forward_is_stepping_with_two_vocabularies(made_of: RNNModel | TransformerModel) -> None:
    made, (source_BS, mask_BS) = model(made_of, joint=False), batch(SOURCES)
    fast, slow = made(source_BS, mask_BS, TARGET_IN, ALL), stepping(made, source_BS, mask_BS, TARGET_IN)
    close(fast.logits, slow.logits)
    close(fast.attention, slow.attention)


@every
@torch.inference_mode()
def test_forward_is_stepping(made_of: RNNModel | TransformerModel) -> None:
    made, (source_BS, mask_BS) = model(made_of), batch(SOURCES)
    fast = made(source_BS, mask_BS, TARGET_IN, ALL)
    slow = stepping(made, source_BS, mask_BS, TARGET_IN)
    assert fast.logits.shape == (3, 6, 9)
    close(fast.logits, slow.logits)
    assert fast.logits.std(1).min() > 1e-6
    quiet = made(source_BS, mask_BS, TARGET_IN)
    assert quiet.attention is None
    close(quiet.logits, fast.logits)
    assert (fast.attention is not None) == (slow.attention is not None) == made_of.has_attention
    if fast.attention is not None:
        assert fast.attention.shape == (3, *made.sites, 6, 5)
        close(fast.attention, slow.attention)
        for attention_BTS in fast.attention.flatten(1, 2).unbind(1):
            assert_weights(attention_BTS, mask_BS, made_of)
            assert attention_BTS[0].std(0).max() > 1e-6


@every
@torch.inference_mode()
def test_one_site_is_that_of_all(made_of: RNNModel | TransformerModel) -> None:
    """Heads by their number, their mean by a plain loop; in training's pass and in search's steps."""
    made, given = model(made_of), (*batch(SOURCES), TARGET_IN)
    every_site = made(*given, ALL)
    layers, heads = made.sites
    assert made.has_attention == (layers > 0) == (every_site.attention is not None)
    for layer in range(1, layers + 1):
        for head in (None, *range(1, heads + 1)):
            chosen = range(heads) if head is None else [head - 1]
            expected = sum(every_site.attention[:, layer - 1, n] for n in chosen) / len(chosen)
            for found in (made(*given, Look(Site(layer, head))), stepping(made, *given, Look(Site(layer, head)))):
                close(found.attention, expected)
                close(found.logits, every_site.logits)
    for site in (Site(layers + 1), Site(1, heads + 1)):
        if made.has_attention:
            with pytest.raises(ValueError, match="no such layer or head"):
                made(*given, Look(site))


def test_the_site_of_a_config_is_the_last_layer_but_one_where_it_says_none() -> None:
    for made_of, expected in (
        (transformer(1), Site(1)),
        (transformer(2), Site(1)),
        (transformer(4), Site(3)),
        (transformer(4, layer=4, head=2), Site(4, 2)),
        (config(), Site(1)),
        (config(score="none"), None),
    ):
        assert default_site(build_model(made_of, 9, 9, joint=True), made_of.report) == expected


@every
@torch.inference_mode()
def test_padding_changes_nothing(made_of: RNNModel | TransformerModel) -> None:
    made, (source_BS, mask_BS) = model(made_of), batch([[*source, PAD][:-1] for source in SOURCES])
    wider_BS = functional.pad(source_BS, (0, 2), value=PAD)
    padded = made(wider_BS, wider_BS != PAD, TARGET_IN, ALL)
    memory, state = made.encode(source_BS, mask_BS)
    for row, source in enumerate(SOURCES):
        alone = made(*batch([source]), TARGET_IN[row : row + 1], ALL)
        close(padded.logits[row], alone.logits[0])
        if padded.attention is not None:
            assert alone.attention is not None
            close(padded.attention[row, ..., : len(source)], alone.attention[0])
        memory_alone, state_alone = made.encode(*batch([source]))
        for whole, part in ((state, state_alone), (memory, memory_alone)):
            assert whole.keys() == part.keys()
            for name, tensor in part.items():
                real = tuple(slice(size) for size in tensor.shape[1:])
                close(whole[name][row][real], tensor[0])
        assert all(tensor.shape[:2] == (1, 1) for tensor in state_alone.values())


@every
def test_gradients_reach_every_number(made_of: RNNModel | TransformerModel) -> None:
    """But to rows of embeddings and of the location score that no source uses, and what a ReLU turned off.

    The bias of dot-product keys adds the same to all scores of a query: softmax takes no notice of it.
    """
    made, source = model(made_of, joint=False, scale=0.4), torch.tensor([[4, 5, 6], [7, 8, EOS]])
    target_in = torch.tensor([[BOS, 4, 5, 6], [BOS, 7, 8, EOS]])
    logits_BTV = made(source, source != PAD, target_in).logits
    functional.cross_entropy(logits_BTV.flatten(0, 1), target_in.roll(-1, 1).flatten()).backward()
    used = {
        "source_embedding.weight": [EOS, *range(4, 9)],
        "target_embedding.weight": slice(None) if made_of.tied else [BOS, EOS, *range(4, 9)],
    }
    for name, parameter in made.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        rows = range(min(3, len(parameter))) if "places" in name else used.get(name, slice(None))
        reached = parameter.grad[rows] != 0
        if "own.key.bias" in name or "cross.key.bias" in name:
            assert parameter.grad.abs().max() < 1e-15, name
        else:
            assert reached.any() if ".feed." in name else reached.all(), name


@every
@torch.inference_mode()
def test_hypotheses_share_memory_and_follow_their_parents(made_of: RNNModel | TransformerModel) -> None:
    """A beam of three with random parents and pieces: each hypothesis is at every step what its own prefix gives."""
    made, (source_BS, mask_BS) = model(made_of), batch(SOURCES)
    draw = torch.Generator().manual_seed(5)
    memory, state = made.encode(source_BS, mask_BS)
    kept_memory = {name: tensor.clone() for name, tensor in memory.items()}
    prefixes_BKT = torch.full((3, 1, 1), BOS)
    for _ in range(4):
        kept = {name: tensor.clone() for name, tensor in state.items()}
        output, after = made.step(prefixes_BKT[:, :, -1], state, memory, ALL)
        assert state.keys() == kept.keys() == after.keys()
        assert all(torch.equal(state[name], kept[name]) for name in kept)
        assert all(torch.equal(memory[name], kept_memory[name]) for name in kept_memory)
        wide = prefixes_BKT.shape[1]
        sentences = (source_BS.repeat_interleave(wide, 0), mask_BS.repeat_interleave(wide, 0))
        alone = made(*sentences, prefixes_BKT.flatten(0, 1), ALL)
        close(output.logits.flatten(0, 1), alone.logits[:, -1])
        if output.attention is not None:
            assert alone.attention is not None
            close(output.attention.movedim(3, 1).flatten(0, 1), alone.attention[..., -1, :])
        parents_BK = torch.randint(0, wide, (3, 3), generator=draw)
        new_BK1 = torch.randint(EOS + 1, 9, (3, 3, 1), generator=draw)
        state = reorder(after, parents_BK)
        prefixes_BKT = torch.cat((prefixes_BKT[torch.arange(3)[:, None], parents_BK], new_BK1), 2)


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
