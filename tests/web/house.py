"""A house of runs that are served, and a browser that looks at its page."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

from command_line import mt
from conftest import write_numbers
from live_page import browsing, serving
from playwright.sync_api import Browser, Page

from mt import load
from mt.inference.translator import Translator

TEXT = "eins zwei drei vier"
TRANSFORMER = "model={kind: transformer, width: 16, layers: 2, heads: 2, feedforward: 32}"


class House(NamedTuple):
    """A service of three runs, the page's browser, and what translates by the first run."""

    address: str
    browser: Browser
    runs: dict[str, Path]
    translator: Translator


@contextmanager
def opened(numbers: Path, folder: Path) -> Iterator[House]:
    """Train two small runs beside `numbers`, serve all three, and start the browser."""
    runs = {"gru": Path(shutil.copytree(numbers, folder / "gru"))}
    config = write_numbers(folder, 200)
    for name, change in {"heads": TRANSFORMER, "none": "model.attention.score=none"}.items():
        runs[name] = folder / name
        changes = [change, "train.epochs=2", "train.film=2" if name == "heads" else "train.film=0"]
        assert mt("train", config, *changes, "--run", runs[name]).returncode == 0
    assert mt("eval", runs["gru"]).returncode == 0
    with serving(*runs.values()) as address, browsing() as browser:
        yield House(address, browser, runs, load(runs["gru"]))


def state(text: str = TEXT, **others: object) -> str:
    return urlencode({"text": text, **others}, doseq=True)


def shown(page: Page, run: str = "gru") -> str:
    return page.locator(f'[data-run="{run}"] .translation').inner_text()


def weights(page: Page, run: str = "gru") -> list[list[float]]:
    cells = page.locator(f'[data-run="{run}"] tbody tr').all()
    return [[int(text) for text in row.locator("td").all_text_contents()] for row in cells]
