"""The contract between models and everything that uses them (search, training, evaluation).

Letters of shapes, here and everywhere: B sentences, K hypotheses of a sentence, Q queries (T in training, K in
search), S source pieces, T target pieces, H width, V vocabulary, L decoder layers, N heads. A mask is True where a
token is real. Layers and heads are counted from 1.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from mt.config.models import Report

Memory = dict[str, Tensor]
"""Per sentence, leading B: keys, values, mask. Computed once by `encode`, never reordered."""
State = dict[str, Tensor]
"""Per hypothesis, leading B, K. A value: never mutated, never kept on a module."""
Replace = Callable[[Tensor, Tensor, int], Tensor]
"""(weights_BNQS, mask_BS, layer) -> the weights to use instead, of the same shape."""


class Site(NamedTuple):
    """Where attention to the source is looked at."""

    layer: int
    """Decoder layer, from 1."""
    head: int | None = None
    """From 1; None: the mean over the heads."""


@dataclass(frozen=True)
class Look:
    """What a caller wants of a model's attention to the source, besides predictions."""

    sites: Site | Literal["all"] | None = None
    """Whose weights are reported: of one site, of every layer and head, or of none."""
    replace: Replace | None = None
    """Gives the weights of every layer and head that are used in place of the model's own, and so reported, too."""

    def at(self, layer: int) -> bool:
        """Tell whether the weights of this layer must be written out: a fused kernel gives none."""
        if self.replace is not None or self.sites == "all":
            return True
        return isinstance(self.sites, Site) and self.sites.layer == layer

    def change(self, layer: int) -> Callable[[Tensor, Tensor], Tensor] | None:
        """Return `replace` for this layer: (weights_BNQS, mask_BS) -> the weights to use instead."""
        replace = self.replace
        return None if replace is None else lambda weights_BNQS, mask_BS: replace(weights_BNQS, mask_BS, layer)


NOTHING = Look()


class Output(NamedTuple):
    """Logits, unnormalised, [B, T or K, V], and the attention that was asked for.

    `attention` is [B, Q, S] of one site, [B, L, N, Q, S] of all; None where nothing was asked for, or there is none.
    """

    logits: Tensor
    attention: Tensor | None

    def float(self) -> "Output":
        """Return the same in float32, which a softmax over the vocabulary needs."""
        attention = None if self.attention is None else self.attention.float()
        return Output(self.logits.float(), attention)


class Seq2Seq(nn.Module):
    """What search and training know of a model. An ensemble (models/ensemble.py) is one more of them."""

    sites: tuple[int, int]
    """How many decoder layers, and heads in each, look at the source; (0, 0) without attention."""
    summary: str
    """What it is, in a few words."""

    @property
    def has_attention(self) -> bool:
        """Whether there are weights to look at."""
        return self.sites != (0, 0)

    @property
    def device(self) -> torch.device:
        """Where it computes, and so where all that it is given must be."""
        return next(self.parameters()).device

    @abstractmethod
    def encode(self, source_BS: Tensor, mask_BS: Tensor) -> tuple[Memory, State]:
        """Return all that depends on the source alone, and the start state with K = 1."""

    @abstractmethod
    def step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Output, State]:
        """Predict the piece after `previous_BK`: logits_BKV, the attention that is asked for, and the next state."""

    @abstractmethod
    def forward(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, look: Look = NOTHING) -> Output:
        """Predict every next piece of given targets: logits_BTV, and the attention that is asked for."""


@runtime_checkable
class HasPosterior(Protocol):
    """What alignment asks of a model that can tell, once it knows a target piece, which source piece explains it."""

    def posterior(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, target_out_BT: Tensor) -> Tensor:
        """Return which source piece explains each given target piece, [B, 1 + N, T, S]; rows sum to one.

        Of the last layer: first by the mean over its heads, then by each head. p(s | y) is proportional to
        p(s) p(y | s): the attention weight of s, times the probability of the piece y if s alone were the context
        (Shankar and Sarawagi 2019). It knows y, which attention does not. Raises ValueError when the model has no
        attention.
        """


