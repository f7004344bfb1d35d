"""p(s | y) of every kind of model against a model whose memory holds one source piece, everywhere."""

import pytest
import torch
from tiny_models import RARE, RNNS, SOURCES, batch, config, model, transformer
from tiny_models import one_thread as one_thread

from mt.config.models import Model
from mt.core.special import BOS

TARGET = torch.tensor([[7, 4, 4, 3], [5, 8, 6, 3], [6, 3, 4, 3]])
TARGET_IN = torch.cat((torch.full((3, 1), BOS), TARGET[:, :-1]), 1)
# Rows of local-p do not sum to one, so that a memory of one value would not give that value as the context.
WHOLE = {name: made_of for name, made_of in RNNS.items() if made_of.attention.window != "local-p"}
SEVERAL = dict([(name, made_of) for name, made_of in WHOLE.items() if made_of.has_attention][::7])
SEVERAL |= {name: RARE[name] for name in ("lexical", "lexical-untied-luong-lstm")}
SEVERAL |= {
    f"transformer-{layers}-{heads}-{head}": transformer(layers, heads, layer=layers, head=head)
    for layers, heads, head in ((1, 1, None), (2, 2, None), (2, 2, 2))
}


@pytest.mark.parametrize("made_of", SEVERAL.values(), ids=SEVERAL.keys())
@torch.inference_mode()
def test_posterior_is_bayes_rule_over_the_source_pieces(made_of: Model) -> None:
    made, (source_BS, mask_BS) = model(made_of), batch(SOURCES)
    found = made.posterior(source_BS, mask_BS, TARGET_IN, TARGET)
    memory, state = made.encode(source_BS, mask_BS)
    values = max(name for name in memory if name.startswith("values"))  # of the last layer
    for step, previous_B in enumerate(TARGET_IN.unbind(1)):
        output, after = made.step(previous_B[:, None], state, memory)
        joint = torch.zeros(3, source_BS.shape[1], dtype=torch.float64)
        for piece in range(source_BS.shape[1]):
            alone = memory[values].movedim(-2, 1)[:, piece].unsqueeze(-2).expand_as(memory[values])
            only = {values: alone}
            if "words" in memory:
                only["words"] = memory["words"][:, [piece]].expand_as(memory["words"])
            given, _ = made.step(previous_B[:, None], state, memory | only)
            probability = given.logits[:, 0].softmax(-1)[torch.arange(3), TARGET[:, step]]
            joint[:, piece] = output.attention[:, 0, piece] * probability
        expected = joint / joint.sum(1, keepdim=True)
        torch.testing.assert_close(found[:, step], expected, rtol=0, atol=1e-12)
        state = after
    assert (found - made(source_BS, mask_BS, TARGET_IN, attention=True).attention).abs().max() > 0.01


def test_without_attention_there_is_no_posterior() -> None:
    with pytest.raises(ValueError, match="no posterior"):
        model(config(score="none")).posterior(*batch(SOURCES), TARGET_IN, TARGET)
