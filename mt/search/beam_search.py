"""Beam search that stops exactly. Letters of shapes as in `mt.search`."""

import math
from collections.abc import Sequence
from dataclasses import replace
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
    pool, trail = _Pool(len(live.sentences_B), width), Trail(sources.mask_BS)
    recorder = Recorder(len(live.sentences_B), trace)
    for step in count():
        live, own_BKV = live.ask(model, look, trail)
        forced_B = sources.forced(live.sentences_B, step)
        last_B = live.limit_B == step + 2 if sources.rules else None
        restrict(own_BKV, live.past, settings.no_repeat, forced_B, sources.rules, last_B)
        before_BK = live.branches.total_BK
        ended_BK = own_BKV[:, :, EOS] + before_BK
        bonus_BK = covering * coverage(live.past) if covering else 0.0
        score_BK = ended_BK.to(finest(ended_BK.device)) / _penalty(step + 1, settings.length_penalty) + bonus_BK
        left = pool.offer(live.sentences_B.tolist(), step, ended_BK.tolist(), score_BK.tolist())
        own_BKV[:, :, EOS] = -torch.inf
        live = replace(live, branches=_best_of_banks(live, own_BKV, before_BK, width))

        going = _going(live, pool, step, n_best, settings.length_penalty)
        if trace:
            stay_B1 = torch.tensor(going, device=before_BK.device)[:, None]
            recorder.add(live, stay_B1, _best(own_BKV, before_BK, 2 * width), left)
        if not any(going):
            break
        live = live.select(going)
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


def _going(live: Live, pool: "_Pool", step: int, n_best: int, alpha: float) -> list[bool]:
    """Tell of each sentence whether a live hypothesis can still enter its best.

    Log probabilities only fall, length penalties grow, coverage is at most 0: nothing alive can score more than now
    with the penalty of the limit.
    """
    columns = (column.tolist() for column in (live.sentences_B, live.limit_B, live.branches.total_BK))
    return [
        limit > step + 1 and pool.score(sentence, n_best) < max(totals) / _penalty(limit, alpha)
        for sentence, limit, totals in zip(*columns, strict=True)
    ]


def _penalty(length: int, alpha: float) -> float:
    penalty: float = ((5 + length) / 6) ** alpha
    return penalty


class _Pool:
    """The best finished hypotheses of each sentence of the batch, so many at most, best first."""

    def __init__(self, sentences: int, width: int):
        self.width = width
        self.best: list[list[Ending]] = [[] for _ in range(sentences)]

    def offer(
        self, sentences: Sequence[int], step: int, ended: list[list[float]], scores: list[list[float]]
    ) -> list[list[Ending]]:
        """Let all live hypotheses end at `step`, keep the best, and return of each sentence the others, best first.

        `ended`: their log probabilities, by sentence. Those that are impossible, of score -inf, do not compete.
        """
        left: list[list[Ending]] = []
        for sentence, ends, row in zip(sentences, ended, scores, strict=True):
            offered = enumerate(zip(ends, row, strict=True))
            new = [Ending(step, number, *both) for number, both in offered if both[1] != -math.inf]
            ranked = sorted(self.best[sentence] + new, key=lambda ending: -ending.score)
            self.best[sentence] = ranked[: self.width]
            left.append(ranked[self.width :])
        return left

    def score(self, sentence: int, place: int) -> float:
        """Return the score of the hypothesis at a place, from 1; -inf where there are not so many."""
        best = self.best[sentence]
        return best[place - 1].score if place <= len(best) else -math.inf

    def hypotheses(self, trail: Trail, n_best: int) -> list[list[Hypothesis]]:
        """Return what was found for each sentence."""
        return [
            [trail.hypothesis(sentence, one.step, one.parent, one.score, one.log_probability) for one in best[:n_best]]
            for sentence, best in enumerate(self.best)
        ]
