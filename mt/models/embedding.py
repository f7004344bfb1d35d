"""Embeddings of pieces."""

from torch import nn

from mt.core.special import PAD


class Embedding(nn.Embedding):
    """A vector for each piece, normal of deviation width^-0.5 at first; that of <pad> is zero and stays so."""

    def __init__(self, pieces: int, width: int):
        super().__init__(pieces, width, padding_idx=PAD)

    def reset_parameters(self) -> None:
        """Draw the vectors; PyTorch calls this when the layer is made."""
        nn.init.normal_(self.weight, std=self.embedding_dim**-0.5)
        nn.init.zeros_(self.weight[PAD])
