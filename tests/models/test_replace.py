"""A function that replaces a site's weights: what comes after uses its weights, in every kind of model."""

import math

import pytest
import torch
from test_models import ALL, EVERY, TARGET_IN, stepping
from tiny_models import RARE, RNNS, SOURCES, TRANSFORMERS, batch, close, config, model, transformer
from tiny_models import one_thread as one_thread
from torch import Tensor

from mt.config import Nearest
from mt.config.models import Model, RNNModel
from mt.core.special import EOS
from mt.models.bfloat16 import Rounded
from mt.models.contract import Look, Replace, Seq2Seq, Site
from mt.models.ensemble import Ensemble
from mt.models.rnn.model import RNN
from mt.neighbours.exact import Exact
from mt.neighbours.model import NearestNeighbours

LOOKING = {name: made_of for name, made_of in EVERY.items() if made_of.has_attention}
some = [*list(RNNS)[:-4:13], *RARE, *TRANSFORMERS]
several = pytest.mark.parametrize("made_of", [LOOKING[name] for name in some], ids=some)


def own(weights_BNQS: Tensor, mask_BS: Tensor, layer: int) -> Tensor:
    """The model's own weights."""
    return weights_BNQS


def uniform(weights_BNQS: Tensor, mask_BS: Tensor, layer: int) -> Tensor:
    """The same weight for every real piece."""
    real_BS = mask_BS.to(weights_BNQS)
    return (real_BS / real_BS.sum(1, keepdim=True))[:, None, None].expand_as(weights_BNQS)


def only(piece: int) -> Replace:
    """All weight on one piece."""

    def replace(weights_BNQS: Tensor, mask_BS: Tensor, layer: int) -> Tensor:
        given = torch.zeros_like(weights_BNQS)
        given[..., piece] = 1
        return given

    return replace


def turned(weights_BNQS: Tensor, mask_BS: Tensor, layer: int) -> Tensor:
    """Other weights in each layer, of which no row is another's."""
    return weights_BNQS.flip(1).softmax(-1) * (0.3 + 0.1 * layer) * mask_BS[:, None, None]


@pytest.mark.parametrize("made_of", LOOKING.values(), ids=LOOKING.keys())
@torch.inference_mode()
def test_a_models_own_weights_change_nothing(made_of: Model) -> None:
    """Bit for bit, at once and step by step."""
    made, given = model(made_of), (*batch(SOURCES), TARGET_IN)
    for run in (lambda look: made(*given, look), lambda look: stepping(made, *given, look)):
        expected, found = run(ALL), run(Look("all", own))
        assert torch.equal(found.logits, expected.logits)
        assert torch.equal(found.attention, expected.attention)


@several
@torch.inference_mode()
def test_other_weights_are_used_and_reported_at_once_and_step_by_step(made_of: Model) -> None:
    """In training's pass and in search's, where coverage, the fed vector and the cache follow from them."""
    made, given = model(made_of), (*batch(SOURCES), TARGET_IN)
    plain, fast, slow = (
        made(*given, ALL),
        made(*given, Look("all", turned)),
        stepping(made, *given, Look("all", turned)),
    )
    close(fast.logits, slow.logits)
    close(fast.attention, slow.attention)
    assert (fast.logits - plain.logits)[0].abs().max() > 1e-3
    unseen = made(*given, Look(replace=turned))
    assert unseen.attention is None
    assert torch.equal(unseen.logits, fast.logits)
    assert made(*given, Look("all", uniform)).attention[1, ..., :3].unique().tolist() == [pytest.approx(1 / 3)]


@several
@torch.inference_mode()
def test_one_hot_weights_give_the_context_of_that_piece_alone(made_of: Model) -> None:
    """As if the memory of every layer held nothing but that piece, which the model must then look at."""
    if isinstance(made_of, RNNModel) and (made_of.attention.window == "local-p" or made_of.attention.coverage):
        pytest.skip("rows of local-p do not sum to one; coverage sees whole rows")
    made, given, piece = model(made_of), (*batch(SOURCES[:1]), TARGET_IN[:1]), 2
    memory, state = made.encode(*given[:2])
    alone = dict(memory)
    for name, tensor in memory.items():
        if name.startswith("values"):
            alone[name] = tensor[..., [piece], :].expand_as(tensor)
        elif name == "words":
            alone[name] = tensor[:, [piece]].expand_as(tensor)
    for previous_B in given[2].unbind(1):
        expected, after = made.step(previous_B[:, None], state, alone)
        found, state = made.step(previous_B[:, None], state, memory, Look("all", only(piece)))
        close(found.logits, expected.logits)
        for name in state:
            close(state[name], after[name])
        assert (found.attention[..., piece] == 1).all()


