"""What a source adds to its target, against pairs that are read one by one."""

import numpy as np
import pytest
from toy_runs import HEADS, aligner, config

from mt.inference.scorer import Scorer
from mt.lab.diagnosis.support import choose_others, support


def test_others_are_different_and_of_about_one_length() -> None:
    sources = [[1], [2, 2], [1], [3, 3, 3], [4, 4], [5, 5, 5], [6] * 9]
    found = choose_others(sources)
    for own, others in zip(sources, found, strict=True):
        texts = [sources[place] for place in others]
        assert len(others) == 2
        assert own not in texts
        assert texts[0] != texts[1]
    assert all(len(sources[place]) < 9 for place in found[1])
    assert choose_others([[1], [1]]) == [[], []]
    one, two, three = choose_others([[1], [2], [1]])
    assert (one, three) == ([1], [1])
    assert two in ([0], [2])  # the same once


def test_support_is_the_difference_to_the_mean_of_the_others() -> None:
    known = aligner(config(HEADS))
    made = Scorer(known.model, known.tokenizers, known.config)
    sources = ["Die Katze schläft.", "Der Hund läuft.", "Ein Kind singt heute."]
    targets = ["The cat sleeps.", "The dog runs.", "A child sings today."]
    read = made.score(sources, targets)
    for row, found in enumerate(support(made, read)):
        alone = [made.score([other], [targets[row]])[0].log_probabilities_T.tolist() for other in sources]
        others = [line for number, line in enumerate(alone) if number != row]
        wanted = [own - (one + two) / 2 for own, one, two in zip(alone[row], *others, strict=True)]
        assert found.tolist() == pytest.approx(wanted, abs=1e-5)


def test_without_another_source_nothing_is_known() -> None:
    known = aligner(config(HEADS))
    made = Scorer(known.model, known.tokenizers, known.config)
    (found,) = support(made, made.score(["Die Katze."], ["The cat."]))
    assert np.isnan(found).all()
