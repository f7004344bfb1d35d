"""The page in a browser: it shows what `mt translate` gives, and every state of it can be reached and linked."""

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("playwright")
from house import TEXT, House, opened, shown, state, weights
from live_page import complaints, looking, serving, settle
from playwright.sync_api import expect

from mt import load
from mt.models.contract import Look, Site


@pytest.fixture(scope="module")
def house(numbers: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with opened(numbers, tmp_path_factory.mktemp("house")) as house:
        yield house


def test_typing_a_sentence_shows_what_translate_gives(house: House) -> None:
    (expected,) = house.translator.translate([TEXT])
    with looking(house.browser, house.address) as page:
        page.get_by_label("Sentence").fill(TEXT)
        page.keyboard.press("Enter")
        expect(page.locator(".translation")).to_have_text(expected.text)
        settle(page)
        assert f"score {expected.score:.3f}" in page.locator(".facts").inner_text()
        assert expected.alignment is not None
        rounded = [[math.floor(100 * round(w, 3) + 0.5) for w in row] for row in expected.alignment.words.tolist()]
        found = weights(page)
        assert len(found) == len(rounded)
        for row, other in zip(found, rounded, strict=True):
            assert row == pytest.approx(other, abs=1)
        page.locator('button[data-row="1"]').hover()
        word, best = expected.alignment.target_words[1], expected.alignment.words[1].argmax()
        expect(page.locator(".reading")).to_contain_text(f"{word} looks at")
        expect(page.locator(".reading")).to_contain_text([*expected.alignment.source_words, "</s>"][best])
        assert "text=eins+zwei+drei+vier" in page.url
        page.get_by_role("button", name="Arcs").click()
        settle(page)
        strong = int((expected.alignment.words >= 0.0305).sum())
        assert page.locator(".arcs path").count() == pytest.approx(strong, abs=1)


def test_layers_heads_and_units_are_chosen(house: House) -> None:
    translator = load(house.runs["heads"])
    (expected,) = translator.translate([TEXT], look=Look(Site(2, 1)))
    with looking(house.browser, house.address, state(run="heads", unit="pieces")) as page:
        page.get_by_label("Layer", exact=True).select_option("2")
        page.get_by_label("Head", exact=True).select_option("1")
        settle(page)
        assert "layer=2" in page.url
        assert expected.alignment is not None
        found = weights(page, "heads")
        assert len(found) == len(expected.alignment.target_pieces) - 1
        for row, other in zip(found, expected.alignment.attention.tolist(), strict=False):
            assert row == pytest.approx([100 * weight for weight in other], abs=1)


def test_an_alternative_of_the_beam_is_forced(house: House) -> None:
    with looking(house.browser, house.address, state(look="tree")) as page:
        (traced,) = house.translator.translate([TEXT], trace=True)
        assert traced.trace is not None
        assert page.locator(".tree li").first.locator(".kept").count() == len(traced.trace[0].kept)
        page.locator(".tree li").nth(1).locator(".dropped").first.click()
        settle(page)
        other = traced.trace[1].dropped[0]
        path = [traced.trace[0].kept[other.parent].piece, other.piece]
        (expected,) = house.translator.translate([TEXT], prefixes=[path])
        assert shown(page) == expected.text
        assert quote(",".join(map(str, path))) in page.url
        page.locator("#free").click()
        settle(page)
        assert shown(page) == traced.text


def test_a_translation_is_edited_read_off_and_explained(house: House) -> None:
    (expected,) = house.translator.translate([TEXT], prefixes=["seven"])
    with looking(house.browser, house.address, state()) as page:
        page.get_by_text("Write it otherwise").click()
        page.locator("#own-gru").fill("seven")
        page.locator("#continue-gru").click()
        settle(page)
        assert shown(page) == expected.text
        assert shown(page).startswith("seven")
        page.get_by_text("Write it otherwise").click()
        page.locator("#own-gru").fill("nine nine")
        page.locator("#read-gru").click()
        settle(page)
        assert shown(page) == "nine nine"
        asked = {"source": TEXT, "target": "nine nine"}
        told = page.request.post(f"{house.address}/api/align", data=asked).json()["alignment"]
        assert weights(page)[0] == pytest.approx([100 * weight for weight in told["words"][0]], abs=1)


def test_other_translations_and_what_is_written_stay(house: House) -> None:
    (expected,) = house.translator.translate([TEXT], n_best=5)
    with looking(house.browser, house.address, state()) as page:
        page.locator("#others-gru > summary").click()
        listed = page.locator("#others-gru li bdi")
        listed.first.wait_for()
        assert [text.strip() for text in listed.all_text_contents()] == [one.text for one in expected.others]
        page.locator(".editing summary").click()
        page.locator("#own-gru").fill("nine nine")
        page.locator("#look-arcs-gru").click()
        settle(page)
        assert page.locator("#own-gru").input_value() == "nine nine"
        page.locator("#read-gru").click()
        settle(page)
        assert page.locator("#look-arcs-gru").get_attribute("aria-pressed") == "true"
        page.locator("#look-matrix-gru").click()
        settle(page)
        assert weights(page)
        assert shown(page) == "nine nine"


def test_weights_are_clamped(house: House) -> None:
    (own,) = house.translator.translate([TEXT])
    with looking(house.browser, house.address, state(look="whatif", step=1)) as page:
        page.locator("#apply-gru").click()
        settle(page)
        assert page.locator("#rest-gru").inner_text() == f"The rest, translated anew: {own.text}"
        rows = page.locator(".bars tbody tr").all()
        for row in rows:  # the model's own weights, to three digits: nothing changes
            after, before = (float(text.rstrip(" %")) for text in row.locator("td").all_text_contents())
            assert after == pytest.approx(before, abs=1.0)
        page.locator("#equal-gru").click()
        page.locator("#apply-gru").click()
        settle(page)
        assert "weights=" in page.url
        first = page.locator(".bars tbody td").first.inner_text()
        pieces = len(own.alignment.source_pieces) if own.alignment else 0
        clamped = {"text": TEXT, "prefix": list(own.numbers[:1]), "weights": {"1": [round(1 / pieces, 3)] * pieces}}
        told = page.request.post(f"{house.address}/api/next", data=clamped).json()["likely"][0]
        assert float(first.rstrip(" %")) == pytest.approx(100 * told["probability"], abs=0.6)
        page.reload()  # the address holds the weights
        settle(page)
        assert page.locator(".bars tbody td").first.inner_text() == first


def test_runs_are_compared(house: House) -> None:
    with looking(house.browser, house.address, state()) as page:
        for name in ("heads", "none"):
            page.get_by_label(name, exact=True).check()
            settle(page)
        for name, run in house.runs.items():
            (expected,) = load(run).translate([TEXT])
            page.wait_for_selector("[data-done]", state="attached")
            assert shown(page, name) == expected.text
        assert "none has no attention to show" in page.locator('[data-run="none"]').inner_text()
        assert not complaints(page)


def test_the_corpus_is_browsed_worst_first(house: House) -> None:
    with looking(house.browser, house.address, "view=corpus") as page:
        scores = [float(cell) for cell in page.locator(".corpus tbody td:nth-child(2)").all_inner_texts()]
        assert scores == sorted(scores)
        assert len(scores) > 5
        page.get_by_role("button", name="attention entropy").click()
        settle(page)
        assert "sort=entropy" in page.url
        assert page.locator("th[aria-sort=descending]").inner_text() == "attention entropy"
        assert not complaints(page)
        page.locator(".corpus .link").nth(8).click()
        settle(page)
        expect(page.locator("dl")).to_contain_text("Nearest training sentence")
        assert "split=" in page.url


def test_the_film_plays(house: House) -> None:
    frames = house.runs["heads"].joinpath("film.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    with looking(house.browser, house.address, "view=film&run=heads") as page:
        first = json.loads(frames[0])
        expect(page.locator("#frame-says")).to_contain_text(f"Update {first['update']},")
        page.locator("#play").click()
        last = json.loads(frames[-1])
        expect(page.locator("#frame-says")).to_contain_text(f"Update {last['update']},")
        expect(page.locator("#play")).to_have_text("Play")
        cells = [int(text) for text in page.locator(".attention tbody tr").first.locator("td").all_text_contents()]
        assert cells == pytest.approx([w / 10 for w in last["sentences"][0]["attention"][0]], abs=0.51)
        assert not complaints(page)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("view=corpus&run=none", "none was not scored yet"),
        ("view=film&run=none", "none has no film: train with train.film=4"),
        ("view=diagnosis", "gru was not diagnosed with these weights"),
        (state(run="heads", layer=7), "there is no layer 7"),
        (state(prefix="9999"), "its prefix has piece 9999"),
        (state(beam=99), "less than or equal to 50"),
        (state(split="nonsense", number=1), "has no scores of 'nonsense'"),
        (state(look="nonsense"), "gru"),
        (state(look="whatif", step=-1), "Change what the model looks at"),
        (state(look="whatif", uniform=1), "Even attention replaces all weights"),
        (state(run="nobody"), "No run nobody is served here; there are gru, heads, none."),
        ("view=film&run=heads&frame=-1&sentence=-3", "Update"),
        ("view=film&run=heads&frame=1e300", "Update"),
        ("view=corpus&sort=toString&page=-3", "page 1 of"),
        ("view=corpus&page=99999", "page "),
        ("view=toString", "Type a sentence"),
    ],
)
def test_every_mistake_is_told_in_a_sentence(house: House, where: str, said: str) -> None:
    with looking(house.browser, house.address, where) as page:
        expect(page.locator("#main")).to_contain_text(said)
        assert not complaints(page)


