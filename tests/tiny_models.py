"""What the tests of models share: every allowed combination, as small as can be, in float64 and with random weights."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from tolerances import FLOAT64
from torch import Tensor, nn

from mt.config.models import Model, RNNDropout, RNNModel, TransformerDropout, TransformerModel
from mt.core.special import EOS, PAD
from mt.models import build_model
from mt.models.contract import Look, Seq2Seq, default_site


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    # Tensors this small gain nothing from a second thread, and wait long for it on a busy machine.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# Configurations -------------------------------------------------------------------------------------------------------


def config(
    cell: str = "gru",
    wiring: str = "bahdanau",
    flag: bool = True,
    score: str = "additive",
    layers: int = 1,
    tied: bool = True,
    attention: dict[str, Any] | None = None,
    head: int | None = None,
    lexical: bool = False,
    **dropout: float,
) -> RNNModel:
    """No two widths are equal (but for dot), so that one taken for another shows. `flag`: conditional, or feeding."""
    asked = {"score": score, "wiring": wiring, "conditional": flag, "feeding": flag, "width": 7} | (attention or {})
    one_width = score in {"dot", "scaled_dot"} and asked.get("heads", 1) == 1
    return RNNModel.model_validate(
        {
            "cell": cell,
            "embedding": 5,
            "hidden": 4,
            "encoder_hidden": 2 if one_width else 3,
            "layers": layers,
            "tied": tied,
            "dropout": RNNDropout(**{"embedding": 0, "encoder": 0, "decoder": 0, "readout": 0} | dropout),
            "attention": asked,
            "lexical": lexical,
            "report": {"head": head},
        }
    )


def transformer(
    layers: int = 2,
    heads: int = 2,
    tied: bool = True,
    layer: int | None = None,
    head: int | None = None,
    **dropout: float,
) -> TransformerModel:
    return TransformerModel.model_validate(
        {
            "kind": "transformer",
            "width": 8,
            "layers": layers,
            "heads": heads,
            "feedforward": 6,
            "tied": tied,
            "dropout": TransformerDropout(**{"embedding": 0, "residual": 0} | dropout),
            "report": {"layer": layer, "head": head},
        }
    )


SCORES = ("additive", "dot", "general", "concat", "location", "scaled_dot")
WINDOWS = ("global", "local-m", "local-p")
HALF_WIDTH = {"global": 10, "local-m": 1, "local-p": 2}
"""Of the longest source, of five pieces, a local window leaves some out."""
FAMILY = [
    *itertools.product(SCORES, WINDOWS, ("bahdanau", "luong"), (True, False), (1, 2), (False,)),
    *itertools.product(("additive", "concat"), WINDOWS, ("bahdanau", "luong"), (True, False), (1,), (True,)),
    *itertools.product(("none",), ("global",), ("bahdanau", "luong"), (True, False), (1,), (False,)),
]
"""Score, window, wiring, flag, heads, coverage: all that the configuration allows."""


def of_the_family(score: str, window: str, wiring: str, flag: bool, heads: int, coverage: bool) -> RNNModel:
    """Cell, depth, reported head and reach of the location score take turns, so that all meet all other choices."""
    turn = (*SCORES, "none").index(score) + (wiring == "luong")
    turns = WINDOWS.index(window) + flag + coverage
    attention = {
        "window": window,
        "half_width": HALF_WIDTH[window],
        "heads": heads,
        "coverage": coverage,
        "width": 7 * heads,
        "longest": 2 if (turn + turns) % 2 else 9,
    }
    cell, layers = ("gru", "lstm")[(turn + heads) % 2], 1 + (turns + heads) % 2
    head = 2 if heads == 2 and (turn // 2 + turns) % 2 else None
    return config(cell, wiring, flag, score, layers, attention=attention, head=head)


def _name(made_of: RNNModel) -> str:
    a = made_of.attention
    flag, past = "yes" if a.feeding else "no", "coverage-" * a.coverage
    return f"{a.score}-{a.window}-{a.wiring}-{flag}-{a.heads}-{past}{made_of.cell}-{made_of.layers}"


RNNS = {_name(made_of): made_of for made_of in itertools.starmap(of_the_family, FAMILY)}
TRANSFORMERS = {
    f"transformer-{layers}-{heads}-{'tied' if tied else 'untied'}-{layer}-{head}": transformer(
        layers, heads, tied, layer, head
    )
    for layers, heads, tied, layer, head in (
        (1, 1, True, None, None),
        (1, 2, False, 1, 2),
        (2, 2, True, None, None),
        (2, 1, False, 2, 1),
        (3, 2, True, 1, None),
        (3, 2, False, 3, 1),
    )
}
THREE = {"heads": 3, "width": 9}
RARE = {
    "untied": config(tied=False),
    "untied-luong-lstm": config("lstm", "luong", tied=False, score="general"),
    "three-layers": config("lstm", layers=3, tied=False),
    "lexical": config(lexical=True),
    "lexical-untied-luong-lstm": config("lstm", "luong", tied=False, score="general", lexical=True),
    "lexical-coverage": config(attention={"coverage": True, "window": "local-p", "half_width": 2}, lexical=True),
    "three-heads": config(wiring="luong", score="scaled_dot", attention=THREE, head=1),
    "three-heads-three-layers": config(score="concat", layers=3, attention=THREE, head=3),
}
EVERY: dict[str, RNNModel | TransformerModel] = RNNS | RARE | TRANSFORMERS


# Models, batches, numbers ---------------------------------------------------------------------------------------------


def redraw(module: nn.Module, seed: int, scale: float = 0.7) -> None:
    """Give every parameter random numbers, so that no bias is zero and no matrix special."""
    draw = torch.Generator().manual_seed(seed)
    for parameter in module.double().parameters():
        parameter.detach().copy_(scale * torch.randn(parameter.shape, generator=draw, dtype=torch.float64))


def model(config: Model, vocabulary: int = 9, joint: bool = True, seed: int = 1, scale: float = 0.7) -> Seq2Seq:
    made = build_model(config, vocabulary, vocabulary, joint)
    redraw(made, seed, scale)
    return made.eval()


def looking(made: Seq2Seq, config: Model) -> Look:
    """Look where the config says."""
    return Look(default_site(made, config.report))


def batch(sources: list[list[int]]) -> tuple[Tensor, Tensor]:
    longest = max(map(len, sources))
    source_BS = torch.tensor([source + [PAD] * (longest - len(source)) for source in sources])
    return source_BS, torch.tensor([[place < len(source) for place in range(longest)] for source in sources])


SOURCES = [[4, 7, 5, 8, EOS], [6, 5, EOS], [8, EOS]]
LENGTHS = [5, 3, 1]


def mask() -> Tensor:
    """The mask of three sources of LENGTHS."""
    return torch.arange(5) < torch.tensor(LENGTHS)[:, None]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def close(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=0, atol=FLOAT64)
