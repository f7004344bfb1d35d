"""Keys that a later version added: how a run made before them is read, so that it goes on as it began."""

import hashlib
from typing import Any

from mt.config import ASIDE, Config
from mt.config.mistakes import DEFAULT_KIND, TAGS, known_keys

BEFORE: dict[str, Any] = {
    "alignment.unit": "tokens",
    "corpus.copies": "allow",
    "corpus.held_out_by": "pairs",
    "corpus.raw": True,
    "vocabulary.normalize": "none",
}
"""By key, the value that says what was done when there was no such key, where that is not the key's default."""


def fill_in(tree: dict[str, Any]) -> None:
    """Give the config file of a run, as a tree, the keys of BEFORE that it lacks."""
    for key, value in BEFORE.items():
        *nodes, last = key.split(".")
        node: Any = tree
        for name in nodes:
            node = node.setdefault(name, {}) if isinstance(node, dict) else None
        if isinstance(node, dict) and last in known_keys(nodes, _chosen(tree, nodes[:1])):
            node.setdefault(last, value)


def _chosen(tree: dict[str, Any], nodes: list[str]) -> str:
    """Return the name of the corpus, or the kind of the model, that a top node of the tree is."""
    tag = TAGS.get(nodes[0]) if nodes else None
    return str(tree[nodes[0]].get(tag, DEFAULT_KIND if nodes[0] == "model" else "")) if tag else ""


def fingerprint(config: Config) -> str:
    """Return 16 characters that change with the experiment, but not with the machine.

    They are of what differs from the defaults: a key that a later version adds changes nothing.
    """
    told = _without_later_keys(config).model_dump_json(exclude_defaults=True, exclude=ASIDE)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _without_later_keys(config: Config) -> Config:
    """Return the config as a version without the keys of BEFORE would have had it."""
    tree = config.model_dump()
    for key, value in BEFORE.items():
        *nodes, last = key.split(".")
        node = tree
        for name in nodes:
            node = node[name]
        if node.get(last, value) == value:
            node.pop(last, None)
    return Config.model_validate(tree)
