"""From raw lines to splits: pair them, drop empty pairs, hold pairs out where no validation or test is given."""

import logging
import random
import re
from collections.abc import Callable, Iterable, Sequence

from mt.config.corpora import HeldOutBy
from mt.core.errors import UserError
from mt.core.text import must_not_be_misread
from mt.corpora.groups import Pair, choose, fold, number_pairs
from mt.corpora.pairs import Split
from mt.text.normal import normalise

LARGEST_HELD_OUT = 1000

log = logging.getLogger("mt")


def pair_up(
    sources: Sequence[str], targets: Sequence[str], source_name: str, target_name: str, *, raw: bool = False
) -> Split:
    """Return the pairs of two equally long texts, without surrounding white space and without empty sentences.

    A line end inside a sentence (JSON allows it) becomes a space: one sentence is one line in every file of a run.
    Raises UserError that names the text (`source_name`, `target_name`) and the line. Text that is `raw` may have
    control characters.
    """
    if len(sources) != len(targets):
        raise UserError(
            f"{source_name} has {len(sources):,} lines but {target_name} has {len(targets):,}: "
            f"each line of one must be the translation of the same line of the other"
        )
    split = keep_pairs(sources, targets, (source_name, target_name), raw=raw)
    if not split.sources:
        names = source_name if source_name == target_name else f"{source_name} and {target_name}"
        empty = f": in all {len(sources):,} lines a side is empty" if sources else ""
        raise UserError(f"no sentence pair in {names}{empty}")
    return split


def keep_pairs(
    sources: Sequence[str], targets: Sequence[str], names: tuple[str, str], *, raw: bool, first: int = 1
) -> Split:
    """Return the pairs of lines, of which the `first` has this number, as `pair_up` does; there may be none."""
    cleaned = zip(_clean(sources, names[0], raw, first), _clean(targets, names[1], raw, first), strict=True)
    read: Callable[[str], str] = str if raw else normalise  # a line of invisible characters is empty
    pairs = [(source, target) for source, target in cleaned if read(source) and read(target)]
    return Split([source for source, _ in pairs], [target for _, target in pairs], dropped=len(sources) - len(pairs))


def refuse_copies(split: Split, name: str) -> None:
    """Raise UserError where target and source are alike (by `fold`) in over half of the pairs, as is never meant."""
    same = sum(fold(source) == fold(target) for source, target in zip(split.sources, split.targets, strict=True))
    if 2 * same > len(split.sources):
        raise UserError(
            f"{name}: source and target are the same in {same:,} of {len(split.sources):,} pairs. Is one file given "
            f"twice, one column read twice, or the text not translated yet? If it is meant so, set corpus.copies: allow"
        )


def hold_out(
    train: Split, names: Sequence[str], held_out: int | None, seed: int, origin: str, *, by: HeldOutBy = "groups"
) -> dict[str, Split]:
    """Return {"train": the rest, name: held-out pairs for each of `names`}; no pair is in two of them.

    Each name gets `held_out` pairs, by default a tenth of the distinct pairs and at most 1,000, chosen by `seed` and
    kept in their order: pairs that share a sentence together, or each by itself (`by`). Copies of a held-out pair leave
    the training pairs. Raises UserError when too few pairs exist.
    """
    if not names:
        return {"train": train}
    pairs = list(zip(train.sources, train.targets, strict=True))
    units = number_pairs(pairs, str if by == "pairs" else fold)
    first: dict[Pair, int] = {}
    for place, unit in enumerate(units):
        first.setdefault(unit, place)
    distinct = list(first)
    size = held_out or min(LARGEST_HELD_OUT, len(distinct) // 10)
    if size == 0 or size * len(names) >= len(distinct):
        raise UserError(
            f"{origin} has {len(distinct):,} different sentence pairs, too few to hold out "
            f"{f'{size:,} pairs' if size else 'a tenth'} for {' and for '.join(names)}; "
            f"give files for {' and '.join(names)}, more pairs, or a smaller corpus.held_out"
        )
    if by == "pairs":
        chosen = random.Random(seed).sample(range(len(distinct)), size * len(names))
        parts = [chosen[start : start + size] for start in range(0, len(chosen), size)]
    else:
        parts, broken = choose(distinct, size, len(names), seed)
        _tell(dict(zip(names, parts, strict=True)), size, broken, origin)
    splits = {}
    for name, part in zip(names, parts, strict=True):
        own = [pairs[first[distinct[index]]] for index in sorted(part)]
        splits[name] = Split([source for source, _ in own], [target for _, target in own])
    gone = {distinct[index] for part in parts for index in part}
    rest = [pair for pair, unit in zip(pairs, units, strict=True) if unit not in gone]
    left = Split([source for source, _ in rest], [target for _, target in rest], dropped=train.dropped)
    return {"train": left} | splits


def _tell(parts: dict[str, list[int]], size: int, broken: int, origin: str) -> None:
    """Say in the log where holding out by groups did not give just what was asked."""
    for name, part in parts.items():
        if len(part) != size:
            log.info(
                "%s: the pairs held out for %s are %s, not %s, because pairs that share a sentence stay together",
                *(origin, name, f"{len(part):,}", f"{size:,}"),
            )
    if broken:
        log.warning(
            "%s: too many of its pairs share sentences with one another, so training may have seen a sentence of %s of "
            "those held out; give files for %s, or a smaller corpus.held_out",
            *(origin, f"{broken:,}", " and ".join(parts)),
        )


def _clean(lines: Iterable[str], name: str, raw: bool, first: int) -> list[str]:
    """Strip each line; refuse what no text holds and SentencePiece or UTF-8 cannot take back out."""
    cleaned = []
    for number, line in enumerate(lines, first):
        where = f"{name}, line {number}"
        if "\0" in line:
            raise UserError(f"{where}: a NUL character; text has none, so the file may be damaged or UTF-16")
        if not raw:
            must_not_be_misread(line, where)
        try:
            line.encode()
        except UnicodeEncodeError as error:
            raise UserError(f"{where}: half a surrogate pair, which is no character") from error
        cleaned.append(re.sub(r"[\r\n]+", " ", line).strip())
    return cleaned
