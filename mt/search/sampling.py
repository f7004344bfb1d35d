"""Searches whose hypotheses do not compete: greedy, and sampling. Letters of shapes as in `mt.search`."""

import random
from collections.abc import Callable, Sequence
from itertools import count

import torch
from torch import Tensor

from mt.core.special import EOS
from mt.models.contract import NOTHING, Look, Seq2Seq, reorder
from mt.search.trail import Hypothesis, Step, forbid, no_past, remember, select, start, trace

Choose = Callable[[Tensor, Tensor, int], Tensor]
"""(log probabilities [B, K, V], -inf where forbidden; sentences_B; step) -> the next pieces, [B, K]."""


@torch.inference_mode()
def greedy(
    model: Seq2Seq, source_BS: Tensor, mask_BS: Tensor, limit_B: Tensor, no_repeat: int = 0, look: Look = NOTHING
) -> list[Hypothesis]:
    """Take the most probable piece at each step until </s>; the score is the log probability.

    `limit_B`: the most pieces each output may have, </s> included (at least 1); the last of them is always </s>.
    `no_repeat`: as in `beam`.
    """

    def best(log_probs_BKV: Tensor, sentences_B: Tensor, step: int) -> Tensor:
        return log_probs_BKV.argmax(-1)

    return [only for (only,) in _walk(model, source_BS, mask_BS, limit_B, 1, no_repeat, best, look)]


@torch.inference_mode()
def sample(
    model: Seq2Seq,
    source_BS: Tensor,
    mask_BS: Tensor,
    limit_B: Tensor,
    generators: Sequence[random.Random],
    samples: int = 1,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    no_repeat: int = 0,
    look: Look = NOTHING,
) -> list[list[Hypothesis]]:
    """Draw `samples` hypotheses of each sentence independently, in the order drawn; one may come twice.

    Logits are divided by `temperature`; then only the `top_k` most probable pieces stay (Fan et al. 2018; 0: all), and
    of these the fewest most probable that reach `top_p` of their probability (Holtzman et al. 2020). Each sentence has
    its own generator, so that its samples do not depend on the batch. The score is the log probability under the model
    itself, whatever the temperature and the cuts. `limit_B`, `no_repeat`: as in `greedy`.
    """
    longest = int(limit_B.max())
    noise_BKT = torch.tensor(
        [
            [[generator.random() for _ in range(limit)] + [0.0] * (longest - limit) for _ in range(samples)]
            for generator, limit in zip(generators, limit_B.tolist(), strict=True)
        ],
        dtype=torch.float64,
        device=source_BS.device,
    )

    def draw(log_probs_BKV: Tensor, sentences_B: Tensor, step: int) -> Tensor:
        return _draw(log_probs_BKV.double(), noise_BKT[sentences_B, :, step], temperature, top_k, top_p)

    return _walk(model, source_BS, mask_BS, limit_B, samples, no_repeat, draw, look)


def _draw(log_probs_BKV: Tensor, noise_BK: Tensor, temperature: float, top_k: int, top_p: float) -> Tensor:
    """Return the piece where the cumulative probability passes the noise, which is uniform in [0, 1)."""
    pieces_BKV = None
    if top_k or top_p < 1:  # most probable first, so that both cuts leave a prefix
        vocabulary = log_probs_BKV.shape[2]
        log_probs_BKV, pieces_BKV = log_probs_BKV.topk(min(top_k or vocabulary, vocabulary))
    # The largest is taken away before the division, which then cannot overflow.
    below_BKV = log_probs_BKV - log_probs_BKV.amax(-1, keepdim=True)
    cumulative_BKV = (below_BKV / temperature).softmax(-1).cumsum(-1)
    last_BK1 = (cumulative_BKV < top_p * cumulative_BKV[:, :, -1:]).sum(-1, keepdim=True)
    passed_BK1 = noise_BK[:, :, None] * cumulative_BKV.gather(2, last_BK1)
    place_BK1 = (cumulative_BKV <= passed_BK1).sum(-1, keepdim=True)
    return (place_BK1 if pieces_BKV is None else pieces_BKV.gather(2, place_BK1))[:, :, 0]


def _walk(
    model: Seq2Seq,
    source_BS: Tensor,
    mask_BS: Tensor,
    limit_B: Tensor,
    wide: int,
    no_repeat: int,
    choose: Choose,
    look: Look,
) -> list[list[Hypothesis]]:
    """Follow `wide` hypotheses of each sentence to their </s>, each by its own choices; their score is log probability.

    A sentence leaves when all its hypotheses have ended; until then, what the ended ones do is not looked at.
    """
    memory, state = model.encode(source_BS, mask_BS)
    sentences_B, previous_B1 = start(source_BS)
    previous_BK = previous_B1.expand(-1, wide)
    copies_BK = torch.zeros_like(previous_BK)
    state, past = reorder(state, copies_BK), reorder(no_past(mask_BS, False, no_repeat), copies_BK)
    itself_BK = torch.arange(wide, device=source_BS.device).expand_as(previous_BK)
    length, log_probability = torch.zeros_like(previous_BK), torch.zeros_like(previous_BK, dtype=torch.float64)
    going_BK = torch.ones_like(previous_BK, dtype=torch.bool)
    trail: list[Step] = []
    for step in count():
        output, state = model.step(previous_BK, state, memory, look)
        trail.append(Step.of(sentences_B, previous_BK, itself_BK[: len(sentences_B)], output.attention))
        past = remember(past, previous_BK, output.attention)
        log_probs_BKV = output.logits.log_softmax(-1)
        forbid(log_probs_BKV, past, no_repeat)
        at_limit_B1 = (limit_B <= step + 1)[:, None]
        previous_BK = choose(log_probs_BKV, sentences_B, step).masked_fill(at_limit_B1, EOS)
        gained_BK = log_probs_BKV.gather(2, previous_BK[:, :, None])[:, :, 0]
        log_probability[sentences_B] += gained_BK.double().where(going_BK, 0)
        going_BK = going_BK & (previous_BK != EOS)
        length[sentences_B] += going_BK
        going_B = going_BK.any(1)
        if not going_B.all():
            if not going_B.any():
                break
            memory, state, past = (select(tensors, going_B) for tensors in (memory, state, past))
            sentences_B, limit_B, previous_BK, going_BK = (
                x[going_B] for x in (sentences_B, limit_B, previous_BK, going_BK)
            )
    found = zip(log_probability.tolist(), length.tolist(), mask_BS.sum(1).tolist(), strict=True)
    return [
        [
            Hypothesis(tokens, total, total, attention)
            for hypothesis, (total, end) in enumerate(zip(totals, ends, strict=True))
            for tokens, attention in [trace(trail, sentence, end, hypothesis, pieces)]
        ]
        for sentence, (totals, ends, pieces) in enumerate(found)
    ]
