"""What is wrong with a configuration, in the user's words: file, key, reason, suggestion."""

import difflib
import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mt.config import Config
from mt.config.tree import flatten
from mt.core.errors import shorten

Origin = dict[tuple[str, ...], str]
"""Where each key of a tree was set last: a file, or the command line."""
TAGS = {"corpus": "name", "model": "kind"}
"""Nodes with several sets of keys, and the key that says which."""
COMMAND_LINE = "the command line"
SWITCH = "; YAML reads a bare yes, no, on or off as true or false: put quotes around it if you mean the word"
TOLD = 20
"""Complaints about one configuration that are told."""
DEFAULT_KIND = "rnn"
"""The kind of a model that names none; a corpus always has a name."""


def origin_of(loc: list[str], origin: Origin, otherwise: str) -> str:
    """Return where a key, or the nearest one above it, was set."""
    return next((origin[part] for end in range(len(loc), 0, -1) if (part := tuple(loc[:end])) in origin), otherwise)


def locate(problem: Any) -> tuple[list[str], str]:
    """Return the parts of the key that a complaint of pydantic is about, and the tag of its corpus or model."""
    loc = [str(part) for part in problem["loc"]]
    if loc[:1] == ["corpus"]:
        loc[3:] = [
            part for part in loc[3:] if part not in {"str", "constrained-int", "tuple[str, str]"}
        ]  # of a union: no keys
    chosen = loc.pop(1) if loc[:1] in (["corpus"], ["model"]) and len(loc) > 1 else ""
    return loc, chosen


def explain_all(problems: Sequence[Any], origin: Origin, path: str) -> str:
    """Put complaints of pydantic in the user's words, a line each."""
    return listed([explain(problem, origin, path) for problem in problems[:TOLD]], len(problems))


def listed(lines: Sequence[str], count: int | None = None) -> str:
    """Return complaints, a line each, the first TOLD of so many (unset: of these)."""
    left = (len(lines) if count is None else count) - TOLD
    return "\n".join([*lines[:TOLD], *([f"and {left:,} more"] if left > 0 else [])])


def explain(problem: Any, origin: Origin, path: str) -> str:
    """Put one complaint of pydantic in the user's words: file, key, reason, suggestion."""
    kind, value, context = problem["type"], problem["input"], problem.get("ctx", {})
    loc, chosen = locate(problem)
    if kind.startswith("union_tag"):
        loc.append(TAGS[loc[0]])
        value = context.get("tag")
    key, where = ".".join(loc), origin_of(loc, origin, path)
    if kind == "extra_forbidden":
        known = known_keys(loc[:-1], chosen)
        full = {name: ".".join([*loc[:-1], name]) for name in known}
        elsewhere = _elsewhere(key, loc[-1])
        close = (elsewhere if len(loc) == 1 else "") or closest(loc[-1], known, full) or elsewhere
        return f"unknown key {shorten(key)} in {where}: {close or 'known here: ' + ', '.join(known)}"
    if kind == "union_tag_not_found" or (kind == "missing" and not loc[-1].isdigit()):
        return f"missing key {key} in {path}"
    if kind == "value_error":
        reason, *involved = context["error"].args
        keys = [(*loc, *name.split(".")) for name in involved]
        places = [f"{'.'.join(key)} from {origin.get(key, 'the defaults')}" for key in keys]
        return f"{path}: {reason} ({', '.join(places)})"
    reason = (problem["msg"][0].lower() + problem["msg"][1:]).replace("tuple", "list")
    choices: list[str] = []
    if "expected" in context:
        choices = str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
    if kind == "union_tag_invalid":
        choices = str(context["expected_tags"]).replace("'", "").split(", ")
        reason = f"known are {', '.join(choices)}"
    if kind == "model_attributes_type":
        reason = f"it has keys of its own, for example {{{TAGS[key]}: {DEFAULT_KIND if key == 'model' else 'toy'}}}"
    if kind == "model_type":
        reason = f"it has keys of its own: {', '.join(known_keys(loc, chosen))}"
    close = closest(str(value), choices) or (kind == "int_parsing" and _written_out(value)) or ""
    key, told = shorten(key), shorten(repr(value))
    return f"{key} in {where} is {told}: {reason}{'; ' * bool(close)}{close}{SWITCH * isinstance(value, bool)}"


def _written_out(value: Any) -> str:
    """Return how a whole number is written that stands as 1e9, which is text in YAML; nothing for others."""
    exponent = re.fullmatch(r"([+-]?\d{1,3})[eE]\+?(\d{1,2})", str(value))
    return f"write {exponent[1]}{'0' * int(exponent[2])}" if exponent else ""


def _elsewhere(key: str, last: str) -> str:
    """Return a question that suggests the key of another node which ends as an unknown one does."""
    found = [one for one in _keys(Config) if one.rpartition(".")[2] == last]
    near = sorted((one for one in found if one != key), key=lambda one: one.count("."))
    return f"did you mean {near[0]}?" if near else ""


def _keys(node: Any, prefix: str = "") -> Iterator[str]:
    """Yield the keys of a node of the tree, and of those in it, of each corpus and kind of model."""
    for name, field in node.model_fields.items():
        yield prefix + name
        for below in (field.annotation, *typing.get_args(field.annotation)):
            if hasattr(below, "model_fields"):
                yield from _keys(below, f"{prefix}{name}.")


def known_keys(loc: list[str], chosen: str) -> list[str]:
    """Return the keys that a node of the tree has; `chosen` is the tag of the corpus or model that it belongs to.

    A corpus or model that there is not has none.
    """
    node: Any = Config
    for part in loc:
        node = node.model_fields[part].annotation
        if tag := TAGS.get(part, "") if node is not str and typing.get_args(node) else "":
            kinds = {typing.get_args(one.model_fields[tag].annotation)[0]: one for one in typing.get_args(node)}
            if chosen not in kinds:
                return []
            node = kinds[chosen]
    return list(node.model_fields)


def switched(tree: dict[str, Any], checked: dict[str, Any], origin: Origin, path: str) -> str:
    """Return what is wrong with the first number that YAML read as true or false, which pydantic takes for 1 or 0."""
    resolved = flatten(checked)
    for key, value in flatten(tree).items():
        if isinstance(value, bool) and not isinstance(resolved[key], bool):
            return f"{key} in {origin_of(key.split('.'), origin, path)} is {value}, not a number{SWITCH}"
    return ""


def closest(word: str, choices: list[str], full: Mapping[str, str] | None = None) -> str:
    """Return a question that suggests the choice most like a word, by its full name; nothing where none is."""
    close = difflib.get_close_matches(word, choices, 1)
    return f"did you mean {(full or {}).get(close[0], close[0])}?" if close else ""