def test_a_deleted_run_and_a_service_that_has_ended_are_told(house: House, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(house.runs["gru"], tmp_path / "copy"))
    with serving(copy) as address, looking(house.browser, address, state()) as page:
        shutil.rmtree(copy)
        page.get_by_label("Beam").fill("2")
        page.keyboard.press("Tab")
        expect(page.locator(".failure")).to_have_text("the run copy has been deleted, or moved, while it was served.")
    page = house.browser.new_page()
    with serving(house.runs["gru"]) as address:
        page.goto(f"{address}/#{state()}")
        settle(page)
    page.locator("#translate").click()
    page.get_by_label("Beam").fill("3")
    page.keyboard.press("Tab")
    expect(page.locator(".failure")).to_contain_text("is `mt serve` still running?")
    page.close()


def test_a_token_is_asked_for_by_the_page(house: House) -> None:
    with serving(house.runs["gru"], token="secret") as address, looking(house.browser, address, state()) as page:
        page.locator("#token").fill("wrong")
        page.keyboard.press("Enter")
        expect(page.locator("#token")).to_have_value("")
        expect(page.locator(".failure")).to_have_text("This token is not the right one.")
        expect(page.locator("#token")).to_be_focused()
        page.locator("#token").fill("日本")  # which no header can bear
        page.keyboard.press("Enter")
        expect(page.locator("#token")).to_have_value("")
        page.locator("#token").fill("secret")
        page.keyboard.press("Enter")
        expect(page.locator(".translation")).to_be_visible()
        assert not complaints(page)


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "\u202eabc", "</script><script>alert(1)</script>"])
def test_nothing_foreign_runs(house: House, text: str) -> None:
    with looking(house.browser, house.address, state(text)) as page:
        assert page.get_by_label("Sentence").input_value() == text
        assert page.locator("main img, main script").count() == 0


@pytest.mark.parametrize(("width", "scheme"), [(1200, "light"), (360, "dark")])
@pytest.mark.parametrize(
    "where", ["", *(state(look=look) for look in ("matrix", "arcs", "tree", "whatif")), "view=corpus", "view=diagnosis"]
)
def test_no_view_hides_anything_from_anyone(house: House, where: str, width: int, scheme: str) -> None:
    size = {"width": width, "height": 800}
    with looking(house.browser, house.address, where, viewport=size, color_scheme=scheme) as page:
        assert not complaints(page)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_all_is_reached_by_keyboard(house: House) -> None:
    with looking(house.browser, house.address, state(look="matrix")) as page:
        wanted = page.evaluate(
            """() => [...document.querySelectorAll("a, button, input, select, textarea, summary, [tabindex='0']")]
              .filter((one) => !one.disabled && one.checkVisibility())
              .map((one, index) => (one.dataset.stop = index))"""
        )
        reached = set()
        for _ in range(len(wanted) + 5):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement?.dataset?.stop"))
        assert {str(stop) for stop in wanted} <= reached
        page.locator('button[data-row="0"]').focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator(".reading")).to_contain_text("looks at")
        assert page.evaluate("document.activeElement.dataset.row") == "1"
