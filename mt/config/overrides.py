"""Settings of the search, changed for once on a run that is trained: `mt eval RUN search.beam=10`."""

import difflib
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from mt.config import Config, Search
from mt.config.files import merge, parse_override
from mt.config.mistakes import COMMAND_LINE, Origin, explain, switched
from mt.config.tree import flatten
from mt.core.errors import UsageError

PENALTIES = ("length_penalty", "coverage_penalty")
SEARCHING = ("beam", *PENALTIES)
SAMPLING = ("temperature", "top_k", "top_p", "sample_seed")
VOTING = ("nearest.weight", "nearest.temperature")


def parse_search(overrides: Sequence[str]) -> dict[str, Any]:
    """Return what "search.key=value" overrides say, as a tree of the keys below `search`.

    Needs no run. Raises UsageError that names a key that is unknown, or belongs to training, or has a value that cannot
    be.
    """
    tree: dict[str, Any] = {}
    origin: Origin = {}
    for override in overrides:
        parsed = parse_override(override)
        (node,) = parsed
        if node != "search":
            raise UsageError(_refuse(override.partition("=")[0]))
        if not isinstance(parsed["search"], dict):
            raise UsageError(f"search has keys of its own: write one of them, such as {KEYS[0]}")
        merge(tree, parsed, origin, COMMAND_LINE)
    changes: dict[str, Any] = tree.get("search", {})
    try:
        checked = Search.model_validate(changes)
    except ValidationError as error:
        problems = [problem | {"loc": ("search", *problem["loc"])} for problem in error.errors()]
        raise UsageError("\n".join(explain(problem, origin, COMMAND_LINE) for problem in problems)) from None
    if wrong := switched(tree, {"search": checked.model_dump()}, origin, COMMAND_LINE):
        raise UsageError(wrong)
    return changes


def change_search(settings: Search, changes: dict[str, Any], n_best: int = 1) -> Search:
    """Return a run's settings with the changes that `parse_search` returns, for so many translations of each line.

    Raises UsageError when a change has no effect.
    """
    tree = settings.model_dump()
    merge(tree, changes, {}, COMMAND_LINE)
    changed = Search.model_validate(tree)
    for key in flatten(changes):
        if reason := _idle(key, changed, n_best):
            raise UsageError(f"search.{key} has no effect {reason}")
    return changed


def describe_settings() -> str:
    """Return a paragraph for each key of `search`: its name, its default, and what it means."""
    return "\n\n".join(f"{key}={default}: {meaning}" for key, (default, meaning) in _settings().items())


def _settings() -> dict[str, tuple[str, str]]:
    """Return for each key its default, as YAML has it, and its meaning."""
    found = {}
    for name, field in Search.model_fields.items():
        nested = getattr(field.annotation, "model_fields", None)
        for key, one in {f"{name}.{key}": one for key, one in nested.items()}.items() if nested else [(name, field)]:
            default = str(one.default).lower() if isinstance(one.default, bool) else str(one.default)
            choices = get_args(one.annotation) if get_origin(one.annotation) is Literal else ()
            meaning = " ".join((one.description or "").split())
            found[f"search.{key}"] = default, " or ".join(choices) + ". " * bool(choices) + meaning
    return found


KEYS = list(_settings())
"""The keys that can be changed on a run."""


def _refuse(key: str) -> str:
    """Return why a key that does not begin with `search` cannot be changed."""
    node = key.partition(".")[0]
    if node == "threads":
        return "threads is a property of this machine: set OMP_NUM_THREADS"
    if node in Config.model_fields:
        return f"{key} is fixed once a run is trained: only settings of the search can be changed, such as {KEYS[0]}"
    ends = {one.rpartition(".")[2]: one for one in reversed(KEYS)}
    close = difflib.get_close_matches(key, KEYS, 1) or [ends[end] for end in difflib.get_close_matches(key, ends, 1)]
    return f"unknown key {key}: {f'did you mean {close[0]}?' if close else 'known here: ' + ', '.join(KEYS)}"


def _idle(key: str, settings: Search, n_best: int) -> str:
    """Return in which case a key has no effect, if the settings are such a case."""
    if key in SAMPLING and not settings.sample:
        return "without search.sample=true"
    if key in SEARCHING and settings.sample:
        return "with search.sample=true"
    if key in PENALTIES and settings.beam == n_best == 1:
        return "with search.beam=1"
    if key in VOTING and not settings.nearest.count:
        return "without search.nearest.count"
    return ""
