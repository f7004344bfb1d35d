"""scripts/compare.py trains what is missing, leaves what is trained, and makes one table from configs alone."""

import json
from dataclasses import replace
from pathlib import Path

from command_line import run_script
from tiny_models import one_thread as one_thread
from toy_runs import RNN, config, write_run

from mt.evaluation.evaluate import Asked, evaluate
from mt.lab.study import scores_of
from mt.runs.run import Run
from mt.runs.scores import Scores


def test_a_trained_and_a_missing_run_become_one_table(numbers):
    folder = numbers.parent
    config = (folder / "numbers.yaml").read_text()
    (folder / "run.yaml").write_text(config)  # what the fixture trained in `run`
    (folder / "none.yaml").write_text("extends: numbers.yaml\nmodel: {attention: {score: none}}\ntrain: {epochs: 1}\n")
    before = (numbers / "state.safetensors").read_bytes()
    options = ["--runs", folder, "--output", folder / "table.v1"]
    done = run_script("compare", folder / "run.yaml", folder / "none.yaml", *options)
    assert done.returncode == 0, done.stderr
    assert (numbers / "state.safetensors").read_bytes() == before
    rows = json.loads((folder / "table.v1.json").read_text())
    assert [row["config"] for row in rows] == [str(folder / "run.yaml"), str(folder / "none.yaml")]
    assert rows[0]["scores"]["corpus"]["BLEU"]["score"] > 95 > rows[1]["scores"]["corpus"]["BLEU"]["score"]
    assert rows[0]["parameters"] > rows[1]["parameters"] > 10000
    assert rows[1]["model"] == "GRU, no attention"
    table = (folder / "table.v1.md").read_text()
    assert done.stdout == table
    assert f"{rows[0]['scores']['corpus']['BLEU']['score']:.1f}" in table
    assert rows[0]["scores"]["corpus"]["BLEU"]["signature"] in table


def test_a_row_of_two_seeds_has_their_means(numbers, tmp_path):
    (tmp_path / "few.yaml").write_text(f"extends: {numbers.parent}/numbers.yaml\ntrain: {{epochs: 1}}\n")
    options = ["--runs", tmp_path, "--output", tmp_path / "table", "--seed", 3, "--seed", 4]
    done = run_script("compare", tmp_path / "few.yaml", *options)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "table.json").read_text())
    assert [row["seed"] for row in rows] == ["3", "4", "3 + 4"]
    assert (tmp_path / "seed4/few/model.safetensors").exists()
    one, two, _ = (row["validation_bleu"] for row in rows)
    line, joined = (line for line in done.stdout.splitlines() if "few.yaml" in line)
    assert "| 3, 4 |" in line
    assert f"| {(one + two) / 2:.1f} ± {abs(one - two) / 2**0.5:.1f} |" in line
    ensemble = json.loads((tmp_path / "seed3/few/eval/test+seed4-few/scores.json").read_text())
    unsaid = {"lines": None, "note": None}
    corpus = {name: unsaid | ensemble[name] for name in ("BLEU", "chrF", "TER")}
    assert rows[2]["scores"]["corpus"] == corpus
    assert f"| ensemble | 3 + 4 | {2 * rows[0]['parameters'] / 1e6:.2f}M |  | " in joined
    assert f"| {ensemble['chrF']['score']:.1f} ({ensemble['chrF']['low']:.1f}–" in joined
    again = run_script("compare", tmp_path / "few.yaml", *options)
    assert again.stdout == done.stdout
    assert "written to" not in again.stderr
    assert "written to" in done.stderr


def test_scores_are_read_where_they_are_of_the_same_split_search_and_ensemble(tmp_path: Path) -> None:
    def plant(folder: str, scores: Scores, chrf: float) -> Scores:
        """Write other scores, which tell themselves by their chrF."""
        planted = replace(scores, corpus=scores.corpus | {"chrF": replace(scores.corpus["chrF"], score=chrf)})
        planted.write(one / "eval" / folder)
        return planted

    one, *others = (
        write_run(tmp_path / f"seed{seed}/toy", config(RNN, length_penalty=5.0), seed) for seed in (3, 4, 5)
    )
    both = [evaluate(Run(one), Asked(others=(Run(other),)))[1] for other in others]
    assert [scores_of(Run(one), None, others=[Run(other)])[1] for other in others] == both
    name, scores = evaluate(Run(one))
    plant("test_later", scores, 1.0)
    assert scores_of(Run(one), None) == (name, scores)
    read = plant(name, scores, 2.0)
    assert scores_of(Run(one), None) == (name, read)
    plant(name, replace(scores, search=scores.search | {"beam": 9}), 3.0)
    assert scores_of(Run(one), None) == (name, scores)
    plant(name, replace(scores, weights=["of earlier ones"]), 4.0)
    assert scores_of(Run(one), None) == (name, scores)
    write_run(others[0], config(RNN, length_penalty=5.0), 6)  # trained anew, it is of the same update
    fresh = scores_of(Run(one), None, others=[Run(others[0])])[1]
    assert fresh.weights != both[0].weights
    assert fresh == evaluate(Run(one), Asked(others=(Run(others[0]),)))[1]
    assert "BLEU, papers" in scores_of(Run(one), None, papers=True)[1].corpus


def test_a_wrong_config_is_told_before_anything_is_trained(numbers, tmp_path):
    right, wrong, twin = numbers.parent / "numbers.yaml", tmp_path / "wrong.yaml", tmp_path / "numbers.yaml"
    wrong.write_text(f"extends: {right}\nmodel: {{hiden: 3}}\n")
    twin.write_text(f"extends: {right}\n")
    for second, complaint in ((wrong, "did you mean model.hidden?"), (twin, "several configs are named numbers")):
        done = run_script("compare", right, second, "--runs", tmp_path / "runs")
        assert done.returncode == 1
        assert complaint in done.stderr
        assert not (tmp_path / "runs").exists()
