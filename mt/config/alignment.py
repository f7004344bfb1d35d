"""Keys of `alignment`: what alignments are shown and written in. They can change after training."""

from typing import Literal

from mt.config.tree import Tree

Unit = Literal["words", "tokens", "characters", "pieces"]
"""What a row and a column of a matrix stand for, and the end of a link."""


class AlignmentConfig(Tree):
    """Alignments; an error rate is always that of the gold's own words."""

    unit: Unit = "words"
    """What matrices are shown and links are written in. words: those of the gold where it is known, else those between
    white space, and each character where a script has no spaces between words. tokens: the same, but only white space
    divides, for text that is segmented already. characters: each but white space, with its marks. pieces: the model's
    own. A guide's links (train.guide.links) are read in it, too."""
