"""Verdicts are sacreBLEU's where nothing ties, intervals those of texts drawn again; equals seldom differ."""

import random
from dataclasses import replace

import numpy as np
import pytest
from sacrebleu.significance import PairedTest

from mt.core.errors import UserError
from mt.evaluation.metrics import METRICS, RESAMPLES, Texts
from mt.evaluation.significance import SEED, Difference, compare, compare_seeds, over_seeds
from mt.evaluation.student import tail
from mt.evaluation.sums import MEASURES

WORDS = ["the", "a", "old", "dog", "cat", "house,", "walks", "sleeps", "near", "green!", "she's", "ÄPFEL"]
DRAW = random.Random(1)
REFERENCES = [" ".join(DRAW.choices(WORDS, k=DRAW.randint(4, 12))) for _ in range(70)]


def system(wrong: float, seed: int) -> Texts:
    """What a system writes that gets so many of its words wrong."""
    draw = random.Random(seed)
    lines = [
        " ".join(word if draw.random() > wrong else draw.choice(WORDS) for word in one.split()) for one in REFERENCES
    ]
    return Texts(lines, REFERENCES)


GOOD, SAME, BAD = system(0.2, 1), system(0.22, 2), system(0.4, 3)


def theirs(metric: str, baseline: Texts, other: Texts, kind: str) -> float:
    systems = [("baseline", baseline.hypotheses), ("other", other.hypotheses)]
    _, results = PairedTest(systems, {metric: MEASURES[metric].make(baseline)}, baseline.every, test_type=kind)()
    return float(next(found[1].p_value for name, found in results.items() if name != "System"))


@pytest.mark.parametrize(("metric", "other"), [("BLEU", BAD), ("BLEU", SAME), ("chrF", SAME)])
def test_p_is_that_of_sacrebleus_approximate_randomisation(metric: str, other: Texts) -> None:
    found = compare(metric, GOOD, other)
    assert found.p == pytest.approx(theirs(metric, GOOD, other, "ar"), abs=1e-12)
    assert found.paired_bootstrap == pytest.approx(theirs(metric, GOOD, other, "bs"), abs=1e-12)
    assert found.delta == pytest.approx(METRICS[metric](other).score - METRICS[metric](GOOD).score)
    assert found.inside_noise is (other is SAME)


def test_p_of_several_references_is_sacrebleus_too() -> None:
    more = [[line.replace("the", "a") for line in REFERENCES]]
    one, two = (replace(texts, more=more) for texts in (GOOD, SAME))
    found = compare("BLEU", one, two)
    assert found.p == pytest.approx(theirs("BLEU", one, two, "ar"), abs=1e-12)
    assert found.delta != compare("BLEU", GOOD, SAME).delta
    with pytest.raises(UserError, match="on different references"):
        compare("BLEU", one, SAME)


