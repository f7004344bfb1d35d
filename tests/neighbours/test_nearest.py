"""Nearest-neighbour translation against plain loops over all keys, and its datastore against one pair at a time."""

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from conftest import mt, write_numbers
from script_loader import script
from tiny_models import SOURCES, batch, close, config, model, transformer
from tiny_models import one_thread as one_thread
from tolerances import bound
from torch import Tensor

from mt.config import Nearest
from mt.config.models import RNNModel, TransformerModel
from mt.core.errors import UserError
from mt.core.special import BOS, EOS, PAD
from mt.inference.load import load
from mt.models.contract import Look, Seq2Seq, Site
from mt.models.ensemble import Ensemble
from mt.neighbours.datastore import _write, has_current_datastore, with_neighbours, write_datastore
from mt.neighbours.exact import Exact
from mt.neighbours.model import NearestNeighbours
from mt.runs import checkpoint
from mt.runs.run import Run

TARGET_IN = torch.tensor([[BOS, 7, 4, 4], [BOS, 5, 8, 6], [BOS, 6, PAD, PAD]])
KINDS = {
    "gru": config(),
    "lexical": config(lexical=True),
    "luong": config("lstm", "luong", score="general"),
    "transformer": transformer(),
}
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())


def store(width: int, size: int) -> tuple[Tensor, Tensor]:
    """Random keys of length 1, in clusters, and pieces beside them."""
    random = torch.Generator().manual_seed(size)
    keys = torch.randn(size, width, generator=random, dtype=torch.float64)
    keys[::3] = keys[0] + 0.1 * keys[::3]
    return keys / keys.norm(dim=1, keepdim=True), torch.randint(EOS, 9, (size,), generator=random)


LOOK = Look(Site(1))


def looked_up(readouts: tuple[Tensor, ...], sentence: int, step: int) -> list[float]:
    """What the output layers saw at a step, each of the same length, 1 together."""
    query: list[float] = []
    for readout in (tensor[sentence, step].tolist() for tensor in readouts):
        length = math.sqrt(math.fsum(x * x for x in readout) * len(readouts))
        query += [x / length for x in readout]
    return query


def voted(own: list[float], query: list[float], keys: Tensor, pieces: Tensor, settings: Nearest) -> list[float]:
    """The slow twin, eq. 2 and 3 of the paper: all distances, sorted; the probability of each piece."""
    distances = sorted(
        (math.fsum((a - b) ** 2 for a, b in zip(query, key, strict=True)), piece)
        for key, piece in zip(keys.tolist(), pieces.tolist(), strict=True)
    )[: settings.count]
    votes = [math.exp(-distance / settings.temperature) for distance, _ in distances]
    mixed = [(1 - settings.weight) * probability for probability in own]
    for vote, (_, piece) in zip(votes, distances, strict=True):
        mixed[piece] += settings.weight * vote / math.fsum(votes)
    return mixed


