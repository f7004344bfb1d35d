import re
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from driven_page import Page, in_browser, sha256

from mt.alignment.matrices import EMPTY, Alignment
from mt.corpora.pairs import Gold
from mt.views.page import write_page
from mt.views.shade import DARK_AT_KINK, KINK, darkness

WEIGHTS = [[0.9, 0.1, 0.0, 0.0], [0.1, 0.65, 0.25, 0.0], [0.0, 0.12345, 0.3, 0.57655]]
SPANS = ((0, 1), (2, 3), (4, 5))
GOLD = Gold(SPANS, SPANS, frozenset({(0, 0), (1, 1)}), frozenset({(0, 0), (1, 1), (2, 1), (2, 2)}))
NASTY = ['</script><script>alert(1)</script>"', "<!--'&amp;{{js}}\\u003c", "שלום"]


def alignment(source: str, target: str, weights: list[list[float]] | None = None) -> Alignment:
    words = np.zeros((0, 0)) if weights is None else np.array(weights)
    return Alignment(source, target, [], [], words, source.split(), target.split(), words, [])


EXAMPLE = alignment("ein kleiner Hund", "a small dog", WEIGHTS)


def written(folder: Path, *alignments: Alignment, gold: list[Gold | None] | None = None, title: str = "") -> str:
    write_page(folder / "page.html", alignments, gold, title=title)
    return (folder / "page.html").read_text(encoding="utf-8")


def test_data_holds_words_weights_in_thousandths_and_gold(tmp_path: Path) -> None:
    untranslated = alignment("allein hier", "")
    data = Page(written(tmp_path, EXAMPLE, untranslated, EMPTY, gold=[GOLD, GOLD, None])).data
    words = {"source_words": ["ein", "kleiner", "Hund"], "target_words": ["a", "small", "dog"]}
    assert data[0] == words | {
        "source": "ein kleiner Hund",
        "target": "a small dog",
        "weights": [[900, 100, 0, 0], [100, 650, 250, 0], [0, 123, 300, 577]],
        "sure": [[0, 0], [1, 1]],
        "possible": [[0, 0], [1, 1], [2, 1], [2, 2]],
    }
    assert (data[1]["source"], data[1]["weights"], "sure" in data[1]) == ("allein hier", [], False)
    assert (data[2]["source"], data[2]["weights"]) == ("", [])


