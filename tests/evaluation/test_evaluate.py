"""`mt eval`: what scores.json says of the alignments and of the search, and that the card and the pictures follow."""

import json
import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import write_numbers
from tiny_models import one_thread as one_thread
from toy_runs import RNN, TRANSFORMER, config, read_off, write_run

from mt.alignment.links import aer, hard
from mt.config import Config
from mt.config.files import read_config
from mt.config.overrides import change, parse_changes
from mt.core.errors import UserError
from mt.core.files import write_lines
from mt.corpora import load_splits
from mt.evaluation import choice
from mt.evaluation.align import Pairs, Wanted, align
from mt.evaluation.choice import Choice
from mt.evaluation.evaluate import Asked, evaluate
from mt.evaluation.metrics import METRICS, Texts
from mt.inference.aligner import load_aligner
from mt.inference.load import load
from mt.inference.translator import Translation, Translator
from mt.runs import checkpoint
from mt.runs.card import write_card
from mt.runs.run import Run
from mt.runs.scores import Part, read_scores
from mt.training import experiment


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(
        tmp_path_factory.mktemp("eval") / "run", config(TRANSFORMER | {"report": {"layer": 2, "head": 1}}), seed=8
    )


def test_four_ways_to_align_are_scored_on_the_split_and_the_chosen_one_is_named(run: Path) -> None:
    name, scores = evaluate(Run(run), Asked(plot=True))
    assert name == "test"
    assert scores == read_scores(run / "eval/test")
    errors = scores.alignment
    assert errors is not None
    made, chosen = load_aligner(Run(run)), choice.of_run(Run(run))
    assert chosen is not None
    test = load_splits(made.config.corpus)["test"]
    ways = {"as_it_is": Choice(2, 1), "shifted": Choice(2, 1, "shifted"), "posterior": Choice(2, 1, "posterior")}
    ways["chosen"] = chosen
    for key, way in ways.items():
        found = read_off(made, test, way.view)
        links = [set(hard(one.alignment(way.shift).words, way.threshold)) for one in found]
        expected = asdict(aer(links, [gold for gold in test.gold or [] if gold]))
        assert asdict(getattr(errors, key)) == pytest.approx(expected | asdict(way))
    assert errors.score == errors.chosen.aer
    assert (errors.named, errors.pairs) == (str(chosen), 12)
    assert len({getattr(errors, key).aer for key in ways}) >= 3
    card = (run / "README.md").read_text()
    assert f"| test | AER | {errors.score:.1f} |  | {chosen} |" in card
    assert f"| test, beam 2 | BLEU | {scores.corpus['BLEU'].score:.1f} |" in card
    assert (run / "eval/test/alignment.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (run / "eval/test/alignment.svg").read_bytes()
    page = (run / "eval/test/alignments.html").read_text()
    assert f"references, {chosen}" in page
    assert all(json.dumps(line, ensure_ascii=False) in page for line in test.targets)


def test_the_search_that_made_the_scores_is_recorded(run: Path) -> None:
    greedy = change(Run(run).config, parse_changes(["search.beam=1"]))
    _, scores = evaluate(Run(run), Asked("validation", greedy))
    first = json.loads((run / "alignment.json").read_text())
    assert scores.search["beam"] == 1
    assert scores.search["length_penalty"] == 1.0
    assert evaluate(Run(run), Asked("validation"))[1].search["beam"] == 2
    assert json.loads((run / "alignment.json").read_text()) == first


def test_of_the_split_it_is_chosen_on_the_chosen_way_is_the_best(run: Path) -> None:
    ways = evaluate(Run(run), Asked("validation"))[1].alignment
    assert ways is not None
    assert ways.chosen.aer <= min(ways.as_it_is.aer, ways.shifted.aer)
    tried = [aer for one in json.loads((run / "alignment.json").read_text())["tried"] for aer in one["aer"].values()]
    assert ways.chosen.aer == pytest.approx(min(tried))


def test_the_card_forgets_scores_of_earlier_weights(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", config(RNN))
    other = write_run(tmp_path / "other", config(RNN), seed=4)
    evaluate(Run(run))
    evaluate(Run(run), Asked(others=(Run(other),)))
    assert (run / "README.md").read_text().count("| BLEU |") == 2
    write_run(other, config(RNN), seed=5)  # which a card does not open, to see whether it was trained anew
    write_card(Run(run), "a model")
    assert (run / "README.md").read_text().count("| BLEU |") == 2
    weights, _ = checkpoint.read(run / "model.safetensors")
    checkpoint.save(run / "model.safetensors", weights, {"update": 8})
    write_card(Run(run), "a model")
    assert "| BLEU |" not in (run / "README.md").read_text()


def test_scores_are_said_to_be_of_the_weights_that_were_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_run(tmp_path / "run", config(RNN))
    read, translate = Run(run).fingerprint, Translator.translate

    def overtaken(*args: Any, **settings: Any) -> list[Translation]:
        write_run(run, config(RNN), seed=5)  # by a training that goes on
        return translate(*args, **settings)

    monkeypatch.setattr(Translator, "translate", overtaken)
    _, scores = evaluate(Run(run))
    assert scores.weights == [read] != [Run(run).fingerprint]
    # What aligns is the same snapshot, and so is what was chosen with it.
    assert json.loads((run / "alignment.json").read_text())["weights"] == read


def test_a_run_is_not_scored_on_other_text_than_it_was_trained_on(tmp_path: Path) -> None:
    tree = read_config(write_numbers(tmp_path, 200), ["train.epochs=1"])
    run = tmp_path / "run"
    experiment.train(tree, run)
    before = (tmp_path / "numbers.de").read_text()
    (tmp_path / "numbers.de").write_text(before + "eins zwei drei\n")
    with (tmp_path / "numbers.en").open("a") as target:
        target.write("one two three\n")
    for scored in (evaluate, lambda run: align(run, Pairs(), Wanted(), None, None)):
        with pytest.raises(UserError, match=r"the data has changed since .*run was trained"):
            scored(Run(run))
    assert not (run / "eval").exists()
    (tmp_path / "numbers.de").write_text(before + "\n")
    assert evaluate(Run(run))[0] == "test"


def test_pairs_of_a_test_split_that_are_left_out_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_lines(tmp_path / "t.tsv", ["eins\tone", "zwei\t", "drei\tthree"])
    tree = read_config(write_numbers(tmp_path, 200), ["train.epochs=1", f"corpus.test={tmp_path}/t.tsv"])
    experiment.train(tree, tmp_path / "run")
    evaluate(Run(tmp_path / "run"))
    assert "test: 1 pair with an empty side left out" in caplog.text
    assert (tmp_path / "run/eval/test/hypotheses.txt").read_text().count("\n") == 2


def test_without_attention_there_is_no_alignment(tmp_path: Path) -> None:
    bare = write_run(tmp_path / "run", config(RNN | {"attention": {"score": "none"}}))
    with pytest.raises(UserError, match=r"this model has no attention .* nothing to plot"):
        evaluate(Run(bare), Asked(plot=True))
    _, scores = evaluate(Run(bare))
    assert (set(scores.corpus), scores.alignment) == ({"BLEU", "chrF", "TER"}, None)
    assert {path.name for path in (bare / "eval/test").iterdir()} == {
        "scores.json",
        "sources.txt",
        "references.txt",
        "hypotheses.txt",
    }
    assert not (bare / "alignment.json").exists()


def test_scores_are_those_of_beam_search_even_where_the_config_samples(tmp_path: Path) -> None:
    drawing = write_run(tmp_path / "run", config(RNN, sample=True))
    searching = write_run(tmp_path / "other", config(RNN))
    found = [evaluate(Run(one))[1] for one in (drawing, searching)]
    assert found[0].search == found[1].search
    assert [(one / "eval/test/hypotheses.txt").read_text() for one in (drawing,)] == [
        (searching / "eval/test/hypotheses.txt").read_text()
    ]


def test_an_ensemble_is_scored_beside_its_first_run(tmp_path: Path) -> None:
    first, second = (write_run(tmp_path / f"run{seed}", config(RNN, length_penalty=5.0), seed=seed) for seed in (3, 4))
    alone = evaluate(Run(first))[1]
    _, scores = evaluate(Run(first), Asked(papers=True, others=(Run(second),)))
    folder = first / "eval/test+run4"
    assert read_scores(folder) == scores
    assert read_scores(first / "eval/test") == alone
    lines = (folder / "sources.txt").read_text().splitlines()
    expected = load(first, second).translate(lines)
    hypotheses = (folder / "hypotheses.txt").read_text().split("\n")[:-1]
    assert hypotheses == [one.text for one in expected]
    assert hypotheses != [one.text for one in load(first).translate(lines)]
    assert (folder / "alignments.npz").exists()
    assert alone.alignment is not None
    assert scores.alignment is None
    assert "BLEU, papers" in scores.corpus
    assert "| test+run4, beam 2 | BLEU |" in (first / "README.md").read_text()
    with pytest.raises(UserError, match="leave out --with"):
        evaluate(Run(first), Asked(plot=True, others=(Run(second),)))


def test_novel_scores_the_sentences_that_training_does_not_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run = write_run(tmp_path / "run", config(RNN))
    caplog.set_level(logging.INFO, "mt")
    monkeypatch.setattr("mt.evaluation.evaluate.novel", lambda sources, training: [0, 2])
    _, scores = evaluate(Run(run), Asked(novel=True))
    folder = run / "eval/test"
    hypotheses, references = (
        (folder / f"{name}.txt").read_text().splitlines() for name in ("hypotheses", "references")
    )
    expected = METRICS["BLEU"](Texts([hypotheses[0], hypotheses[2]], [references[0], references[2]]))
    assert scores.corpus["BLEU, novel"] == replace(expected, lines=2)
    assert "of 2 sentences" in caplog.text
    monkeypatch.setattr("mt.evaluation.evaluate.novel", lambda sources, training: [])
    assert "BLEU, novel" not in evaluate(Run(run), Asked(novel=True))[1].corpus
    assert "no source is novel" in caplog.text


def test_what_makes_scores_doubtful_is_written_beside_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "mt")
    lines = [f"wort {number} Zug" for number in range(40)]
    for name, part in (("train", lines), ("test", [*lines[:3], "Wort 99 Boot", "2 3"])):
        text = "".join(f"{line}\t{line.upper()}\n" for line in part)
        (tmp_path / f"{name}.tsv").write_text(text, encoding="utf-8")
    corpus = {name: str(tmp_path / f"{name}.tsv") for name in ("train", "test")}
    corpus |= {"validation": corpus["test"], "copies": "allow"}
    tree = config(RNN).model_dump() | {"corpus": {"name": "files", "source": "de", "target": "en"} | corpus}
    run = write_run(tmp_path / "run", Config.model_validate(tree))
    _, scores = evaluate(Run(run))
    assert scores.seen == Part(3, 5)
    assert scores.outputs is not None
    assert scores.outputs.lines == 5
    assert scores.copied is not None
    assert scores.copied["numbers"].of == 6
    assert read_scores(run / "eval/test") == scores
    assert scores.corpus["BLEU"].note == "5 of 5 references have fewer than 4 words: BLEU tells little here"
    said = caplog.messages[-1]
    assert "3 of 5 pairs share a sentence with training, more than 5%: the scores are too high" in said
    assert said.count("BLEU tells little here") == 1
    card = (run / "README.md").read_text()
    assert card.count("BLEU tells little here") == 1
    assert "Validation BLEU was 0 throughout" in card
