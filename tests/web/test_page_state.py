"""What the page and the service keep: the focus, what was typed, whose path is forced, and what was listed."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("playwright")
from house import TEXT, House, opened, shown, state
from live_page import looking, settle
from playwright.sync_api import expect
from starlette.testclient import TestClient

from mt import load
from mt.web.app import create_app
from mt.web.listing import Listed, Listing
from mt.web.served import Served
from mt.web.service import Limits


@pytest.fixture(scope="module")
def house(numbers: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(numbers, tmp_path_factory.mktemp("house")) as house:
        yield house


def test_the_focus_stays_on_what_was_pressed(house: House) -> None:
    where = state(run=["gru", "heads"])
    with looking(house.browser, house.address, where) as page:
        for control in ("look-whatif-gru", "equal-gru", "apply-gru", "look-tree-heads", "run-none", "view-corpus"):
            page.locator(f"#{control}").focus()
            page.keyboard.press("Space" if control.startswith("run-") else "Enter")
            settle(page)
            page.wait_for_function("() => document.activeElement !== document.body")
            assert page.evaluate("document.activeElement.id") == control
        page.locator("#sort-words").focus()
        page.keyboard.press("Enter")
        settle(page)
        expect(page.locator("#sort-words")).to_be_focused()
        page.locator(".corpus .texts .link").first.focus()
        page.keyboard.press("Enter")
        settle(page)
        expect(page.locator("#main")).to_be_focused()  # the link is gone


def test_names_are_given_once_where_runs_stand_side_by_side(house: House) -> None:
    for look in ("whatif", "tree"):
        with looking(house.browser, house.address, state(run=["gru", "heads"], look=look)) as page:
            page.wait_for_selector("[data-done]", state="attached")
            names = page.evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
            assert len(names) == len(set(names))


def test_what_was_typed_stays_when_something_else_is_changed(house: House) -> None:
    with looking(house.browser, house.address, state()) as page:
        page.get_by_label("Sentence").fill("drei")
        page.get_by_label("Even attention").check()
        settle(page)
        assert page.get_by_label("Sentence").input_value() == "drei"
        assert "text=drei" in page.url


def test_a_path_of_one_run_is_not_forced_on_another(house: House) -> None:
    free = {name: load(house.runs[name]).translate([TEXT])[0] for name in ("gru", "heads")}
    with looking(house.browser, house.address, state(run=["gru", "heads"], look="tree")) as page:
        page.wait_for_selector("[data-done]", state="attached")
        page.locator('[data-run="gru"] .tree li').nth(1).locator(".dropped").first.click()
        settle(page)
        page.wait_for_selector("[data-done]", state="attached")
        assert shown(page, "gru") != free["gru"].text
        assert shown(page, "heads") == free["heads"].text


def test_the_rest_is_searched_as_widely_as_the_translation(house: House) -> None:
    asked = list[dict[str, object]]()
    with looking(house.browser, house.address, state(look="whatif", beam=1)) as page:
        page.on("request", lambda sent: asked.append(sent.post_data_json) if "continue" in sent.url else None)
        page.locator("#apply-gru").click()
        settle(page)
        assert [one["beam"] for one in asked] == [1]
        asked.clear()
        page.locator("#apply-gru").click()  # asked for again, it is drawn anew
        page.wait_for_timeout(100)
        settle(page)
        assert len(asked) == 1


def test_a_listing_that_took_too_long_is_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, release = list[object](), threading.Event()
    original = Listing.__call__

    def slow(self: Listing, splits: list[str]) -> list[list[Listed]]:
        calls.append(splits)
        release.wait(20)
        return original(self, splits)

    monkeypatch.setattr(Listing, "__call__", slow)
    app = create_app([Served(house.runs["gru"])], Limits(seconds=0.5))
    with TestClient(app) as client:
        assert [client.get("/api/corpus").status_code for _ in range(2)] == [504, 504]
        release.set()
        while client.get("/api/corpus").status_code == 504:
            pass
        assert len(calls) == 1
