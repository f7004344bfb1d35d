"""Every member of the family and the Transformer learns, and tells sources apart."""

import pytest
import torch
from tiny_models import (
    EVERY,
    SOURCES,
    batch,
    config,
    model,
)
from tiny_models import one_thread as one_thread
from torch.nn import functional

from mt.config.models import RNNModel, TransformerModel
from mt.core.special import BOS, EOS, PAD
from mt.models import build_model

TARGET_IN = torch.tensor([[BOS, 7, 4, 4, 6, 8], [BOS, 5, 8, 6, 6, PAD], [BOS, 6, PAD, PAD, PAD, PAD]])
every = pytest.mark.parametrize("made_of", EVERY.values(), ids=EVERY.keys())


@every
def test_thirty_updates_lower_the_loss(made_of: RNNModel | TransformerModel) -> None:
    torch.manual_seed(3)
    made = build_model(made_of, 9, 9, joint=True)
    source_BS, mask_BS = batch([[4, 5, EOS], [6, EOS]])
    target_in, target_out = torch.tensor([[BOS, 7], [BOS, 8]]), torch.tensor([[7, EOS], [8, 4]])
    adam = torch.optim.Adam(made.parameters(), lr=0.03, fused=True)
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


@pytest.mark.usefixtures("bfloat16")
@every
def test_bfloat16_gives_nearly_the_gradients_of_float32(made_of: RNNModel | TransformerModel) -> None:
    made, gradients = model(made_of, scale=0.3).float().train(), []
    for rounding in (False, True):
        made.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=rounding):
            logits_BTV = made(*batch(SOURCES), TARGET_IN).float().logits
        functional.cross_entropy(logits_BTV.mT, TARGET_IN.roll(-1, 1)).backward()
        parts = [parameter.grad for parameter in made.parameters() if parameter.grad is not None]
        gradients.append(torch.cat([part.flatten() for part in parts]))
    assert not torch.equal(*gradients)
    assert functional.cosine_similarity(*gradients, 0) > 0.999
