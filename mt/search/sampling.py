"""Searches whose hypotheses do not compete: greedy, and sampling. Letters of shapes as in `mt.search`."""

import random
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import torch
from torch import Tensor

from mt import config
from mt.core.device import finest
from mt.core.special import EOS, PAD
from mt.models.contract import NOTHING, Look, Seq2Seq
from mt.search.live import Live
from mt.search.past import no_past, restrict
from mt.search.recorder import Recorder
from mt.search.sources import Found, Sources
from mt.search.trail import Branches, Trail

Choose = Callable[[Tensor, Tensor, int], Tensor]
"""(log probabilities [B, K, V], -inf where forbidden; sentences_B; step) -> the next pieces, [B, K]."""


@torch.inference_mode()
def greedy(
    model: Seq2Seq,
    sources: Sources,
    settings: config.Search,
    *,
    n_best: int = 1,
    look: Look = NOTHING,
    trace: bool = False,
) -> list[Found]:
    """Take the most probable piece at each step until </s>; the score is the log probability.

    There is one hypothesis of each sentence: raises ValueError when more are asked for.
    """
    if n_best != 1:
        raise ValueError("greedy search finds one hypothesis")

    def best(log_probs_BKV: Tensor, sentences_B: Tensor, step: int) -> Tensor:
        return log_probs_BKV.argmax(-1)

    return _walk(model, sources, settings, best, look=look, trace=trace)


@torch.inference_mode()
def sample(
    model: Seq2Seq,
    sources: Sources,
    settings: config.Search,
    *,
    n_best: int = 1,
    look: Look = NOTHING,
    trace: bool = False,
) -> list[Found]:
    """Draw `n_best` hypotheses of each sentence independently, in the order drawn; one may come twice.

    Logits are divided by `temperature`; then only the `top_k` most probable pieces stay (Fan et al. 2018; 0: all), and
    of these the fewest most probable that reach `top_p` of their probability (Holtzman et al. 2020). Each sentence has
    its own random numbers, so that its samples do not depend on the batch. The score is the log probability under the
    model itself, whatever the temperature and the cuts.
    """
    limits = sources.limits().tolist()
    longest, device, numbers = max(limits), sources.source_BS.device, sources.numbers or range(len(limits))
    noise: list[list[list[float]]] = []
    for number, limit in zip(numbers, limits, strict=True):
        # Seeds of text, because Python takes in the whole of it; of a number torch keeps 32 bits.
        generator = random.Random(f"{settings.sample_seed} {number}")
        noise.append([[generator.random() for _ in range(limit)] + [0.0] * (longest - limit) for _ in range(n_best)])
    noise_BKT = torch.tensor(noise, dtype=finest(device), device=device)

    def draw(log_probs_BKV: Tensor, sentences_B: Tensor, step: int) -> Tensor:
        return _draw(log_probs_BKV.to(finest(device)), noise_BKT[sentences_B, :, step], settings)

    return _walk(model, sources, settings, draw, wide=n_best, look=look, trace=trace)


def _draw(log_probs_BKV: Tensor, noise_BK: Tensor, settings: config.Search) -> Tensor:
    """Return the piece where the cumulative probability passes the noise, which is uniform in [0, 1)."""
    pieces_BKV = None
    if settings.top_k or settings.top_p < 1:  # most probable first, so that both cuts leave a prefix
        vocabulary = log_probs_BKV.shape[2]
        log_probs_BKV, pieces_BKV = log_probs_BKV.topk(min(settings.top_k or vocabulary, vocabulary))
    # The largest is taken away before the division, which then cannot overflow.
    below_BKV = log_probs_BKV - log_probs_BKV.amax(-1, keepdim=True)
    cumulative_BKV = (below_BKV / settings.temperature).softmax(-1).cumsum(-1)
    last_BK1 = (cumulative_BKV < settings.top_p * cumulative_BKV[:, :, -1:]).sum(-1, keepdim=True)
    passed_BK1 = noise_BK[:, :, None] * cumulative_BKV.gather(2, last_BK1)
    place_BK1 = (cumulative_BKV <= passed_BK1).sum(-1, keepdim=True)
    return (place_BK1 if pieces_BKV is None else pieces_BKV.gather(2, place_BK1))[:, :, 0]


