"""What is read off by force is what the model's logits and weights say, computed here piece by piece."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

pytest.importorskip("fastapi")
from command_line import mt
from conftest import write_numbers
from starlette.testclient import TestClient

from mt import load
from mt.core.special import BOS, EOS
from mt.inference.translator import Translator
from mt.models.contract import Look, Site
from mt.web.app import create_app
from mt.web.served import Served

SOURCE, TARGET = "eins zwei drei vier", "one two three"
KINDS = {
    "gru": "model.attention.score=additive",
    "heads": "model={kind: transformer, width: 16, layers: 3, heads: 2, feedforward: 32}",
    "none": "model.attention.score=none",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("forced")
    config = write_numbers(folder, 200)
    for name, change in KINDS.items():
        result = mt("train", config, change, "train.epochs=1", "--run", folder / name)
        assert result.returncode == 0, result.stderr
    return {name: folder / name for name in KINDS}


@pytest.fixture(scope="module")
def client(runs: dict[str, Path]) -> Iterator[TestClient]:
    with TestClient(create_app([Served(run) for run in runs.values()])) as client:
        yield client


def softmax(scores: Any) -> Any:
    exact = np.asarray(scores, dtype=float)
    powers = np.exp(exact - exact.max())
    return powers / powers.sum()


def pieces_of(translator: Translator) -> tuple[list[int], list[int]]:
    source, target = translator.tokenizers
    return [*source.encode(SOURCE), EOS], [*target.encode(TARGET), EOS]


def stepped(translator: Translator, look_at: Callable[[int], Look]) -> list[tuple[Any, Any]]:
    """Return the chances of all pieces, and the weights, of each step of reading TARGET off."""
    source, target = pieces_of(translator)
    source_BS, found = torch.tensor([source]), []
    with torch.inference_mode():
        memory, state = translator.model.encode(source_BS, torch.ones_like(source_BS, dtype=torch.bool))
        for step, previous in enumerate([BOS, *target[:-1]]):
            output, state = translator.model.step(torch.tensor([[previous]]), state, memory, look_at(step))
            weights = None if output.attention is None else output.attention[0, ..., 0, :].numpy()
            found.append((softmax(output.logits[0, 0]), weights))
    return found


@pytest.mark.parametrize("run", KINDS)
def test_a_score_is_the_sum_of_the_steps(client: TestClient, runs: dict[str, Path], run: str) -> None:
    translator = load(runs[run])
    _, target = pieces_of(translator)
    own = [chances for chances, _ in stepped(translator, lambda step: Look())]
    asked = {"run": run, "pairs": [{"source": SOURCE, "target": TARGET}, {"source": "", "target": ""}]}
    told, nothing = client.post("/api/score", json=asked).json()["scores"]
    logs = [np.log(chances[piece]) for chances, piece in zip(own, target, strict=True)]
    assert told["log_probabilities"] == pytest.approx(logs, abs=1e-4)
    assert told["log_probability"] == pytest.approx(sum(logs), abs=1e-4)
    assert told["entropies"] == pytest.approx([-(one * np.log(one)).sum() for one in own], abs=1e-4)
    assert told["pieces"] == [translator.tokenizers.target.name(piece) for piece in target]
    assert nothing["pieces"] == ["</s>"]


@pytest.mark.parametrize("run", KINDS)
def test_what_comes_next_is_what_the_whole_pass_says(client: TestClient, runs: dict[str, Path], run: str) -> None:
    translator = load(runs[run])
    source, target = pieces_of(translator)
    source_BS, target_BT = torch.tensor([source]), torch.tensor([[BOS, *target[:-1]]])
    with torch.inference_mode():
        logits = translator.model(source_BS, torch.ones_like(source_BS, dtype=torch.bool), target_BT, Look()).logits[0]
    for step in range(len(target)):
        asked = {"run": run, "text": SOURCE, "prefix": target[:step], "most": 7}
        told = client.post("/api/next", json=asked).json()["likely"]
        chances = softmax(logits[step])
        assert [one["number"] for one in told] == np.argsort(-chances, kind="stable")[:7].tolist()
        assert [one["probability"] for one in told] == pytest.approx(np.sort(chances)[:-8:-1], rel=1e-3)


@pytest.mark.parametrize(("run", "layer", "head"), [("gru", None, None), ("heads", 3, 2), ("heads", 1, None)])
def test_weights_are_clamped_where_and_when_they_are_asked_for(
    client: TestClient, runs: dict[str, Path], run: str, layer: int | None, head: int | None
) -> None:
    translator = load(runs[run])
    source, target = pieces_of(translator)
    row = softmax(np.arange(len(source))).tolist()

    def put(weights_BNQS: Tensor, mask_BS: Tensor, at: int) -> Tensor:
        changed = weights_BNQS.clone()
        for one in range(changed.shape[1]):
            if (layer or at) == at and (head or one + 1) == one + 1:
                changed[:, one] = torch.tensor(row)
        return changed

    chances, _ = stepped(translator, lambda step: Look(replace=put if step == 1 else None))[1]
    asked = {"run": run, "text": SOURCE, "prefix": target[:1], "weights": {1: row}, "layer": layer, "head": head}
    told = client.post("/api/next", json=asked | {"most": 5}).json()["likely"]
    assert [one["probability"] for one in told] == pytest.approx(np.sort(chances)[:-6:-1], rel=1e-3)
    free = client.post("/api/next", json=asked | {"most": 5, "weights": {}}).json()["likely"]
    assert told != free


@pytest.mark.parametrize(
    ("run", "layer", "head", "site"),
    [
        ("gru", None, None, (1, None)),
        ("heads", None, None, (2, None)),  # what the config says: the last layer but one
        ("heads", None, 2, (2, 2)),
        ("heads", 1, None, (1, None)),
        ("heads", 3, 1, (3, 1)),
    ],
)
def test_attention_is_that_of_the_steps(
    client: TestClient, runs: dict[str, Path], run: str, layer: int | None, head: int | None, site: tuple[int, int]
) -> None:
    asked = {"run": run, "source": SOURCE, "target": TARGET, "layer": layer, "head": head, "unit": "pieces"}
    told = client.post("/api/align", json=asked).json()["alignment"]
    rows = [weights for _, weights in stepped(load(runs[run]), lambda step: Look("all"))]
    rows = [one[site[0] - 1].mean(0) if site[1] is None else one[site[0] - 1, site[1] - 1] for one in rows]
    assert np.array(told["attention"]) == pytest.approx(np.array(rows), abs=1e-5)


@pytest.mark.parametrize(("layer", "head"), [(None, None), (1, None), (None, 1)])
def test_a_posterior_is_bayes_of_what_each_piece_alone_predicts(
    client: TestClient, runs: dict[str, Path], layer: int | None, head: int | None
) -> None:
    translator = load(runs["gru"])
    source, target = pieces_of(translator)
    asked = {"source": SOURCE, "target": TARGET, "posterior": True, "unit": "pieces", "layer": layer, "head": head}
    told = client.post("/api/align", json=asked).json()["alignment"]["attention"]
    own = [weights for _, weights in stepped(translator, lambda at: Look(Site(1)))]
    for step, piece in enumerate(target):
        joint = []
        for place in range(len(source)):
            alone = torch.nn.functional.one_hot(torch.tensor(place), len(source)).float()
            look = Look(replace=lambda weights_BNQS, mask_BS, at, alone=alone: alone.expand_as(weights_BNQS))
            chances, _ = stepped(translator, lambda at, here=step, look=look: look if at == here else Look())[step]
            joint.append(own[step][place] * chances[piece])
        assert told[step] == pytest.approx([one / sum(joint) for one in joint], abs=1e-4)


def test_a_posterior_is_that_of_the_last_layer_whatever_the_config_says(client: TestClient) -> None:
    asked = {"run": "heads", "source": SOURCE, "target": TARGET, "posterior": True}
    for head in (None, 2):
        free, last = (
            client.post("/api/align", json=asked | {"head": head, "layer": layer}).json() for layer in (None, 3)
        )
        assert free == last
        assert "alignment" in free


@pytest.mark.parametrize(
    ("path", "asked", "said"),
    [
        ("align", {"run": "heads", "layer": 1, "posterior": True}, "the posterior is that of the last layer alone"),
        ("align", {"run": "heads", "head": 3}, "there is no layer 2, head 3: the model has 3 of 2 heads"),
        ("align", {"run": "none"}, "has no attention"),
        ("align", {"run": "none", "layer": 1}, "has no attention (model.attention.score: none): ask for no layer"),
        ("next", {"run": "none", "uniform": True}, "has no attention (model.attention.score: none), so there is none"),
        ("next", {"weights": {1: [1.0]}}, "step 1 has weights, and what comes next is step 0"),
        ("next", {"weights": {0: [1.0]}}, "step 0 has 1 weights"),
        ("next", {"weights": {0: [1.0]}, "uniform": True}, "ask for one of them"),
        ("next", {"weights": {0: [float("nan")]}}, "weights.0.0"),
        ("next", {"prefix": [10**30]}, f"the prefix has piece {10**30}"),
        ("next", {"layer": 10**30}, "layer: Input should be less than or equal to 1000"),
        ("continue", {"prefix": [1.5]}, "Input should be a valid integer, got a number with a fractional part"),
        ("continue", {"prefix": "a" * 6000}, "String should have at most"),
        ("continue", {"prefix": "", "run": "none", "weights": {0: [1.0]}}, "so there is none to replace"),
        ("continue", {"prefix": "", "uniform": True, "weights": {0: [1.0]}}, "ask for one of them"),
    ],
)
def test_what_cannot_be_read_off_is_told(client: TestClient, path: str, asked: dict[str, Any], said: str) -> None:
    given = {"source": SOURCE, "target": TARGET} if path == "align" else {"text": SOURCE}
    headers = {"content-type": "application/json"}
    answer = client.post(f"/api/{path}", content=json.dumps(given | asked), headers=headers)
    assert answer.status_code == 422
    assert said in answer.json()["error"]
