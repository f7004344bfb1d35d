import itertools

import numpy as np
import pytest

from mt.alignment.matrices import EMPTY, Side, align, shifted, to_words

# Two byte pieces share the ö; the lone blank before it belongs to no word; "b c" spans two words of the target.
SOURCE = "aab ö."
SOURCE_PIECES = [("aa", (0, 2)), ("b", (2, 3)), ("▁", (3, 4)), ("<0xC3>", (4, 5)), ("<0xB6>", (4, 5)), (".", (5, 6))]
TARGET = "xy b ccc"
TARGET_PIECES = [("x", (0, 1)), ("y", (1, 2)), ("▁b▁ccc", (2, 8))]
MATRIX = np.array(
    #  aa     b     _     C3    B6    .     </s>
    [
        [0.50, 0.20, 0.05, 0.05, 0.05, 0.05, 0.10],  # x
        [0.10, 0.10, 0.10, 0.10, 0.10, 0.20, 0.30],  # y
        [0.00, 0.10, 0.00, 0.25, 0.25, 0.00, 0.40],  # b ccc
        [0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 1.00],  # </s>
    ]
)


def example():
    return align(Side(SOURCE, SOURCE_PIECES), Side(TARGET, TARGET_PIECES), MATRIX)


def test_source_words_are_sums_and_target_words_means_over_their_pieces():
    result = example()
    assert result.source_words == ["aab", "ö."]
    assert result.target_words == ["xy", "b", "ccc"]
    expected = [
        # aab: aa + b, averaged over x and y; ö.: C3 + B6 + "."; </s>. The blank's mass is dropped.
        [(0.7 + 0.2) / 2, (0.15 + 0.4) / 2, (0.1 + 0.3) / 2],
        [0.1, 0.5, 0.4],
        [0.1, 0.5, 0.4],
    ]
    np.testing.assert_allclose(result.words, expected, atol=1e-12)
    assert result.links == [(0, 0), (1, 1), (1, 2)]


def test_shown_pieces_end_in_the_end_symbol_and_fit_the_matrix():
    result = example()
    assert result.source_pieces == ["aa", "b", "▁", "<0xC3>", "<0xB6>", ".", "</s>"]
    assert result.target_pieces == ["x", "y", "▁b▁ccc", "</s>"]
    assert result.attention.shape == (len(result.target_pieces), len(result.source_pieces))


def test_pieces_outside_gold_words_belong_to_no_word():
    result = align(Side(SOURCE, SOURCE_PIECES, [(0, 3), (4, 5)]), Side(TARGET, TARGET_PIECES), MATRIX)
    assert result.source_words == ["aab", "ö"]
    np.testing.assert_allclose(result.words[0], [0.45, 0.15, 0.2], atol=1e-12)


def test_a_piece_over_several_words_is_shared_by_characters():
    # One source piece covers 1 character of the first word and 3 of the second. Of the target's first word, piece 0
    # counts whole and piece 1 by a quarter, since only 1 of its 4 characters in words is there.
    matrix = np.array([[0.8, 0.2], [0.4, 0.6], [0.0, 1.0]])
    words = to_words(matrix, [(0, 5)], [(0, 1), (2, 5)], [(0, 2), (2, 7)], [(0, 3), (4, 7)])
    first = (0.8 + 0.25 * 0.4) / 1.25
    np.testing.assert_allclose(words, [[first / 4, first * 3 / 4, (0.2 + 0.25 * 0.6) / 1.25], [0.1, 0.3, 0.6]])


def slow_to_words(matrix, source_pieces, source_words, target_pieces, target_words):
    """Walk over single characters: each piece spreads over the characters in words that it covers."""

    def shares(pieces, words):
        table = []
        for start, stop in pieces:
            owners = [w for at in range(start, stop) for w, (a, b) in enumerate(words) if a <= at < b]
            table.append({w: owners.count(w) / len(owners) for w in owners})
        return table

    result = [[0.0] * (len(source_words) + 1) for _ in target_words]
    columns, rows = shares(source_pieces, source_words), shares(target_pieces, target_words)
    for word in range(len(target_words)):
        weight = sum(row.get(word, 0) for row in rows)
        for t, row in enumerate(rows):
            if word not in row:
                continue
            for s, column in enumerate(columns):
                for source_word, share in column.items():
                    result[word][source_word] += row[word] / weight * share * matrix[t][s]
            result[word][-1] += row[word] / weight * matrix[t][len(columns)]
    return result


