"""Given pairs as pieces, for all that reads them off a trained model."""

import logging
from collections.abc import Sequence

from mt.core.special import EOS
from mt.text.tokenizer import Tokenizer

log = logging.getLogger("mt")


def encode_side(tokenizer: Tokenizer, lines: Sequence[str], most: int, side: str) -> list[list[int]]:
    """Return the pieces of each line, </s> last; a line longer than `most` pieces is cut, with a warning."""
    encoded = []
    for number, line in enumerate(lines, 1):
        pieces = tokenizer.encode(line) if line.strip() else []
        if len(pieces) > most:
            log.warning(
                "%s line %d has %d pieces: only the first %d (search.max_source) are read",
                *(side, number, len(pieces), most),
            )
        encoded.append([*pieces[:most], EOS])
    return encoded