@torch.inference_mode()
def test_uniform_weights_give_the_mean_of_the_values_in_plain_python() -> None:
    made = model(config(wiring="luong", score="general"))
    assert isinstance(made, RNN)
    memory, state = made.encode(*batch(SOURCES))
    query_BQH = state["hidden0"]
    context_BQC, _, _ = made.decoder.attention(query_BQH, memory, state, Look("all", uniform).change(1))
    for row, source in enumerate(SOURCES):
        values = memory["values"][row, : len(source)].tolist()
        mean = [math.fsum(column) / len(source) for column in zip(*values, strict=True)]
        assert context_BQC[row, 0].tolist() == pytest.approx(mean, abs=1e-13)


@torch.inference_mode()
def test_coverage_is_the_sum_of_what_replaced_the_weights() -> None:
    made = model(config(attention={"coverage": True}))
    memory, state = made.encode(*batch(SOURCES[:1]))
    for place, previous_B in enumerate(TARGET_IN[:1].unbind(1), 1):
        _, state = made.step(previous_B[:, None], state, memory, Look(replace=only(1)))
        assert state["coverage"][0, 0].tolist() == [0, place, 0, 0, 0]


@torch.inference_mode()
def test_it_is_told_the_layer_the_mask_and_all_heads() -> None:
    for made_of, layers, heads in (
        (transformer(3, 2), [1, 2, 3], 2),
        (config(attention={"heads": 2, "width": 14}), [1], 2),
    ):
        seen = []

        def replace(
            weights_BNQS: Tensor, mask_BS: Tensor, layer: int, seen: list[int] = seen, heads: int = heads
        ) -> Tensor:
            assert weights_BNQS.shape == (3, heads, 1, 5)
            assert torch.equal(mask_BS, batch(SOURCES)[1])
            seen.append(layer)
            return weights_BNQS

        made = model(made_of)
        memory, state = made.encode(*batch(SOURCES))
        made.step(TARGET_IN[:, :1], state, memory, Look(replace=replace))
        assert seen == layers


# What wraps models ----------------------------------------------------------------------------------------------------


def neighbouring(made: Seq2Seq) -> NearestNeighbours:
    keys_NE = torch.nn.functional.normalize(torch.randn(40, 5, dtype=torch.float64), dim=-1)
    return NearestNeighbours(made, Exact(keys_NE), torch.randint(EOS, 9, (40,)), Nearest(count=4)).eval()


@torch.inference_mode()
def test_each_member_of_an_ensemble_uses_them() -> None:
    parts, given = [model(config()), model(transformer(2, 2), seed=2)], (*batch(SOURCES), TARGET_IN)
    made = Ensemble(parts, [Site(1), Site(2, 1)]).eval()
    for look in (Look("all", turned), Look("all", only(0))):
        each = [
            made_of(*given, Look(site, look.replace))
            for made_of, site in zip(parts, (Site(1), Site(2, 1)), strict=True)
        ]
        for found in (made(*given, look), stepping(made, *given, look)):
            close(found.logits.exp(), sum(one.logits.softmax(-1) for one in each) / 2)
            close(found.attention[:, 0, 0], sum(one.attention for one in each) / 2)


@torch.inference_mode()
def test_neighbours_look_with_them() -> None:
    torch.manual_seed(1)
    bare, given = model(config()), (*batch(SOURCES), TARGET_IN)
    made = neighbouring(bare)
    fast, slow = made(*given, Look("all", turned)), stepping(made, *given, Look("all", turned))
    close(fast.logits, slow.logits)
    close(fast.attention, bare(*given, Look("all", turned)).attention)
    assert (fast.logits - made(*given).logits).abs().max() > 1e-3


@torch.inference_mode()
def test_a_rounded_model_uses_them() -> None:
    given = *batch(SOURCES), TARGET_IN
    made = Rounded(model(config(), scale=0.3)).eval()
    exact = model(config(), scale=0.3).bfloat16().float()
    for replace in (uniform, only(0)):
        wanted = exact(*given, Look("all", replace)).logits.log_softmax(-1)
        for found in (made(*given, Look("all", replace)), stepping(made, *given, Look("all", replace))):
            torch.testing.assert_close(found.logits.log_softmax(-1), wanted, rtol=0, atol=0.05)
            assert found.attention is not None
