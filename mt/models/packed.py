"""Linear layers whose weights are packed for a processor: laid out for few rows, or in fewer bits, too.

Shapes as in models/contract.py; besides, X is any number of places, I the width of an input, O of an output.
"""

import warnings
from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from mt.models.contract import Seq2Seq

Packing = Literal["float32", "float16", "int8"]
Product = Callable[[Tensor], Tensor]
"""input_XI -> output_XO."""
LARGE = 2**17
"""Weights of a layer that is worth laying out in float32: each call of oneDNN takes some 20 microseconds besides."""


class Packed(nn.Linear):
    """A linear layer that multiplies by packed weights; whoever reads its `weight` still reads float32.

    float32: the same numbers, laid out as oneDNN multiplies them. float16: weights are rounded to half precision, sums
    are float32. int8: weights are whole numbers from -127 to 127
    times a scale for each output, inputs whole numbers from 0 to 127 times a scale for all that come together; their
    sums are exact.
    """

    def __init__(self, layer: nn.Linear, packing: Packing):
        nn.Module.__init__(self)
        self.in_features, self.out_features, self.packing = layer.in_features, layer.out_features, packing
        self.weight, self.bias = layer.weight, layer.bias
        self.product = PACKINGS[packing](layer.weight.detach(), None if layer.bias is None else layer.bias.detach())

    def forward(self, input_XI: Tensor) -> Tensor:
        """Return output_XO, float32 as the input."""
        return self.product(input_XI)


def pack(model: Seq2Seq, packing: Packing) -> Seq2Seq:
    """Return the model, whose linear layers are now packed ones, in float32 the large ones alone.

    Embeddings and PyTorch's recurrent layers stay.
    """
    for module in list(model.modules()):
        for name, layer in module.named_children():
            if isinstance(layer, nn.Linear) and (packing != "float32" or layer.weight.numel() >= LARGE):
                setattr(module, name, Packed(layer, packing))
    if packing != "float32":
        model.summary = f"{model.summary}, {packing} weights"
    return model.eval()


def pick(layer: nn.Linear, rows_N: Tensor, packed: bool = True) -> Product:
    """Return a layer with these of its outputs alone; one of a packed layer is packed, too, where that is asked for."""
    weight_NI = layer.weight.detach().t().index_select(1, rows_N).t()  # laid out as the whole is, so it adds alike
    bias_N = None if layer.bias is None else layer.bias.detach()[rows_N]
    if packed and isinstance(layer, Packed):
        return PACKINGS[layer.packing](weight_NI, bias_N)
    return lambda input_XI: functional.linear(input_XI.to(weight_NI.dtype), weight_NI, bias_N).to(input_XI)


def _pack_float32(weight_OI: Tensor, bias_O: Tensor | None) -> Product:
    laid_out = torch.ops.mkldnn._reorder_linear_weight(weight_OI.contiguous())

    def product(input_XI: Tensor) -> Tensor:
        if input_XI.numel() == weight_OI.shape[1]:  # a single row is a product of a matrix and a vector
            return functional.linear(input_XI, weight_OI, bias_O)
        output_XO: Tensor = torch.ops.mkldnn._linear_pointwise(input_XI, laid_out, bias_O, "none", [], "")
        return output_XO

    return product


def _pack_float16(weight_OI: Tensor, bias_O: Tensor | None) -> Product:
    packed = torch.ops.quantized.linear_prepack_fp16(weight_OI.contiguous(), bias_O)
    return lambda input_XI: torch.ops.quantized.linear_dynamic_fp16(input_XI, packed)


def _pack_int8(weight_OI: Tensor, bias_O: Tensor | None) -> Product:
    scale_O = weight_OI.abs().amax(1).div(127).clamp_min(torch.finfo(torch.float32).tiny)
    zero_O = torch.zeros_like(scale_O, dtype=torch.long)
    with warnings.catch_warnings():  # tensors of such numbers will go one day, and nothing else makes packed weights
        warnings.filterwarnings("ignore", "torch.quantize_per_tensor", UserWarning)
        whole_OI = (weight_OI / scale_O[:, None]).round().to(torch.int8).contiguous()
        scaled_OI = torch._make_per_channel_quantized_tensor(whole_OI, scale_O.double(), zero_O, 0)
    packed = torch.ops.quantized.linear_prepack(scaled_OI, bias_O)
    # Inputs have seven bits: with eight the sum of two products leaves 16 bits on processors without VNNI.
    return partial(torch.ops.quantized.linear_dynamic, W_prepack=packed, reduce_range=True)


PACKINGS: dict[str, Callable[[Tensor, Tensor | None], Product]] = {
    "float32": _pack_float32,
    "float16": _pack_float16,
    "int8": _pack_int8,
}
