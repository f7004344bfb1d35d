"""bfloat16 in search: nearly what float32 predicts, of every model; and refused where it would be emulated."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from conftest import mt, write_numbers
from tiny_models import EVERY, SOURCES, batch, model
from tiny_models import one_thread as one_thread
from tolerances import bound

from mt.config.files import read_config
from mt.config.models import RNNModel, TransformerModel
from mt.core.errors import UserError
from mt.core.special import BOS
from mt.inference.load import load
from mt.models.bfloat16 import Rounded
from mt.models.contract import Look
from mt.neighbours.datastore import write_datastore
from mt.runs.config_file import write_config
from mt.runs.run import Run
from mt.training import experiment
from mt.training.resolve import resolve

NEARLY = bound(16, torch.bfloat16)
"""Sixteen roundings one after another, of numbers below one."""
TARGET_IN = torch.tensor([[BOS, 7, 4, 4], [BOS, 5, 8, 6], [BOS, 6, 4, 5]])


def two(made_of: RNNModel | TransformerModel) -> tuple[torch.nn.Module, Rounded]:
    """Return a model in float32, whose weights are of bfloat16 already, and the same one rounded."""
    exact = model(made_of, scale=0.3).bfloat16().float()
    return exact, Rounded(model(made_of, scale=0.3)).eval()


@pytest.mark.usefixtures("bfloat16")
@pytest.mark.parametrize("made_of", EVERY.values(), ids=EVERY.keys())
def test_nearly_what_float32_predicts_step_by_step_and_at_once(made_of: RNNModel | TransformerModel) -> None:
    exact, rounded = two(made_of)
    assert {parameter.dtype for parameter in rounded.parameters()} == {torch.bfloat16}
    look = Look("all")
    wanted, found = (made(*batch(SOURCES), TARGET_IN, look) for made in (exact, rounded))
    memory, state = rounded.encode(*batch(SOURCES))
    steps = []
    for previous_B in TARGET_IN.unbind(1):
        output, state = rounded.step(previous_B[:, None], state, memory, look)
        steps.append(output)
    logits = torch.cat([output.logits for output in steps], 1)
    assert not torch.equal(found.logits, wanted.logits)
    for one in (found.logits, logits):
        torch.testing.assert_close(one.log_softmax(-1), wanted.logits.log_softmax(-1), rtol=0, atol=NEARLY)
    for output in (found, *steps):
        parts = (output.logits, output.attention)
        assert {part.dtype for part in parts if part is not None} == {torch.float32}
    read = rounded.read(*batch(SOURCES), TARGET_IN, look)
    assert {readout.dtype for readout in read.readouts} == {torch.float32}
    assert torch.equal(rounded.predict(read.readouts), found.logits)
    if wanted.attention is not None:
        torch.testing.assert_close(found.attention, wanted.attention, rtol=0, atol=NEARLY)


@pytest.fixture
def copy(numbers: Path, tmp_path: Path) -> Path:
    return shutil.copytree(numbers, tmp_path / "copy")


@pytest.mark.usefixtures("bfloat16")
def test_it_is_asked_for_on_the_command_line_and_by_the_config(copy: Path) -> None:
    said = {}
    for precision in ("bfloat16", "float32"):
        told = mt("translate", copy, "--set", f"search.precision={precision}", "--n-best", 2, "sieben elf null")
        assert told.stdout.splitlines()[0].endswith("seven eleven zero"), told.stderr
        said[precision] = told.stdout
        assert mt("eval", copy, f"search.precision={precision}").returncode == 0
        found = json.loads((copy / "eval/test/scores.json").read_text())["search"]
        assert found.get("precision", "float32") == precision
        assert (f", beam 5, {precision} |" in (copy / "README.md").read_text()) == (precision == "bfloat16")
    assert said["float32"] != said["bfloat16"]
    assert not isinstance(load(copy).model, Rounded)
    tree = read_config(copy / "config.yaml", ["search.precision=bfloat16"])
    write_config(copy / "config.yaml", tree)
    assert isinstance(load(copy).model, Rounded)
    assert not isinstance(load(copy, changes=["search.precision=float32"]).model, Rounded)


@pytest.mark.usefixtures("bfloat16")
def test_members_and_those_whose_neighbours_vote_are_rounded_too(copy: Path) -> None:
    both = load(copy, copy, changes=["search.precision=bfloat16"])
    assert {type(member) for member in both.model.members} == {Rounded}
    write_datastore(Run(copy), "exact")
    voted = load(copy, changes=["search.nearest.count=4", "search.precision=bfloat16"])
    assert type(voted.model.model) is Rounded
    assert voted.model.find(torch.ones(1, voted.model.index.keys_NE.shape[1]))[0].dtype == torch.float32
    assert [one.text for one in voted.translate(["acht neun"])] == ["eight nine"]


@pytest.mark.parametrize("has", [{}, {"avx512_f": True, "bf16": False}])
def test_it_is_refused_where_it_would_be_emulated(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has: dict[str, bool]
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: has)
    corpus, run = write_numbers(tmp_path, 200), tmp_path / "run"
    for key in ("train", "search"):
        wish = f"{key}.precision=bfloat16"
        with pytest.raises(UserError, match=rf"no instructions for bfloat16: give {key}\.precision=float32"):
            experiment.train(read_config(corpus, [wish]), run)
        assert not run.exists()
    with pytest.raises(UserError, match=r"no instructions for bfloat16: give search\.precision=float32"):
        load(copy, changes=["search.precision=bfloat16"])
    load(copy)
    tree = read_config(copy / "config.yaml", ["train.precision=bfloat16"])
    write_config(copy / "config.yaml", tree)
    assert experiment.train(tree, copy, resume=True), "a finished run needs no such processor"


@pytest.mark.parametrize("name", ["avx512_bf16", "amx_bf16", "bf16"])
def test_it_is_allowed_where_the_processor_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, name: True})
    tree = read_config(write_numbers(tmp_path, 200), ["train.precision=bfloat16", "search.precision=bfloat16"])
    resolve(tree, Run(tmp_path / "run"), resume=False, overwrite=False)
