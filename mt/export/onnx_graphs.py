"""A model as two graphs of ONNX, by the contract of `mt.models.contract`: encode and step."""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from mt.config.exported import Graph
from mt.core.special import EOS, PAD
from mt.export.onnx_engine import ATTENTION, LOG_PROBABILITIES, MEMORY, NEXT, STATE
from mt.models.contract import Look, Seq2Seq, reorder

SOURCE = [[EOS + 1, EOS + 2, EOS, PAD], [EOS + 1, EOS + 1, EOS + 2, EOS]]
"""What the model is traced with: two sentences of unequal length."""
STEPS = 2
"""A step is traced after so many others, with so many hypotheses: a size of 1 would be taken for broadcasting."""


class _Encode(nn.Module):
    def __init__(self, model: Seq2Seq):
        super().__init__()
        self.model = model

    def forward(self, source_BS: Tensor) -> tuple[Tensor, ...]:
        memory, state = self.model.encode(source_BS, source_BS != PAD)
        return (*memory.values(), *state.values())


class _Step(nn.Module):
    def __init__(self, model: Seq2Seq, look: Look, memory: Sequence[str], state: Sequence[str]):
        super().__init__()
        self.model, self.look, self.memory, self.state = model, look, memory, state

    def forward(self, previous_BK: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        memory = dict(zip(self.memory, tensors[: len(self.memory)], strict=True))
        state = dict(zip(self.state, tensors[len(self.memory) :], strict=True))
        output, state = self.model.step(previous_BK, state, memory, self.look)
        attention = () if output.attention is None else (output.attention,)
        return (output.logits.log_softmax(-1), *attention, *(state[name] for name in self.state))


@torch.no_grad()
def write_graphs(model: Seq2Seq, look: Look, folder: Path) -> tuple[Graph, Graph]:
    """Write encode.onnx and step.onnx into a folder; return what goes in and comes out of each.

    All sizes of sentences, hypotheses, sources and pasts are free. Memory and state are named "memory." and "state."
    and their names in the model; the state after a step is named "next.".
    """
    source_BS = torch.tensor(SOURCE)
    memory, state = model.encode(source_BS, source_BS != PAD)
    names = list(memory), list(state)
    outputs = [*(MEMORY + name for name in memory), *(STATE + name for name in state)]
    encode = Graph(file="encode.onnx", inputs=("source",), outputs=tuple(outputs))
    longer_BS = torch.tensor([[*SOURCE[0], PAD, PAD]] * 3)
    _export(_Encode(model), (source_BS,), (longer_BS,), folder, encode)
    few, many = (_walk(model, some_BS, look, wide) for some_BS, wide in ((source_BS, STEPS), (longer_BS, STEPS + 3)))
    told = [LOG_PROBABILITIES, *([ATTENTION] if model.has_attention else []), *(NEXT + name for name in state)]
    step = Graph(file="step.onnx", inputs=("previous", *outputs), outputs=tuple(told))
    _export(_Step(model, look, *names), few, many, folder, step)
    return encode, step


def _walk(model: Seq2Seq, source_BS: Tensor, look: Look, wide: int) -> tuple[Tensor, ...]:
    """Return what goes into a step after as many steps as there are hypotheses."""
    memory, state = model.encode(source_BS, source_BS != PAD)
    previous_BK = torch.full((len(source_BS), wide), EOS + 1)
    state = reorder(state, torch.zeros_like(previous_BK))
    for _ in range(wide):
        _, state = model.step(previous_BK, state, memory, look)
    return (previous_BK, *memory.values(), *state.values())


def _export(
    module: nn.Module, inputs: tuple[Tensor, ...], others: tuple[Tensor, ...], folder: Path, graph: Graph
) -> None:
    """Write a graph by tracing: PyTorch's newer exporter takes a minute for each, and fixes the number of sentences.

    The sizes that differ between the inputs and the `others`, and between what comes out of them, are free.
    """
    names = [*graph.inputs, *graph.outputs]
    two = zip(names, (*inputs, *module(*inputs)), (*others, *module(*others)), strict=True)
    axes = {
        name: {
            axis: f"{name}.{axis}"
            for axis, sizes in enumerate(zip(one.shape, other.shape, strict=True))
            if len({*sizes}) > 1
        }
        for name, one, other in two
    }
    noisy = logging.getLogger("torch.onnx")
    level = noisy.level
    noisy.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module.eval(),
                inputs,
                str(folder / graph.file),
                dynamo=False,
                input_names=list(graph.inputs),
                output_names=list(graph.outputs),
                dynamic_axes=axes,
            )
    finally:
        noisy.setLevel(level)
