"""The recurrent encoder, in both directions.

Shapes as in models/contract.py; besides, E is the width of an embedding, H that of a direction, C of an encoder output.
"""

import torch
from torch import Tensor, nn

from mt.config.models import RNNModel
from mt.models.dropout import Dropout
from mt.models.rnn.cells import draw_recurrent


class Encoder(nn.Module):
    """Reads the source in both directions; reversed by length for the second, so that padding comes last in both."""

    def __init__(self, config: RNNModel):
        super().__init__()
        rnn = {"gru": nn.GRU, "lstm": nn.LSTM}[config.cell]
        widths = [config.embedding] + [2 * config.encoder_hidden] * (config.layers - 1)
        self.forwards = nn.ModuleList(rnn(width, config.encoder_hidden, batch_first=True) for width in widths)
        self.backwards = nn.ModuleList(rnn(width, config.encoder_hidden, batch_first=True) for width in widths)
        self.dropout = Dropout(config.dropout.encoder)
        for part in (*self.forwards, *self.backwards):
            of_input, of_state, *biases = part.parameters()
            nn.init.xavier_uniform_(of_input)
            draw_recurrent(of_state)
            for bias in biases:
                nn.init.zeros_(bias)

    def forward(self, embedded_BSE: Tensor, mask_BS: Tensor) -> Tensor:
        """Return values_BSC, C = 2 x encoder_hidden. What stands on padding is not to be read."""
        position_S = torch.arange(mask_BS.shape[1], device=mask_BS.device)
        reversal_BS1 = (mask_BS.sum(1, keepdim=True) - 1 - position_S).remainder(mask_BS.shape[1])[:, :, None]
        values = embedded_BSE
        for ahead, back in zip(self.forwards, self.backwards, strict=True):
            reversed_BSE = values.gather(1, reversal_BS1.expand_as(values))
            ahead_BSH, back_BSH = ahead(values)[0], back(reversed_BSE)[0]
            back_BSH = back_BSH.gather(1, reversal_BS1.expand_as(back_BSH))
            values = self.dropout(torch.cat((ahead_BSH, back_BSH), -1))
        return values


def lay_together(copied: nn.Module) -> None:
    """Let the weights of each recurrent layer lie in one piece again, as cuDNN wants them; a copied model's do not."""
    for part in copied.modules():
        if isinstance(part, nn.RNNBase):
            part.flatten_parameters()
