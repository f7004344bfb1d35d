"""Search on every member of the family: beam of full width = brute force, alignments under beam = forced decoding."""

import itertools
import math

import pytest
import torch
from slow_search import find
from tiny_models import EVERY, RNNS, SOURCES, TRANSFORMERS, batch, close, looking, model
from tiny_models import one_thread as one_thread
from torch import Tensor

from mt.config.models import RNNModel, TransformerModel
from mt.core.special import BOS, EOS, PAD
from mt.models.contract import Look, Seq2Seq
from mt.search import Hypothesis, beam, greedy

every = pytest.mark.parametrize("made_of", EVERY.values(), ids=EVERY.keys())
some = list(RNNS)[::11] + list(TRANSFORMERS)[::2]
several = pytest.mark.parametrize("made_of", [EVERY[name] for name in some], ids=some)


def forced(made: Seq2Seq, source: list[int], outputs: list[list[int]], look: Look) -> list[tuple[float, Tensor | None]]:
    """Forced decoding by forward: of each output the log probability with its </s>, and the attention."""
    source_BS, mask_BS = batch([source] * len(outputs))
    longest = max(map(len, outputs)) + 1
    target_in = torch.tensor([([BOS, *tokens] + [PAD] * longest)[:longest] for tokens in outputs])
    found = made(source_BS, mask_BS, target_in, look)
    result: list[tuple[float, Tensor | None]] = []
    for row, (tokens, logits_TV) in enumerate(zip(outputs, found.logits.tolist(), strict=True)):
        pieces = [*tokens, EOS]
        log_probability = math.fsum(
            logits[piece] - math.log(math.fsum(map(math.exp, logits)))
            for logits, piece in zip(logits_TV, pieces, strict=False)
        )
        result.append(
            (log_probability, None if found.attention is None else found.attention[row, ..., : len(pieces), :])
        )
    return result


def assert_forced(found: Hypothesis, expected: tuple[float, Tensor | None]) -> None:
    assert found.log_probability == pytest.approx(expected[0], abs=1e-11)
    assert (found.attention is None) == (expected[1] is None)
    if found.attention is not None and expected[1] is not None:
        close(found.attention, expected[1])


@every
@torch.inference_mode()
def test_beam_of_full_width_is_brute_force_over_forward(made_of: RNNModel | TransformerModel) -> None:
    """All 15 outputs of two pieces, of which many are longer than their source."""
    made, sources, limits, alpha = model(made_of, 6), [[4, 5, EOS], [5, 5, 4, 4, EOS], [EOS]], [4, 4, 3], 0.6
    found = find(beam, made, sources, limits, 15, beam=15, length_penalty=alpha, look=looking(made, made_of))
    for source, limit, hypotheses in zip(sources, limits, found, strict=True):
        outputs = [list(o) for length in range(limit) for o in itertools.product((4, 5), repeat=length)]
        expected = forced(made, source, outputs, looking(made, made_of))
        ranked = [(e[0] / ((5 + len(o) + 1) / 6) ** alpha, o, e) for o, e in zip(outputs, expected, strict=True)]
        ranked.sort(key=lambda entry: entry[0], reverse=True)
        assert len(hypotheses) == len(outputs) == 2**limit - 1
        for hypothesis, (score, output, forced_one) in zip(hypotheses, ranked, strict=True):
            assert hypothesis.tokens == output
            assert hypothesis.score == pytest.approx(score, abs=1e-11)
            assert_forced(hypothesis, forced_one)
        assert made_of.has_attention == (hypotheses[0].attention is not None)


@several
@pytest.mark.parametrize(("width", "every_site"), [(0, False), (0, True), (3, False), (3, True)])
@torch.inference_mode()
def test_batched_search_is_one_by_one_and_forced_decoding(
    made_of: RNNModel | TransformerModel, width: int, every_site: bool
) -> None:
    made, sources = model(made_of, vocabulary=30), [[9, 4, EOS], [8, 7, 6, 5, 4, 9, EOS], [EOS], [*SOURCES[0], 5, EOS]]

    look = Look("all") if every_site else looking(made, made_of)

    def search(rows: list[int]) -> list[Hypothesis]:
        some = [sources[row] for row in rows], [3 * len(sources[row]) for row in rows]
        found = find(beam, made, *some, beam=width, look=look) if width else find(greedy, made, *some, look=look)
        return [best for (best,) in found]

    for row, found in enumerate(search([0, 1, 2, 3])):
        (alone,) = search([row])
        assert found.tokens == alone.tokens
        assert found.score == pytest.approx(alone.score, abs=1e-12)
        (expected,) = forced(made, sources[row], [found.tokens], look)
        assert_forced(found, expected)
