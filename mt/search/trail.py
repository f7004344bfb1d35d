"""What every search shares: hypotheses, the way back from an ending to its start, and what a prefix forbids.

Letters of shapes as in `mt.search`.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mt.core.special import BOS, PAD, UNK
from mt.models.contract import State

NEVER = [PAD, UNK, BOS]
"""Pieces no hypothesis emits. Their probability is not shared out: log probabilities stay the model's own."""
LEAST_COVERED = 1e-10
"""What the coverage penalty takes for the attention on a piece that had less, so that no score is -inf."""


@dataclass(frozen=True)
class Hypothesis:
    """One translation: `tokens` without </s>, and what the model says of them, </s> included.

    `log_probability` is natural, and the model's own, however the tokens were chosen; `score` is what they were ranked
    by. `attention` is [len(tokens) + 1, source pieces]: row t holds the weights that predicted token t, the last row
    those of </s>; None when the model has none.
    """

    tokens: list[int]
    score: float
    log_probability: float
    attention: Tensor | None


@dataclass(frozen=True)
class Step:
    """What one step leaves behind for every live hypothesis: enough to walk back from an ending to the start.

    The walk takes tokens and attention along the same parents; nothing is copied as the beam moves on.
    """

    row: dict[int, int]
    """Sentence -> its row in the lists below."""
    previous: list[list[int]]
    """The piece that led here."""
    parents: list[list[int]]
    """The hypothesis of the step before that this one continues."""
    attention: Tensor | None
    """[B, K, S]: weights that predict the next piece."""

    @classmethod
    def of(cls, sentences_B: Tensor, previous_BK: Tensor, parents_BK: Tensor, attention_BKS: Tensor | None) -> "Step":
        """Return the step from the tensors of a search."""
        row = {sentence: row for row, sentence in enumerate(sentences_B.tolist())}
        return cls(row, previous_BK.tolist(), parents_BK.tolist(), attention_BKS)


def trace(trail: list[Step], sentence: int, step: int, hypothesis: int, pieces: int) -> tuple[list[int], Tensor | None]:
    """Walk back from an ending; return its tokens and its attention over the `pieces` of the source."""
    tokens: list[int] = []
    rows: list[Tensor] = []
    for here in reversed(trail[: step + 1]):
        row = here.row[sentence]
        if here.attention is not None:
            rows.append(here.attention[row, hypothesis, :pieces])
        tokens.append(here.previous[row][hypothesis])
        hypothesis = here.parents[row][hypothesis]
    return tokens[-2::-1], torch.stack(rows[::-1]) if rows else None


def start(source_BS: Tensor) -> tuple[Tensor, Tensor]:
    """Return the places of the sentences in the batch, and one <s> for each."""
    sentences_B = torch.arange(len(source_BS), device=source_BS.device)
    return sentences_B, torch.full_like(sentences_B, BOS)[:, None]


def select(tensors: dict[str, Tensor], going_B: Tensor) -> dict[str, Tensor]:
    """Keep the sentences that go on; index_select copies whole rows, four times as fast as a mask."""
    rows = going_B.nonzero()[:, 0]
    return {name: tensor.index_select(0, rows) for name, tensor in tensors.items()}


def no_past(mask_BS: Tensor, covering: bool, no_repeat: int) -> State:
    """Return what a search knows of empty prefixes, K = 1: only what it will ask.

    history_BKT: the pieces; covered_BKS: the sum of each source piece's attention. Like a model's state it is reordered
    with the beam.
    """
    past: State = {}
    if no_repeat:
        past["history"] = mask_BS.new_zeros((len(mask_BS), 1, 0), dtype=torch.long)
    if covering:
        past["covered"] = (~mask_BS[:, None]).double()  # padding is covered from the start, and so costs nothing
    return past


def remember(past: State, previous_BK: Tensor, attention_BKS: Tensor | None) -> State:
    """Return the past with one more piece, and with the attention that it led to.

    Raises ValueError when coverage is asked of a model without attention.
    """
    after = dict(past)
    if "history" in past:
        after["history"] = torch.cat([past["history"], previous_BK[:, :, None]], 2)
    if "covered" in past:
        if attention_BKS is None:
            raise ValueError("a coverage penalty needs a model with attention")
        after["covered"] = past["covered"] + attention_BKS
    return after


def coverage(past: State) -> Tensor:
    """Return the coverage penalty of each hypothesis, [B, K], without its weight: Wu et al. 2016, eq. 14.

    The sum over source pieces, </s> included, of log(min(attention on it, 1)); at most 0.
    """
    return past["covered"].clamp(LEAST_COVERED, 1).log().sum(-1)


def forbid(log_probs_BKV: Tensor, past: State, no_repeat: int) -> None:
    """Take all probability, in place, from special pieces and from those that would repeat `no_repeat` in a row.

    Paulus et al. 2018, 2.5. </s> is never forbidden: no live hypothesis has had one.
    """
    if no_repeat and past["history"].shape[2] >= no_repeat:
        history_BKT = past["history"]
        grams = history_BKT.unfold(2, no_repeat, 1)
        tail = history_BKT[:, :, None, history_BKT.shape[2] - no_repeat + 1 :]
        again = (grams[..., :-1] == tail).all(-1)
        log_probs_BKV.scatter_(2, grams[..., -1].where(again, PAD), -torch.inf)
    log_probs_BKV[:, :, NEVER] = -torch.inf
