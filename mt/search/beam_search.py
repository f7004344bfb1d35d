"""Beam search that stops exactly. Letters of shapes as in `mt.search`."""

from dataclasses import dataclass, replace
from itertools import count

import torch
from torch import Tensor

from mt import config
from mt.core.device import finest
from mt.core.special import EOS
from mt.models.contract import NOTHING, Look, Seq2Seq
from mt.search.live import Live
from mt.search.past import coverage, no_past, restrict
from mt.search.recorder import Recorder
from mt.search.sources import Found, Sources
from mt.search.trace import Ending
from mt.search.trail import Branches, Hypothesis, Trail


@torch.inference_mode()
def beam(
    model: Seq2Seq,
    sources: Sources,
    settings: config.Search,
    *,
    n_best: int = 1,
    look: Look = NOTHING,
    trace: bool = False,
) -> list[Found]:
    """Return at most `n_best` hypotheses of each sentence, best first, from a beam that is at least so wide.

    At each step every live hypothesis offers its ending to the sentence's pool, which keeps the best `width`, and the
    best `width` continuations live on, none of which repeats `no_repeat` pieces in a row. A sentence is done when no
    live hypothesis can still enter its best `n_best`: stopping early loses nothing. A score is the log probability
    divided by ((5 + length) / 6)^length_penalty, plus coverage_penalty x the sum over source pieces of log(min(its
    attention, 1)) (Wu et al. 2016, eq. 14; length in pieces; </s> included on both sides).

    A forced prefix is one hypothesis, which cannot end before its last piece. Where outputs must say something, there
    is a beam for each number of its pieces that have been said (grid beam search, Hokamp and Liu 2017), so that those
    which have said more do not compete with those which have said less. Raises ValueError when a coverage penalty is
    asked for without the attention of one site.
    """
    width, covering = max(settings.beam, n_best), settings.coverage_penalty
    live = Live.start(model, sources, no_past(sources.mask_BS, settings.no_repeat, covering > 0, sources.rules))
    pool, trail = _Pool.empty(len(live.sentences_B), width, live.limit_B.device), Trail(sources.mask_BS)
    recorder = Recorder(len(live.sentences_B), trace)
    for step in count():
        live, own_BKV = live.ask(model, look, trail)
        forced_B, last_B = sources.forced(live.sentences_B, step), live.limit_B == step + 2
        restrict(own_BKV, live.past, settings.no_repeat, forced_B, sources.rules, last_B)
        before_BK = live.branches.total_BK
        ended_BK = own_BKV[:, :, EOS] + before_BK
        bonus_BK = covering * coverage(live.past) if covering else 0.0
        score_BK = ended_BK.to(pool.score.dtype) / _penalty(step + 1, settings.length_penalty) + bonus_BK
        offer = pool.offer(live.sentences_B, score_BK, ended_BK, step)
        own_BKV[:, :, EOS] = -torch.inf
        live = replace(live, branches=_best_of_banks(live, own_BKV, before_BK, width))

        # Log probabilities only fall, length penalties grow, coverage is at most 0: nothing alive can score more.
        reachable_B = live.branches.total_BK.amax(1) / _penalty(live.limit_B, settings.length_penalty)
        going_B = (pool.score[live.sentences_B, n_best - 1] < reachable_B) & (live.limit_B > step + 1)
        if trace:
            recorder.add(live, going_B[:, None], _best(own_BKV, before_BK, 2 * width), offer.losers())
        if not going_B.any():
            break
        live = live.select(going_B)
        live = live.follow(live.branches.parent_BK)
    return recorder.found(pool.hypotheses(trail, n_best))


