"""What the pages for readers point at is there: pages and their headings, and the classes of a file."""

import ast
import re
from pathlib import Path

import pytest
from doc_blocks import PAGES, ROOT

LINK = re.compile(r"\]\(([^)#\s:]*)(#[^)\s]*)?\)")
PLACED = re.compile(r"((?:`\w+`(?:,| and) )*`\w+`) in `(mt/[\w/.]+)`")


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as they are made for Markdown on the usual hosts."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading) for heading in headings]
    return {"#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def names_in(place: Path) -> set[str]:
    """Return the classes, functions and constants of a module, or of the modules of a folder."""
    files = [place] if place.is_file() else sorted(place.glob("*.py"))
    names = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                names.add(node.name)
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"no {target}"
        assert not anchor or anchor in anchors(file), f"no heading {anchor} in {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_places_in_a_file_is_there(page: Path) -> None:
    for names, place in PLACED.findall(page.read_text(encoding="utf-8")):
        missing = set(re.findall(r"\w+", names)) - names_in(ROOT / place)
        assert not missing, f"no {missing} in {place}"


def test_a_dead_link_and_a_missing_class_are_noticed() -> None:
    assert LINK.findall("[a](b.md#c) [d](#e)") == [("b.md", "#c"), ("", "#e")]
    assert PLACED.findall("`Dot` and `General` in `mt/attention/scores.py`") == [
        ("`Dot` and `General`", "mt/attention/scores.py")
    ]
    assert {"Dot", "SCORES"} <= names_in(ROOT / "mt/attention/scores.py")
    assert "Nothing" not in names_in(ROOT / "mt/attention")
