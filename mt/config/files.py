"""Configurations in YAML: read, checked once, written.

A file may extend another (`extends: other.yaml`, relative to itself, or `extends: base`, which `mt config` lists) and
says only what differs. Overrides from the command line (`model.hidden=128`) come last.
"""

import typing
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from mt.config import Config, mistakes
from mt.config.before import fill_in
from mt.config.mistakes import COMMAND_LINE, DEFAULT_KIND, TAGS, Origin, explain, origin_of, switched
from mt.config.shipped import locate, suggestion
from mt.core.errors import UsageError, UserError

STARTS = tuple(f"{node}.{tag}=" for node, tag in TAGS.items())
"""Overrides that come first, because they start a node afresh."""


def read_config(
    path: Path, overrides: Sequence[str] = (), *, of_run: bool = False, where: str = COMMAND_LINE
) -> Config:
    """Return the configuration in a file, or of a shipped name, with `overrides` ("key.key=value") applied.

    One that stands in a run may be older than some keys: what was done before they were (before.py) goes on. `where` is
    where the overrides stand. Raises UserError that names the file (or the command line), the key, and a suggestion.
    """
    path = locate(path)
    tree, origin = _read(path, ())
    for override in sorted(overrides, key=lambda override: not override.startswith(STARTS)):
        merge(tree, parse_override(override, where), origin, where)
    if of_run:
        fill_in(tree)
    return _validate(tree, origin, str(path))


def parse_override(override: str, where: str = COMMAND_LINE) -> dict[str, Any]:
    """Return {"key": {"key": value}} for "key.key=value", which stands in `where`.

    Raises UsageError when it is not written so, and UserError where that is not on the command line.
    """
    key, equals, text = override.partition("=")
    told, kind = (
        f"override {override!r} {'on' if where == COMMAND_LINE else 'in'} {where}",
        UsageError if where == COMMAND_LINE else UserError,
    )
    if not equals or not key:
        raise kind(f"{told}: write key=value, for example model.hidden=128")
    try:
        value = parse_yaml(text, told)
    except UserError as error:
        raise kind(str(error)) from error
    for part in reversed(key.split(".")):
        value = {part: value}
    return typing.cast(dict[str, Any], value)


def to_yaml(config: Config) -> str:
    """Return the whole resolved tree as YAML; `read_config` of it gives the same config."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def json_schema() -> dict[str, Any]:
    """Return a JSON Schema of the files that `read_config` reads, so that editors complete keys.

    No key is required, because a file may extend another that has it; so a corpus need not say which it is.
    """
    schema = Config.model_json_schema()
    for node in schema["$defs"].values():
        node.pop("required", None)
    for tag in TAGS:
        node = schema["properties"][tag]
        node["anyOf"] = node.pop("oneOf")
        del node["discriminator"]
    schema["properties"]["extends"] = {
        "type": "string",
        "description": "What this file extends: a file, relative to itself, or a name that `mt config` lists.",
    }
    schema["required"] = []
    return schema


class _Loader(yaml.SafeLoader):
    """SafeLoader, but a key given twice is an error: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(problem=f"{key.value} is given twice", problem_mark=key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def parse_yaml(text: str, where: str) -> Any:
    """Return what YAML says. Raises UserError that says where it is wrong."""
    try:
        value = yaml.load(text, _Loader)
        _must_end(value, ())
    except RecursionError as error:
        raise UserError(f"{where}: lists or keys are nested too deeply") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2024-13-45
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise UserError(f"{where}{line}: not YAML ({reason})") from error
    return value


def _must_end(value: Any, above: tuple[int, ...]) -> None:
    """Raise ValueError where a list or a node holds itself, as in `a: &a [*a]`; `above` are those that it stands in."""
    if isinstance(value, dict | list):
        if id(value) in above:
            raise ValueError("an alias stands inside of what it names")
        for part in value.values() if isinstance(value, dict) else value:
            _must_end(part, (*above, id(value)))


def _read(path: Path, above: tuple[Path, ...]) -> tuple[dict[str, Any], Origin]:
    """Return the merged tree of a file and of what it extends, and where each key came from."""
    chain = (*above, path)
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
        if not isinstance(base, str):
            raise UserError(f"extends in {path} is {base!r}: write the name of one file, relative to this one")
        tree, origin = _read(locate(Path(base), path.parent), chain)
    merge(tree, own, origin, str(path))
    return tree, origin


def read_config_text(path: Path, above: tuple[Path, ...] = ()) -> str:
    """Return what a config holds; `above` extend it. Raises UserError that says why it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
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
        told = "\n".join(explain(problem, origin, path) for problem in problems)
        places = {origin_of(mistakes.locate(problem)[0], origin, path) for problem in problems}
        raise (UsageError if places == {COMMAND_LINE} else UserError)(told) from None
    if wrong := switched(tree, config.model_dump(), origin, path):
        raise UserError(wrong)
    return config
