"""A translation shows itself in a notebook, by the renderer of every other page."""

from pathlib import Path

import pytest

import mt
from mt.inference.translator import Translation


def test_a_frame_holds_the_matrix_and_lights_up(numbers: Path, tmp_path: Path) -> None:
    pytest.importorskip("playwright")
    from live_page import browsing

    (translation,) = mt.load(numbers).translate(["eins zwei drei"])
    assert translation.alignment is not None
    cell = f"<!doctype html><title>cell</title>{translation._repr_html_()}"
    (tmp_path / "notebook.html").write_text(cell, encoding="utf-8")
    with browsing() as browser:
        page, wrong = browser.new_page(), list[str]()
        page.on("console", lambda said: wrong.append(said.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto((tmp_path / "notebook.html").as_uri())
        frame = page.frame_locator("iframe")
        frame.locator("td").first.wait_for()
        rows = [row.locator("td").all_text_contents() for row in frame.locator("tbody tr").all()]
        assert [[int(text) for text in row] for row in rows] == (100 * translation.alignment.words).round().tolist()
        frame.locator("button[data-row]").first.hover()
        assert f"{translation.alignment.target_words[0]} looks at" in frame.locator(".reading").inner_text()
        assert wrong == []


def test_without_attention_it_is_text_that_cannot_be_markup() -> None:
    assert Translation("<b>1</b>")._repr_html_() == "<p>&lt;b&gt;1&lt;/b&gt;</p>"