def _best(own_BKV: Tensor, before_BK: Tensor, width: int) -> Branches:
    """Return the `width` best continuations: they are among the best of each hypothesis, which are found first."""
    own_BKW, piece_BKW = own_BKV.topk(min(width, own_BKV.shape[2]))
    total_BX = (own_BKW + before_BK[:, :, None]).flatten(1)
    total_BK, choice_BK = total_BX.topk(min(width, total_BX.shape[1]))
    piece_BK, own_BK = (column.flatten(1).gather(1, choice_BK) for column in (piece_BKW, own_BKW))
    return Branches(piece_BK, choice_BK // own_BKW.shape[2], own_BK, total_BK)


def _best_of_banks(live: Live, own_BKV: Tensor, before_BK: Tensor, width: int) -> Branches:
    """Return the best continuations: where the rules have banks, those of each bank, one bank after the other."""
    if live.rules is None or live.rules.banks == 1:
        return _best(own_BKV, before_BK, width)
    bank_BKV = live.rules.bank(live.past["said"])
    banks = [
        _best(own_BKV.masked_fill(bank_BKV != bank, -torch.inf), before_BK, width) for bank in range(live.rules.banks)
    ]
    return Branches(*(torch.cat(columns, 1) for columns in zip(*banks, strict=True)))


def _penalty(length: int | Tensor, alpha: float) -> float | Tensor:
    return ((5 + length) / 6) ** alpha


@dataclass(frozen=True)
class _Offer:
    """Finished hypotheses that competed for the pool."""

    columns: list[Tensor]
    """What the pool says of its own, in the same order, [B, W + K]."""
    kept_BW: Tensor
    """The places of those that it kept."""

    def losers(self) -> list[list[Ending]]:
        """Return those that are possible and were not kept, best first."""
        score, log_probability, step, hypothesis = self.columns
        lost = score.scatter(1, self.kept_BW, -torch.inf)
        rows = zip(*(column.tolist() for column in (step, hypothesis, log_probability, lost)), strict=True)
        found = ([Ending(*entry) for entry in zip(*row, strict=True) if entry[3] > -torch.inf] for row in rows)
        return [sorted(endings, key=lambda ending: -ending.score) for endings in found]


@dataclass(frozen=True)
class _Pool:
    """The best finished hypotheses of all sentences of the batch, best first; empty places score -inf."""

    score: Tensor
    log_probability: Tensor
    step: Tensor
    """Where it ended, which is also how many pieces came before </s>."""
    hypothesis: Tensor
    """Which of the live hypotheses of that step ended."""

    @classmethod
    def empty(cls, sentences: int, width: int, device: torch.device) -> "_Pool":
        nothing = torch.full((sentences, width), -torch.inf, dtype=finest(device), device=device)
        nowhere = torch.zeros((sentences, width), dtype=torch.long, device=device)
        return cls(nothing, nothing.clone(), nowhere, nowhere.clone())

    def offer(self, sentences_B: Tensor, score_BK: Tensor, log_probability_BK: Tensor, step: int) -> _Offer:
        """Let all live hypotheses end at `step`, keep the best, and return all that competed."""
        hypothesis_BK = torch.arange(score_BK.shape[1], device=score_BK.device).expand_as(score_BK)
        offered = score_BK, log_probability_BK, torch.full_like(hypothesis_BK, step), hypothesis_BK
        mine = self.score, self.log_probability, self.step, self.hypothesis
        competing = [torch.cat([kept[sentences_B], new], 1) for kept, new in zip(mine, offered, strict=True)]
        best_BW = competing[0].topk(self.score.shape[1]).indices
        for kept, every in zip(mine, competing, strict=True):
            kept[sentences_B] = every.gather(1, best_BW)
        return _Offer(competing, best_BW)

    def hypotheses(self, trail: Trail, n_best: int) -> list[list[Hypothesis]]:
        """Return what was found for each sentence; impossible hypotheses are left out."""
        columns = (self.step, self.hypothesis, self.score, self.log_probability)
        table = zip(*(column[:, :n_best].tolist() for column in columns), strict=True)
        return [
            [trail.hypothesis(sentence, *entry) for entry in zip(*rows, strict=True) if entry[3] != -torch.inf]
            for sentence, rows in enumerate(table)
        ]
