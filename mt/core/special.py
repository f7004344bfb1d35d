"""The special pieces: the same four numbers in every vocabulary and every model."""

PAD, UNK, BOS, EOS = 0, 1, 2, 3
