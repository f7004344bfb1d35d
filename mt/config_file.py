"""Configurations in YAML: read, checked once, written.

A file may extend another (`extends: base.yaml`, relative to itself) and says only what differs. Overrides from the
command line (`model.hidden=128`) come last.
"""

import difflib
import typing
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import ValidationError

from mt.config import Config, CorpusConfig
from mt.errors import UserError


def load(path: Path, overrides: tuple[str, ...] | list[str] = ()) -> Config:
    """Return the configuration in `path` with `overrides` ("key.key=value") applied.

    Raises UserError that names the file (or the command line), the key, and a suggestion.
    """
    tree, origin = _read(path, ())
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals or not key:
            raise UserError(f"override {override!r} on the command line: write key=value, for example model.hidden=128")
        value: Any = _parse(text, f"override {override!r} on the command line")
        for part in reversed(key.split(".")):
            value = {part: value}
        _merge(tree, value, origin, "the command line", ())
    return _validate(tree, origin, str(path))


def to_yaml(config: Config) -> str:
    """Return the whole resolved tree as YAML; `load` of it gives the same config."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def json_schema() -> dict[str, Any]:
    """Return a JSON Schema of the files that `load` reads, so that editors complete keys."""
    schema = Config.model_json_schema()
    schema["properties"]["extends"] = {"type": "string", "description": "File this one extends, relative to itself."}
    schema["required"] = []
    return schema


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return {"model.hidden": 256, ...} for a nested tree."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        flat |= flatten(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat


def _parse(text: str, where: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{where}{line}: not YAML ({getattr(error, 'problem', None) or error})") from error


def _read(path: Path, seen: tuple[Path, ...]) -> tuple[dict[str, Any], dict[tuple[str, ...], str]]:
    """Return the merged tree of a file and of what it extends, and the file each key came from."""
    if path.resolve() in seen:
        raise UserError(f"{path} extends itself, through {' -> '.join(str(p) for p in seen)}")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not UTF-8, so it is not a config: {error.reason} at byte {error.start + 1}"
        ) from error
    except OSError as error:
        raise UserError(f"cannot read config {path}: {error.strerror}{_similar_file(path)}") from error
    own = _parse(text, str(path))
    if not isinstance(own, dict):
        raise UserError(f"{path} is not a config: it holds {type(own).__name__}, not `key: value` lines")
    base = own.pop("extends", None)
    tree: dict[str, Any] = {}
    origin: dict[tuple[str, ...], str] = {}
    if base is not None:
        tree, origin = _read(path.parent / str(base), (*seen, path.resolve()))
    _merge(tree, own, origin, str(path), ())
    return tree, origin


def _similar_file(path: Path) -> str:
    names = [p.name for p in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, names, 1)
    return f"; did you mean {path.parent / close[0]}?" if close else ""


def _merge(
    tree: dict[str, Any], new: dict[Any, Any], origin: dict[tuple[str, ...], str], name: str, at: tuple[str, ...]
) -> None:
    """Lay `new` over `tree`, key by key, and note in `origin` where each key came from."""
    for raw, value in new.items():
        key = str(raw)
        origin[(*at, key)] = name
        if isinstance(value, dict):
            if not isinstance(tree.get(key), dict):
                tree[key] = {}
            _merge(tree[key], value, origin, name, (*at, key))
        else:
            tree[key] = value


def _validate(tree: dict[str, Any], origin: dict[tuple[str, ...], str], path: str) -> Config:
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        raise UserError("\n".join(_explain(problem, origin, path) for problem in error.errors())) from None


def _explain(problem: Any, origin: dict[tuple[str, ...], str], path: str) -> str:
    """Put one complaint of pydantic in the user's words: file, key, reason, suggestion."""
    tags = typing.get_args(CorpusConfig)
    loc = [str(part) for part in problem["loc"]]
    node: Any = Config
    if loc[:1] == ["corpus"] and len(loc) > 1:
        node = next(tag for tag in tags if tag.model_fields["name"].annotation == Literal[loc[1]])
        del loc[1]
    dotted, keys = ".".join(loc), tuple(loc)
    where = next((origin[keys[:end]] for end in range(len(keys), 0, -1) if keys[:end] in origin), path)
    if problem["type"] == "extra_forbidden":
        for part in loc[1:-1] if loc[0] == "corpus" else loc[:-1]:
            node = node.model_fields[part].annotation
        close = difflib.get_close_matches(loc[-1], node.model_fields, 1)
        hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(node.model_fields)}"
        return f"unknown key {dotted} in {where}: {hint}"
    if problem["type"] == "missing":
        return f"missing key {dotted} in {path}"
    if problem["type"].startswith("union_tag"):
        names = [str(typing.get_args(tag.model_fields["name"].annotation)[0]) for tag in tags]
        given = problem["input"].get("name") if isinstance(problem["input"], dict) else problem["input"]
        close = difflib.get_close_matches(str(given), names, 1)
        return f"{where}: corpus.name is {given!r}; " + (
            f"did you mean {close[0]}?" if close else f"known: {', '.join(names)}"
        )
    if problem["type"] == "value_error":
        return f"{path}: {dotted + '.' if dotted else ''}{problem['ctx']['error']}"
    reason = problem["msg"][0].lower() + problem["msg"][1:]
    return f"{dotted} in {where} is {problem['input']!r}: {reason}{_closest(problem)}"


def _closest(problem: Any) -> str:
    """Suggest the nearest allowed value for a misspelt choice."""
    choices = str(problem.get("ctx", {}).get("expected", "")).replace(" or ", ", ").replace("'", "").split(", ")
    close = difflib.get_close_matches(str(problem["input"]), choices, 1)
    return f"; did you mean {close[0]}?" if close else ""
