"""Settings that can change after training, changed for once on a run: `mt eval RUN search.beam=10`."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import ValidationError

from mt.config import MACHINE, AlignmentConfig, Config, Metrics, Search
from mt.config.exported import Exported
from mt.config.files import merge, must_be_listed, parse_override
from mt.config.mistakes import COMMAND_LINE, Origin, explain_all, switched
from mt.config.tree import Tree, flatten
from mt.core.errors import UsageError

Settled = TypeVar("Settled", Config, Exported)
CHANGEABLE: dict[str, type[Tree]] = {"search": Search, "alignment": AlignmentConfig, "metrics": Metrics}
"""The nodes of the configuration that can change after training."""
PENALTIES = ("search.length_penalty", "search.coverage_penalty")
SEARCHING = ("search.beam", *PENALTIES)
SAMPLING = ("search.temperature", "search.top_k", "search.top_p", "search.sample_seed")
OF_THE_MODEL = {"nearest", "precision", "shortlist"}
"""Keys of `search` by which the model is made."""
CALL = "this call"
"""Where the settings of one call in Python stand."""
VOTING = tuple(f"search.nearest.{key}" for key in ("weight", "temperature", "index", "probes"))


def parse_changes(overrides: Sequence[str]) -> dict[str, Any]:
    """Return what "search.key=value" overrides say, as a tree that begins with the nodes of CHANGEABLE.

    Needs no run. Raises UsageError that names a key that is unknown, or belongs to training, or has a value that cannot
    be.
    """
    must_be_listed(overrides)
    changes: dict[str, Any] = {}
    origin: Origin = {}
    for override in overrides:
        parsed = parse_override(override)
        (node,) = parsed
        if node not in CHANGEABLE:
            raise UsageError(_refuse(override.partition("=")[0]))
        if not isinstance(parsed[node], dict):
            example = next(key for key in KEYS if key.startswith(f"{node}."))
            raise UsageError(f"{node} has keys of its own: write one of them, such as {example}")
        merge(changes, parsed, origin, COMMAND_LINE)
    for node, tree in changes.items():
        _check(node, tree, origin, COMMAND_LINE)
    return changes


def _check(node: str, tree: dict[str, Any], origin: Origin, where: str) -> None:
    """Raise UsageError where changes of a node cannot be."""
    try:
        checked = CHANGEABLE[node].model_validate(tree)
    except ValidationError as error:
        problems = [problem | {"loc": (node, *problem["loc"])} for problem in error.errors()]
        raise UsageError(explain_all(problems, origin, where)) from None
    if wrong := switched({node: tree}, {node: checked.model_dump()}, origin, where):
        raise UsageError(wrong)


def change(config: Settled, changes: dict[str, Any], n_best: int = 1) -> Settled:
    """Return the config of a run, or of an export, with the changes that `parse_changes` returns.

    They are for `n_best` translations of each line. Raises UsageError when a change has no effect.
    """
    tree = {node: getattr(config, node).model_dump() for node in changes}
    merge(tree, changes, {}, COMMAND_LINE)
    changed = config.model_copy(
        update={node: CHANGEABLE[node].model_validate(settings) for node, settings in tree.items()}
    )
    for key in flatten(changes):
        reason = _idle(key, changed.search, n_best)
        if key == "alignment.unit" and not changed.model.has_attention:
            reason = "on a model without attention"
        if reason:
            raise UsageError(f"{key} has no effect {reason}")
    return changed


def change_search(settings: Search, changes: Mapping[str, Any], n_best: int = 1) -> Search:
    """Return settings with the changes of one call, which cannot change the model. Raises UsageError as the others."""
    if not changes:
        return settings
    _check("search", dict(changes), {}, CALL)
    if fixed := sorted(changes.keys() & OF_THE_MODEL):
        raise UsageError(
            f"search.{fixed[0]} is of the model, and not of {CALL}: give it as mt.load(RUN, changes=[...])"
        )
    changed = Search.model_validate(settings.model_dump() | dict(changes))
    for key in changes:
        if reason := _idle(f"search.{key}", changed, n_best):
            raise UsageError(f"search.{key} has no effect {reason}")
    return changed


def describe_briefly(settings: Search) -> str:
    """Return how is searched, in a few words."""
    told = "samples" if settings.sample else f"beam {settings.beam}"
    return told + (f", {settings.nearest.count} neighbours" if settings.nearest.count else "")


def describe_settings() -> str:
    """Return a paragraph for each key that can change: its name, its default, and what it means."""
    return "\n\n".join(f"{key}={default}: {meaning}" for key, (default, meaning) in _settings().items())


def _settings() -> dict[str, tuple[str, str]]:
    """Return for each key its default, as YAML has it, and its meaning."""
    found = {}
    fields = {f"{node}.{name}": field for node, tree in CHANGEABLE.items() for name, field in tree.model_fields.items()}
    for name, field in fields.items():
        nested = getattr(field.annotation, "model_fields", None)
        for key, one in {f"{name}.{key}": one for key, one in nested.items()}.items() if nested else [(name, field)]:
            default = str(one.default).lower() if isinstance(one.default, bool) else str(one.default)
            choices = get_args(one.annotation) if get_origin(one.annotation) is Literal else ()
            meaning = " ".join((one.description or "").split())
            found[key] = default, " or ".join(choices) + ". " * bool(choices) + meaning
    return found


KEYS = list(_settings())
"""The keys that can be changed on a run."""


def _refuse(key: str) -> str:
    """Return why a key of no node of CHANGEABLE cannot be changed."""
    node = key.partition(".")[0]
    if node in MACHINE:
        how = "OMP_NUM_THREADS" if node == "threads" else "CUDA_VISIBLE_DEVICES to nothing, to compute without a GPU"
        return f"{node} is a property of this machine: set {how}"
    if node in Config.model_fields:
        return (
            f"{key} is fixed once a run is trained: only keys of {', '.join(CHANGEABLE)} can be changed, such as "
            f"{KEYS[0]}"
        )
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
    if key == "search.nearest.probes" and settings.nearest.index != "faiss":
        return "without search.nearest.index=faiss"
    return ""