class Read(NamedTuple):
    """What a model knows before its output layers predict."""

    readouts: tuple[Tensor, ...]
    """What each output layer sees, [B, T or K, E]."""
    attention: Tensor | None
    """As in Output."""


@runtime_checkable
class HasReadouts(Protocol):
    """What neighbours and shortlists ask of a model whose output layers see something.

    Several models together have nothing such.
    """

    @property
    def outputs(self) -> tuple[nn.Linear, ...]:
        """The output layers, one for each readout: logits are the sum of what they return."""

    def read(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, look: Look = NOTHING) -> Read:
        """Do what `forward` does, but for the output layers."""

    def read_step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Read, State]:
        """Do what `step` does, but for the output layers."""

    def predict(self, readouts: tuple[Tensor, ...]) -> Tensor:
        """Return the logits of the readouts, [B, T or K, V]."""


def need_readouts(model: nn.Module) -> HasReadouts:
    """Return the model, whose readouts are to be looked at. Raises TypeError when it has none."""
    if not isinstance(model, HasReadouts):
        raise TypeError("what it is made of has readouts, and not the whole: several models, or one with neighbours")
    return model


def default_site(model: Seq2Seq, report: Report) -> Site | None:
    """Return the site that `model.report` of a config means; None for a model without attention.

    An unset layer is the last but one (Garg et al. 2019), or the only one.
    """
    layers, _ = model.sites
    return Site(report.layer or max(layers - 1, 1), report.head) if layers else None


def describe_look(model: Seq2Seq, site: Site | None) -> str:
    """Say whose attention a site is, in words for a picture."""
    if site is None or model.sites == (1, 1):
        return f"Attention of {model.summary}"
    head = "mean of heads" if site.head is None else f"head {site.head}"
    return f"Attention of {model.summary}, layer {site.layer}, {head}"


def attention_of(sites: Site | Literal["all"] | None, weights: Mapping[int, Tensor]) -> Tensor | None:
    """Return the attention of an Output from weights_BNQS by layer. Raises ValueError when a site is not among them."""
    if isinstance(sites, Site):
        return attention_at(sites, weights)
    return None if sites is None else torch.stack([weights[layer] for layer in sorted(weights)], 1)


def attention_at(site: Site, weights: Mapping[int, Tensor]) -> Tensor:
    """Return the attention at a site, [B, Q, S], from weights_BNQS by layer. Raises ValueError when it is not there."""
    if site.layer not in weights or not 1 <= (site.head or 1) <= weights[site.layer].shape[1]:
        raise ValueError(f"the model has no such layer or head: {site}")
    weights_BNQS = weights[site.layer]
    if site.head is None and weights_BNQS.shape[1] > 1:
        return weights_BNQS.mean(1)
    return weights_BNQS[:, (site.head or 1) - 1]


def likelihood(logits_BSV: Tensor, piece_B: Tensor) -> Tensor:
    """Return log p(y | s), [B, S], from the logits given each source piece alone."""
    return logits_BSV.log_softmax(-1).gather(2, piece_B[:, None, None].expand(-1, logits_BSV.shape[1], 1))[..., 0]


def posterior(weights_BNTS: Tensor, given_BTS: Tensor) -> Tensor:
    """Return p(s | y), [B, 1 + N, T, S], from the weights p(s) and log p(y | s): of the mean, then of each head."""
    every = torch.cat((weights_BNTS.mean(1, keepdim=True), weights_BNTS), 1)
    return (every.log() + given_BTS[:, None]).softmax(-1)


def reorder(state: State, parents_BK: Tensor) -> State:
    """Return the state of the hypotheses that continue `parents_BK`, numbered within each sentence."""
    first_B1 = torch.arange(len(parents_BK), device=parents_BK.device)[:, None]
    return {
        name: tensor.flatten(0, 1)
        .index_select(0, (first_B1 * tensor.shape[1] + parents_BK).flatten())  # copies whole rows
        .unflatten(0, parents_BK.shape)
        for name, tensor in state.items()
    }
