"""p(s | y) of every kind of model, by the mean and by each head, against a memory of one source piece everywhere."""

import pytest
import torch
from tiny_models import RARE, RNNS, SOURCES, batch, config, model, transformer
from tiny_models import one_thread as one_thread

from mt.config.models import Model
from mt.core.special import BOS
from mt.models.contract import Look

TARGET = torch.tensor([[7, 4, 4, 3], [5, 8, 6, 3], [6, 3, 4, 3]])
TARGET_IN = torch.cat((torch.full((3, 1), BOS), TARGET[:, :-1]), 1)
# Rows of local-p do not sum to one, so that a memory of one value would not give that value as the context.
WHOLE = {name: made_of for name, made_of in RNNS.items() if made_of.attention.window != "local-p"}
SEVERAL = dict([(name, made_of) for name, made_of in WHOLE.items() if made_of.has_attention][::7])
SEVERAL |= {name: RARE[name] for name in ("lexical", "lexical-untied-luong-lstm")}
SEVERAL |= {f"transformer-{layers}-{heads}": transformer(layers, heads) for layers, heads in ((1, 1), (2, 2))}


@pytest.mark.parametrize("made_of", SEVERAL.values(), ids=SEVERAL.keys())
@torch.inference_mode()
def test_posterior_is_bayes_rule_over_the_source_pieces(made_of: Model) -> None:
    made, (source_BS, mask_BS) = model(made_of), batch(SOURCES)
    found = made.posterior(source_BS, mask_BS, TARGET_IN, TARGET)
    memory, state = made.encode(source_BS, mask_BS)
    values = max(name for name in memory if name.startswith("values"))  # of the last layer
    for step, previous_B in enumerate(TARGET_IN.unbind(1)):
        output, after = made.step(previous_B[:, None], state, memory, Look("all"))
        assert output.attention is not None
        weights_BNS = output.attention[:, -1, :, 0]
        every_BHS = torch.stack([sum(weights_BNS.unbind(1)) / weights_BNS.shape[1], *weights_BNS.unbind(1)], 1)
        joint = torch.zeros_like(every_BHS)
        for piece in range(source_BS.shape[1]):
            alone = memory[values].movedim(-2, 1)[:, piece].unsqueeze(-2).expand_as(memory[values])
            only = {values: alone}
            if "words" in memory:
                only["words"] = memory["words"][:, [piece]].expand_as(memory["words"])
            given, _ = made.step(previous_B[:, None], state, memory | only)
            probability = given.logits[:, 0].softmax(-1)[torch.arange(3), TARGET[:, step]]
            joint[:, :, piece] = every_BHS[:, :, piece] * probability[:, None]
        expected = joint / joint.sum(2, keepdim=True)
        torch.testing.assert_close(found[:, :, step], expected, rtol=0, atol=1e-12)
        assert (found[:, :, step] - every_BHS).abs().max() > 0.005
        state = after
    assert found.shape == (3, 1 + made.sites[1], 4, source_BS.shape[1])


def test_without_attention_there_is_no_posterior() -> None:
    with pytest.raises(ValueError, match="no posterior"):
        model(config(score="none")).posterior(*batch(SOURCES), TARGET_IN, TARGET)
