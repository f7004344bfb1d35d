"""Packed weights against plain products: float32 as it was, float16 of rounded weights, int8 of whole numbers."""

import copy
from collections.abc import Callable

import pytest
import torch
from tiny_models import RARE, RNNS, SOURCES, TRANSFORMERS, batch, model
from tolerances import bound
from torch import Tensor, nn

from mt.attention.parameters import Linear
from mt.config.models import RNNModel, TransformerModel
from mt.core.device import require
from mt.core.errors import UserError
from mt.models.contract import Look, Seq2Seq
from mt.models.packed import PACKINGS, Packed, pack, pick

pytestmark = pytest.mark.skipif(
    torch.backends.quantized.engine not in {"x86", "fbgemm"}, reason="this PyTorch packs no weights"
)
KINDS = RARE | TRANSFORMERS | {name: RNNS[name] for name in sorted(RNNS)[::8]}
TARGET_IN = torch.tensor([[2, 4, 6, 8], [2, 5, 5, 0], [2, 7, 0, 0]])
FEW = bound(500, torch.float32)
"""Of sums of at most 300 products, as a share of the sum of what is added, each without its sign."""


def layer(inputs: int, outputs: int, bias: bool = True) -> Linear:
    torch.manual_seed(inputs)
    made = Linear(inputs, outputs, bias)
    nn.init.normal_(made.weight)
    if bias:
        nn.init.normal_(made.bias)
    made.weight.data = made.weight.detach().t().contiguous().t()  # as a run's are laid out
    return made.requires_grad_(False)


