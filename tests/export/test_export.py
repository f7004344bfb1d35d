"""`mt export`: what an exported model translates is what its run translates, without PyTorch."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from command_line import ENVIRONMENT, ROOT
from conftest import mt, write_numbers
from tiny_models import RARE, RNNS, SOURCES, TRANSFORMERS, batch, looking, model
from tiny_models import one_thread as one_thread

import mt as library
from mt.config.models import Model
from mt.config.overrides import parse_changes
from mt.core.errors import UserError
from mt.export.onnx_graphs import write_graphs
from mt.export.translator import ExportedTranslator, open_export
from mt.export.write import export_run
from mt.models.contract import Seq2Seq, reorder
from mt.runs.run import Run

SENTENCES = ["eins zwei drei", "vier", "", "neun neun zehn elf", "zwölf null sieben", "  fünf   sechs ", "Ofen fünf"]
CLOSE = 1e-4


@pytest.fixture(scope="module")
def transformer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run of a small Transformer, whose second head is reported."""
    folder = tmp_path_factory.mktemp("transformer")
    shape = ["width=32", "layers=2", "heads=2", "feedforward=48", "report={head: 2}"]
    config = write_numbers(folder, 600)
    text = config.read_text()
    start, end = text.index("model:"), text.index("\ntrain:")
    config.write_text(f"{text[:start]}model: {{kind: transformer}}{text[end:]}")
    done = mt("train", config, *(f"model.{one}" for one in shape), "train.epochs=4", "--run", folder / "run")
    assert done.returncode == 0, done.stderr
    return folder / "run"


def exported(run: Path, engine: str, *changes: str, weights: str = "float32") -> ExportedTranslator:
    folder = run.parent / f"{engine}-{weights}"
    if not folder.exists():
        done = mt("export", run, "--to", engine, "--output", folder, "--weights", weights)
        assert done.returncode == 0, done.stderr
    return open_export(folder, parse_changes(changes))


def must_be_equal(run: Path, engine: str, *changes: str, n_best: int = 1) -> None:
    """Texts, scores, the probability of each piece, alignments, and what is cut."""
    expected = library.load(run, changes=changes).translate(SENTENCES, n_best=n_best)
    found = exported(run, engine, *changes).translate(SENTENCES, n_best=n_best)
    for ours, theirs in zip(found, expected, strict=True):
        assert [one.text for one in ours.n_best] == [one.text for one in theirs.n_best]
        for one, other in zip(ours.n_best, theirs.n_best, strict=True):
            assert (one.numbers, one.pieces, one.cut) == (other.numbers, other.pieces, other.cut)
            assert one.score == pytest.approx(other.score, abs=CLOSE)
            assert one.log_probabilities == pytest.approx(other.log_probabilities, abs=CLOSE)
            assert one.alignment is not None
            assert other.alignment is not None
            assert one.alignment.words.shape == other.alignment.words.shape
            np.testing.assert_allclose(one.alignment.words, other.alignment.words, atol=CLOSE)


@pytest.mark.parametrize("changes", [["search.beam=1"], [], ["search.beam=3", "search.length_penalty=0"]])
def test_onnx_translates_as_the_run(numbers: Path, transformer: Path, changes: list[str]) -> None:
    must_be_equal(numbers, "onnx", *changes)
    must_be_equal(transformer, "onnx", *changes)


@pytest.mark.parametrize(
    "changes", [["search.beam=1"], ["search.beam=1", "search.max_ratio=0.2", "search.max_extra=2"]]
)
def test_ctranslate2_translates_as_the_run(transformer: Path, changes: list[str]) -> None:
    must_be_equal(transformer, "ctranslate2", *changes)


def test_a_beam_of_ctranslate2_finds_no_more_than_there_is_and_scores_it_as_the_run(transformer: Path) -> None:
    # Of a model so little trained, endings that mt keeps are often not among the best of their step.
    run = library.load(transformer)
    best, found = run.translate(SENTENCES), exported(transformer, "ctranslate2").translate(SENTENCES, n_best=2)
    for one, theirs in zip((one for first in found for one in first.n_best[:1]), best, strict=True):
        assert one.score <= theirs.score + CLOSE
    ours = [first for first in found if first.text]
    sources = [line for line, first in zip(SENTENCES, found, strict=True) if first.text]
    forced = run.translate(sources, prefixes=[[*one.numbers] for one in ours], n_best=1)
    for one, other in zip(ours, forced, strict=True):
        assert one.log_probabilities[:-1] == pytest.approx(other.log_probabilities[: len(one.numbers)], abs=CLOSE)
        length = len(one.log_probabilities)
        assert one.score == pytest.approx(sum(one.log_probabilities) / ((5 + length) / 6))