@kinds
@pytest.mark.parametrize(("size", "count"), [(1000, 20), (256, 3), (5, 40), (129, 129), (1000, 1)])
@torch.inference_mode()
def test_votes_are_those_of_the_plain_loop(
    kind: RNNModel | TransformerModel, size: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mt.neighbours.exact.PRODUCTS", 2500)  # 192 keys at once, of 12 queries
    monkeypatch.setattr("mt.neighbours.exact.WIDENED", 50)
    bare, settings = model(kind), Nearest(count=count, weight=0.3, temperature=0.2)
    plain, seen = bare(*batch(SOURCES), TARGET_IN), bare.read(*batch(SOURCES), TARGET_IN).readouts
    keys, pieces = store(len(looked_up(seen, 0, 0)), size)
    mixed = NearestNeighbours(bare, Exact(keys), pieces, settings).eval()(*batch(SOURCES), TARGET_IN)
    for sentence in range(len(SOURCES)):
        for step in range(TARGET_IN.shape[1]):
            own = plain.logits[sentence, step].softmax(-1).tolist()
            expected = voted(own, looked_up(seen, sentence, step), keys, pieces, settings)
            close(mixed.logits[sentence, step].exp(), torch.tensor(expected, dtype=torch.float64))


@kinds
@torch.inference_mode()
def test_readouts_are_all_that_logits_come_from(kind: RNNModel | TransformerModel) -> None:
    made = model(kind)
    found, read = made(*batch(SOURCES), TARGET_IN, LOOK), made.read(*batch(SOURCES), TARGET_IN, LOOK)
    lexical = getattr(made, "lexical", None)
    layers = [made.output] if lexical is None else [made.output, lexical.output]
    close(found.logits, sum(layer(seen) for layer, seen in zip(layers, read.readouts, strict=True)))
    assert torch.equal(found.attention, read.attention)


@kinds
@torch.inference_mode()
def test_forward_is_stepping(kind: RNNModel | TransformerModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mt.neighbours.exact.PRODUCTS", 700)  # 32 keys at once of 12 queries, and 224 of three
    bare, (source_BS, mask_BS) = model(kind), batch(SOURCES)
    made = consulting(bare, 300)
    output = made(source_BS, mask_BS, TARGET_IN, LOOK)
    memory, state = made.encode(source_BS, mask_BS)
    for step in range(TARGET_IN.shape[1]):
        stepped, state = made.step(TARGET_IN[:, step : step + 1], state, memory, LOOK)
        close(stepped.logits[:, 0], output.logits[:, step])
        close(stepped.attention[:, 0], output.attention[:, step])


def consulting(bare: Seq2Seq, size: int) -> NearestNeighbours:
    width = len(looked_up(bare.read(*batch(SOURCES), TARGET_IN).readouts, 0, 0))
    keys, pieces = store(width, size)
    return NearestNeighbours(bare, Exact(keys), pieces, Nearest(count=9)).eval()


@torch.inference_mode()
def test_an_ensemble_asks_each_members_own_neighbours_and_has_none_itself() -> None:
    made = [consulting(model(kind, seed=seed), 200) for seed, kind in enumerate(KINDS.values(), 1)]
    arguments = *batch(SOURCES), TARGET_IN
    together = Ensemble(made, [Site(1)] * len(made)).eval()(*arguments)
    close(together.logits.exp(), torch.stack([one(*arguments).logits.exp() for one in made]).mean(0))
    keys, pieces = store(5, 200)
    wrong = NearestNeighbours(Ensemble(made, [Site(1)] * len(made)), Exact(keys), pieces, Nearest(count=9)).eval()
    with pytest.raises(TypeError, match="and not the whole"):
        wrong(*arguments)


# A run and its datastore ----------------------------------------------------------------------------------------------


@pytest.fixture
def run(numbers: Path, tmp_path: Path) -> Path:
    """A trained run of its own, without a datastore."""
    shutil.copytree(numbers, tmp_path / "run")
    return tmp_path / "run"


@torch.inference_mode()
def test_the_datastore_has_every_readout_of_training_beside_its_piece(run: Path) -> None:
    mine = Run(run)
    tokenizers, bare, train = mine.tokenizers, mine.model, mine.splits["train"]
    count = write_datastore(mine, "exact")
    tensors, _ = checkpoint.read(run / "datastore.safetensors")
    assert has_current_datastore(Run(run), "exact")
    assert len(tensors["keys"]) == len(tensors["pieces"]) == count
    assert count == sum(len(tokenizers.target.encode(line)) + 1 for line in train.targets)
    # Keys have length 1 and are kept in float16: each part is rounded once, those near zero to a multiple of 2^-24.
    within = bound(1, torch.float16) + 2**-25 * math.sqrt(tensors["keys"].shape[1])
    for source, target in list(zip(train.sources, train.targets, strict=True))[:40]:
        pieces = [*tokenizers.target.encode(target), EOS]
        memory, state = bare.encode(*batch([[*tokenizers.source.encode(source), EOS]]))
        for previous, piece in zip([BOS, *pieces], pieces, strict=False):
            read, state = bare.read_step(torch.tensor([[previous]]), state, memory)
            query = torch.tensor(looked_up(read.readouts, 0, 0))
            nearby = (tensors["keys"].float() - query).norm(dim=1) < within
            assert piece in tensors["pieces"][nearby]


def test_a_datastore_that_is_written_part_by_part_is_what_is_saved_at_once(tmp_path: Path) -> None:
    keys, pieces = store(6, 40)
    keys = keys.half()
    taken = []

    def parts() -> Iterator[tuple[Tensor, Tensor]]:
        for start, end in ((0, 3), (3, 4), (4, 30), (30, 40)):
            taken.append(end)
            yield keys[start:end], pieces[start:end]
        taken.append("the end")

    _write(tmp_path / "parts.safetensors", 40, parts(), "0123456789abcdef")
    assert taken == [3, 4, 30, 40, "the end"]
    checkpoint.save(tmp_path / "whole.safetensors", {"keys": keys, "pieces": pieces}, {"weights": "0123456789abcdef"})
    (found, record), (whole, other) = (checkpoint.read(tmp_path / f"{name}.safetensors") for name in ("parts", "whole"))
    assert record == other
    assert found.keys() == whole.keys()
    for name, tensor in whole.items():
        assert torch.equal(found[name], tensor)
        assert found[name].dtype == tensor.dtype


def test_keys_stay_in_their_file_as_they_are(run: Path) -> None:
    write_datastore(Run(run), "exact")
    (run / "datastore.faiss").write_text("of other keys")
    write_datastore(Run(run), "exact")
    assert not (run / "datastore.faiss").exists()
    assert load(run, changes=["search.nearest.count=4"]).model.index.keys_NE.dtype == torch.float16


def test_a_run_without_a_present_datastore_is_refused_with_the_remedy(run: Path) -> None:
    with pytest.raises(UserError, match=rf"datastore\.safetensors is missing: `mt datastore {run}` writes it"):
        load(run, changes=["search.nearest.count=4"])
    assert mt("datastore", run).returncode == 0
    assert load(run, changes=["search.nearest.count=4"]).settings.nearest.count == 4
    shutil.copytree(run, run.parent / "other", ignore=shutil.ignore_patterns("datastore*"))
    with pytest.raises(UserError, match=r"other/datastore\.safetensors is missing"):
        load(run, run.parent / "other", changes=["search.nearest.count=4"])
    weights, record = checkpoint.read(run / "model.safetensors")
    checkpoint.save(run / "model.safetensors", {name: 0.9 * tensor for name, tensor in weights.items()}, record)
    with pytest.raises(UserError, match="was written for other weights"):
        load(run, changes=["search.nearest.count=4"])
    assert type(load(run).model) is type(load(run, changes=["search.nearest.count=0"]).model) is type(Run(run).model)
    Run(run).remove()
    assert [path.name for path in run.iterdir()] == [".lock"]


def test_neighbours_from_the_command_line(run: Path) -> None:
    failed = mt("translate", run, "eins zwei", "--set", "search.nearest.count=8")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "mt datastore" in failed.stderr
    assert mt("eval", run, "search.nearest.count=-1").returncode == 2
    written = mt("datastore", run)
    assert written.returncode == 0
    assert "target pieces of the training split written to" in written.stdout
    assert mt("translate", run, "eins zwei", "--set", "search.nearest.count=8").stdout == "one two\n"
    for asked, known in ((("search.nearest.count=8",), True), ((), False)):
        assert mt("eval", run, *asked).returncode == 0
        searched = json.loads((run / "eval" / "test" / "scores.json").read_text())["search"]
        assert ("nearest" in searched) == known
        assert searched.get("nearest", {"count": 8})["count"] == 8


@torch.inference_mode()
def test_losses_by_which_votes_are_chosen_are_those_of_the_model_that_votes(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = Run(run)
    tokenizers, splits = mine.tokenizers, mine.splits
    write_datastore(mine, "exact")
    script("nearest").nearest(run, count=[40, 12], weight=[0.4], temperature=[0.1])
    table = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[0] for row in table] == ["0", "40", "12"]
    for row, count in zip(table, (0, 40, 12), strict=True):
        made = with_neighbours(mine.model, mine, Nearest(count=count, weight=0.4, temperature=0.1))
        total = pieces = 0.0
        for source, target in zip(splits["validation"].sources, splits["validation"].targets, strict=True):
            out = [*tokenizers.target.encode(target), EOS]
            logits = made(*batch([[*tokenizers.source.encode(source), EOS]]), torch.tensor([[BOS, *out[:-1]]])).logits
            total -= logits[0].log_softmax(-1)[range(len(out)), out].sum().item()
            pieces += len(out)
        within = 0.0005 + bound(1000, torch.float32, total / pieces)  # three digits are printed
        assert float(row[-1]) == pytest.approx(total / pieces, abs=within)


def test_training_writes_the_datastore_that_its_search_will_ask(tmp_path: Path) -> None:
    config = write_numbers(tmp_path, 300)
    arguments = "train", config, "train.epochs=1", "search.nearest.count=5", "--run", tmp_path / "run"
    assert mt(*arguments).returncode == 0
    assert has_current_datastore(Run(tmp_path / "run"), "exact")
    (tmp_path / "run" / "datastore.safetensors").unlink()
    assert mt(*arguments, "--resume").returncode == 0
    assert load(tmp_path / "run").settings.nearest.count == 5


def test_memory_of_training_mends_what_the_weights_have_lost(run: Path) -> None:
    """Weights so blurred that they translate worse; their own readouts of training tell them what followed."""
    weights, record = checkpoint.read(run / "model.safetensors")
    blurred = weights | {
        "output.bias": weights["output.bias"] + 2 * torch.randn(330, generator=torch.Generator().manual_seed(1))
    }
    checkpoint.save(run / "model.safetensors", blurred, record)
    assert mt("datastore", run).returncode == 0
    scores = []
    for count in (0, 16):
        assert mt("eval", run, "search.beam=1", f"search.nearest.count={count}").returncode == 0
        scores.append(json.loads((run / "eval/test/scores.json").read_text()))
    without, with_it = (score["BLEU"]["score"] for score in scores)
    assert with_it > without + 5
