"""Beam search that stops exactly. Letters of shapes as in `mt.search`."""

from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor

from mt.core.special import EOS
from mt.models.contract import NOTHING, Look, Seq2Seq, State, reorder
from mt.search.trail import Hypothesis, Step, coverage, forbid, no_past, remember, select, start, trace


@torch.inference_mode()
def beam(
    model: Seq2Seq,
    source_BS: Tensor,
    mask_BS: Tensor,
    limit_B: Tensor,
    width: int,
    length_penalty: float,
    n_best: int = 1,
    coverage_penalty: float = 0.0,
    no_repeat: int = 0,
    look: Look = NOTHING,
) -> list[list[Hypothesis]]:
    """Return at most `n_best` hypotheses of each sentence, best first, from a beam of `width`.

    At each step every live hypothesis offers its ending to the sentence's pool, which keeps the best `width`, and the
    best `width` continuations live on, none of which repeats `no_repeat` pieces in a row. A sentence is done when no
    live hypothesis can still enter its best `n_best`: stopping early loses nothing. A score is the log probability
    divided by ((5 + length) / 6)^length_penalty, plus coverage_penalty x the sum over source pieces of log(min(its
    attention, 1)) (Wu et al. 2016, eq. 14; length in pieces; </s> included on both sides).

    `limit_B`: the most pieces each output may have, </s> included (at least 1); the last of them is always </s>.
    Raises ValueError when `n_best` is not between 1 and `width`, or a penalty is negative or cannot be known.
    """
    if not 1 <= n_best <= width or min(length_penalty, coverage_penalty, no_repeat) < 0:
        raise ValueError(f"not 1 <= n_best ({n_best}) <= width ({width}), or a negative penalty or no_repeat")
    memory, state = model.encode(source_BS, mask_BS)
    past = no_past(mask_BS, coverage_penalty > 0, no_repeat)
    sentences_B, previous_BK = start(source_BS)
    live_BK, parents_BK = torch.zeros(previous_BK.shape, device=source_BS.device), torch.zeros_like(previous_BK)
    pool, trail = _Pool.empty(len(source_BS), width, source_BS.device), list[Step]()
    for step in count():
        output, state = model.step(previous_BK, state, memory, look)
        trail.append(Step.of(sentences_B, previous_BK, parents_BK, output.attention))
        past = remember(past, previous_BK, output.attention)
        log_probs_BKV = output.logits.log_softmax(-1).add_(live_BK[:, :, None])
        bonus_BK = coverage_penalty * coverage(past) if coverage_penalty else 0.0
        pool.offer(sentences_B, log_probs_BKV[:, :, EOS], step, _penalty(step + 1, length_penalty), bonus_BK)
        live_BK, parents_BK, previous_BK = _continue(log_probs_BKV, past, no_repeat, width)

        # Log probabilities only fall, length penalties grow, coverage is at most 0: nothing alive can score more.
        reachable_B = live_BK[:, 0] / _penalty(limit_B, length_penalty)
        going_B = (pool.score[sentences_B, n_best - 1] < reachable_B) & (limit_B > step + 1)
        if not going_B.all():
            if not going_B.any():
                break
            memory, state, past = (select(tensors, going_B) for tensors in (memory, state, past))
            sentences_B, limit_B = sentences_B[going_B], limit_B[going_B]
            live_BK, parents_BK, previous_BK = (x[going_B] for x in (live_BK, parents_BK, previous_BK))
        state, past = reorder(state, parents_BK), reorder(past, parents_BK)
    return pool.hypotheses(trail, mask_BS.sum(1).tolist(), n_best)


def _continue(log_probs_BKV: Tensor, past: State, no_repeat: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the best continuations that do not end: their log probabilities, parents and pieces, [B, K].

    Forbids in place, and </s> as well.
    """
    forbid(log_probs_BKV, past, no_repeat)
    log_probs_BKV[:, :, EOS] = -torch.inf
    candidates, vocabulary = log_probs_BKV.flatten(1), log_probs_BKV.shape[2]
    live_BK, choice_BK = candidates.topk(min(width, candidates.shape[1]))
    return live_BK, choice_BK // vocabulary, choice_BK % vocabulary


def _penalty(length: int | Tensor, alpha: float) -> float | Tensor:
    return ((5 + length) / 6) ** alpha


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
        nothing = torch.full((sentences, width), -torch.inf, dtype=torch.float64, device=device)
        nowhere = torch.zeros((sentences, width), dtype=torch.long, device=device)
        return cls(nothing, nothing.clone(), nowhere, nowhere.clone())

    def offer(
        self,
        sentences_B: Tensor,
        log_probability_BK: Tensor,
        step: int,
        penalty: float | Tensor,
        bonus_BK: float | Tensor,
    ) -> None:
        """Let all live hypotheses end at `step`, and keep the best."""
        live = torch.arange(log_probability_BK.shape[1], device=sentences_B.device)
        hypothesis_BK = live.expand_as(log_probability_BK)
        scores = torch.cat([self.score[sentences_B], log_probability_BK.double() / penalty + bonus_BK], 1)
        self.score[sentences_B], best_BW = scores.topk(self.score.shape[1])
        for kept, offered_BK in (
            (self.log_probability, log_probability_BK),
            (self.step, torch.full_like(hypothesis_BK, step)),
            (self.hypothesis, hypothesis_BK),
        ):
            kept[sentences_B] = torch.cat([kept[sentences_B], offered_BK], 1).gather(1, best_BW)

    def hypotheses(self, trail: list[Step], pieces: list[int], n_best: int) -> list[list[Hypothesis]]:
        """Return what was found for each sentence of so many source pieces; impossible hypotheses are left out."""
        columns = (self.score, self.log_probability, self.step, self.hypothesis)
        table = zip(*(column[:, :n_best].tolist() for column in columns), strict=True)
        return [
            [
                Hypothesis(tokens, score, log_probability, attention)
                for score, log_probability, step, hypothesis in zip(*rows, strict=True)
                if log_probability != -torch.inf
                for tokens, attention in [trace(trail, sentence, step, hypothesis, pieces[sentence])]
            ]
            for sentence, rows in enumerate(table)
        ]