def test_beams_of_ctranslate2_keep_their_attention_in_a_batch(transformer: Path) -> None:
    lines, made = ["eins zwei drei", "drei zwei eins", "neun neun neun"], exported(transformer, "ctranslate2")
    for one, line in zip(made.translate(lines), lines, strict=True):
        (alone,) = made.translate(line)
        assert one.alignment is not None
        assert alone.alignment is not None
        np.testing.assert_allclose(one.alignment.words, alone.alignment.words, atol=CLOSE)
    assert [one.alignment for one in made.translate(lines, alignments=False)] == [None] * 3


def test_the_n_best_are_those_of_the_run(numbers: Path) -> None:
    must_be_equal(numbers, "onnx", n_best=4)


def test_a_translation_begins_with_its_prefix(numbers: Path, transformer: Path) -> None:
    for changes in (["search.beam=1"], ["search.beam=3"]):
        asked = {"prefixes": ["nine"] * len(SENTENCES)}
        expected = library.load(numbers, changes=changes).translate(SENTENCES, **asked)
        found = exported(numbers, "onnx", *changes).translate(SENTENCES, **asked)
        assert [one.text for one in found] == [one.text for one in expected]
        assert [one.score for one in found] == pytest.approx([one.score for one in expected], abs=CLOSE)
    with pytest.raises(UserError, match="prefixes"):
        exported(transformer, "ctranslate2").translate(SENTENCES, prefixes=["nine"] * len(SENTENCES))


def test_rounded_weights_translate_nearly_as_the_run(transformer: Path) -> None:
    expected = library.load(transformer, changes=["search.beam=1"]).translate(SENTENCES)
    for weights in ("float16", "int8"):
        found = exported(transformer, "ctranslate2", "search.beam=1", weights=weights).translate(SENTENCES)
        assert sum(one.text == other.text for one, other in zip(found, expected, strict=True)) >= len(SENTENCES) - 2
    whole, small = (transformer.parent / f"ctranslate2-{kind}/model.bin" for kind in ("float32", "int8"))
    assert small.stat().st_size < 0.7 * whole.stat().st_size  # what says where pieces stand is not rounded


@pytest.mark.parametrize("engine", ["onnx", "ctranslate2"])
def test_the_command_translates_without_torch(transformer: Path, engine: str) -> None:
    exported(transformer, engine)
    program = (
        "import sys; from mt.cli import main\n"
        "try: main()\n"
        "finally: print(sorted({'torch', 'datasets', 'matplotlib'} & sys.modules.keys()), file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, "translate", transformer.parent / f"{engine}-float32", "eins zwei"]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "[]\n"), done.stderr
    assert done.stdout == mt("translate", transformer, "eins zwei").stdout


def test_the_command_writes_alignments(numbers: Path, tmp_path: Path) -> None:
    exported(numbers, "onnx")
    for folder, name in ((numbers, "run"), (numbers.parent / "onnx-float32", "onnx")):
        done = mt("translate", folder, "eins zwei drei", "--alignments", tmp_path / name, "--plot", "-n", 2)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "onnx.pharaoh").read_text() == (tmp_path / "run.pharaoh").read_text() != "\n\n"


@pytest.mark.parametrize("bounds", [{"max_ratio": 0.1, "max_extra": 1}, {"max_ratio": 1.0, "max_extra": 3}])
def test_the_longest_source_and_translation_have_positions(
    transformer: Path, tmp_path: Path, bounds: dict[str, float]
) -> None:
    run = Run(transformer)
    search = run.config.search.model_copy(update={"max_source": 5, **bounds})
    run.__dict__["config"] = run.config.model_copy(update={"search": search})
    export_run(run, "ctranslate2", tmp_path / "made")
    given = ["eins zwei drei vier fünf sechs sieben"] * 2
    expected = library.load(run).translate(given)
    found = open_export(tmp_path / "made", {}).translate(given)
    assert [one.text for one in found] == [one.text for one in expected]
    assert found[0].log_probabilities == pytest.approx(expected[0].log_probabilities, abs=CLOSE)
    made = json.loads((tmp_path / "made/export.json").read_text())["model"]["positions"]
    assert made == max(6, int(6 * bounds["max_ratio"] + bounds["max_extra"]))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ("search.sample=true", "search.sample"),
        ("search.coverage_penalty=0.1", "search.coverage_penalty"),
        ("search.no_repeat=3", "search.no_repeat"),
        ("search.nearest.count=4", "search.nearest.count"),
        ("search.precision=bfloat16", "search.precision"),
    ],
)
def test_a_setting_that_the_engine_lacks_is_refused_by_name(numbers: Path, change: str, key: str) -> None:
    exported(numbers, "onnx")
    done = mt("translate", numbers.parent / "onnx-float32", "eins", "--set", change)
    assert done.returncode == 1
    assert f"mt: onnx has no {key} here" in done.stderr


