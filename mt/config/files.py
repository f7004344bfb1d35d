"""Configurations in YAML: read, checked once, written.

A file may extend another (`extends: other.yaml`, relative to itself, or `extends: base`, which `mt config` lists) and
says only what differs. Overrides from the command line (`model.hidden=128`) come last.
"""

import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mt.config import Config, mistakes
from mt.config.before import fill_in
from mt.config.mistakes import COMMAND_LINE, DEFAULT_KIND, TAGS, Origin, explain_all, origin_of, switched
from mt.config.parse import DEEPEST, LONGEST, NO_TEXT, parse_yaml
from mt.config.shipped import locate, suggestion
from mt.core.errors import UsageError, UserError, shorten

STARTS = tuple(f"{node}.{tag}=" for node, tag in TAGS.items())
"""Overrides that come first, because they start a node afresh."""


def read_config(
    path: Path, overrides: Sequence[str] = (), *, of_run: bool = False, where: str = COMMAND_LINE
) -> Config:
    """Return the configuration in a file, or of a shipped name, with `overrides` ("key.key=value") applied.

    One that stands in a run may be older than some keys: what was done before they were (before.py) goes on; and it is
    whole, so it extends nothing. `where` is where the overrides stand. Raises UserError that names the file (or the
    command line), the key, and a suggestion.
    """
    path = locate(path)
    tree, origin = _read(path, (), alone=of_run)
    for override in sorted(overrides, key=lambda override: not override.startswith(STARTS)):
        merge(tree, parse_override(override, where), origin, where)
    if of_run:
        fill_in(tree)
    return _validate(tree, origin, str(path))


def must_be_listed(changes: Sequence[str]) -> None:
    """Raise UserError where changes are a text alone, which Python takes for a list of letters."""
    if isinstance(changes, str):
        raise UserError(f"changes are a list, also of one: write changes=[{shorten(repr(changes))}]")


def parse_override(override: str, where: str = COMMAND_LINE) -> dict[str, Any]:
    """Return {"key": {"key": value}} for "key.key=value", which stands in `where`.

    Raises UsageError when it is not written so, and UserError where that is not on the command line.
    """
    key, equals, text = override.partition("=")
    told, kind = (
        f"override {shorten(repr(override))} {'on' if where == COMMAND_LINE else 'in'} {where}",
        UsageError if where == COMMAND_LINE else UserError,
    )
    if not equals or not key:
        raise kind(f"{told}: write key=value, for example model.hidden=128")
    try:
        value = parse_yaml(text, told)
    except UserError as error:
        raise kind(str(error)) from error
    if key.count(".") >= DEEPEST or NO_TEXT.search(key):
        raise kind(f"{told}: no key is called so")
    for part in reversed(key.split(".")):
        value = {part: value}
    return typing.cast(dict[str, Any], value)


def to_yaml(config: Config) -> str:
    """Return the whole resolved tree as YAML; `read_config` of it gives the same config."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def json_schema() -> dict[str, Any]:
    """Return a JSON Schema of the files that `read_config` reads, so that editors complete keys.

    No key is required, because a file may extend another that has it; so a corpus need not say which it is. What says
    it is held against that one alone, so that a complaint is about the right keys.
    """
    schema = Config.model_json_schema()
    nodes = schema["$defs"]
    for node in nodes.values():
        node.pop("required", None)
    for part in [field for node in (schema, *nodes.values()) for field in node["properties"].values()]:
        if "$ref" in part:
            part.setdefault("description", nodes[_name(part)]["description"])
    for tag, key in TAGS.items():
        told = schema["properties"][tag]
        schema["properties"][tag] = {"description": told["description"], "type": "object"} | _by_kind(
            key, {nodes[_name(one)]["properties"][key]["const"]: one for one in told["oneOf"]}, nodes
        )
    schema["properties"]["extends"] = {
        "type": "string",
        "description": "What this file extends: a file, relative to itself, or a name that `mt config` lists.",
    }
    schema["required"] = []
    return schema


def _name(reference: dict[str, Any]) -> str:
    """Return the name of the definition that is referred to."""
    return str(reference["$ref"].rpartition("/")[2])


def _by_kind(key: str, kinds: dict[str, Any], nodes: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a node that is one of several kinds, as `key` says; one that does not say may be of any."""
    fields: dict[str, Any] = {}
    for one in kinds.values():
        for name, field in nodes[_name(one)]["properties"].items():
            held = fields.setdefault(name, {"description": field.get("description", ""), "anyOf": []})
            if field not in held["anyOf"]:
                held["anyOf"].append(field)
    fields[key] = {"description": fields[key]["description"], "enum": list(kinds), "type": "string"}
    return {
        "properties": fields,
        "additionalProperties": False,
        "allOf": [
            {"if": {"properties": {key: {"const": kind}}, "required": [key]}, "then": one}
            for kind, one in kinds.items()
        ],
    }


