"""Corpus scores from sums are sacreBLEU's, also where nothing matches, and Student's t is that of printed tables."""

import random
from dataclasses import replace

import numpy as np
import pytest

from mt.core.errors import UserError
from mt.evaluation.metrics import METRICS, Texts
from mt.evaluation.student import quantile, tail
from mt.evaluation.sums import MEASURES, count, measure_of

WORDS = ["the", "a", "old", "dog", "cat", "house,", "walks", "sleeps", "near", "green!", "she's", "ÄPFEL"]


def pairs(sentences: int, seed: int = 3) -> Texts:
    """Invented references, and hypotheses of which some are short, empty or have nothing in common with them."""
    draw = random.Random(seed)
    references = [" ".join(draw.choices(WORDS, k=draw.randint(1, 9))) for _ in range(sentences)]
    hypotheses = [" ".join(word for word in one.split() if draw.random() > 0.2) for one in references]
    strange = ["", "xyz", "xyz xyz xyz xyz xyz"]
    return Texts([strange[row % 3] if row % 7 == 0 else one for row, one in enumerate(hypotheses)], references)


@pytest.mark.parametrize("more", [0, 2])
@pytest.mark.parametrize("metric", MEASURES)
def test_scores_of_resampled_texts_are_sacrebleus(metric: str, more: int) -> None:
    draw, texts = (
        np.random.default_rng(5),
        replace(pairs(40), more=[pairs(40, seed).references for seed in (4, 5)[:more]]),
    )
    counts = count(metric, texts)
    # few sentences, so that orders without a match and without any n-gram occur
    for size in [1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 5, 40]:
        rows = draw.integers(40, size=size)
        hypotheses, *references = ([lines[row] for row in rows] for lines in (texts.hypotheses, *texts.every))
        picked = Texts(hypotheses, references[0], more=references[1:])
        ours = measure_of(metric).score(counts[rows].sum(0)[None])
        assert ours == pytest.approx([METRICS[metric](picked).score], abs=1e-9)


def test_each_further_order_without_a_match_counts_half_as_much() -> None:
    texts = Texts(["a x y z b"], ["a c d e b"])  # 2 of 5 words match, and nothing longer
    ours = float(measure_of("BLEU").score(count("BLEU", texts).sum(0)))
    assert ours == pytest.approx(100 * (2 / 5 * 1 / (2 * 4) * 1 / (4 * 3) * 1 / (8 * 2)) ** 0.25)
    assert ours == pytest.approx(METRICS["BLEU"](texts).score)


@pytest.mark.parametrize("metric", MEASURES)
def test_words_without_spaces_are_counted_as_the_metric_counts_them(metric: str) -> None:
    texts = Texts(["我喜欢猫", "他有两只狗"], ["我喜欢狗", "他有一只狗"], tokenize="zh")
    ours = float(measure_of(metric).score(count(metric, texts).sum(0)))
    assert ours == pytest.approx(METRICS[metric](texts).score)
    assert 0 < ours < 100


@pytest.mark.parametrize("metric", MEASURES)
def test_nothing_against_nothing_has_no_score_and_no_warning(metric: str) -> None:
    assert measure_of(metric).score(count(metric, Texts([""], [""])).sum(0)) == 0


def test_each_metric_of_the_registry_has_its_sums() -> None:
    assert list(MEASURES) == list(METRICS)
    with pytest.raises(UserError, match="significance is known for BLEU, chrF, TER, not for COMET"):
        measure_of("COMET")


@pytest.mark.parametrize(
    ("freedom", "two_sided_5_percent"),
    [(1, 12.7062), (2, 4.3027), (4, 2.7764), (10, 2.2281), (120, 1.9799), (1e9, 1.9602)],
)
def test_students_t_is_that_of_printed_tables(freedom: float, two_sided_5_percent: float) -> None:
    assert quantile(0.05, freedom) == pytest.approx(two_sided_5_percent, abs=2e-4)
    assert tail(-two_sided_5_percent, freedom) == pytest.approx(0.05, abs=1e-5)


def test_students_t_with_a_fraction_of_a_degree_of_freedom() -> None:
    # T = Z / sqrt(chi2 / 2.5), and a chi2 with 2.5 degrees is a gamma of shape 1.25 and scale 2
    draw = np.random.default_rng(1)
    drawn = draw.normal(size=200_000) / np.sqrt(draw.gamma(1.25, 2, size=200_000) / 2.5)
    for t in (0.5, 2.0, 5.0):
        assert tail(t, 2.5) == pytest.approx((np.abs(drawn) >= t).mean(), abs=0.005)
    assert tail(0, 2.5) == 1
