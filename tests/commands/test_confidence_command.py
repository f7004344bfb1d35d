"""`mt eval --confidence` and `mt translate --confidence`, on a small trained model."""

import io
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import mt

from mt import load
from mt.commands.translate import Output, write_translations
from mt.evaluation import confidence

OLD = Path(__file__).parent.parent / "old_runs" / "rnn"
LINES = "Die Katze schläft.\n\nDer Hund ist alt.\n"
ONE = "Die Katze schläft."


@pytest.fixture(autouse=True, scope="module")
def few_resamples() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(confidence, "RESAMPLES", 60)
        yield


@pytest.fixture(scope="module")
def run(few_resamples: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run whose model has learned a little, and what `mt eval` said of it, beside it."""
    made = shutil.copytree(OLD, tmp_path_factory.mktemp("sure") / "run")
    done = mt("eval", made, "--confidence")
    assert done.returncode == 0, done.stderr
    (made.parent / "said").write_text(done.stderr)
    return made


def test_eval_prints_and_keeps_how_well_confidence_does(run: Path) -> None:
    said = (run.parent / "said").read_text()
    kept = json.loads((run / "confidence.json").read_text())
    (measured,) = kept["measured"].values()
    assert "confidence is fitted on 12 sentences only: trust it little" in said
    assert "confidence, held against the mean log probability alone" in said
    half = measured["figures"]["TER of the best half"]
    assert f"TER of the best half             {half['value']:.3f} [{half['low']:.3f}, {half['high']:.3f}]" in said
    assert measured["pass_on"][-1] == [1, pytest.approx(measured["ter"])]
    assert half["low"] <= half["value"] <= measured["ter"]


def test_translations_are_lines_with_what_to_expect_and_marks(run: Path) -> None:
    plain = mt("translate", run, stdin=LINES).stdout.splitlines()
    lines = [line.split("\t") for line in mt("translate", run, "--confidence", stdin=LINES).stdout.splitlines()]
    assert [text.replace("[", "").replace("]", "") for *_, text in lines] == plain
    assert lines[1] == ["", "", ""]
    for good, ter, _ in (lines[0], lines[2]):
        assert 0 <= float(good) <= 1
        assert float(ter) >= 0
    ranked = mt("translate", run, "--confidence", "-n", 2, ONE).stdout.splitlines()
    assert [len(line.split("\t")) for line in ranked] == [5, 5]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_underlines_what_else_stands_in_brackets(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    piped = mt("translate", run, "--confidence", ONE).stdout
    assert "[" in piped
    monkeypatch.setattr(sys, "stdout", Terminal())
    write_translations(load(run), [ONE], None, Output(confidence=True))
    assert isinstance(sys.stdout, Terminal)
    assert sys.stdout.getvalue() == piped.replace("[", "\x1b[4m").replace("]", "\x1b[24m")


def test_json_has_all_of_it_and_marks_the_same_words(run: Path) -> None:
    marked = mt("translate", run, "--confidence", ONE).stdout.rstrip("\n").split("\t")
    (line,) = mt("translate", run, "--confidence", "--json", ONE).stdout.splitlines()
    told = json.loads(line)
    found = told["confidence"]
    assert (f"{found['good']:.2f}", f"{found['ter']:.0f}") == (marked[0], marked[1])
    words = [f"[{word['word']}]" if word["check"] else word["word"] for word in found["words"]]
    assert " ".join(words) == marked[2]
    assert [word["check"] for word in found["words"]] == [word["wrong"] >= 0.5 for word in found["words"]]
    (bare,) = mt("translate", run, "--json", ONE).stdout.splitlines()
    assert json.loads(bare) == {key: told[key] for key in ("line", "text", "score")}


def test_a_page_has_the_words_to_check_and_is_of_words(run: Path, tmp_path: Path) -> None:
    (line,) = mt("translate", run, "--confidence", "--json", ONE).stdout.splitlines()
    checks = {
        str(number): round(100 * word["wrong"])
        for number, word in enumerate(json.loads(line)["confidence"]["words"])
        if word["check"]
    }
    assert checks
    done = mt("translate", run, "--confidence", "--picture", tmp_path / "p.html", ONE)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "p.html").read_text()
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    assert data[0]["checks"] == checks
    options = "--confidence", "--picture", tmp_path / "p.html", "--set", "alignment.unit=pieces"
    refused = mt("translate", run, *options, ONE)
    assert (refused.returncode, refused.stderr) == (
        2,
        "mt: --confidence marks words on a page, and pieces are none: leave alignment.unit as words\n",
    )


def test_translate_fits_where_nothing_is_fitted_and_refuses_an_ensemble(run: Path, tmp_path: Path) -> None:
    bare = shutil.copytree(run, tmp_path / "run")
    kept = json.loads((bare / "confidence.json").read_text())
    (bare / "confidence.json").unlink()
    assert mt("translate", bare, "--confidence", ONE).stdout == mt("translate", run, "--confidence", ONE).stdout
    assert json.loads((bare / "confidence.json").read_text()) == kept | {"measured": {}}
    refused = mt("translate", run, "--with", bare, "--confidence", ONE)
    assert (refused.returncode, refused.stderr) == (
        1,
        "mt: an ensemble has no confidence, which is fitted for one run: leave out the other runs\n",
    )


def test_the_bound_is_that_of_eval_until_eval_is_asked_for_another(run: Path, tmp_path: Path) -> None:
    other = shutil.copytree(run, tmp_path / "run")
    assert mt("eval", other, "--confidence", "metrics.good_enough=10").returncode == 0
    (line,) = mt("translate", other, "--confidence", "--json", ONE).stdout.splitlines()
    assert json.loads(line)["confidence"]["bound"] == 10