def _read(path: Path, above: tuple[Path, ...], *, alone: bool = False) -> tuple[dict[str, Any], Origin]:
    """Return the merged tree of a file and of what it extends, and where each key came from.

    Raises UserError where one extends another that is to stand `alone`.
    """
    chain = (*above, path)
    if len(chain) > DEEPEST:
        raise UserError(f"{above[0]} extends a file that extends a file, more than {DEEPEST} times: write it shorter")
    if path.resolve() in [file.resolve() for file in above]:
        raise UserError(f"{path} extends itself, through {' -> '.join(map(str, chain))}")
    own = parse_yaml(read_config_text(path, above), str(path))
    if own is None:
        own = {}
    if not isinstance(own, dict):
        held = "a list" if isinstance(own, list) else "a single value"
        raise UserError(f"{path} is not a config: it holds {held}, not `key: value` lines")
    base = own.pop("extends", None)
    tree: dict[str, Any] = {}
    origin: Origin = {}
    if base is not None:
        if alone:
            raise UserError(
                f"{path} extends {shorten(repr(base))}, and the config of a run is whole: take that key out"
            )
        if not isinstance(base, str):
            told = shorten(repr(base))
            raise UserError(f"extends in {path} is {told}: write the name of one file, relative to this one")
        tree, origin = _read(locate(Path(base), path.parent), chain)
    merge(tree, own, origin, str(path))
    return tree, origin


def read_config_text(path: Path, above: tuple[Path, ...] = ()) -> str:
    """Return what a config holds; `above` extend it. Raises UserError that says why it cannot be read."""
    try:
        with open(path, "rb") as file:
            data = file.read(LONGEST + 1)
        if len(data) > LONGEST:
            raise UserError(f"{path} is no config: it has more than {LONGEST:,} bytes")
        return data.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not UTF-8, so it is not a config: {error.reason} at byte {error.start + 1}"
        ) from error
    except OSError as error:
        reader = f", which {above[-1]} extends" if above else ""
        raise UserError(f"cannot read config {path}{reader}: {error.strerror}{suggestion(path)}") from error


def merge(tree: dict[str, Any], new: dict[Any, Any], origin: Origin, name: str, at: tuple[str, ...] = ()) -> None:
    """Lay `new` over `tree`, key by key, and note in `origin` where each key came from.

    A corpus of another name and a model of another kind start afresh: the keys of the old one are not theirs.
    """
    for raw, value in new.items():
        key = str(raw)
        origin[(*at, key)] = name
        if isinstance(value, dict):
            if not isinstance(tree.get(key), dict) or (not at and _another(key, tree[key], value)):
                tree[key] = {}
                for gone in [set_before for set_before in origin if set_before[: len(at) + 1] == (*at, key)]:
                    del origin[gone]
                origin[(*at, key)] = name
            merge(tree[key], value, origin, name, (*at, key))
        else:
            tree[key] = value


def _another(node: str, old: dict[str, Any], new: dict[Any, Any]) -> bool:
    """Tell whether `new` is a corpus of another name than `old`, or a model of another kind."""
    tag = TAGS.get(node)
    before = None if tag is None else old.get(tag, DEFAULT_KIND if node == "model" else None)
    return tag in new and before not in (None, new[tag])


def _validate(tree: dict[str, Any], origin: Origin, path: str) -> Config:
    if isinstance(tree.get("model"), dict):
        tree["model"].setdefault("kind", DEFAULT_KIND)
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        problems = error.errors()
        told = explain_all(problems, origin, path)
        places = {origin_of(mistakes.locate(problem)[0], origin, path) for problem in problems}
        raise (UsageError if places == {COMMAND_LINE} else UserError)(told) from None
    if wrong := switched(tree, config.model_dump(), origin, path):
        raise UserError(wrong)
    return config
