"""YAML that anybody may have written: bounds on its size, its nesting and its numbers, before anything is made of it.

Aliases make a few lines into more values than any memory holds, nesting goes deeper than Python follows, and a number
can have more digits than Python prints.
"""

import re
from collections.abc import Hashable
from typing import Any

import yaml

from mt.core.errors import UserError, shorten

LONGEST = 1 << 17
"""Characters of a text, and bytes of a file."""
DEEPEST = 20
"""Lists and keys inside one another."""
MOST = 4000
"""Values, those that an alias stands for counted each time."""
DIGITS = 100
"""Characters of a number."""
NUMBERS = {f"tag:yaml.org,2002:{kind}" for kind in ("int", "float")}
NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""What no name and no path has: NUL, and half of a surrogate pair."""


class _Loader(yaml.SafeLoader):
    """SafeLoader with these bounds. A key given twice is an error, too: the second would silently win."""

    def __init__(self, text: str):
        super().__init__(text)
        self.count = self.depth = self.reached = 0
        """Values so far, how deep this one is, and the deepest since the anchor that it is in."""
        self.named: dict[str, tuple[int, int]] = {}
        """By anchor: how many values it stands for, and how deep they go."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Return the next node with all that is in it. Raises MarkedYAMLError where that passes a bound."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        is_alias = isinstance(event, yaml.AliasEvent)
        before, outer, place = self.count, self.reached, self.depth
        size, height = self._behind(event) if is_alias else (1, 1)
        self.count, self.depth, self.reached = before + size, place + 1, place + height
        if self.reached > DEEPEST:
            raise _wrong(f"lists or keys are nested too deeply: more than {DEEPEST} inside one another", event)
        if self.count > MOST:
            raise _wrong(f"more than {MOST:,} values, those counted that aliases stand for", event)
        node = super().compose_node(parent, index)
        if event.anchor and not is_alias:
            self.named[event.anchor] = self.count - before, self.reached - place
        self.depth, self.reached = place, max(outer, self.reached)
        return node

    def _behind(self, event: yaml.AliasEvent) -> tuple[int, int]:
        """Return how many values an alias stands for, and how deep they go."""
        if event.anchor in self.anchors and event.anchor not in self.named:
            raise _wrong("an alias stands inside of what it names", event)
        return self.named.get(str(event.anchor), (1, 1))

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Return what a node says. Raises MarkedYAMLError where it cannot say that."""
        if isinstance(node, yaml.ScalarNode):
            if NO_TEXT.search(node.value):
                raise _wrong("a NUL character, or half of a surrogate pair", node)
            if node.tag in NUMBERS and len(node.value) > DIGITS:
                raise _wrong(f"a number of more than {DIGITS} characters", node)
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
            # such as 2024-13-45, `!!int x` and `!!timestamp x`, of which PyYAML lets Python complain
            raise _wrong(str(error) if isinstance(error, ValueError) else f"not what {node.tag} says", node) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise _wrong(f"{shorten(key.value)} is given twice", key)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _wrong(problem: str, place: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)


def parse_yaml(text: str, where: str) -> Any:
    """Return what YAML says. Raises UserError that says where it is wrong, or passes a bound."""
    if len(text) > LONGEST:
        raise UserError(f"{where}: longer than {LONGEST:,} characters, which nothing needs that is written here")
    try:
        return yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
        begun = getattr(error, "context_mark", None)
        if mark and begun and mark.index >= len(text.rstrip()):
            mark, reason = begun, "what begins here, with a bracket or a quotation mark, has no end"
        line = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{where}{line}: not YAML ({reason})") from error
