"""What a search knows of the past of each hypothesis, and what that forbids. Letters of shapes as in `mt.search`."""

import torch
from torch import Tensor

from mt.core.device import finest
from mt.core.special import EOS, PAD
from mt.models.contract import State
from mt.search.rules import Rules

NEVER = slice(EOS)
"""Pieces no hypothesis emits: <pad>, <unk> and <s>, which come before </s>. Their probability is not shared out: log
probabilities stay the model's own."""
LEAST_COVERED = 1e-10
"""What the coverage penalty takes for the attention on a piece that had less, so that no score is -inf."""


def no_past(mask_BS: Tensor, no_repeat: int, covering: bool = False, rules: Rules | None = None) -> State:
    """Return what a search knows of empty outputs, K = 1: only what it will ask.

    history_BKT: the pieces; covered_BKS: the sum of each source piece's attention; said_BKC: the states of the rules.
    Like a model's state it is reordered with the beam.
    """
    past: State = {}
    if no_repeat:
        past["history"] = mask_BS.new_zeros((len(mask_BS), 1, 0), dtype=torch.long)
    if covering:
        past["covered"] = (~mask_BS[:, None]).to(
            finest(mask_BS.device)
        )  # padding is covered from the start, and so costs nothing
    if rules:
        past["said"] = rules.start()
    return past


def remember(past: State, previous_BK: Tensor, attention_BKS: Tensor | None, rules: Rules | None = None) -> State:
    """Return the past with one more piece, and with the attention that it led to.

    Raises ValueError when coverage is asked for, and the attention is not that of one site.
    """
    after = dict(past)
    if "history" in past:
        after["history"] = torch.cat([past["history"], previous_BK[:, :, None]], 2)
    if "covered" in past:
        if attention_BKS is None or attention_BKS.shape != previous_BK.shape + past["covered"].shape[2:]:
            raise ValueError("a coverage penalty needs the attention of one site")
        after["covered"] = past["covered"] + attention_BKS
    if rules:
        after["said"] = rules.follow(past["said"], previous_BK)
    return after


def coverage(past: State) -> Tensor:
    """Return the coverage penalty of each hypothesis, [B, K], without its weight: Wu et al. 2016, eq. 14.

    The sum over source pieces, </s> included, of log(min(attention on it, 1)); at most 0.
    """
    return past["covered"].clamp(LEAST_COVERED, 1).log().sum(-1)


def restrict(
    log_probs_BKV: Tensor,
    past: State,
    no_repeat: int,
    forced_B: Tensor | None,
    rules: Rules | None = None,
    last_B: Tensor | None = None,
) -> None:
    """Take all probability, in place, from pieces that may not come next.

    Those are special pieces; those that would repeat `no_repeat` pieces in a row (Paulus et al. 2018, 2.5), but never
    </s>, since no live hypothesis has had one; those that the rules forbid (`last_B`: where only </s> may follow); and,
    where a piece is forced, all others, whatever the forced one is.
    """
    rows = torch.empty(0) if forced_B is None else (forced_B != PAD).nonzero()[:, 0]
    if forced_B is not None:
        kept_RK = log_probs_BKV[rows, :, forced_B[rows]]
    if no_repeat and past["history"].shape[2] >= no_repeat:
        history_BKT = past["history"]
        grams = history_BKT.unfold(2, no_repeat, 1)
        tail = history_BKT[:, :, None, history_BKT.shape[2] - no_repeat + 1 :]
        again = (grams[..., :-1] == tail).all(-1)
        log_probs_BKV.scatter_(2, grams[..., -1].where(again, PAD), -torch.inf)
    log_probs_BKV[:, :, NEVER] = -torch.inf
    if rules and last_B is not None:
        rules.restrict(log_probs_BKV, past["said"], last_B)
    if forced_B is not None:
        log_probs_BKV[rows] = -torch.inf
        log_probs_BKV[rows, :, forced_B[rows]] = kept_RK
