"""Parameters that set themselves to their first values. Nothing else does: a module of another kind draws its own."""

import torch
from torch import nn


class Linear(nn.Linear):
    """A linear layer that begins with a uniform matrix (Glorot and Bengio 2010, eq. 16) and a bias of zero."""

    def reset_parameters(self) -> None:
        """Draw the matrix; PyTorch calls this when the layer is made."""
        nn.init.xavier_uniform_(self.weight)
        if self.bias is not None:
            nn.init.zeros_(self.bias)


def small_vector(width: int) -> nn.Parameter:
    """Return normal numbers of deviation width^-0.5: with a vector of ones and minus ones they make about one."""
    return nn.Parameter(nn.init.normal_(torch.empty(width), std=width**-0.5))