def test_page_loads_nothing_and_only_its_own_style_and_script_may_run(tmp_path: Path) -> None:
    text = written(tmp_path, EXAMPLE)
    page = Page(text)
    named = "http://www.w3.org/2000/svg"  # a name, which nobody asks for
    assert not re.search(r"https?:|url\(|@import", text.replace(named, ""), re.IGNORECASE)
    names = {name for _, attributes in page.elements for name in attributes}
    assert not names & {"src", "href", "style", "action", "data", "srcset", "poster"}
    assert not [name for name in names if name.startswith("on")]
    policy = next(
        attributes["content"] or ""
        for tag, attributes in page.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    ((style, script),) = re.findall(r"<style>(.*)</style>.*<script>(.*)</script>", text, re.DOTALL)
    assert policy.split("; ") == [
        "default-src 'none'",
        f"style-src 'sha256-{sha256(style)}'",
        f"script-src 'sha256-{sha256(script)}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_words_and_title_are_text_whatever_they_hold(tmp_path: Path) -> None:
    nasty = alignment(" ".join(NASTY), "\u2028 </style> \0", [[0.25] * 4, [0.25] * 4, [0.25] * 4])
    nasty.target_words[:] = ["\u2028", "</style>", "\0"]
    page = Page(written(tmp_path, nasty, title="<script>{{data}}</script> & \"Co\" 'x'"))
    assert page.data[0]["source_words"] == NASTY
    assert page.data[0]["target_words"] == ["\u2028", "</style>", "\0"]
    plain = Page(written(tmp_path, EXAMPLE))
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    titles = [page.inside(tag)[0].strip() for tag in ("title", "bdi")]
    assert titles == ["<script>{{data}}</script> & \"Co\" 'x'"] * 2


def test_same_input_gives_the_same_bytes_and_nothing_is_left_behind(tmp_path: Path) -> None:
    assert written(tmp_path, EXAMPLE, gold=[GOLD]) == written(tmp_path, EXAMPLE, gold=[GOLD])
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_gold_of_other_words_and_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gold with 3 target and 2 source words does not fit matrix \(3, 4\)"):
        written(tmp_path, EXAMPLE, gold=[Gold(SPANS[:2], SPANS, frozenset(), frozenset())])
    with pytest.raises(ValueError, match="shorter"):
        written(tmp_path, EXAMPLE, EXAMPLE, gold=[GOLD])
    assert list(tmp_path.iterdir()) == []


STATE = """
const all = (selector) => [...document.querySelectorAll(selector)];
const one = (selector) => document.querySelector(selector);
const state = () => ({
  lit: all("td.lit").map((td) => [Number(td.dataset.row), Number(td.dataset.column)]),
  headings: all("th.lit").map((th) => th.textContent),
  active: one("table").classList.contains("active"),
  source: all("button[data-column]").map((button) => Number(button.style.getPropertyValue("--weight"))),
  target: all("button[data-row]").map((button) => Number(button.style.getPropertyValue("--weight"))),
  percents: all(".words button").map((button) => button.dataset.percent),
  current: all(".current").map((button) => button.textContent),
  gold: ["sure", "possible"].map((kind) => all(`.words .${kind}`).map((button) => button.textContent)),
  reading: one(".reading").textContent,
});
const point = (element, type = "pointerover") => element.dispatchEvent(new PointerEvent(type, { bubbles: true }));
for (const [method, type] of [["focus", "focusin"], ["blur", "focusout"]]) {
  const native = HTMLElement.prototype[method];
  HTMLElement.prototype[method] = function () {
    native.call(this);  // fires nothing while the window has no focus, which a busy machine may give it late
    if (!document.hasFocus()) this.dispatchEvent(new FocusEvent(type, { bubbles: true }));
  };
}
const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
"""


def test_focus_and_pointer_light_up_rows_and_columns(tmp_path: Path) -> None:
    written(tmp_path, EXAMPLE, gold=[GOLD])
    script = """
    const found = { start: state() };
    one('button[data-row="1"]').focus(); found.focused = state();
    point(one('button[data-column="1"]')); found.pointed = state();
    point(one(".attention"), "pointerleave"); found.left = state();
    press("ArrowRight"); found.next = state();
    point(one('td[data-row="0"][data-column="2"]')); found.cell = state();
    document.activeElement.blur(); found.blurred = state();
    one('th[data-row="2"]').click(); found.clicked = state();
    one('td[data-row="1"][data-column="1"]').focus(); found.inCell = state().reading;
    press("ArrowDown"); press("ArrowRight"); found.moved = [document.activeElement.textContent, state().reading];
    press("ArrowDown"); press("ArrowLeft"); press("ArrowUp"); press("ArrowUp"); press("ArrowUp");
    found.stopped = [document.activeElement.dataset.row, document.activeElement.dataset.column];
    found.stops = all("td[tabindex='0']").map((td) => [td.dataset.row, td.dataset.column]);
    found.outlined = ["sure", "possible"].map((kind) =>
      all(`td.${kind}`).map((td) => [Number(td.dataset.row), Number(td.dataset.column)]));
    return found;
    """
    found = in_browser(tmp_path, STATE + script)
    dark = {"lit": [], "headings": [], "active": False, "source": [0] * 4, "target": [0] * 3, "current": []}
    assert found["start"] == dark | {
        "percents": [""] * 7,
        "gold": [[], []],
        "reading": "Point at a word, or move the focus to one; arrow keys go on from there.",
    }
    row = {
        "lit": [[1, 0], [1, 1], [1, 2], [1, 3]],
        "headings": ["small"],
        "active": True,
        "source": [0.1, 0.65, 0.25, 0],
        "target": [0, 0, 0],
        "percents": ["10", "65", "25", "", "", "", ""],
        "current": ["small"],
        "gold": [["kleiner"], ["Hund"]],
        "reading": "small looks at kleiner 65 %, Hund 25 %, ein 10 %",
    }
    assert found["focused"] == found["left"] == row
    assert found["pointed"] == {
        "lit": [[0, 1], [1, 1], [2, 1]],
        "headings": ["kleiner"],
        "active": True,
        "source": [0, 0, 0, 0],
        "target": [0.1, 0.65, 0.123],
        "percents": ["", "", "", "", "10", "65", "12"],
        "current": ["kleiner"],
        "gold": [["small"], []],
        "reading": "kleiner is seen by small 65 %, dog 12 %, a 10 %",
    }
    assert found["next"]["headings"] == found["clicked"]["headings"] == ["dog"]
    assert found["next"]["source"] == [0, 0.123, 0.3, 0.577]
    assert found["next"]["reading"] == "dog looks at </s> 58 %, Hund 30 %, kleiner 12 %"
    assert found["inCell"] == "small looks at kleiner 65 %; most at kleiner 65 %, Hund 25 %, ein 10 %"
    assert found["moved"] == ["30", "dog looks at Hund 30 %; most at </s> 58 %, Hund 30 %, kleiner 12 %"]
    assert found["stopped"] == ["0", "1"]
    assert found["stops"] == [["0", "1"]]
    assert found["cell"]["lit"] == [[0, 0], [0, 1], [0, 2], [0, 3]]
    assert found["blurred"]["active"] is False
    assert found["outlined"] == [[[0, 0], [1, 1]], [[1, 2], [2, 2]]]


def test_sentences_are_chosen_and_nothing_foreign_runs(tmp_path: Path) -> None:
    nasty = alignment(" ".join(NASTY[::-1]), "<b>x</b> y z", WEIGHTS)
    nasty.source_words[:] = NASTY[::-1]
    written(tmp_path, EXAMPLE, nasty, alignment("<i>allein</i>", ""))
    script = r"""
    const found = { nav: !one("nav").hidden, options: all("option").map((option) => option.textContent) };
    const turned = () => new Promise((resolve) => {
      addEventListener("hashchange", () => setTimeout(resolve), { once: true });
    });
    found.shaded = getComputedStyle(one("tbody td")).backgroundImage.match(/, 0.93\)/g).length;
    one("#next").click(); await turned();
    found.source = all("button[data-column]").map((button) => button.textContent);
    found.headings = all("tbody th bdi").map((bdi) => bdi.textContent);
    found.direction = all(".words").map((list) => list.dir);
    one('button[data-column="0"]').focus(); press("ArrowLeft");
    found.afterLeft = document.activeElement.dataset.column;
    one("#next").click(); await turned();
    found.alone = [one("main").textContent, all("table, .words, main i").length, one("#next").disabled];
    one("#sentence").value = "1"; one("#sentence").dispatchEvent(new Event("change")); await turned();
    found.first = [location.hash, all("tbody th").map((th) => th.textContent), one("#previous").disabled];
    location.hash = "99"; await turned();
    found.beyond = one("#sentence").value;
    window.ran = false;
    const foreign = document.createElement("script");
    foreign.textContent = "window.ran = true";
    document.body.append(foreign);
    found.ran = window.ran;
    found.fetched = await fetch("page.html").then(() => true, () => false);
    return found;
    """
    assert in_browser(tmp_path, STATE + script) == {
        "nav": True,
        "options": ["1. ein kleiner Hund", f"2. {' '.join(NASTY[::-1])}", "3. <i>allein</i>"],
        "shaded": 2,
        "source": [*NASTY[::-1], "</s>"],
        "headings": ["<b>x</b>", "y", "z"],
        "direction": ["rtl", "ltr"],
        "afterLeft": "1",
        "alone": ["Source<i>allein</i>Target(no text)", 0, True],
        "first": ["#1", ["a", "small", "dog"], True],
        "beyond": "1",
        "ran": False,
        "fetched": False,
    }


def test_a_translation_stands_beside_its_reference_and_can_be_seen_in_pieces(tmp_path: Path) -> None:
    matrix = np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0, 0, 1]])
    source, target = ["▁ein", "▁Hund", "</s>"], ["▁a", "▁cat", "</s>"]
    words = alignment("ein Hund", "a  cat 大人", [[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.2, 0.2, 0.6]])
    in_pieces = replace(words, source_pieces=source, target_pieces=target, attention=matrix)
    write_page(tmp_path / "page.html", [in_pieces, EXAMPLE], references=["a dog 大漢", "a small dog"])
    script = """
    const heads = () => [all("thead th"), all("tbody th")].map((ths) => ths.map((th) => th.textContent));
    const found = { sides: all(".beside p").map((p) => p.innerHTML), words: heads() };
    one("#pieces").click(); found.pieces = heads();
    const scroll = one(".scroll"), left = () => one("tbody th").getBoundingClientRect().left;
    scroll.style.width = "110px";  // as narrow a part of the matrix as a phone shows of a long one
    const before = left();
    scroll.scrollLeft = 50;
    found.sticky = [scroll.scrollLeft > 20, Math.abs(left() - before) < 5];
    found.last = all("tbody tr:last-child td").map((td) => td.textContent);
    one("#next").click(); await new Promise((resolve) => setTimeout(resolve, 100));
    found.second = [one("#pieces").hidden, all(".beside p").map((p) => p.innerHTML)];
    return found;
    """
    assert in_browser(tmp_path, STATE + script) == {
        "sides": ["a  <mark>cat</mark> 大<mark>人</mark>", "a <mark>dog</mark> 大<mark>漢</mark>"],
        "words": [["ein", "Hund", "</s>"], ["a", "cat", "大人"]],
        "pieces": [["▁ein", "▁Hund", "</s>"], ["▁a", "▁cat", "</s>"]],
        "sticky": [True, True],
        "last": ["0", "0", "100"],
        "second": [True, ["a small dog", "a small dog"]],
    }


