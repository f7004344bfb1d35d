"""No page names a file or folder of the repository that is gone."""

import re
from pathlib import Path

import pytest
from doc_blocks import PAGES, ROOT

NAMED = re.compile(r"(?<![\w./-])(?:configs|docs|mt|scripts|tests)/[\w*.-]+(?:/[\w*.-]+)*/?")
"""What looks like a path of the repository, in prose and in code. data/ and runs/ are the user's own."""
YOURS = {"mt/commands/count.py", "mt/corpora/subtitles.py", "mt/models/bag.py", "mt/search/worst.py"}
"""What readers are told to make themselves."""


def gone(text: str) -> list[str]:
    """Return the paths that a text names and that do not exist; NAME in one stands for any name."""
    named = {path.rstrip("./") for path in NAMED.findall(text)} - YOURS
    return sorted(path for path in named if not any(ROOT.glob(re.sub(r"\b[A-Z]{4,}\b", "*", path))))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_names_a_path_that_is_gone(page: Path) -> None:
    assert gone(page.read_text(encoding="utf-8")) == []


def test_a_path_that_is_gone_is_found() -> None:
    assert gone("`mt/cli.py`, configs/NAME.yaml, docs/*.png. See https://a.b/mt/x and runs/mt/no") == []
    assert gone("See scripts/no.py.\n\n    python scripts/old.py configs/*.yml\n") == [
        "configs/*.yml",
        "scripts/no.py",
        "scripts/old.py",
    ]
