"""Which target pieces translate a source piece, counted in pairs: IBM Model 1, Brown et al. 1993, section 4.

Shapes: P pairs, X pairs of a source and a target piece that stand in one pair of sentences, U different ones of X,
S pieces of the source vocabulary, C candidates of a piece.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from mt.core.special import EOS, PAD

ROUNDS = 5
"""Of expectation maximisation."""
MOST = 2**24
"""Of X, so that all fit into memory; the pairs of sentences that would be more are not read."""
Whole = npt.NDArray[np.int64]


def candidates(pairs: Iterable[tuple[Whole, Whole]], source_size: int, target_size: int, most: int) -> Whole:
    """Return the target pieces that each source piece becomes most probably, these first, [S, C]; C is `most`.

    The row of <pad> is that of no source piece. A row with too few is filled up with </s>.
    """
    keys_X, tokens_X = _co_occurrences(pairs, target_size)
    unique_U, place_X = np.unique(keys_X, return_inverse=True)
    source_U, target_U = np.divmod(unique_U, target_size)
    share_U = np.ones(len(unique_U))
    for _ in range(ROUNDS):
        own_X = share_U[place_X]
        own_X /= np.bincount(tokens_X, own_X)[tokens_X]
        count_U = np.bincount(place_X, own_X, len(unique_U))
        share_U = count_U / np.bincount(source_U, count_U, source_size)[source_U]
    order_U = np.lexsort((-share_U, source_U))
    source_U, target_U = source_U[order_U], target_U[order_U]
    rank_U = np.arange(len(source_U)) - np.searchsorted(source_U, source_U)
    found = np.full((source_size, most), EOS)
    kept_U = rank_U < most
    found[source_U[kept_U], rank_U[kept_U]] = target_U[kept_U]
    return found


def _co_occurrences(pairs: Iterable[tuple[Whole, Whole]], target_size: int) -> tuple[Whole, Whole]:
    """Return source x target_size + target of each of X, and the number of its target token among all."""
    keys, tokens, done, count = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], 0, 0
    for source, target in pairs:
        some = np.concatenate(([PAD], source))  # no source piece may explain any target piece
        keys.append((some[:, None] * target_size + target).ravel())
        tokens.append(np.tile(np.arange(done, done + len(target)), len(some)))
        done, count = done + len(target), count + keys[-1].size
        if count >= MOST:
            break
    return np.concatenate(keys), np.concatenate(tokens)
