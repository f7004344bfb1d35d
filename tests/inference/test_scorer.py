"""What a model says of given translations, against a walk of single steps through each pair alone."""

import math

import pytest
import torch
from toy_runs import HEADS, RNN, TRANSFORMER, aligner, config

from mt.core.special import BOS
from mt.corpora import load_splits
from mt.inference.scorer import Scored, Scorer
from mt.models.contract import Look, Site

NONE = RNN | {"attention": {"score": "none"}}
MODELS = {"rnn": RNN, "heads": HEADS, "transformer": TRANSFORMER, "none": NONE}


def scorer(model: dict[str, object]) -> Scorer:
    made = config(HEADS if model is NONE else model)
    if model is not NONE:
        known = aligner(made)
        return Scorer(known.model, known.tokenizers, known.config)
    from tiny_models import redraw

    from mt.runs.checkpoint import build

    known = aligner(made)
    alone = config(NONE)
    plain = build(alone, known.tokenizers)
    redraw(plain, 3, 0.6)
    return Scorer(plain.float().eval(), known.tokenizers, alone)


def walk(made: Scorer, read: Scored) -> list[tuple[float, float, int, float, list[float] | None]]:
    """Each step's log probability, entropy, likeliest piece with its own, and weights, from one step at a time."""
    source_BS = torch.tensor([read.source])
    memory, state = made.model.encode(source_BS, torch.ones_like(source_BS, dtype=torch.bool))
    before, rows = BOS, []
    for piece in read.target:
        output, state = made.model.step(torch.tensor([[before]]), state, memory, Look(made.site))
        logits = output.logits[0, 0].double().tolist()
        total = math.log(math.fsum(math.exp(one) for one in logits))
        spread = -math.fsum((one - total) * math.exp(one - total) for one in logits)
        weights = None if output.attention is None else output.attention[0, 0].tolist()
        rows.append((logits[piece] - total, spread, logits.index(max(logits)), max(logits) - total, weights))
        before = piece
    return rows


@pytest.mark.parametrize("name", MODELS)
@torch.inference_mode()
def test_a_pass_over_given_pairs_is_a_walk_of_single_steps(name: str) -> None:
    made = scorer(MODELS[name])
    pairs = load_splits(made.config.corpus)["validation"]
    done: list[int] = []
    found = made.score(pairs.sources, pairs.targets, progress=done.append)
    assert sum(done) == len(found) == len(pairs.sources)
    for read in found:
        for step, (own, spread, likeliest, highest, weights) in enumerate(walk(made, read)):
            assert read.log_probabilities_T[step] == pytest.approx(own, abs=2e-5)
            assert read.entropies_T[step] == pytest.approx(spread, abs=2e-5)
            assert read.likeliest_T[step] == likeliest
            assert read.highest_T[step] == pytest.approx(highest, abs=2e-5)
            if weights is None:
                assert read.matrix_TS is None
            else:
                assert read.matrix_TS is not None
                assert read.matrix_TS[step].tolist() == pytest.approx(weights, abs=1e-5)


def test_weights_that_are_replaced_are_those_that_are_read() -> None:
    made = scorer(TRANSFORMER)
    look = Look(Site(1, 2), lambda weights_BNQS, mask_BS, layer: torch.full_like(weights_BNQS, 0.25 * layer))
    (read,) = made.score(["Die Katze schläft."], ["The cat sleeps."], look)
    assert read.matrix_TS is not None
    assert (read.matrix_TS == 0.25).all()


def test_pieces_and_text_are_the_same(caplog: pytest.LogCaptureFixture) -> None:
    made = scorer(RNN)
    (one,) = made.score(["Die Katze schläft."], ["The cat sleeps."])
    (two,) = made.score_pieces([one.source], [one.target])
    assert (one.log_probabilities_T == two.log_probabilities_T).all()
    short = made.config.model_copy(update={"search": made.config.search.model_copy(update={"max_source": 2})})
    (cut,) = Scorer(made.model, made.tokenizers, short).score(["Die Katze schläft."], ["The cat sleeps."])
    assert len(cut.source) == len(cut.target) == 3
    assert "only the first 2 (search.max_source)" in caplog.text
