"""A score that only this file knows, written as docs/howto/own-score.md says: it begins as it wishes, and learns."""

from collections.abc import Callable

import pytest
import torch
from tiny_models import SOURCES, batch, config
from tiny_models import one_thread as one_thread
from torch import Tensor, nn
from torch.nn import functional

from mt.attention import SCORES
from mt.attention.scores import Score
from mt.config.models import RNNModel
from mt.core.special import BOS, EOS
from mt.models import build_model
from mt.models.contract import Look, Seq2Seq


class Weighted(Score):
    """The sum of w x (W q) x (U k). Its vector has a name that no other score has."""

    def __init__(self, query: int, value: int, width: int):
        super().__init__(query, value, width)
        self.query, self.key = nn.Linear(query, width), nn.Linear(value, width)
        self.weights = nn.Parameter(torch.full((width,), 0.75))

    def keys(self, values_BSC: Tensor) -> Tensor:
        """U k."""
        keys_BSA: Tensor = self.key(values_BSC)
        return keys_BSA

    def forward(self, query_BQH: Tensor, keys_BSA: Tensor) -> Tensor:
        """Score every query against every key."""
        return (self.query(query_BQH) * self.weights) @ keys_BSA.transpose(1, 2)


def built(monkeypatch: pytest.MonkeyPatch, wiring: str, heads: int) -> Seq2Seq:
    monkeypatch.setitem(SCORES, "weighted", Weighted)
    made_of = config(wiring=wiring, attention={"heads": heads, "width": 8})
    asked = made_of.attention.model_copy(update={"score": "weighted"})  # which the Literal does not know
    torch.manual_seed(3)
    return build_model(made_of.model_copy(update={"attention": asked}), 9, 9, joint=True)


def trained(made: Seq2Seq) -> list[float]:
    """The losses of forty updates."""
    source_BS, mask_BS = batch(SOURCES[:2])
    target_in, target_out = torch.tensor([[BOS, 7], [BOS, 8]]), torch.tensor([[7, EOS], [8, 4]])
    adam = torch.optim.Adam(made.parameters(), lr=0.03, fused=True)
    losses = []
    for _ in range(40):
        loss = functional.cross_entropy(made(source_BS, mask_BS, target_in).logits.flatten(0, 1), target_out.flatten())
        adam.zero_grad()
        torch.autograd.backward(loss)
        adam.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("wiring", ["bahdanau", "luong"])
def test_it_begins_as_it_says_and_learns(monkeypatch: pytest.MonkeyPatch, wiring: str, heads: int) -> None:
    made = built(monkeypatch, wiring, heads)
    (score,) = (module for module in made.modules() if isinstance(module, Weighted))
    assert score.weights.tolist() == [0.75] * (8 // heads), "nobody else sets its parameters"
    assert score.query.bias.abs().max() > 0, "as PyTorch begins, which this score leaves as it is"
    losses = trained(made)
    assert losses[-1] < 0.5 * losses[0]
    assert (score.weights - 0.75).abs().max() > 0.01
    output = made.eval()(*batch(SOURCES), torch.tensor([[BOS, 7]] * 3), Look("all"))
    assert output.attention.shape == (3, 1, heads, 2, 5)


def inside(matrix: Tensor) -> float:
    """The largest number of a matrix in the unit of Glorot and Bengio 2010, eq. 16: sqrt(6 / (fan in + fan out))."""
    return matrix.abs().max().item() / (6 / sum(matrix.shape)) ** 0.5


def recurrent(name: str) -> bool:
    return "weight_hh" in name or "recurrent.weight" in name


GROUPS: dict[str, Callable[[str, Tensor], bool]] = {
    "embedding": lambda name, tensor: "embedding" in name,
    "recurrent": lambda name, tensor: recurrent(name),
    "vector": lambda name, tensor: name.endswith(("vector", "coverage")),
    "bias": lambda name, tensor: "bias" in name,
    "matrix": lambda name, tensor: tensor.dim() == 2 and "embedding" not in name and not recurrent(name),
}


@pytest.mark.parametrize("cell", ["gru", "lstm"])
@pytest.mark.parametrize("window", ["global", "local-p"])
def test_first_weights_have_the_distribution_of_their_kind(cell: str, window: str) -> None:
    """Wide enough that the deviation of a drawn tensor is within a third of its distribution's."""
    sizes = {"embedding": 48, "hidden": 40, "encoder_hidden": 32, "layers": 2, "cell": cell, "lexical": True}
    attention = {"coverage": True, "window": window, "width": 400}
    made = build_model(RNNModel.model_validate(sizes | {"attention": attention, "tied": False}), 90, 80, joint=False)
    met = dict.fromkeys(GROUPS, 0)
    for name, parameter in made.named_parameters():
        (kind,) = [kind for kind, belongs in GROUPS.items() if belongs(name, parameter)]
        met[kind] += 1
        numbers = parameter.detach()
        match kind:
            case "embedding":
                assert (numbers[0] == 0).all()
                assert numbers[1:].std().item() * 48**0.5 == pytest.approx(1, abs=0.1)
            case "recurrent":
                for gate in numbers.split(numbers.shape[1]):
                    torch.testing.assert_close(gate @ gate.T, torch.eye(len(gate)), rtol=0, atol=1e-5)
            case "vector":
                assert numbers.std().item() * 400**0.5 == pytest.approx(1, abs=0.2)
            case "bias":
                assert (numbers == 0).all()
            case "matrix":
                assert 0.98 < inside(numbers) <= 1
                assert numbers.std().item() == pytest.approx((2 / sum(numbers.shape)) ** 0.5, rel=0.1)
    assert (met["embedding"], met["recurrent"], met["vector"]) == (2, 3 + 4, 2 + (window == "local-p"))
    assert min(met.values()) > 0