def random_spans(rng, length: int, gap: float) -> list[tuple[int, int]]:
    """Cut [0, length) at random places and leave out some of the parts."""
    cuts = [0, *(at for at in range(1, length) if rng.random() < 0.4), length]
    return [span for span in itertools.pairwise(cuts) if rng.random() >= gap]


@pytest.mark.parametrize("seed", range(25))
def test_to_words_equals_its_slow_twin(seed):
    rng = np.random.default_rng(seed)
    source_words, target_words = (random_spans(rng, length, 0.2) for length in (20, 15))
    source_pieces, target_pieces = (random_spans(rng, length, 0.1) for length in (20, 15))
    target_pieces = sorted(target_pieces + target_pieces[:2])
    matrix = rng.dirichlet(np.ones(len(source_pieces) + 1), len(target_pieces) + 1).astype(np.float32)
    arguments = (matrix, source_pieces, source_words, target_pieces, target_words)
    words = to_words(*arguments)
    assert words.shape == (len(target_words), len(source_words) + 1)
    np.testing.assert_allclose(
        words, np.array(slow_to_words(matrix.tolist(), *arguments[1:])).reshape(words.shape), atol=1e-12
    )


def test_mass_is_kept_where_every_piece_is_in_a_word():
    rng = np.random.default_rng(0)
    spans = [(0, 2), (2, 4), (4, 9)]
    words = to_words(rng.dirichlet(np.ones(4), 4), spans, [(0, 3), (3, 9)], spans, [(0, 4), (4, 9)])
    np.testing.assert_allclose(words.sum(axis=1), 1)


def test_a_word_without_pieces_has_no_link():
    result = align(Side("a b", [("a", (0, 1))]), Side("x y", [("x", (0, 1))]), np.array([[0.9, 0.1], [0.0, 1.0]]))
    np.testing.assert_allclose(result.words, [[0.9, 0, 0.1], [0, 0, 0]])
    assert result.links == [(0, 0)]


@pytest.mark.parametrize("shape", [(3, 7), (4, 6), (0, 0)])
def test_a_matrix_that_does_not_fit_its_pieces_is_refused(shape):
    with pytest.raises(ValueError, match="does not fit 3 target and 6 source pieces"):
        align(Side(SOURCE, SOURCE_PIECES), Side(TARGET, TARGET_PIECES), np.zeros(shape))


def test_an_empty_translation_of_words_has_no_rows():
    result = align(Side("a b", [("a", (0, 1)), ("▁b", (1, 3))]), Side("", []), np.array([[0.2, 0.3, 0.5]]))
    assert result.words.shape == (0, 3)
    assert result.target_pieces == ["</s>"]
    assert result.links == []


def test_an_empty_sentence_has_an_empty_alignment():
    result = EMPTY
    assert result.words.shape == result.attention.shape == (0, 0)
    assert (result.source_pieces, result.target_pieces, result.links) == ([], [], [])


def test_shifting_gives_each_row_the_next_and_the_last_its_own():
    matrix = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])
    np.testing.assert_array_equal(shifted(matrix, 0), matrix)
    np.testing.assert_array_equal(shifted(matrix, 1), [[0.2, 0.8], [0.3, 0.7], [0.3, 0.7]])
    np.testing.assert_array_equal(shifted(matrix[:1], 1), matrix[:1])
    assert shifted(EMPTY.attention, 1).shape == (0, 0)


def test_the_last_word_of_a_shifted_matrix_has_the_weights_of_the_end_step():
    result = align(PAIR_SOURCE, PAIR_TARGET, shifted(PAIR, 1))
    np.testing.assert_allclose(result.words, PAIR[1:])
    assert result.links == [(1, 0), (0, 1)]


def test_links_are_by_threshold_where_one_is_given():
    assert align(PAIR_SOURCE, PAIR_TARGET, PAIR, threshold=0.3).links == [(0, 0), (1, 0), (1, 1)]


PAIR_SOURCE = Side("a b", [("a", (0, 1)), ("▁b", (1, 3))])
PAIR_TARGET = Side("x y", [("x", (0, 1)), ("▁y", (1, 3))])
PAIR = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.1, 0.4]])
