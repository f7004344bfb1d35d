"""A service on a port of its own, and a browser that looks at its page."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from browsers import BROWSERS, FLAGS
from playwright.sync_api import Browser, Page, expect, sync_playwright

from mt.web.app import create_app
from mt.web.guard import Guard
from mt.web.served import Served

SECONDS = 20_000
"""Milliseconds that anything on the page may take on a busy machine."""
expect.set_options(SECONDS)
SERIOUS = {"serious", "critical"}


@contextmanager
def serving(*runs: Path, token: str | None = None) -> Iterator[str]:
    """Serve runs on a free port; give its address."""
    bound = socket.create_server(("127.0.0.1", 0))
    app = Guard(create_app([Served(run) for run in runs]), token=token)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)


def _without(why: str) -> NoReturn:
    """Skip a test, which continuous integration may not."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


@contextmanager
def browsing() -> Iterator[Browser]:
    """Start the system's Chromium."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        _without(f"no browser here ({', '.join(BROWSERS)})")
    with sync_playwright() as driver:
        flags = [flag for flag in FLAGS if flag != "--headless"]
        browser = driver.chromium.launch(executable_path=found, args=flags)
        yield browser
        browser.close()


@contextmanager
def looking(browser: Browser, address: str, state: str = "", **options: Any) -> Iterator[Page]:
    """Open the page in a state. Fails where it has asked anybody else, or complained."""
    page = browser.new_page(**options)
    page.set_default_timeout(SECONDS)
    wrong = list[str]()
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda sent: None if sent.url.startswith((address, "data:")) else wrong.append(sent.url))
    page.goto(f"{address}/#{state}")
    settle(page)
    yield page
    expected = [text for text in wrong if "status of 4" not in text]  # what a refused request leaves in the console
    assert not expected
    page.close()


def settle(page: Page) -> None:
    """Wait until what the address asks for is drawn, and nothing is on its way."""
    drawn = "(main) => main.dataset.state === location.hash || main.querySelector('#token, .failure') !== null"
    end = time.monotonic() + SECONDS / 1000
    while not page.locator("#main").evaluate(drawn) or page.locator("[aria-busy]").count():
        assert time.monotonic() < end, page.locator("#main").inner_text()
        page.wait_for_timeout(30)


def complaints(page: Page) -> list[str]:
    """Return the serious findings of axe-core."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in SERIOUS]
