"""Search for the best translation: greedy and beam, on any model that keeps the contract of `mt.models.base`.

Letters of shapes: B sentences still searched (finished ones leave), K live hypotheses of a sentence, W width of the
beam, S source pieces, T output pieces, V vocabulary. Sentences never influence each other, so a batch gives what one by
one would give.
"""

from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor

from mt.models.base import Seq2Seq, reorder
from mt.special import BOS, EOS, PAD, UNK

NEVER = [PAD, UNK, BOS]
"""Pieces no hypothesis emits. Their probability is not shared out: log probabilities stay the model's own."""


@dataclass(frozen=True)
class Hypothesis:
    """One translation: `tokens` without </s>, and what the model says of them, </s> included.

    `score` is `log_probability` (natural) divided by the length penalty. `attention` is [len(tokens) + 1, source
    pieces]: row t holds the weights that predicted token t, the last row those of </s>; None when the model has none.
    """

    tokens: list[int]
    score: float
    log_probability: float
    attention: Tensor | None


@torch.inference_mode()
def greedy(model: Seq2Seq, source_BS: Tensor, mask_BS: Tensor, limit_B: Tensor) -> list[Hypothesis]:
    """Take the most probable piece at each step until </s>; the score is the log probability.

    `limit_B`: the most pieces each output may have, </s> included (at least 1); the last of them is always </s>.
    """
    memory, state = model.encode(source_BS, mask_BS)
    sentences_B, previous_B1 = _start(source_BS)
    log_probability = torch.zeros(len(sentences_B), dtype=torch.float64, device=source_BS.device)
    last = torch.zeros_like(sentences_B)
    trail: list[_Step] = []
    for step in count():
        output, state = model.step(previous_B1, state, memory)
        trail.append(_Step.of(sentences_B, previous_B1, torch.zeros_like(previous_B1), output.attention))
        log_probs_BV = output.logits[:, 0].log_softmax(-1)
        log_probs_BV[:, NEVER] = -torch.inf
        at_limit_B = limit_B <= step + 1
        piece_B = log_probs_BV.argmax(-1).masked_fill(at_limit_B, EOS)
        previous_B1 = piece_B[:, None]
        log_probability[sentences_B] += log_probs_BV.gather(1, previous_B1)[:, 0]
        going_B = piece_B != EOS
        last[sentences_B] = step
        if not going_B.all():
            if not going_B.any():
                break
            memory, state = _select(memory, going_B), _select(state, going_B)
            sentences_B, limit_B, previous_B1 = (x[going_B] for x in (sentences_B, limit_B, previous_B1))
    found = zip(log_probability.tolist(), last.tolist(), mask_BS.sum(1).tolist(), strict=True)
    return [
        Hypothesis(tokens, total, total, attention)
        for sentence, (total, end, pieces) in enumerate(found)
        for tokens, attention in [_trace(trail, sentence, end, 0, pieces)]
    ]