def multiply(input_XI: Tensor, weight_OI: Tensor, bias_O: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return the product in float64, and the most that rounding its sums in float32 may add."""
    wide_XI, wide_OI = input_XI.double(), weight_OI.double()
    bias_O = torch.zeros(len(weight_OI)) if bias_O is None else bias_O
    return wide_XI @ wide_OI.T + bias_O, (wide_XI.abs() @ wide_OI.abs().T + bias_O.abs()) * FEW


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (64,), ()])
def test_float32_multiplies_by_the_same_weights(shape: tuple[int, ...], bias: bool) -> None:
    exact = layer(256, 70, bias)
    input_XI = torch.randn(*shape, 256)
    wanted, room = multiply(input_XI, exact.weight, exact.bias)
    found = Packed(exact, "float32")(input_XI)
    assert found.shape == wanted.shape
    assert found.dtype == torch.float32
    assert ((found - wanted).abs() <= room).all()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (7, 5), (256, 70)])
def test_float16_multiplies_by_rounded_weights(inputs: int, outputs: int, bias: bool) -> None:
    exact = layer(inputs, outputs, bias)
    input_BQI = torch.randn(3, 2, inputs)
    wanted, room = multiply(input_BQI, exact.weight.half(), exact.bias)
    found = Packed(exact, "float16")(input_BQI)
    assert found.dtype == torch.float32
    assert ((found - wanted).abs() <= room).all()
    assert not torch.equal(found, exact(input_BQI))


def whole_numbers(input_XI: Tensor, exact: Linear) -> tuple[Tensor, Tensor]:
    """Return what int8 is in float64: inputs of 7 bits with one scale, weights of 8 bits with one for each row."""
    least, most = min(input_XI.min().item(), 0.0), max(input_XI.max().item(), 0.0)
    step = (most - least) / 127
    zero = round(-least / step)
    inputs_XI = ((input_XI.double() / step).round() + zero).clamp(0, 127) - zero
    step_O = exact.weight.double().abs().amax(1) / 127
    weights_OI = (exact.weight.double() / step_O[:, None]).round()
    bias_O = torch.zeros(len(step_O)) if exact.bias is None else exact.bias
    # A number that lies between two whole ones may go either way, for the division is in float32.
    between_XI = ((input_XI.double() / step).remainder(1) - 0.5).abs() < 1e-3
    either = between_XI.double() @ weights_OI.abs().T * step * step_O
    return (inputs_XI @ weights_OI.T) * step * step_O + bias_O, either


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("inputs", "outputs"), [(2, 1), (7, 5), (256, 70)])
@pytest.mark.parametrize("large", [False, True])
def test_int8_multiplies_whole_numbers_and_their_sums_never_overflow(
    inputs: int, outputs: int, bias: bool, large: bool
) -> None:
    exact = layer(inputs, outputs, bias)
    if large:  # the sum of two products would leave 16 bits, were inputs of 8
        exact.weight.abs_().add_(10)
    input_XI = torch.rand(6, inputs) + 5 if large else torch.randn(6, inputs)
    wanted, either = whole_numbers(input_XI, exact)
    found = Packed(exact, "int8")(input_XI)
    room = either + multiply(input_XI, exact.weight, exact.bias)[1]
    assert ((found - wanted).abs() <= room).all()
    # So far is each input from the whole number that stands for it, and each weight.
    step = (max(input_XI.max().item(), 0) - min(input_XI.min().item(), 0)) / 127
    stated = (
        exact.weight.abs().sum(1) * step
        + (input_XI.abs() + step).sum(1, keepdim=True) * exact.weight.abs().amax(1) / 254
    )
    assert ((found - exact(input_XI)).abs() <= stated * (1 + FEW)).all()


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_row_of_zeros_and_a_layer_of_no_inputs_that_differ(packing: str) -> None:
    exact = layer(8, 3)
    exact.weight[1] = 0
    found = Packed(exact, packing)(torch.zeros(2, 8))
    assert torch.equal(found, exact.bias.expand(2, 3))


@pytest.mark.parametrize("packing", PACKINGS)
def test_what_is_picked_are_these_outputs(packing: str) -> None:
    exact = layer(16, 9)
    rows_N, input_XI = torch.tensor([0, 3, 8]), torch.randn(4, 16)
    made = Packed(exact, packing)
    torch.testing.assert_close(pick(made, rows_N)(input_XI), made(input_XI)[:, rows_N], rtol=0, atol=FEW * 100)
    found = pick(made, rows_N, packed=False)(input_XI)
    torch.testing.assert_close(found, exact(input_XI)[:, rows_N], rtol=0, atol=FEW * 100)
    assert packing == "float32" or not torch.equal(found, made(input_XI)[:, rows_N])


def rounded(made_of: RNNModel | TransformerModel) -> tuple[Seq2Seq, Seq2Seq]:
    """Return a model whose linear layers have weights of half precision, in float64; and the one it was, packed."""
    exact = model(made_of, joint=False, scale=0.5).float()
    packed = pack(copy.deepcopy(exact), "float16")
    assert packed.summary.endswith(", float16 weights")
    embedded = exact.target_embedding.weight.detach().clone()
    for module in exact.modules():
        if isinstance(module, nn.Linear):
            module.weight = nn.Parameter(module.weight.detach().half().float())
    assert torch.equal(exact.target_embedding.weight, embedded), "embeddings stay as they are"
    return exact.double(), packed


def laid_out(made_of: RNNModel | TransformerModel) -> tuple[Seq2Seq, Seq2Seq]:
    """Return a model in float64, and the same whose linear layers are laid out anew, though small."""
    exact = model(made_of, joint=False, scale=0.5).float()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mt.models.packed.LARGE", 0)
        packed = pack(copy.deepcopy(exact), "float32")
    assert packed.summary == exact.summary
    return exact.double(), packed


@torch.inference_mode()
@pytest.mark.parametrize("made", [rounded, laid_out])
@pytest.mark.parametrize("made_of", KINDS.values(), ids=KINDS.keys())
def test_every_model_is_the_model_of_its_weights(
    made_of: RNNModel | TransformerModel, made: Callable[[RNNModel | TransformerModel], tuple[Seq2Seq, Seq2Seq]]
) -> None:
    exact, packed = made(made_of)
    assert {type(one) for one in packed.modules() if isinstance(one, nn.Linear)} == {Packed}
    look, near = Look("all"), bound(2000, torch.float32, size=9)
    concat = getattr(getattr(made_of, "attention", None), "score", "") == "concat"  # reads its matrix in two parts
    near = 2e-2 if concat and made is rounded else near
    wanted, found = (one(*batch(SOURCES), TARGET_IN, look) for one in (exact, packed))
    torch.testing.assert_close(found.logits.double(), wanted.logits, rtol=0, atol=near)
    if wanted.attention is not None:
        torch.testing.assert_close(found.attention.double(), wanted.attention, rtol=0, atol=near)
    memory, state = packed.encode(*batch(SOURCES))
    for place, previous_B in enumerate(TARGET_IN.unbind(1)):
        output, state = packed.step(previous_B[:, None], state, memory, look)
        torch.testing.assert_close(output.logits[:, 0].double(), wanted.logits[:, place], rtol=0, atol=near)


@pytest.mark.parametrize("packing", ["float16", "int8"])
def test_where_nothing_can_be_packed_it_is_refused(packing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    require(packing, torch.device("cpu"), "do something")
    with pytest.raises(UserError, match=rf"packed in {packing} for processors, and a GPU computes here: do something"):
        require(packing, torch.device("cuda"), "do something")
    monkeypatch.setattr(torch.backends.quantized, "engine", "onednn")
    with pytest.raises(UserError, match=rf"packs no weights in {packing} .* \(it has no FBGEMM\): do something"):
        require(packing, torch.device("cpu"), "do something")


def test_only_large_layers_are_laid_out() -> None:
    layers = nn.ModuleDict({"small": layer(256, 511), "large": layer(256, 512)})
    layers.summary = "two"
    found = pack(layers, "float32")
    assert [type(found[name]) for name in ("small", "large")] == [Linear, Packed]
