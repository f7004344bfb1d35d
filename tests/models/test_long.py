"""Batches with many attention weights: steps walked a second time for the gradient, against all of them kept."""

import pytest
import torch
from tiny_models import RARE, SOURCES, batch, close, config, looking, model
from tiny_models import one_thread as one_thread
from torch import Tensor

from mt.config.models import RNNModel
from mt.core.special import BOS, PAD
from mt.models.contract import Look

TARGET_IN = torch.tensor([[BOS, 7, 4, 4, 6, 5, 8], [BOS, 5, 8, 6, PAD, PAD, PAD], [BOS, 6, PAD, PAD, PAD, PAD, PAD]])
KINDS = {
    "additive": config(),
    "coverage": config(attention={"coverage": True}),
    "concat-luong-two-layers": config("lstm", "luong", score="concat", layers=2, decoder=0.5, readout=0.5),
    "general-local-p": config(score="general", attention={"window": "local-p", "half_width": 2}),
    "one cell a step": config(flag=False),
    "lexical": RARE["lexical"],
    "three-heads": RARE["three-heads"],
    "none": config(score="none"),
}


def gradients(kind: RNNModel, look: Look) -> dict[str, Tensor]:
    """Of a sum that every logit and every weight has another share in."""
    made = model(kind).train()
    torch.manual_seed(5)  # of dropout
    output = made(*batch(SOURCES), TARGET_IN, look)
    total = (output.logits.log_softmax(-1) * torch.arange(output.logits.numel()).view_as(output.logits).cos()).sum()
    if output.attention is not None:
        total = (
            total + (output.attention**2 * torch.arange(output.attention[0].numel()).view_as(output.attention[0])).sum()
        )
    total.backward()
    return {name: parameter.grad for name, parameter in made.named_parameters() if parameter.grad is not None}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("steps", [1, 3, 7])
def test_steps_that_are_made_again_have_the_gradients_of_steps_that_were_kept(
    kind: RNNModel, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Look() if not kind.has_attention else looking(model(kind), kind)
    kept = gradients(kind, look)
    made_again = []
    walked = torch.utils.checkpoint.checkpoint

    def checkpoint(walk, gates_BUG, *given, **options):
        made_again.append(gates_BUG.shape[1])
        return walked(walk, gates_BUG, *given, **options)

    monkeypatch.setattr("mt.models.rnn.model.checkpoint", checkpoint)
    monkeypatch.setattr("mt.models.rnn.model.KEPT", 104)  # 3 x 7 x 5 = 105 weights
    monkeypatch.setattr("mt.models.rnn.model.REMADE", 15 * steps + 14)
    found = gradients(kind, look)
    assert sum(made_again) == 7
    assert max(made_again) == steps
    assert found.keys() == kept.keys()
    for name, gradient in found.items():
        close(gradient, kept[name])


def test_few_weights_are_kept_and_so_are_those_that_no_gradient_is_asked_of(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given, **options):
        raise AssertionError("made again")

    monkeypatch.setattr("mt.models.rnn.model.checkpoint", refuse)
    monkeypatch.setattr("mt.models.rnn.model.KEPT", 105)
    assert gradients(config(), Look())
    monkeypatch.setattr("mt.models.rnn.model.KEPT", 104)
    with torch.no_grad():
        model(config())(*batch(SOURCES), TARGET_IN)
    with pytest.raises(AssertionError, match="made again"):
        gradients(config(), Look())
