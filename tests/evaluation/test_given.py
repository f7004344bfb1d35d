"""Test sets of files, and translations of other systems: scored as sacreBLEU does, beside the scores of splits."""

import bz2
import gzip
import json
import lzma
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from command_line import mt
from toy_runs import RNN, config, write_run

from mt.config import Config
from mt.core.errors import UserError
from mt.core.files import write_lines
from mt.evaluation.evaluate import Asked, evaluate
from mt.evaluation.given import read_test
from mt.evaluation.metrics import METRICS, Texts, read_texts
from mt.evaluation.significance import compare
from mt.evaluation.theirs import compare_theirs
from mt.inference.load import load
from mt.lab.report.told import read_runs
from mt.runs.run import Run
from mt.runs.scores import Scores, read_scores

SOURCES = ["Die Katze schläft.", "", "Der Hund isst."]
FIRST, SECOND = ["The cat sleeps.", "", "The dog eats."], ["A cat is asleep.", "x", "A dog is eating."]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    for name, lines in {"mine.de": SOURCES, "a.en": FIRST, "b.en": SECOND, "short.en": FIRST[:2]}.items():
        write_lines(tmp_path / name, lines)
    return write_run(tmp_path / "run", config(RNN))


def test_files_are_scored_with_all_their_references(run: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("mine.de", "a.en", "b.en")]
    done = mt("eval", run, "--source", files[0], "--target", files[1], "--target", files[2], "--papers")
    assert done.returncode == 0, done.stderr
    folder, hypotheses = run / "eval/mine", [one.text for one in load(run).translate(SOURCES)]
    scores = read_scores(folder)
    assert scores is not None
    texts = Texts(hypotheses, FIRST, SOURCES, more=[SECOND])
    assert read_texts(folder, scores) == texts
    assert {name: scores.corpus[name] for name in METRICS} == {name: of(texts) for name, of in METRICS.items()}
    assert "nrefs:2|" in scores.corpus["BLEU, papers"].signature
    assert scores.given == [str(file) for file in files]
    assert scores.alignment is None
    assert "| mine, beam 2 | BLEU |" in (run / "README.md").read_text()
    assert not (run / "alignment.json").exists()
    # With one reference less, that of before is not there any more.
    evaluate(Run(run), Asked(given=read_test(Run(run), files[0], files[1:2])))
    again = read_scores(folder)
    assert again is not None
    assert read_texts(folder, again).every == [FIRST]


@pytest.mark.parametrize(("lines", "told"), [([], "no lines"), (["", " "], "only empty lines")])
def test_nothing_is_not_scored(run: Path, tmp_path: Path, lines: list[str], told: str) -> None:
    write_lines(tmp_path / "empty", lines)
    write_lines(tmp_path / "some", ["a"] * len(lines))
    for source, target in (("empty", "some"), ("some", "empty")) if lines else (("empty", "empty"),):
        done = mt("eval", run, "--source", tmp_path / source, "--target", tmp_path / target)
        assert (done.returncode, f"empty has {told}" in done.stderr) == (1, True)
    assert not (run / "eval").exists()


def test_a_name_that_is_empty_is_not_the_run_trained_last(run: Path, tmp_path: Path) -> None:
    write_run(tmp_path / "runs/last", config(RNN))
    done = mt("eval", "", cwd=tmp_path)
    assert (done.returncode, "is not a run directory" in done.stderr) == (1, True)
    assert not (tmp_path / "runs/last/eval").exists()


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".XZ", lzma.compress), (".bz2", bz2.compress)])
def test_the_name_of_a_compressed_file_has_no_endings(
    run: Path, tmp_path: Path, suffix: str, pack: Callable[[bytes], bytes]
) -> None:
    for side, lines in (("de", SOURCES), ("en", FIRST)):
        (tmp_path / f"x.{side}{suffix}").write_bytes(pack("".join(f"{line}\n" for line in lines).encode()))
    assert read_test(Run(run), tmp_path / f"x.de{suffix}", [tmp_path / f"x.en{suffix}"]).name == "x"


def test_a_report_is_on_the_runs_own_test_split(run: Path, tmp_path: Path) -> None:
    evaluate(Run(run), Asked(given=read_test(Run(run), tmp_path / "mine.de", [tmp_path / "a.en"], "test-of-mine")))
    assert read_runs([Run(run)], None)[0] == "test-of-mine"
    evaluate(Run(run))
    assert read_runs([Run(run)], None)[0] == "test"


