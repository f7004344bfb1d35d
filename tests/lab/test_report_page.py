"""The page of a report needs nothing but itself, holds text as text, and opens in a browser without a complaint."""

import base64
import hashlib
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import NoReturn

import pytest
from browsers import BROWSERS, FLAGS
from reported_runs import diagnose, know, scored_run

from mt.lab.report.blocks import Block, Chart, Heading, HeatMap, Sentence, Table
from mt.lab.report.markdown import points, to_markdown
from mt.lab.report.page import to_html
from mt.lab.report.report import report, write_report
from mt.lab.report.svg import LETTER, chart, heat_map
from mt.runs.run import Run

NASTY = '</style><script>alert(1)</script>"'
VOID = {"meta", "br", "img", "input", "hr", "link"}


class Elements(HTMLParser):
    """The elements of a page with their attributes; fails where they are not closed in order."""

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.open += [] if tag in VOID else [tag]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    runs = [scored_run(folder / name, wrong) for name, wrong in (("good", 0.1), ("bad", 0.4))]
    diagnose(runs[0])
    know(runs[0])
    write_report(report([Run(path) for path in runs]), folder / "report.html")
    return folder / "report.html"


def test_page_loads_nothing_and_runs_nothing(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"https?:|url\(|@import", text, re.IGNORECASE)
    elements = Elements(text).found
    names = {name for _, attributes in elements for name in attributes}
    assert not names & {"src", "style", "action", "data", "srcset", "poster"}
    assert not [name for name in names if name.startswith("on")]
    assert not {"script", "link", "iframe", "object", "img"} & {tag for tag, _ in elements}
    links = {attributes["href"] for _, attributes in elements if "href" in attributes}
    ids = {f"#{attributes['id']}" for _, attributes in elements if "id" in attributes}
    assert links == ids
    assert len(ids) > 6
    style = re.search(r"<style>(.*)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" in text


def test_text_stays_text_whatever_it_holds() -> None:
    made = HeatMap(NASTY, [NASTY], [NASTY], [[0.5, 0.5]])
    blocks: list[Block] = [
        Heading(NASTY, [NASTY]),
        Table(NASTY, [NASTY], [[NASTY, f"{NASTY}|\n"]], NASTY),
        Chart(NASTY, NASTY, NASTY, {NASTY: [(1, 2)]}),
        Sentence(NASTY, NASTY, NASTY, {NASTY: NASTY}, NASTY, [made]),
    ]
    tags = {tag for tag, _ in Elements(to_html(NASTY, [NASTY], blocks)).found}
    assert "script" not in tags
    text = to_markdown(NASTY, [NASTY], blocks)
    assert "<script" not in re.sub(r"```text.*?```", "", text, flags=re.DOTALL)


def test_no_sentence_is_markup_in_markdown_and_code_in_prose_stays_code() -> None:
    line = "![x](//y/z) `a` *b* _c_ $d$ ~~e~~ &lt; | <f> snake_case \\"
    found = to_markdown("t", ["Say `mt eval runs/a_b` *now*."], [Sentence("s", line, line, {"run": line})])
    cells = [row.split(" | ", 1)[1].removesuffix(" |") for row in found.splitlines() if row.startswith("| r")]
    escaped = r"![x\](//y/z) \`a\` \*b\* \_c\_ \$d\$ \~\~e\~\~ &amp;lt; \| &lt;f> snake_case \\"
    assert cells == [escaped] * 2
    assert r"* Say `mt eval runs/a_b` \*now\*." in found


def test_a_run_called_source_hides_no_source() -> None:
    text = to_html("t", [], [Sentence("s", "ein Hund", "a dog", {"source": "a cat"})])
    assert all(words in text for words in ("ein Hund", "a dog", "a cat"))


def test_a_chart_has_a_point_for_each_number_and_a_table_of_them() -> None:
    made = Chart("x", "epoch", "BLEU", {"a": [(1, 10), (2, 30)], "b": [(2, 20)]})
    found = Elements(chart(made)).found
    markers = [one for _, one in found if (one.get("class") or "").endswith("marker")]
    assert markers[0]["d"] == markers[1]["d"] != markers[2]["d"]  # told apart without colours, too
    places = [tuple(map(float, (one["transform"] or "")[len("translate(") : -1].split())) for one in markers]
    (left, low), (right, high), (same, middle) = places
    assert left < right == same  # to the right, and up, which SVG counts downwards
    assert low > middle > high
    assert middle == pytest.approx((low + high) / 2, abs=0.1)
    assert points(made).rows == [["1", "10.00", ""], ["2", "30.00", "20.00"]]


def test_numbers_of_an_axis_keep_clear_of_its_title() -> None:
    drawn = chart(Chart("x", "update", "rate", {"a": [(1, 0.0004), (2, 0.0028)]}))
    ends = re.findall(r'<text class="end" x="(\d+)" y="[\d.]+">([\d.]+)<', drawn)
    assert min(int(x) - LETTER * len(number) for x, number in ends) > 16
    assert max(len(number) for _, number in ends) == len("0.0005")


@pytest.mark.parametrize("value", [0.0, 3.0, -2.5, 1e-9])
def test_a_chart_of_one_value_can_be_drawn(value: float) -> None:
    (marker,) = re.findall(r"translate\(\S+ ([-\d.]+)\)\" d=", chart(Chart("x", "x", "y", {"a": [(1, value)]})))
    assert 0 <= float(marker) <= 300


def test_a_heat_map_shades_each_cell_by_its_weight_and_says_what_it_shows() -> None:
    found = Elements(heat_map(HeatMap("run", ["ein", "Hund"], ["a", "dog"], [[0.9, 0.1, 0], [0, 0.25, 0.75]]))).found
    cells = [one["fill-opacity"] for _, one in found if one.get("class") == "cell"]
    assert cells == ["0.930", "0.220", "0.000", "0.000", "0.475", "0.825"]
    label = found[0][1]["aria-label"]
    assert label == "Attention of run: a looks most at ein, 90%; dog looks most at </s>, 75%"


def without_browser(why: str) -> NoReturn:
    """Skip a test, which continuous integration may not."""
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)


def complaints(path: Path) -> list[str]:
    """Open a page in a browser; return what it writes to its console."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        without_browser(f"no browser here ({', '.join(BROWSERS)})")
    flags = [*FLAGS, f"--user-data-dir={path.parent / 'user'}", "--enable-logging=stderr", "--dump-dom"]
    done = subprocess.run([browser, *flags, path.as_uri()], capture_output=True, check=False)
    if b"</html>" not in done.stdout:
        without_browser(f"{browser} cannot open {path}: {done.stderr.decode(errors='replace')[-200:]}")
    return [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]


def test_a_browser_has_nothing_to_complain_of(page: Path) -> None:
    assert complaints(page) == []
    broken = page.with_name("broken.html")  # so it would complain of a style, a script or a request from elsewhere
    broken.write_text(page.read_text(encoding="utf-8").replace("<main>", '<main style="color: red">'), encoding="utf-8")
    assert len(complaints(broken)) == 1
