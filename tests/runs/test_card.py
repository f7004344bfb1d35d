"""The model card: what the Hub's own parser reads of it, and its tables as they are rendered."""

import json
from pathlib import Path
from typing import Any

import pytest
from config_files import write
from huggingface_hub import ModelCard, metadata_load
from toy_runs import RNN, config, write_run

from mt.config import Config
from mt.config.files import to_yaml
from mt.corpora import CORPORA
from mt.runs.card import write_card
from mt.runs.front_matter import front_matter
from mt.runs.run import Run
from mt.runs.scores import read_scores

SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.5.1"


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run(write_run(tmp_path / "a-run", config(RNN)))
    one = {"score": 41.0321, "low": 39.0, "high": 43.0, "signature": SIGNATURE}
    for split, names in {
        "test": ("BLEU", "chrF", "TER", "BLEU, papers"),
        "validation": ("BLEU",),
        "test+b": ("BLEU",),
    }.items():
        tree = dict.fromkeys(names, one) | {"search": {"beam": 5}, "weights": [made.fingerprint]}
        folder = made / "eval" / split
        folder.mkdir(parents=True)
        (folder / "scores.json").write_text(json.dumps(tree))
    write_card(made, "GRU")
    return made


def test_the_hub_reads_what_it_is_and_how_it_scored(run: Run) -> None:
    file = run / "README.md"
    assert "* Training: 7 updates, 1 s" in file.read_text()
    data = ModelCard.load(file).data
    assert (data.language, data.library_name, data.pipeline_tag) == (["de", "en"], "mt", "translation")
    assert (data.tags, data.metrics) == (["translation", "attention"], ["bleu", "chrf", "ter"])
    assert data.model_name == "a-run"
    found = [(one.dataset_split, one.metric_type, one.metric_value) for one in data.eval_results or []]
    assert found == [("test", name, 41.03) for name in ("bleu", "chrf", "ter")] + [("validation", "bleu", 41.03)]
    assert {(one.task_type, one.dataset_type) for one in data.eval_results or []} == {("translation", "toy")}


def test_it_comes_back_from_the_parser_as_it_was(run: Run) -> None:
    file = run / "README.md"
    card = ModelCard.load(file)
    before: Any = metadata_load(file)
    card.save(file)
    assert metadata_load(file) == before
    assert ModelCard.load(file).data.eval_results == card.data.eval_results


def test_a_signature_is_one_cell_of_its_table(run: Run) -> None:
    text = (run / "README.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| test, beam 5 |")]
    assert len(rows) == 4
    for row in rows:
        cells = row.replace("\\|", "\0").strip("|").split("|")
        assert len(cells) == 5
        assert cells[4].strip().replace("\0", "|") == SIGNATURE


@pytest.mark.parametrize(
    ("corpus", "languages", "data_sets"),
    [
        ({"name": "multi30k", "source": "de", "target": "en"}, ["de", "en"], ["bentrevett/multi30k"]),
        ({"name": "hub", "path": "a/b", "source": "de", "target": "xx-words"}, ["de"], ["a/b"]),
        ({"name": "hub", "path": "HERE", "source": "grc", "target": "en"}, ["grc", "en"], None),
        ({"name": "files", "source": "old: {", "target": "new", "train": "a.tsv"}, ["new"], None),
    ],
)
def test_languages_and_data_sets_are_those_the_hub_knows(
    corpus: dict[str, Any], languages: list[str], data_sets: list[str] | None, tmp_path: Path
) -> None:
    corpus = {key: str(tmp_path) if value == "HERE" else value for key, value in corpus.items()}
    lines = front_matter("x", Config.model_validate({"corpus": corpus}), {})
    data = ModelCard("\n".join(["---", *lines, "---", ""])).data
    assert (data.language, data.datasets, data.eval_results) == (languages, data_sets, None)
    assert str(tmp_path) not in "".join(lines)


@pytest.mark.parametrize(
    ("corpus", "name"),
    [
        ({"name": "hub", "path": "a/b", "source": "de", "target": "en"}, "a/b"),
        ({"name": "hub", "path": "HERE", "source": "de", "target": "en"}, CORPORA["hub"].title),
        ({"name": "multi30k", "source": "de", "target": "en"}, CORPORA["multi30k"].title),
    ],
)
def test_scores_are_of_a_data_set_by_its_name(corpus: dict[str, Any], name: str, run: Run, tmp_path: Path) -> None:
    corpus = {key: str(tmp_path) if value == "HERE" else value for key, value in corpus.items()}
    scores = read_scores(run / "eval/test")
    assert scores is not None
    lines = front_matter("x", Config.model_validate({"corpus": corpus}), {"test": scores})
    data = ModelCard("\n".join(["---", *lines, "---", ""])).data
    assert {one.dataset_name for one in data.eval_results or []} == {name}


def test_a_notebook_shows_a_run(run: Run, tmp_path: Path) -> None:
    shown = Run(run.path)._repr_html_()
    assert "de to en" in shown
    assert "<td>test</td><td>BLEU</td><td>41.0</td><td>39.0 to 43.0</td>" in shown
    assert f"Next: <code>mt translate {run}</code>" in shown
    plain = Run(write_run(tmp_path / "<b>", config(RNN)))
    assert "&lt;b&gt;" in plain._repr_html_()
    assert "<b>:" not in plain._repr_html_()
    assert "<table>" not in plain._repr_html_()
    assert f"mt eval {tmp_path}" in plain._repr_html_().replace("&#x27;", "")
    assert Run("nowhere")._repr_html_() == "<p><b>nowhere</b>: nothing is there</p>"
    (plain / "config.yaml").write_text("corpus: 3\n...\n")
    assert "corpus" in Run(plain.path)._repr_html_()


def test_added_pairs_are_told(run: Run) -> None:
    assert "Added to training" not in (run / "README.md").read_text()
    corpus = {"name": "multi30k", "added": {"files": ["a.de", "a.en"], "tag": "<X>"}}
    write(run / "config.yaml", to_yaml(Config.model_validate(run.config.model_dump() | {"corpus": corpus})))
    write_card(Run(run.path), "GRU")
    assert "* Added to training: a.de and a.en, with the tag `<X>`\n" in (run / "README.md").read_text()
