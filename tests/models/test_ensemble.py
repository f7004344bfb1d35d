"""An ensemble of different kinds keeps the contract: forward = stepping, beam = brute force, attention = forced."""

import itertools
import math

import pytest
import torch
from slow_search import find
from tiny_models import SOURCES, batch, close, config, model, transformer
from tiny_models import one_thread as one_thread

from mt.core.special import BOS, EOS, PAD
from mt.models.contract import Look, Seq2Seq, Site
from mt.models.ensemble import Ensemble
from mt.search import beam, greedy, sample

TARGET_IN = torch.tensor([[BOS, 7, 4, 4], [BOS, 5, 8, 6], [BOS, 6, PAD, PAD]])
KINDS = {
    "rnn and transformer": (config(), transformer()),
    "luong and bahdanau": (config("lstm", "luong", score="general"), config("gru", score="additive", layers=2)),
    "one without attention": (config(score="none"), config(wiring="luong"), transformer(layers=1)),
    "none with attention": (config(score="none"), config("lstm", score="none")),
}
kinds = pytest.mark.parametrize("kind", KINDS)


LOOK = Look(Site(1))


def together(made: list[Seq2Seq]) -> Ensemble:
    """Each member is looked at in its last layer."""
    return Ensemble(made, [Site(one.sites[0]) if one.has_attention else None for one in made]).eval()


def members(kind: str, vocabulary: int = 9) -> list[Seq2Seq]:
    return [model(made_of, vocabulary, seed=seed) for seed, made_of in enumerate(KINDS[kind], 1)]


def own(one: Seq2Seq) -> Look:
    return Look(Site(max(one.sites[0], 1)))


def forced(made: list[Seq2Seq], source: list[int], tokens: list[int]) -> tuple[float, list[list[float]]]:
    """By plain loops over the members' forward: the log probability of the output with its </s>, the attention."""
    outputs = [one(*batch([source]), torch.tensor([[BOS, *tokens]]), own(one)) for one in made]
    rows = [one.logits[0].exp().tolist() for one in outputs]
    total = 0.0
    for step, piece in enumerate([*tokens, EOS]):
        total += math.log(sum(row[step][piece] / math.fsum(row[step]) for row in rows) / len(rows))
    looks = [one.attention[0].tolist() for one in outputs if one.attention is not None]
    mean = [
        [sum(look[step][place] for look in looks) / len(looks) for place in range(len(source))] if looks else []
        for step in range(len(tokens) + 1)
    ]
    return total, mean


@kinds
@torch.inference_mode()
def test_forward_is_stepping_and_the_mean_of_the_members(kind: str) -> None:
    made, (source_BS, mask_BS) = together(members(kind)), batch(SOURCES)
    output = made(source_BS, mask_BS, TARGET_IN, LOOK)
    memory, state = made.encode(source_BS, mask_BS)
    assert all(tensor.shape[:2] == (3, 1) for tensor in state.values())
    for step in range(4):
        stepped, state = made.step(TARGET_IN[:, step : step + 1], state, memory, LOOK)
        close(stepped.logits[:, 0], output.logits[:, step])
        if stepped.attention is not None:
            assert output.attention is not None
            close(stepped.attention[:, 0], output.attention[:, step])
    each = [one(source_BS, mask_BS, TARGET_IN, own(one)) for one in members(kind)]
    close(output.logits.exp(), torch.stack([one.logits.softmax(-1) for one in each]).mean(0))
    assert made(source_BS, mask_BS, TARGET_IN).attention is None
    assert (output.attention is None) == (kind == "none with attention") == (made.sites == (0, 0))
    if output.attention is not None:
        looks = [one.attention for one in each if one.attention is not None]
        close(output.attention, torch.stack(looks).mean(0))
        assert torch.equal(made(source_BS, mask_BS, TARGET_IN, Look("all")).attention[:, 0, 0], output.attention)


@kinds
@pytest.mark.parametrize("beta", [0.0, 0.5])
@torch.inference_mode()
def test_beam_of_full_width_is_brute_force_over_the_members(kind: str, beta: float) -> None:
    if beta and kind == "none with attention":
        pytest.skip("a coverage penalty needs attention")
    made, sources, limits = members(kind, vocabulary=6), [[4, 5, EOS], [5, 5, 4, 4, EOS], [EOS]], [4, 4, 3]
    found = find(beam, together(made), sources, limits, 15, beam=15, coverage_penalty=beta, look=LOOK)
    for source, limit, hypotheses in zip(sources, limits, found, strict=True):
        expected = []
        for tokens in (list(o) for length in range(limit) for o in itertools.product((4, 5), repeat=length)):
            total, rows = forced(made, source, tokens)
            penalty = sum(math.log(min(sum(column), 1)) for column in zip(*rows, strict=True)) if beta else 0.0
            expected.append((total / ((5 + len(tokens) + 1) / 6) + beta * penalty, tokens))
        expected.sort(reverse=True)
        assert [one.tokens for one in hypotheses] == [tokens for _, tokens in expected]
        assert [one.score for one in hypotheses] == pytest.approx([score for score, _ in expected], abs=1e-11)


@kinds
@torch.inference_mode()
def test_every_search_gives_log_probability_and_attention_of_forced_decoding(kind: str) -> None:
    made, sources = members(kind, vocabulary=20), [[9, 4, EOS], [8, 7, 6, 5, 4, 9, EOS], [EOS], [*SOURCES[0], 5, EOS]]
    several = together(made), sources, [3 * len(source) for source in sources]
    way = {"temperature": 0.8, "top_k": 12, "top_p": 0.9, "no_repeat": 2}
    for several_found in (
        find(beam, *several, 2, beam=3, look=LOOK),
        find(greedy, *several, look=LOOK),
        find(sample, *several, 2, **way, look=LOOK),
    ):
        for source, found in zip(sources, several_found, strict=True):
            for one in found:
                total, rows = forced(made, source, one.tokens)
                assert one.log_probability == pytest.approx(total, abs=1e-11)
                assert (one.attention is None) == (kind == "none with attention")
                if one.attention is not None:
                    close(one.attention, torch.tensor(rows, dtype=torch.float64))


def test_an_ensemble_of_one_model_twice_is_that_model() -> None:
    one, several = model(config()), (SOURCES, [8, 6, 4])
    for found, alone in zip(
        find(beam, together([one, one]), *several, beam=4), find(beam, one, *several, beam=4), strict=True
    ):
        assert found[0].tokens == alone[0].tokens
        assert found[0].score == pytest.approx(alone[0].score, abs=1e-12)
