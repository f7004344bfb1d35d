"""A report tells what the runs hold, in three formats; what is missing is said in a sentence."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import mt
from reported_runs import REFERENCES, SOURCES, diagnose, know, scored_run
from sacrebleu.metrics import BLEU, CHRF

from mt.core.errors import UserError
from mt.core.files import read_lines, write_lines
from mt.evaluation.metrics import Texts
from mt.evaluation.significance import compare, compare_seeds
from mt.lab.report.blocks import Chart
from mt.lab.report.figures import by_length, chosen, divide
from mt.lab.report.markdown import points
from mt.lab.report.report import Report, format_of, report, to_json, write_report
from mt.lab.report.told import read_runs
from mt.runs.packed import pack
from mt.runs.run import Run
from mt.runs.updates import Line, write_updates

RUNS = (("good", 0.1, 1), ("same", 0.11, 2), ("bad", 0.4, 3))


def blocks(made: Report, kind: str) -> list[dict[str, Any]]:
    return [block for block in json.loads(to_json(made))["blocks"] if block["kind"] == kind]


def table(made: Report, title: str) -> dict[str, Any]:
    return next(block for block in blocks(made, "Table") if block["title"].startswith(title))


def outputs(run: Path) -> Texts:
    return Texts(read_lines(run / "eval/test/hypotheses.txt"), REFERENCES)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    found = [scored_run(folder / name, wrong, seed) for name, wrong, seed in RUNS]
    diagnose(found[0])
    know(found[0])
    return found


@pytest.fixture(scope="module")
def made(runs: list[Path]) -> Report:
    return report([Run(path) for path in runs])


def test_differences_are_those_of_compare_and_noise_is_marked(made: Report, runs: list[Path]) -> None:
    rows = {(row[0], row[1]): row for row in table(made, "Differences from good")["rows"]}
    assert list(rows) == [(name, metric) for name in ("same", "bad") for metric in ("BLEU", "chrF", "TER")]
    for path in runs[1:]:
        found = compare("BLEU", outputs(runs[0]), outputs(path))
        shown = rows[path.name, "BLEU"][2]
        assert f"{found.delta:+.2f} [{found.low:+.2f}, {found.high:+.2f}]" in shown
        assert shown.startswith("≈") is found.inside_noise is (path.name == "same")
    assert made.summary[0] == "This page compares 3 runs on 60 sentences of test. good has the best BLEU."
    assert "same and good differ by no more than chance would" in made.summary[1]
    assert "bad is worse than good" in made.summary[2]


def test_configs_that_differ_in_the_seed_only_are_compared_over_seeds(runs: list[Path], tmp_path: Path) -> None:
    others = [scored_run(tmp_path / f"wide-{seed}", 0.35, seed) for seed in (1, 2)]
    for path in others:  # another config
        set_key(path, "label_smoothing: 0.1", "label_smoothing: 0.2")
    set_key(others[0], "threads: 1", "threads: 2")  # which is no part of the experiment
    copy = shutil.copytree(others[0], tmp_path / "copy")  # no seed of its own
    made = report([Run(path) for path in (*runs[:2], *others, copy)])
    found = compare_seeds("BLEU", [outputs(path) for path in runs[:2]], [outputs(path) for path in others])
    (row,) = [row for row in table(made, "Differences from good and its seeds")["rows"] if row[1] == "BLEU"]
    assert row[0] == "wide-1 and its seeds"
    assert f"{found.delta:+.2f} [{found.low:+.2f}, {found.high:+.2f}]" in row[2]
    smoothing = ["train.label_smoothing", "0.1", "0.1", "0.2", "0.2", "0.2"]
    assert table(made, "Configs")["rows"] == [smoothing, ["seed", "1", "2", "1", "2", "1"]]


def test_the_search_that_is_told_is_the_one_that_was_scored(runs: list[Path], tmp_path: Path) -> None:
    wide = shutil.copytree(runs[0], tmp_path / "wide")
    set_key(wide, '"beam": 2', '"beam": 9', "eval/test/scores.json")
    assert table(report([Run(runs[0]), Run(wide)]), "Configs")["rows"] == [["search.beam", "2", "9"]]


def test_scores_of_other_searches_and_of_ensembles_are_no_split(tmp_path: Path) -> None:
    run = scored_run(tmp_path / "x", 0.1)
    for name in ("test@01234567", "test+y"):
        shutil.copytree(run / "eval/test", run / "eval" / name)
    assert report([Run(run)]).title == "x on test"


def set_key(run: Path, old: str, new: str, file: str = "config.yaml") -> None:
    text = (run / file).read_text(encoding="utf-8")
    assert old in text
    (run / file).write_text(text.replace(old, new), encoding="utf-8")


def test_bleu_by_length_is_that_of_the_sentences_scored_alone(runs: list[Path]) -> None:
    _, told, _ = read_runs([Run(path) for path in runs], "test")
    bins = by_length(told)
    assert sum(one.sentences for one in bins) == 60
    lengths = [len(source.split()) for source in SOURCES]
    for one in bins:
        rows = [row for row in range(60) if one.words[0] <= lengths[row] <= one.words[1]]
        assert len(rows) == one.sentences
        assert one.middle == pytest.approx(sum(lengths[row] for row in rows) / len(rows))
        for (score, low, high), path in zip(one.scores, runs, strict=True):
            lines = outputs(path).hypotheses
            alone = BLEU().corpus_score([lines[row] for row in rows], [[REFERENCES[row] for row in rows]])
            assert score == pytest.approx(alone.score)
            assert low < score < high


def test_the_worst_sentences_are_those_of_the_lowest_mean_chrf(made: Report, runs: list[Path]) -> None:
    lines = [outputs(path).hypotheses for path in runs]
    scores = [sum(CHRF().sentence_score(one[row], [REFERENCES[row]]).score for one in lines) for row in range(60)]
    expected = sorted(range(60), key=lambda row: scores[row])[:6]
    shown = [block["title"] for block in blocks(made, "Sentence") if not block["maps"]]
    assert shown == [f"Sentence {row + 1}" for row in expected]


def test_attention_is_shown_of_all_runs_side_by_side(made: Report) -> None:
    shown = [block for block in blocks(made, "Sentence") if block["maps"]]
    assert len(shown) == 3
    for block in shown:
        assert [one["run"] for one in block["maps"]] == ["good", "same", "bad"]
        assert all(one["source_words"] == block["source"].split() for one in block["maps"])
        assert block["maps"][0]["weights"][0][0] == 0.9


def test_curves_of_training_are_those_of_both_files(runs: list[Path], tmp_path: Path) -> None:
    run = shutil.copytree(runs[0], tmp_path / "new")
    lines = [Line(number, 1, 9.0 / number, 0.004, 2.0, 5000.0) for number in range(1, 101)]
    write_updates(run / "updates.jsonl", lines)
    charts = {block["title"]: block for block in blocks(report([Run(run), Run(runs[1])]), "Chart")}
    loss = charts["Loss: training"]["curves"]
    assert loss["new"][0] == [3, pytest.approx((9 + 4.5 + 3) / 3)]
    assert loss["new"][-1][0] == 100
    assert len(loss["new"]) == 34
    assert loss["same"] == [[10, 4], [20, 2], [30, pytest.approx(4 / 3)]]
    assert charts["Loss: validation"]["curves"]["new"] == [[1, 3], [2, 1.5], [3, 1]]
    assert list(charts["Learning rate"]["curves"]) == ["new"]
    assert points(Chart("x", "x", "y", charts["Learning rate"]["curves"])).rows[0] == ["3", "0.004"]


def test_no_sentence_is_shown_where_none_may_be(made: Report, runs: list[Path]) -> None:
    bare = report([Run(path) for path in runs], texts=False)
    shown, hidden = to_json(made), to_json(bare)
    told = {line for line in [*REFERENCES, *SOURCES, "said 0.99"] if line in shown}
    assert "said 0.99" in told
    assert not [line for line in told if line in hidden]
    assert len(bare.blocks) < len(made.blocks)


def test_chosen_sentences_are_neither_too_short_nor_too_long_to_draw() -> None:
    texts = Texts(["x"] * 4, ["x"] * 4, ["short", "他有两只狗和猫", "w " * 7, "w " * 40])
    scores = np.array([[0.0, 50, 60, 0], [0.0, 50, 20, 0]])
    assert chosen(scores, texts) == [(1, "A usual sentence"), (2, "The sentence that divides the runs most")]
    assert chosen(scores, Texts(["x"], ["x"], ["short"])) == []


def test_diagnosis_and_confidence_are_shown_and_what_is_missing_is_said(made: Report) -> None:
    text = to_json(made)
    assert "same was not diagnosed with these weights: `mt diagnose" in text
    assert "good: It is surer than it is right. Try train.label_smoothing." in text
    conspicuous = ["Is it as sure as it is right?", "at most 5 points", "12 points (look)"]
    fine = ["Is attention used?", "at least 5 BLEU", "31.5 BLEU (fine)"]
    assert table(made, "Answers that are not fine")["rows"] == [conspicuous]
    assert table(made, "All questions and answers")["rows"] == [fine, conspicuous]
    assert "train.label_smoothing" in table(made, "What to do about good")["rows"][0]
    charts = {block["title"]: block["curves"] for block in blocks(made, "Chart")}
    assert charts["TER of the sentences that are passed on untouched"] == {"good": [[50.0, 30.0], [100.0, 42.0]]}
    assert {"good": [[20.0, 25.0], [90.0, 80.0]]} in charts.values()
    assert table(made, "How well confidence does")["rows"] == [["AUROC", "0.810 [0.780, 0.840]"]]
    assert "bad has no confidence measured on test: `mt eval" in text


def test_a_diagnosis_of_other_weights_is_not_shown(tmp_path: Path) -> None:
    run = scored_run(tmp_path / "x", 0.2)
    diagnose(run, weights="0123456789abcdef")
    assert "x was not diagnosed with these weights" in to_json(report([Run(run)]))
    diagnose(run, split="validation")
    assert "x was diagnosed on validation, not on test." in to_json(report([Run(run)]))


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"weights": "", "summary": [], "findings": [1]}'])
def test_a_damaged_diagnosis_is_named(text: str, tmp_path: Path) -> None:
    run = scored_run(tmp_path / "x", 0.2)
    (run / "diagnosis.json").write_text(text)
    with pytest.raises(
        UserError, match=r"x/diagnosis\.json is damaged; delete it, and `mt diagnose .*x` writes it again"
    ):
        report([Run(run)])


def test_runs_that_cannot_be_compared_are_left_out_and_said(runs: list[Path], tmp_path: Path) -> None:
    other, unscored = scored_run(tmp_path / "other", 0.1), scored_run(tmp_path / "unscored", 0.1, split="validation")
    write_lines(other / "eval/test/references.txt", ["something else"] * 60)
    _, told, left_out = read_runs([Run(runs[0]), Run(other), Run(unscored)], None)
    assert [one.name for one in told] == ["good"]
    assert left_out == [
        "other was scored on other references than good, so it is left out.",
        f"unscored was not scored on test: `mt eval {unscored} --split test` scores it.",
    ]
    read = scored_run(tmp_path / "read", 0.1)
    write_lines(read / "eval/test/sources.txt", ["something else"] * 60)
    letters = scored_run(tmp_path / "letters", 0.1)
    set_key(letters, "tok:13a", "tok:char", "eval/test/scores.json")
    (tmp_path / "link").symlink_to(runs[0])
    _, told, left_out = read_runs([Run(runs[0]), Run(read), Run(letters), Run(tmp_path / "link")], None)
    assert len(told) == 1
    assert [line.removesuffix(", so it is left out.") for line in left_out] == [
        f"read was scored on other sources than {runs[0]}",
        f"letters was scored with metrics.tokenize=char, and {runs[0]} with 13a",
        f"{tmp_path / 'link'} is a run that was named before",
    ]
    with pytest.raises(UserError, match=r"nothing to report: good was not scored on valid: .* scores it"):
        report([Run(runs[0])], "valid")
    with pytest.raises(UserError, match="is not a run directory"):
        report([Run(tmp_path / "nothing")])
    with pytest.raises(UserError, match="is not a run directory"):
        report([Run(runs[0]), Run(tmp_path / "nothing")], "test")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("sources.txt", "one line\n"),
        ("scores.json", '{"search": {}, "weights": []}'),
        ("alignments.jsonl", "{}\n" * 60),
    ],
)
def test_a_run_that_is_damaged_is_named(file: str, text: str, tmp_path: Path) -> None:
    run = scored_run(tmp_path / "x", 0.1)
    (run / "eval/test" / file).write_text(text)
    with pytest.raises(UserError, match=r"x/eval/test.* is damaged"):
        report([Run(run)])


def test_a_packed_run_is_left_out_and_said(runs: list[Path], tmp_path: Path) -> None:
    packed = pack(Run(runs[0]), tmp_path / "packed")
    with pytest.raises(UserError, match=r"packed was packed without its translations of test: `mt eval .* scores it"):
        report([Run(packed)])
    assert any("packed was packed without" in line for line in report([Run(runs[1]), Run(packed)], "test").summary)


def test_one_sentence_makes_a_report_without_differences(tmp_path: Path) -> None:
    runs = [scored_run(tmp_path / f"{name}-{seed}", 0.1, seed) for name in ("a", "b") for seed in (1, 2)]
    for run in runs:
        for name in ("sources", "references", "hypotheses"):
            file = run / f"eval/test/{name}.txt"
            write_lines(file, read_lines(file)[:1])
    for run in runs[2:]:
        set_key(run, "label_smoothing: 0.1", "label_smoothing: 0.2")
    made = report([Run(path) for path in runs])
    assert not [block for block in blocks(made, "Table") if "Differences" in block["title"]]


def test_scores_of_earlier_weights_are_said(tmp_path: Path) -> None:
    run = scored_run(tmp_path / "x", 0.1)
    scores = run / "eval/test/scores.json"
    scores.write_text(re.sub(r'"weights": \[\s*"\w+"', '"weights": ["0123"', scores.read_text()))
    assert any("The scores of x are of earlier weights" in line for line in report([Run(run)]).summary)


def test_the_command_writes_all_formats_and_refuses_others(made: Report, runs: list[Path], tmp_path: Path) -> None:
    files = [tmp_path / f"r.{suffix}" for suffix in ("html", "md", "json")]
    done = mt("report", *map(str, runs), *(part for file in files for part in ("-o", str(file))))
    assert done.returncode == 0, done.stderr
    for file in files:
        write_report(made, tmp_path / f"again{file.suffix}")
        assert file.read_bytes() == (tmp_path / f"again{file.suffix}").read_bytes()
    text = files[1].read_text(encoding="utf-8")
    assert "## Scores" in text
    assert "<b>" not in re.sub(r"```text.*?```", "", text, flags=re.DOTALL)
    with pytest.raises(UserError, match=r"ends in \.html, \.md, \.json"):
        format_of(Path("report.pdf"))


@pytest.mark.parametrize(
    ("lengths", "bins", "expected"),
    [
        ([3, 1, 2, 4], 2, [2, 4]),
        ([5, 5, 5, 5], 2, [5]),  # one length is one bin
        ([1, 2, 2, 2, 3], 5, [1, 2, 3]),
        ([1] * 5 + [2] * 4 + [3], 3, [1, 3]),  # the rest of one joins the last bin
    ],
)
def test_bins_hold_whole_lengths_the_shortest_first(lengths: list[int], bins: int, expected: list[int]) -> None:
    assert divide(lengths, bins) == expected
