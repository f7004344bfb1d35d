"""The contract between models and everything that uses them (search, training, evaluation).

Letters of shapes, here and everywhere: B sentences, K hypotheses of a sentence, Q queries (T in training, K in
search), S source pieces, T target pieces, H width, V vocabulary. A mask is True where a token is real.
"""

from abc import abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor, nn

Memory = dict[str, Tensor]
"""Per sentence, leading B: keys, values, mask. Computed once by `encode`, never reordered."""
State = dict[str, Tensor]
"""Per hypothesis, leading B, K. A value: never mutated, never kept on a module."""


class Output(NamedTuple):
    """Logits, unnormalised, [B, T or K, V]; attention [B, T or K, S], or None where there is none.

    `readouts` are what each output layer saw, [B, T or K, E]; none where several models predict together.
    """

    logits: Tensor
    attention: Tensor | None
    readouts: tuple[Tensor, ...] = ()

    def float(self) -> "Output":
        """Return the same in float32, which a softmax over the vocabulary needs."""
        attention = None if self.attention is None else self.attention.float()
        return Output(self.logits.float(), attention, tuple(readout.float() for readout in self.readouts))


class Seq2Seq(nn.Module):
    """What search and training know of a model. An ensemble (models/ensemble.py) is one more of them."""

    @abstractmethod
    def encode(self, source_BS: Tensor, mask_BS: Tensor) -> tuple[Memory, State]:
        """Return all that depends on the source alone, and the start state with K = 1."""

    @abstractmethod
    def step(self, previous_BK: Tensor, state: State, memory: Memory) -> tuple[Output, State]:
        """Predict the piece after `previous_BK`: logits_BKV, attention_BKS, and the next state."""

    @abstractmethod
    def forward(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, attention: bool = False) -> Output:
        """Predict every next piece of given targets: logits_BTV, and attention_BTS when asked for."""

    @abstractmethod
    def posterior(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, target_out_BT: Tensor) -> Tensor:
        """Return which source piece explains each given target piece, [B, T, S]; rows sum to one.

        p(s | y) is proportional to p(s) p(y | s): the attention weight of s, times the probability of the piece y if s
        alone were the context (Shankar and Sarawagi 2019). It knows y, which attention does not. Raises ValueError when
        the model has no attention.
        """


def posterior(weights_BS: Tensor, logits_BSV: Tensor, piece_B: Tensor) -> Tensor:
    """Return p(s | y), [B, S], from the weights p(s) of a step and the logits given each source piece alone."""
    given_BS = logits_BSV.log_softmax(-1).gather(2, piece_B[:, None, None].expand(-1, logits_BSV.shape[1], 1))[..., 0]
    return (weights_BS.log() + given_BS).softmax(-1)


def reorder(state: State, parents_BK: Tensor) -> State:
    """Return the state of the hypotheses that continue `parents_BK`, numbered within each sentence."""
    rows_B1 = torch.arange(parents_BK.shape[0], device=parents_BK.device)[:, None]
    return {name: tensor[rows_B1, parents_BK] for name, tensor in state.items()}