def test_what_does_not_fit_is_told_before_anything_is_translated(run: Path, tmp_path: Path) -> None:
    mine, short, right = (tmp_path / name for name in ("mine.de", "short.en", "a.en"))
    for options, said in (
        (["--source", mine, "--target", right, "--target", short], f"{mine} has 3 lines but {short} has 2"),
        (["--source", mine, "--target", right, "--name", "validation"], "validation is a split of the run's corpus"),
        (["--source", mine, "--target", right, "--name", "../x"], "cannot name a test set"),
        (["--source", mine], "give both --source and --target"),
        (["--source", mine, "--target", right, "--split", "test"], "not both"),
        (["--name", "x"], "--name says what the test set of --source is called"),
        (["--hypotheses", short], f"the split test has 12 lines but {short} has 2"),
        (["--source", mine, "--target", right, "--hypotheses", short], f"{mine} has 3 lines but {short} has 2"),
        (["--hypotheses", mine, "--hypotheses", mine], "two files of --hypotheses are called mine.de"),
    ):
        refused = mt("eval", run, *options)
        assert refused.returncode in {1, 2}
        assert said in refused.stderr, refused.stderr
        assert not (run / "eval").exists()


def test_files_are_scored_also_where_the_corpus_is_not_here(
    run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = (run / "config.yaml").read_text().partition("vocabulary:")
    (run / "config.yaml").write_text(
        "corpus: {name: files, source: de, target: en, train: gone.tsv}\nvocabulary:" + text[2]
    )
    test = read_test(Run(run), tmp_path / "mine.de", [tmp_path / "a.en"])
    assert "what it was trained on is not here" in caplog.text
    name, scores = evaluate(Run(run), Asked(given=test))
    assert (name, scores.seen, scores.copied) == ("mine", None, None)
    assert read_scores(run / "eval/mine") == scores
    with pytest.raises(UserError, match="--novel needs what the run was trained on"):
        evaluate(Run(run), Asked(given=test, novel=True))


def test_other_systems_are_compared_with_the_run(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = ["--source", tmp_path / "mine.de", "--target", tmp_path / "a.en", "--target", tmp_path / "b.en"]
    others = ["--hypotheses", tmp_path / "a.en", "--hypotheses", tmp_path / "mine.de"]
    done = mt("eval", run, *pair, *others)
    assert done.returncode == 0, done.stderr
    folder = run / "eval/mine"
    scores = read_scores(folder)
    assert scores is not None
    ours, theirs = read_texts(folder, scores), Texts(SOURCES, FIRST, SOURCES, more=[SECOND])
    told = json.loads((folder / "others/mine.de.json").read_text())
    assert (folder / "others/mine.de.txt").read_text() == (tmp_path / "mine.de").read_text()
    assert told["corpus"]["BLEU"]["score"] == METRICS["BLEU"](theirs).score
    assert told["differences"] == {metric: asdict(compare(metric, ours, theirs)) for metric in METRICS}
    assert told["against"] == {"search": scores.search, "weights": scores.weights}
    right = json.loads((folder / "others/a.en.json").read_text())
    assert (right["corpus"]["BLEU"]["score"], right["corpus"]["TER"]["score"]) == (pytest.approx(100), 0)
    assert f"against {run}, mine" in done.stderr
    # What is known of the run is not searched for again, unless the search is another.
    monkeypatch.setattr("mt.evaluation.theirs.evaluate", lambda *_: pytest.fail("translated again"))
    again = mt("eval", run, *pair, *others).stderr
    told_again, told_first = (
        re.sub(r"^[-\d]+ [:\d]+ ", "", text[text.index("a.en against") :], flags=re.MULTILINE)
        for text in (again, done.stderr)
    )
    assert told_again == told_first
    assert again.index("a.en against") == len("2026-11-27 12:00:00 ")  # nothing is told before
    monkeypatch.undo()
    done = mt("eval", run, "search.beam=1", *pair, *others)
    assert json.loads((folder / "others/a.en.json").read_text())["against"]["search"]["beam"] == 1


def test_another_test_set_of_the_same_name_and_other_weights_are_translated_and_scored(
    run: Path, tmp_path: Path
) -> None:
    mine, right, other = (tmp_path / name for name in ("mine.de", "a.en", "b.en"))

    def compared(references: Path, changed: Config | None = None) -> Scores:
        asked = Asked(config=changed, given=read_test(Run(run), mine, [references]))
        found = compare_theirs(Run(run), asked, [references])
        assert found[references.name].corpus["TER"].score == 0
        scores = read_scores(run / "eval/mine")
        assert scores is not None
        texts = read_texts(run / "eval/mine", scores)
        assert list(texts.sources) == mine.read_text().splitlines()
        assert texts.every == [references.read_text().splitlines()]
        return scores

    before = compared(right)
    compared(other)
    write_lines(mine, [*SOURCES[1:], "Der Hund bellt."])
    assert compared(other).weights == before.weights == [Run(run).fingerprint]
    metrics = Run(run).config.metrics.model_copy(update={"tokenize": "char"})
    assert (
        "tok:char|" in compared(other, Run(run).config.model_copy(update={"metrics": metrics})).corpus["BLEU"].signature
    )
    write_run(run, config(RNN), seed=4)
    assert compared(other).weights == [Run(run).fingerprint] != before.weights
