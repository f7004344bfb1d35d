"""docs/reference/ says what the code says."""

from pathlib import Path

import pytest
from pydantic import Field
from script_loader import script

from mt.config import Config
from mt.config.tree import Count, Tree

PAGES = Path(__file__).parents[2] / "docs/reference"
BY_HAND = ("input.md", "significance.md", "diagnosis.md")
reference = script("reference")


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_committed_page_is_what_the_program_writes_now(name):
    written, now = (PAGES / name).read_text(encoding="utf-8"), reference.PAGES[name]()
    assert written == now, f"docs/reference/{name} is stale: run `python scripts/reference.py` and commit it"


def test_there_are_no_other_pages():
    assert {path.name for path in PAGES.glob("*.md")} == {*reference.PAGES, *BY_HAND}


def test_every_config_key_has_a_meaning():
    def silent(tree: type[Tree], prefix: str) -> list[str]:
        found = []
        for name, field in tree.model_fields.items():
            nodes = reference.trees(field.annotation)
            found += [] if nodes or field.description else [prefix + name]
            for node in nodes:
                found += silent(node, f"{prefix}{name}.")
        return found

    assert silent(Config, "") == []


def test_a_value_is_said_in_words():
    class Some(Tree):
        number: Count = 3
        share: float = Field(default=0.5, ge=0, lt=1)
        pair: tuple[str, str] | str | None = None
        many: tuple[str, ...] = ()

    fields = Some.model_fields
    assert [reference.allowed(fields[name]) for name in fields] == [
        "whole number, at least 1, at most 1,000,000,000",
        "number, at least 0, below 1",
        "list of 2: text, or text",
        "list of text",
    ]
    assert [reference.default(fields[name]) for name in fields] == ["`3`", "`0.5`", "unset", "`[]`"]