def test_what_cannot_be_is_refused_by_name(numbers: Path, transformer: Path, tmp_path: Path) -> None:
    exported(transformer, "ctranslate2")
    folder = transformer.parent / "ctranslate2-float32"
    for arguments, reason in (
        (["export", numbers, "--to", "ctranslate2", "-o", tmp_path / "x"], "holds no such model (GRU, bahdanau wiring"),
        (["export", numbers, "--to", "onnx", "--weights", "int8", "-o", tmp_path / "x"], "are float32 here, not int8"),
        (["export", transformer, "--to", "ctranslate2", "-o", folder], "is there already"),
        (["translate", folder, "eins", "--with", transformer], "joins no ensemble"),
        (["translate", folder, "eins", "--confidence"], "no confidence"),
        (["translate", folder, "eins", "--set", "search.max_source=2000"], "has no search.max_source here"),
    ):
        done = mt(*arguments)
        assert done.returncode in (1, 2)
        assert reason in done.stderr
    assert not list(tmp_path.iterdir())


def test_damage_is_named(numbers: Path, tmp_path: Path) -> None:
    assert mt("export", numbers, "--to", "onnx", "-o", tmp_path / "made").returncode == 0
    file = tmp_path / "made/step.onnx"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    done = mt("translate", tmp_path / "made", "eins")
    assert done.returncode == 1
    assert "step.onnx" in done.stderr


def test_the_description_says_what_an_engineer_needs(numbers: Path) -> None:
    exported(numbers, "onnx")
    told = json.loads((numbers.parent / "onnx-float32/export.json").read_text())
    assert (told["engine"], told["source"], told["target"]) == ("onnx", "de", "en")
    assert told["vocabularies"]["special"] == {"pad": 0, "unk": 1, "bos": 2, "eos": 3}
    assert told["model"]["step"]["inputs"][0] == "previous"
    assert told["model"]["step"]["outputs"][:2] == ["log_probabilities", "attention"]


CHOSEN = [name for number, name in enumerate(sorted(RNNS)) if number % 6 == 0]
WIRINGS: dict[str, Model] = {name: RNNS[name] for name in CHOSEN} | RARE | TRANSFORMERS


def steps_of_torch(made: Seq2Seq, sources: list[list[int]], pieces: torch.Tensor, asked: Model) -> list[np.ndarray]:
    """Return log probabilities and attention of each step, of hypotheses that change places after the first."""
    memory, state = made.encode(*batch(sources))
    state = reorder(state, torch.zeros_like(pieces[0]))
    found = []
    for previous_BK in pieces:
        output, state = made.step(previous_BK, state, memory, looking(made, asked))
        found += [output.logits.log_softmax(-1).numpy()]
        found += [] if output.attention is None else [output.attention.numpy()]
        state = reorder(state, torch.arange(previous_BK.shape[1]).flip(0).expand_as(previous_BK))
    return found


def steps_of_onnx(folder: Path, sources: list[list[int]], pieces: torch.Tensor) -> list[np.ndarray]:
    """Return the same of the graphs."""
    encode, step = (onnxruntime.InferenceSession(folder / f"{name}.onnx") for name in ("encode", "step"))
    names = [one.name for one in encode.get_outputs()]
    known = dict(zip(names, encode.run(None, {"source": batch(sources)[0].numpy()}), strict=True))
    asked, names = {one.name for one in step.get_inputs()}, [one.name for one in step.get_outputs()]
    wide = pieces.shape[2]
    known |= {name: array.repeat(wide, 1) for name, array in known.items() if name.startswith("state.")}
    found = []
    for previous_BK in pieces:
        given = known | {"previous": previous_BK.numpy()}
        ran = step.run(None, {name: array for name, array in given.items() if name in asked})
        told = dict(zip(names, ran, strict=True))
        found += [told[name] for name in ("log_probabilities", "attention") if name in told]
        known |= {name.replace("next.", "state."): told[name][:, ::-1] for name in names if name.startswith("next.")}
    return found


@torch.no_grad()
@pytest.mark.parametrize("name", WIRINGS)
def test_a_step_of_each_wiring_is_that_of_torch(name: str, tmp_path: Path) -> None:
    asked = WIRINGS[name]
    made = model(asked, vocabulary=12).float()
    write_graphs(made, looking(made, asked), tmp_path)
    for sources in (SOURCES, SOURCES[:1], [[*SOURCES[0][:-1]] * 3 + [3], [3]]):
        for wide in (1, 3):
            pieces = torch.randint(4, 12, (3, len(sources), wide), generator=torch.Generator().manual_seed(wide))
            expected = steps_of_torch(made, sources, pieces, asked)
            for one, other in zip(steps_of_onnx(tmp_path, sources, pieces), expected, strict=True):
                np.testing.assert_allclose(one, other, atol=CLOSE)
