"""IBM Model 1 against loops over every link."""

import random
from collections import defaultdict

import numpy as np
import pytest

from mt.core.special import EOS, PAD
from mt.data import lexicon
from mt.data.lexicon import candidates


def plain(pairs: list[tuple[list[int], list[int]]], rounds: int) -> dict[int, dict[int, float]]:
    """Return t(target | source), as in the pseudo-code of every textbook."""
    share: dict[tuple[int, int], float] = defaultdict(lambda: 1.0)
    for _ in range(rounds):
        count: dict[tuple[int, int], float] = defaultdict(float)
        total: dict[int, float] = defaultdict(float)
        for source, target in pairs:
            for y in target:
                whole = sum(share[x, y] for x in [PAD, *source])
                for x in [PAD, *source]:
                    count[x, y] += share[x, y] / whole
                    total[x] += share[x, y] / whole
        share = defaultdict(float, {(x, y): value / total[x] for (x, y), value in count.items()})
    table: dict[int, dict[int, float]] = defaultdict(dict)
    for (x, y), value in share.items():
        table[x][y] = value
    return table


@pytest.mark.parametrize("seed", range(5))
def test_candidates_are_the_most_probable_pieces(seed: int) -> None:
    draw = random.Random(seed)
    pairs = [
        ([draw.randrange(4, 9) for _ in range(draw.randint(1, 5))], [draw.randrange(4, 12) for _ in range(4)])
        for _ in range(9)
    ]
    found = candidates([(np.array(one), np.array(other)) for one, other in pairs], 10, 12, 6)
    wanted = plain(pairs, lexicon.ROUNDS)
    assert found.shape == (10, 6)
    for source, row in enumerate(found.tolist()):
        shares = wanted.get(source, {})
        known = [piece for piece in row if piece != EOS]
        assert len(set(known)) == len(known) == min(6, len(shares))
        assert [shares[piece] for piece in known] == pytest.approx(sorted(shares.values(), reverse=True)[:6])
    assert set(found[9].tolist()) == {EOS}, "a piece that training does not have has no candidates"


def test_no_more_is_read_than_fits_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexicon, "MOST", 4)
    pairs = [(np.array([4]), np.array([5])), (np.array([4]), np.array([6])), (np.array([4]), np.array([7]))]
    assert {*candidates(pairs, 5, 8, 3)[4].tolist()} == {5, 6, EOS}