def test_a_fifth_of_the_weight_is_seen_in_both_themes_and_more_is_darker(tmp_path: Path) -> None:
    weights = [0, 0.01, 0.1, 0.19, 0.2, 0.21, 0.5, 0.9, 1]
    written(tmp_path, EXAMPLE)
    found = in_browser(tmp_path, f"return {weights}.map(darkness)")
    assert found == pytest.approx([darkness(weight) for weight in weights])
    assert found == sorted(set(found))
    css = resources.files("mt.views.page").joinpath("attention.css").read_text(encoding="utf-8")
    assert f"rgb(var(--heat) / {DARK_AT_KINK:g}) {KINK:.0%}".replace("0.", ".") in css  # the legend
    names = r"--(page|card|text): (#\w{6});|--(heat): (\d+ \d+ \d+);"
    found = [[colour for colour in one if colour] for one in re.findall(names, css)]
    for theme in (found[:4], found[4:]):
        of = {name: colour_of(value) for name, value in theme}
        for ground in (of["page"], of["card"]):
            mixed = [ground + darkness(weight) * (of["heat"] - ground) for weight in weights]
            contrasts = [contrast(colour, ground) for colour in mixed]
            assert contrasts == sorted(set(contrasts))
            assert contrasts[weights.index(0.2)] >= 1.5
            assert min(contrast(colour, of["text"]) for colour in mixed) >= 4.5


def colour_of(value: str) -> np.ndarray:
    """Return red, green and blue of a colour as the style sheet writes it."""
    parts = [int(value[start : start + 2], 16) for start in (1, 3, 5)] if value[0] == "#" else value.split()
    return np.array(parts, float)


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    """Return the contrast ratio of two colours, as WCAG 2.2 defines it."""
    ratios = np.array([one, other]) / 255
    linear = np.where(ratios <= 0.04045, ratios / 12.92, ((ratios + 0.055) / 1.055) ** 2.4)
    low, high = sorted(linear @ [0.2126, 0.7152, 0.0722])
    return float((high + 0.05) / (low + 0.05))
