"""Configurations in YAML: read, checked once, written.

A file may extend another (`extends: base.yaml`, relative to itself) and says only what differs. Overrides from the
command line (`model.hidden=128`) come last.
"""

import difflib
import typing
from collections.abc import Hashable
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ValidationError

from mt.config import Config
from mt.core.errors import UserError

Origin = dict[tuple[str, ...], str]
"""Where each key of a tree was set last: a file, or "the command line"."""
TAGS = {"corpus": "name", "model": "kind"}
"""Nodes with several sets of keys, and the key that says which."""
STARTS = tuple(f"{node}.{tag}=" for node, tag in TAGS.items())
"""Overrides that come first, because they start a node afresh."""
SWITCH = "; YAML reads a bare yes, no, on or off as true or false: put quotes around it if you mean the word"


def read_config(path: Path, overrides: tuple[str, ...] | list[str] = ()) -> Config:
    """Return the configuration in `path` with `overrides` ("key.key=value") applied.

    Raises UserError that names the file (or the command line), the key, and a suggestion.
    """
    tree, origin = _read(path, ())
    for override in sorted(overrides, key=lambda override: not override.startswith(STARTS)):
        key, equals, text = override.partition("=")
        if not equals or not key:
            raise UserError(f"override {override!r} on the command line: write key=value, for example model.hidden=128")
        value: Any = parse_yaml(text, f"override {override!r} on the command line")
        for part in reversed(key.split(".")):
            value = {part: value}
        _merge(tree, value, origin, "the command line", ())
    return _validate(tree, origin, str(path))


def to_yaml(config: Config) -> str:
    """Return the whole resolved tree as YAML; `load` of it gives the same config."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def json_schema() -> dict[str, Any]:
    """Return a JSON Schema of the files that `load` reads, so that editors complete keys.

    No key is required, because a file may extend another that has it; so a corpus need not say which it is.
    """
    schema = Config.model_json_schema()
    for node in schema["$defs"].values():
        node.pop("required", None)
    for tag in TAGS:
        node = schema["properties"][tag]
        node["anyOf"] = node.pop("oneOf")
        del node["discriminator"]
    schema["properties"]["extends"] = {"type": "string", "description": "File this one extends, relative to itself."}
    schema["required"] = []
    return schema


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return {"model.hidden": 256, ...} for a nested tree."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


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
        return yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date such as 2024-13-45
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise UserError(f"{where}{line}: not YAML ({reason})") from error


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
        tree, origin = _read(path.parent / base, chain)
    _merge(tree, own, origin, str(path), ())
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
        raise UserError(f"cannot read config {path}{reader}: {error.strerror}{_similar_file(path)}") from error


def _similar_file(path: Path) -> str:
    names = [file.name for file in path.parent.glob("*.yaml")]
    close = difflib.get_close_matches(path.name, names, 1)
    return f"; did you mean {path.parent / close[0]}?" if close else ""


def _merge(tree: dict[str, Any], new: dict[Any, Any], origin: Origin, name: str, at: tuple[str, ...]) -> None:
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
            _merge(tree[key], value, origin, name, (*at, key))
        else:
            tree[key] = value


def _another(node: str, old: dict[str, Any], new: dict[Any, Any]) -> bool:
    """Tell whether `new` is a corpus of another name than `old`, or a model of another kind."""
    tag = TAGS.get(node)
    before = None if tag is None else old.get(tag, _default_tag(node))
    return tag in new and before not in (None, new[tag])


def _default_tag(node: str) -> str | None:
    """Return the kind of a model that names none; a corpus always has a name."""
    return "rnn" if node == "model" else None


def _validate(tree: dict[str, Any], origin: Origin, path: str) -> Config:
    if isinstance(tree.get("model"), dict):
        tree["model"].setdefault("kind", _default_tag("model"))
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        raise UserError("\n".join(_explain(problem, origin, path) for problem in error.errors())) from None
    resolved = flatten(config.model_dump())
    for key, value in flatten(tree).items():
        if isinstance(value, bool) and not isinstance(resolved[key], bool):  # pydantic takes true for the number 1
            raise UserError(f"{key} in {_origin(key.split('.'), origin, path)} is {value}, not a number{SWITCH}")
    return config


def _origin(loc: list[str], origin: Origin, otherwise: str) -> str:
    """Return where a key, or the nearest one above it, was set."""
    return next((origin[part] for end in range(len(loc), 0, -1) if (part := tuple(loc[:end])) in origin), otherwise)


def _explain(problem: Any, origin: Origin, path: str) -> str:
    """Put one complaint of pydantic in the user's words: file, key, reason, suggestion."""
    kind, value, context = problem["type"], problem["input"], problem.get("ctx", {})
    loc = [str(part) for part in problem["loc"]]
    if loc[:1] == ["corpus"]:
        loc[3:] = [part for part in loc[3:] if part not in {"str", "tuple[str, str]"}]  # of a union: no keys
    chosen = loc.pop(1) if loc[:1] in (["corpus"], ["model"]) and len(loc) > 1 else ""
    if kind.startswith("union_tag"):
        loc.append(TAGS[loc[0]])
        value = context.get("tag")
    key, where = ".".join(loc), _origin(loc, origin, path)
    if kind == "extra_forbidden":
        known = _known(loc[:-1], chosen)
        return f"unknown key {key} in {where}: {_closest(loc[-1], known) or 'known here: ' + ', '.join(known)}"
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
        reason = f"it has keys of its own, for example {{{TAGS[key]}: {_default_tag(key) or 'toy'}}}"
    if kind == "model_type":
        reason = f"it has keys of its own: {', '.join(_known(loc, chosen))}"
    close = _closest(str(value), choices)
    return f"{key} in {where} is {value!r}: {reason}{'; ' * bool(close)}{close}{SWITCH * isinstance(value, bool)}"


def _known(loc: list[str], chosen: str) -> list[str]:
    """Return the keys that a node of the tree has; `chosen` is the tag of the corpus or model that it belongs to."""
    node: Any = Config
    for part in loc:
        node = node.model_fields[part].annotation
        if tag := TAGS.get(part, "") if node is not str and typing.get_args(node) else "":
            node = next(one for one in typing.get_args(node) if one.model_fields[tag].annotation == Literal[chosen])
    return list(node.model_fields)


def _closest(word: str, choices: list[str]) -> str:
    close = difflib.get_close_matches(word, choices, 1)
    return f"did you mean {close[0]}?" if close else ""
