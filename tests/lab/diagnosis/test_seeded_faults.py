"""Each fault that is sown into a training is named by its diagnosis, and a healthy run is silent."""

import json
from pathlib import Path

import pytest
from command_line import mt
from seeded import number_pairs, shuffle, spoil, write_config, write_toy

from mt.corpora.pairs import Split
from mt.lab.diagnosis import DIAGNOSES, training
from mt.lab.diagnosis.case import Case
from mt.lab.diagnosis.data import find_misaligned, is_copy, sample
from mt.lab.diagnosis.diagnose import CONSEQUENCES, diagnose, summarise
from mt.lab.diagnosis.finding import find
from mt.lab.diagnosis.words import words_of
from mt.runs.run import Run

MINE = [name for name in DIAGNOSES if name.partition(".")[0] in {"training", "data", "sure", "search", "fails"}]


def train(config: Path) -> Run:
    done = mt("train", config, "--run", config.parent / "run")
    assert done.returncode == 0, done.stderr
    return Run(config.parent / "run")


def verdicts(case: Case, *names: str) -> dict[str, str]:
    return {name: find(name, DIAGNOSES[name], case).verdict for name in names}


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Case:
    pairs = spoil(number_pairs()).pairs
    config = write_config(tmp_path_factory.mktemp("noisy"), pairs, "epochs: 8, learning_rate: 0.015")
    return Case(train(config), "test")


def test_nothing_is_wrong_with_a_healthy_run_but_its_pairs(numbers: Path) -> None:
    """Most of its references have fewer than four words, and short ones are drawn more than once: both are named."""
    case = Case(Run(numbers), "test", quick=True)
    found = verdicts(case, *MINE)
    assert {name for name, verdict in found.items() if verdict in {"look", "broken"}} == {
        "training.metric",
        "data.duplicates",
    }
    assert sum(verdict == "fine" for verdict in found.values()) > 20


def test_training_sentences_in_the_test_are_named(numbers: Path) -> None:
    run = Run(numbers)
    known, test = run.splits["train"], run.splits["test"]
    half = len(test.sources) // 2
    leaked = Split(known.sources[:half] + test.sources[half:], known.targets[:half] + test.targets[half:])
    clean = find("data.overlap", DIAGNOSES["data.overlap"], Case(run, "test"))
    run.splits = run.splits | {"test": leaked}
    found = find("data.overlap", DIAGNOSES["data.overlap"], Case(run, "test"))
    assert (clean.verdict, clean.value) == ("fine", 0)
    assert found.verdict == "broken"
    assert found.value == pytest.approx(50, abs=1)
    assert found.evidence[0].source == known.sources[0]


def test_copied_and_misaligned_pairs_are_found(noisy: Case) -> None:
    assert verdicts(noisy, "data.copied", "data.misaligned") == {"data.copied": "broken", "data.misaligned": "look"}
    truth, read = spoil(number_pairs()), sample(noisy)
    pairs = list(zip(read.pairs.sources, read.pairs.targets, strict=True))
    copies = {pair for pair in pairs if is_copy(words_of(pair[0]), words_of(pair[1]))}
    assert copies == truth.copied & {*pairs}
    found, sown = {pairs[row] for row in find_misaligned(read)}, truth.misaligned & {*pairs}
    assert len(found & sown) >= 0.9 * len(found)  # precision
    assert len(found & sown) >= 0.7 * len(sown)  # recall


def test_shuffled_targets_are_named(tmp_path: Path) -> None:
    run = train(write_config(tmp_path / "shuffled", shuffle(number_pairs()), "epochs: 3, learning_rate: 0.01"))
    found = verdicts(Case(run, "test"), "data.misaligned", "data.copied", "training.divergence")
    assert found == {"data.misaligned": "broken", "data.copied": "fine", "training.divergence": "fine"}


def test_a_training_that_knows_its_pairs_by_heart_is_named(tmp_path: Path) -> None:
    case = Case(train(write_toy(tmp_path / "heart")), "test")
    found = verdicts(case, "training.gap", "training.divergence", "data.misaligned")
    assert found == {"training.gap": "broken", "training.divergence": "fine", "data.misaligned": "fine"}


def test_a_model_that_has_learned_nothing_is_not_asked_about_its_pairs_or_attention(tmp_path: Path) -> None:
    case = Case(train(write_config(tmp_path / "weak", number_pairs(), "epochs: 1, learning_rate: 0.001")), "test")
    findings = {one.name: one for one in diagnose(case)}
    told = findings["data.misaligned"]
    assert (told.verdict, told.value) == ("not applicable", None)
    assert told.says.startswith("The model has learned too little to tell")
    assert findings["training.learned"].verdict == findings["use.loss"].verdict == "broken"
    *causes, last = summarise([*findings.values()])
    assert all(
        one.startswith(tuple(findings[f"training.{name}"].says for name in training.DIAGNOSES)) for one in causes
    )
    others = [one for one in findings.values() if one.verdict in {"look", "broken"} and one.group != "training"]
    assert last == CONSEQUENCES.format(len(others))
    assert len(others) > 3


def test_a_learning_rate_far_too_high_is_named(tmp_path: Path) -> None:
    config = write_config(tmp_path / "rate", number_pairs(), "epochs: 3, learning_rate: 1.0")
    done = mt("train", config, "--run", config.parent / "run")
    assert "training diverged" in done.stderr
    told = mt("diagnose", config.parent / "run", "--quick")
    assert told.returncode == 0, told.stderr
    first = json.loads((config.parent / "run" / "diagnosis.json").read_text())["summary"][0]
    assert first.startswith("Training has left no model")
    assert first.endswith("Try train.learning_rate.")