@pytest.mark.parametrize("metric", MEASURES)
def test_interval_is_that_of_texts_drawn_again(metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mt.evaluation.significance.RESAMPLES", 40)
    found, draw, score = compare(metric, GOOD, BAD), np.random.default_rng(SEED), MEASURES[metric].make(GOOD)
    deltas = []
    for _ in range(40):
        rows = draw.integers(70, size=70)
        picked = [[one.hypotheses[row] for row in rows] for one in (GOOD, BAD)]
        again = [score.corpus_score(lines, [[REFERENCES[row] for row in rows]]).score for lines in picked]
        deltas.append(again[1] - again[0])
    mean = sum(deltas) / 40
    low, high = (found.delta + float(np.quantile(deltas, share)) - mean for share in (0.025, 0.975))
    assert (found.low, found.high) == pytest.approx((low, high))
    as_large = sum(abs(delta - mean) >= abs(found.delta) for delta in deltas)
    assert found.centred == pytest.approx((as_large + 1) / 41)
    assert RESAMPLES == 1000


def test_ties_count_so_that_equals_and_almost_equals_do_not_differ() -> None:
    assert theirs("BLEU", GOOD, GOOD, "ar") < 0.001  # what is guarded against
    same = compare("BLEU", GOOD, GOOD)
    assert (same.delta, same.p, same.low, same.high) == (0, 1, 0, 0)
    one = replace(GOOD, hypotheses=["the worst of all", *GOOD.hypotheses[1:]])
    assert compare("BLEU", GOOD, one).p == 1
    # ten sentences differ by one edit each, in eight of them for the worse: as large or larger are 2 * (1 + 10 + 45)
    # of 1024
    edits = [f"{line} x" if number < 8 else line for number, line in enumerate(REFERENCES)]
    others = [f"{line} x" if 8 <= number < 10 else line for number, line in enumerate(REFERENCES)]
    p = compare("TER", Texts(edits, REFERENCES), Texts(others, REFERENCES)).p
    assert p == pytest.approx(112 / 1024, abs=0.01)


def test_outputs_swapped_at_random_seldom_differ_and_sacrebleus_bootstrap_is_no_verdict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mt.evaluation.significance.SHUFFLES", 960)
    draw, ours = random.Random(4), []
    both = [*zip(GOOD.hypotheses, BAD.hypotheses, strict=True)]
    for _ in range(40):
        swaps = [draw.random() < 0.5 for _ in REFERENCES]
        one, two = [
            Texts([pair[swap is first] for pair, swap in zip(both, swaps, strict=True)], REFERENCES)
            for first in (True, False)
        ]
        ours.append(compare("BLEU", one, two))
    bootstrap = [found.paired_bootstrap for found in ours if found.paired_bootstrap is not None]
    assert len(bootstrap) == 40
    assert sum(not found.inside_noise for found in ours) <= 5  # 2 are expected
    # It gives about half of the p, as a one-sided test would.
    assert np.median(bootstrap) < 0.7 * np.median([found.p for found in ours])


def simulate(draw: np.random.Generator, own: float, config: float, seeds: int) -> Difference:
    """Compare two configs of equal worth by `seeds` seeds each, where scores are sums of known parts.

    A seed is better by a normal part of deviation 1; a sentence suits a config, and a seed, by parts of its own.
    """
    sentences = 100
    better = draw.normal(size=2 * seeds)
    suits = np.repeat(draw.normal(scale=config, size=(2, sentences)), seeds, axis=0)
    per_sentence = better[:, None] + suits + draw.normal(scale=own, size=(2 * seeds, sentences))
    covariance = np.cov(per_sentence) / sentences  # what resampling would find
    return over_seeds("BLEU", per_sentence.mean(1), covariance, baselines=seeds, sentences=sentences)


@pytest.mark.parametrize(("own", "config"), [(0, 0), (10, 0), (0, 10), (10, 10), (3, 30)])
@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_equal_configs_seldom_differ_whatever_makes_the_noise(own: float, config: float, seeds: int) -> None:
    draw = np.random.default_rng(7)
    wrong = np.mean([not simulate(draw, own, config, seeds).inside_noise for _ in range(400)])
    assert wrong <= 0.075  # 5 % and twice its standard error


def test_a_plain_bootstrap_over_three_seeds_would_not_do() -> None:
    draw, wrong = np.random.default_rng(7), 0
    for _ in range(400):
        sides = draw.normal(size=(2, 3))
        resampled = sides[:, draw.integers(3, size=(500, 3))].mean(-1)
        noise = resampled[1] - resampled[0]
        delta = sides[1].mean() - sides[0].mean()
        wrong += (np.abs(noise - noise.mean()) >= abs(delta)).mean() < 0.05
    assert wrong > 60  # 15 %


def test_figures_over_seeds_of_an_example_on_paper() -> None:
    # Scores 10, 11, 12 and 20, 22, 24: delta 11, s2 1 and 4, over 3 seeds 1/3 and 4/3. Every seed varies by 5 over
    # resamples, by 4 of it together within a side: the difference varies by 2 (5 + 2 * 4) / 3, of which
    # 2 (5 - 4) / 3 are of the seeds' own, so that 8 are common.
    side = np.full((3, 3), 4.0) + np.eye(3)
    covariance = np.block([[side, np.zeros((3, 3))], [np.zeros((3, 3)), side]])
    found = over_seeds("BLEU", np.array([10.0, 11, 12, 20, 22, 24]), covariance, baselines=3, sentences=101)
    error2 = 1 / 3 + 4 / 3 + 8
    freedom = error2**2 / ((1 / 9) / 2 + (16 / 9) / 2 + 64 / 100)
    assert found.delta == pytest.approx(11)
    assert found.p == pytest.approx(tail(11 / error2**0.5, freedom))
    assert tail((found.high - found.delta) / error2**0.5, freedom) == pytest.approx(0.05)
    assert (found.low + found.high) / 2 == pytest.approx(11)


def test_seeds_of_a_better_config_differ_and_of_the_same_do_not() -> None:
    good, again, bad = ([system(wrong, seed + first) for seed in range(3)] for wrong, first in GROUPS)
    worse = compare_seeds("BLEU", good, bad)
    assert worse.delta < 0
    assert worse.high < 0
    assert not worse.inside_noise
    assert compare_seeds("BLEU", good, again).inside_noise
    assert compare_seeds("TER", good, bad).low > 0


GROUPS = ((0.2, 10), (0.2, 20), (0.4, 30))


def test_what_cannot_be_compared_is_refused() -> None:
    other = Texts(["a"], ["a"])
    with pytest.raises(UserError, match="on different references"):
        compare("BLEU", GOOD, other)
    with pytest.raises(UserError, match="at least two seeds of each side"):
        compare_seeds("BLEU", [GOOD], [GOOD, SAME])
    with pytest.raises(UserError, match="on different references"):
        compare_seeds("BLEU", [GOOD, SAME], [GOOD, other])
    letters = replace(SAME, tokenize="char")
    with pytest.raises(UserError, match=r"different words \(13a and char\)"):
        compare("BLEU", GOOD, letters)
    with pytest.raises(UserError, match="one sentence does not say"):
        compare("BLEU", other, other)


def test_seeds_that_all_write_the_same_do_not_differ() -> None:
    assert compare_seeds("BLEU", [GOOD] * 3, [GOOD] * 3).p == 1


def test_a_difference_is_no_chance_where_neither_seeds_nor_sentences_vary() -> None:
    right, wrong = (Texts([line] * 9, ["a b c d e"] * 9) for line in ("a b c d e", "v w x y z"))
    found = compare_seeds("BLEU", [wrong] * 3, [right] * 3)
    assert found.delta == pytest.approx(100)
    assert not found.inside_noise
