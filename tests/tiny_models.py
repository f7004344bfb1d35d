"""What the tests of models share: every allowed combination, as small as can be, in float64 and with random weights."""

import itertools
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from mt import models
from mt.config import Attention, Dropout, Model
from mt.models.base import Seq2Seq
from mt.special import EOS, PAD


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    # Tensors this small gain nothing from a second thread, and wait long for it on a busy machine.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def config(
    cell: str = "gru",
    wiring: str = "bahdanau",
    flag: bool = True,
    score: str = "additive",
    layers: int = 1,
    tied: bool = True,
    **dropout: float,
) -> Model:
    """No two widths are equal (but for dot), so that one taken for another shows. `flag`: conditional, or feeding."""
    return Model.model_validate(
        {
            "cell": cell,
            "embedding": 5,
            "hidden": 4,
            "encoder_hidden": 2 if score == "dot" else 3,
            "layers": layers,
            "tied": tied,
            "dropout": Dropout(**{"embedding": 0, "encoder": 0, "decoder": 0, "readout": 0} | dropout),
            "attention": Attention.model_validate(
                {"score": score, "wiring": wiring, "conditional": flag, "feeding": flag, "width": 7}
            ),
        }
    )


SCORES = ("additive", "dot", "general", "concat", "none")
EVERY = {
    f"{cell}-{wiring}-{'yes' if flag else 'no'}-{score}-{layers}": config(cell, wiring, flag, score, layers)
    for cell, wiring, flag, score, layers in itertools.product(
        ("gru", "lstm"), ("bahdanau", "luong"), (True, False), SCORES, (1, 2)
    )
}


def redraw(module: nn.Module, seed: int, scale: float = 0.7) -> None:
    """Give every parameter random numbers, so that no bias is zero and no matrix special."""
    draw = torch.Generator().manual_seed(seed)
    for parameter in module.double().parameters():
        parameter.detach().copy_(scale * torch.randn(parameter.shape, generator=draw, dtype=torch.float64))


def model(config: Model, vocabulary: int = 9, joint: bool = True, seed: int = 1, scale: float = 0.7) -> Seq2Seq:
    made = models.build(config, vocabulary, vocabulary, joint)
    redraw(made, seed, scale)
    return made.eval()


def batch(sources: list[list[int]]) -> tuple[Tensor, Tensor]:
    longest = max(map(len, sources))
    source_BS = torch.tensor([source + [PAD] * (longest - len(source)) for source in sources])
    return source_BS, torch.tensor([[place < len(source) for place in range(longest)] for source in sources])


SOURCES = [[4, 7, 5, 8, EOS], [6, 5, EOS], [8, EOS]]
