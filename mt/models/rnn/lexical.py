"""The lexical model: source words speak for the next piece themselves.

Shapes as in models/contract.py; besides, E is the width of an embedding.
"""

import torch
from torch import Tensor, nn

from mt.attention.parameters import Linear
from mt.config.models import RNNModel
from mt.models.dropout import Dropout


class Lexical(nn.Module):
    """What attended source words say of the next piece without the decoder: Nguyen and Chiang 2018, section 4.

    Logits to add: W h, h = tanh(V f) + f, f = tanh(the source embeddings, weighted as attention weighs).
    h is a readout.
    """

    def __init__(self, config: RNNModel, target_size: int):
        super().__init__()
        self.hidden = Linear(config.embedding, config.embedding, bias=False)
        self.output = Linear(config.embedding, target_size, bias=False)
        self.dropout = Dropout(config.dropout.readout)

    def forward(self, attended: Tensor) -> Tensor:
        """Return the readout of attended words, [..., E]."""
        words = torch.tanh(attended)
        readout: Tensor = self.dropout(torch.tanh(self.hidden(words)) + words)
        return readout