@torch.inference_mode()
def beam(
    model: Seq2Seq,
    source_BS: Tensor,
    mask_BS: Tensor,
    limit_B: Tensor,
    width: int,
    length_penalty: float,
    n_best: int = 1,
) -> list[list[Hypothesis]]:
    """Return at most `n_best` hypotheses of each sentence, best first, from a beam of `width`.

    At each step every live hypothesis offers its ending to the sentence's pool, which keeps the best `width`, and the
    best `width` continuations live on. A score is the log probability divided by ((5 + length) / 6)^length_penalty
    (Wu et al. 2016, eq. 14; length in pieces, </s> included). A sentence is done when no live hypothesis can still
    enter its best `n_best`: stopping early loses nothing.

    `limit_B`: the most pieces each output may have, </s> included (at least 1); the last of them is always </s>.
    Raises ValueError when `n_best` is not between 1 and `width`, or `length_penalty` is negative.
    """
    if not 1 <= n_best <= width or length_penalty < 0:
        raise ValueError(f"not 1 <= n_best ({n_best}) <= width ({width}), or length_penalty {length_penalty} < 0")
    memory, state = model.encode(source_BS, mask_BS)
    sentences_B, previous_BK = _start(source_BS)
    parents_BK = torch.zeros_like(previous_BK)
    live_BK = torch.zeros(previous_BK.shape, device=source_BS.device)
    pool = _Pool.empty(len(source_BS), width, source_BS.device)
    trail: list[_Step] = []
    for step in count():
        output, state = model.step(previous_BK, state, memory)
        trail.append(_Step.of(sentences_B, previous_BK, parents_BK, output.attention))
        log_probs_BKV = output.logits.log_softmax(-1).add_(live_BK[:, :, None])
        pool.offer(sentences_B, log_probs_BKV[:, :, EOS], step, _penalty(step + 1, length_penalty))

        log_probs_BKV[:, :, [*NEVER, EOS]] = -torch.inf
        vocabulary = log_probs_BKV.shape[-1]
        candidates = log_probs_BKV.flatten(1)
        live_BK, choice_BK = candidates.topk(min(width, candidates.shape[1]))
        parents_BK, previous_BK = choice_BK // vocabulary, choice_BK % vocabulary

        # Log probabilities only fall and the penalty only grows, so nothing alive can score more than this.
        reachable_B = live_BK[:, 0] / _penalty(limit_B, length_penalty)
        going_B = (pool.score[sentences_B, n_best - 1] < reachable_B) & (limit_B > step + 1)
        if not going_B.all():
            if not going_B.any():
                break
            memory, state = _select(memory, going_B), _select(state, going_B)
            sentences_B, limit_B = sentences_B[going_B], limit_B[going_B]
            live_BK, parents_BK, previous_BK = (x[going_B] for x in (live_BK, parents_BK, previous_BK))
        state = reorder(state, parents_BK)
    return pool.hypotheses(trail, mask_BS.sum(1).tolist(), n_best)


@dataclass(frozen=True)
class _Step:
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
    def of(cls, sentences_B: Tensor, previous_BK: Tensor, parents_BK: Tensor, attention_BKS: Tensor | None) -> "_Step":
        row = {sentence: row for row, sentence in enumerate(sentences_B.tolist())}
        return cls(row, previous_BK.tolist(), parents_BK.tolist(), attention_BKS)


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

    def offer(self, sentences_B: Tensor, log_probability_BK: Tensor, step: int, penalty: float | Tensor) -> None:
        """Let all live hypotheses end at `step`, and keep the best."""
        live = torch.arange(log_probability_BK.shape[1], device=sentences_B.device)
        hypothesis_BK = live.expand_as(log_probability_BK)
        scores = torch.cat([self.score[sentences_B], log_probability_BK.double() / penalty], 1)
        self.score[sentences_B], best_BW = scores.topk(self.score.shape[1])
        for kept, offered_BK in (
            (self.log_probability, log_probability_BK),
            (self.step, torch.full_like(hypothesis_BK, step)),
            (self.hypothesis, hypothesis_BK),
        ):
            kept[sentences_B] = torch.cat([kept[sentences_B], offered_BK], 1).gather(1, best_BW)

    def hypotheses(self, trail: list[_Step], pieces: list[int], n_best: int) -> list[list[Hypothesis]]:
        """Return what was found for each sentence of so many source pieces; impossible hypotheses are left out."""
        columns = (self.score, self.log_probability, self.step, self.hypothesis)
        table = zip(*(column[:, :n_best].tolist() for column in columns), strict=True)
        return [
            [
                Hypothesis(tokens, score, log_probability, attention)
                for score, log_probability, step, hypothesis in zip(*rows, strict=True)
                if log_probability != -torch.inf
                for tokens, attention in [_trace(trail, sentence, step, hypothesis, pieces[sentence])]
            ]
            for sentence, rows in enumerate(table)
        ]


def _start(source_BS: Tensor) -> tuple[Tensor, Tensor]:
    """Return the places of the sentences in the batch, and one <s> for each."""
    sentences_B = torch.arange(len(source_BS), device=source_BS.device)
    return sentences_B, torch.full_like(sentences_B, BOS)[:, None]


def _select(tensors: dict[str, Tensor], going_B: Tensor) -> dict[str, Tensor]:
    """Keep the sentences that go on; index_select copies whole rows, four times as fast as a mask."""
    rows = going_B.nonzero()[:, 0]
    return {name: tensor.index_select(0, rows) for name, tensor in tensors.items()}


def _penalty(length: int | Tensor, alpha: float) -> float | Tensor:
    return ((5 + length) / 6) ** alpha


def _trace(
    trail: list[_Step], sentence: int, step: int, hypothesis: int, pieces: int
) -> tuple[list[int], Tensor | None]:
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
