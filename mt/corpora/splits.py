"""From raw lines to splits: pair them, drop empty pairs, hold pairs out where no validation or test is given."""

import random
import re
from collections.abc import Iterable, Sequence

from mt.core.errors import UserError
from mt.corpora.pairs import Split

LARGEST_HELD_OUT = 1000


def pair_up(sources: Sequence[str], targets: Sequence[str], source_name: str, target_name: str) -> Split:
    """Return the pairs of two equally long texts, without surrounding white space and without empty sentences.

    A line end inside a sentence (JSON allows it) becomes a space: one sentence is one line in every file of a run.
    Raises UserError that names the text (`source_name`, `target_name`) and the line.
    """
    if len(sources) != len(targets):
        raise UserError(
            f"{source_name} has {len(sources):,} lines but {target_name} has {len(targets):,}: "
            f"each line of one must be the translation of the same line of the other"
        )
    cleaned = zip(_clean(sources, source_name), _clean(targets, target_name), strict=True)
    pairs = [(source, target) for source, target in cleaned if source and target]
    if not pairs:
        names = source_name if source_name == target_name else f"{source_name} and {target_name}"
        empty = f": in all {len(sources):,} lines a side is empty" if sources else ""
        raise UserError(f"no sentence pair in {names}{empty}")
    return Split([source for source, _ in pairs], [target for _, target in pairs], dropped=len(sources) - len(pairs))


def hold_out(train: Split, names: Sequence[str], held_out: int | None, seed: int, origin: str) -> dict[str, Split]:
    """Return {"train": the rest, name: held-out pairs for each of `names`}; no pair is in two of them.

    Each name gets `held_out` pairs, by default a tenth of the distinct pairs and at most 1,000, chosen by `seed` and
    kept in their order. Copies of a held-out pair leave the training pairs. Raises UserError when too few pairs exist.
    """
    if not names:
        return {"train": train}
    pairs = list(zip(train.sources, train.targets, strict=True))
    distinct = list(dict.fromkeys(pairs))
    size = held_out or min(LARGEST_HELD_OUT, len(distinct) // 10)
    if size == 0 or size * len(names) >= len(distinct):
        raise UserError(
            f"{origin} has {len(distinct):,} different sentence pairs, too few to hold out "
            f"{f'{size:,} pairs' if size else 'a tenth'} for {' and for '.join(names)}; "
            f"give files for {' and '.join(names)}, more pairs, or a smaller corpus.held_out"
        )
    chosen = random.Random(seed).sample(range(len(distinct)), size * len(names))
    splits = {}
    for number, name in enumerate(names):
        own = [distinct[index] for index in sorted(chosen[number * size : (number + 1) * size])]
        splits[name] = Split([source for source, _ in own], [target for _, target in own])
    gone = {distinct[index] for index in chosen}
    rest = [pair for pair in pairs if pair not in gone]
    left = Split([source for source, _ in rest], [target for _, target in rest], dropped=train.dropped)
    return {"train": left} | splits


def _clean(lines: Iterable[str], name: str) -> list[str]:
    """Strip each line; refuse what no text holds and SentencePiece or UTF-8 cannot take back out."""
    cleaned = []
    for number, line in enumerate(lines, 1):
        if "\0" in line:
            raise UserError(
                f"{name}, line {number}: a NUL character; text has none, so the file may be damaged or UTF-16"
            )
        try:
            line.encode()
        except UnicodeEncodeError as error:
            raise UserError(f"{name}, line {number}: half a surrogate pair, which is no character") from error
        cleaned.append(re.sub(r"[\r\n]+", " ", line).strip())
    return cleaned