def _walk(
    model: Seq2Seq,
    sources: Sources,
    settings: config.Search,
    choose: Choose,
    *,
    wide: int = 1,
    look: Look,
    trace: bool,
) -> list[Found]:
    """Follow `wide` hypotheses of each sentence to their </s>, each by its own choices; their score is log probability.

    A sentence leaves when all its hypotheses have ended; until then, what the ended ones do is not looked at.
    """
    if sources.rules and sources.rules.banks > 1:
        raise ValueError("only beam search finds what outputs must say")
    live = Live.start(model, sources, no_past(sources.mask_BS, settings.no_repeat, rules=sources.rules))
    live = live.follow(live.branches.parent_BK.expand(-1, wide))
    piece_BK, parent_BK, own_BK, total_BK = (column.expand(-1, wide) for column in live.branches)
    itself_BK = torch.arange(wide, device=parent_BK.device).expand_as(parent_BK)  # which each continues, at each step
    live = replace(live, branches=Branches(piece_BK, itself_BK, own_BK, total_BK.to(finest(total_BK.device))))
    total, length = torch.zeros_like(live.branches.total_BK), torch.zeros_like(parent_BK)
    going_BK = torch.ones_like(parent_BK, dtype=torch.bool)
    trail, recorder = Trail(sources.mask_BS), Recorder(len(total), trace)
    for step in count():
        live, own_BKV = live.ask(model, look, trail)
        allowed_BKV, forced_B = own_BKV.clone(), sources.forced(live.sentences_B, step)
        restrict(allowed_BKV, live.past, settings.no_repeat, forced_B, sources.rules, live.limit_B == step + 2)
        piece_BK = choose(allowed_BKV, live.sentences_B, step).masked_fill((live.limit_B <= step + 1)[:, None], EOS)
        if forced_B is not None:  # even where its probability is 0
            piece_BK = forced_B[:, None].where(forced_B[:, None] != PAD, piece_BK)
        own_BK = own_BKV.gather(2, piece_BK[:, :, None])[:, :, 0]
        before, parent_BK = live.branches.total_BK, live.branches.parent_BK
        total_BK = before + own_BK.to(before.dtype).where(going_BK, 0)
        live = replace(live, branches=Branches(piece_BK, parent_BK, own_BK, total_BK))
        if trace:
            recorder.add(live, going_BK, _rivals(allowed_BKV, before, going_BK))
        going_BK = going_BK & (piece_BK != EOS)
        total[live.sentences_B] = total_BK
        length[live.sentences_B] += going_BK
        going = going_BK.any(1).tolist()
        if not any(going):
            break
        live, going_BK = live.select(going), going_BK[going]
    ended = zip(length.tolist(), total.tolist(), strict=True)
    return recorder.found([trail.all_ended(sentence, *row) for sentence, row in enumerate(ended)])


def _rivals(allowed_BKV: Tensor, before_BK: Tensor, going_BK: Tensor) -> Branches:
    """Return the two likeliest pieces after each hypothesis that has not ended, the likeliest outputs first."""
    own_BK2, piece_BK2 = allowed_BKV.topk(2)
    total_BK2 = (before_BK[:, :, None] + own_BK2).masked_fill(~going_BK[:, :, None], -torch.inf)
    parent_BK2 = torch.arange(len(before_BK[0]), device=before_BK.device)[:, None].expand_as(piece_BK2)
    order = total_BK2.flatten(1).argsort(dim=1, descending=True, stable=True)
    columns = piece_BK2, parent_BK2, own_BK2, total_BK2
    return Branches(*(column.flatten(1).gather(1, order) for column in columns))
