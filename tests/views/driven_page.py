"""A page as its elements, and in a browser that runs a script in it."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NoReturn

import pytest
from browsers import BROWSERS, FLAGS


class Page(HTMLParser):
    """The elements of a page with their attributes and texts, and what its data say."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.data = json.loads(self.inside("script")[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.append("")

    def handle_data(self, data: str) -> None:
        if self.texts:
            self.texts[-1] += data

    def inside(self, tag: str) -> list[str]:
        """Return the text after each opening <tag>, up to the next opening tag."""
        return [text for (name, _), text in zip(self.elements, self.texts, strict=True) if name == tag]


def sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def without_browser(why: str) -> NoReturn:
    """Skip a test, which continuous integration may not."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


def in_browser(folder: Path, script: str) -> Any:
    """Open a copy of folder/page.html in which `script`, the body of an async function, runs too; return its result."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        without_browser(f"no browser here ({', '.join(BROWSERS)})")
    script = (
        f"(async () => {{ {script} }})().then((found) => {{ document.body.dataset.found = JSON.stringify(found); }});"
    )
    text = (
        (folder / "page.html")
        .read_text(encoding="utf-8")
        .replace("script-src ", f"script-src 'sha256-{sha256(script)}' ", 1)
    )
    (folder / "driven.html").write_text(text.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    flags = [*FLAGS, f"--user-data-dir={folder / 'user'}"]
    url = (folder / "driven.html").as_uri()
    done = subprocess.run(
        [browser, *flags, "--virtual-time-budget=10000", "--dump-dom", url],
        capture_output=True,
        check=False,
    )
    dumped = done.stdout.decode("utf-8", errors="replace")
    if 'id="data"' not in dumped:
        without_browser(f"{browser} cannot open {url}: {done.stderr.decode(errors='replace')[-200:]}")
    body = next(attributes for tag, attributes in Page(dumped).elements if tag == "body")
    return json.loads(body["data-found"] or "null")
