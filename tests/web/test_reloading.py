"""A service whose runs are trained anew, damaged or deleted while it answers."""

import shutil
import time
from pathlib import Path

import pytest
from service_client import client_of

from mt.web.served import Served

pytest.importorskip("fastapi")


@pytest.fixture(scope="module")
def run(numbers: Path) -> Path:
    return numbers


def test_a_run_that_is_trained_anew_or_deleted_while_it_is_served(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    served = Served(copy)
    first = served.load()
    assert served.load() is first
    weights = copy / "model.safetensors"
    data = weights.read_bytes()
    time.sleep(0.02)
    weights.write_bytes(data)
    assert served.load() is not first
    with client_of(copy) as client:
        assert client.post("/api/translate", json={"texts": ["eins"]}).status_code == 200
        shutil.rmtree(copy)
        answer = client.post("/api/translate", json={"texts": ["eins"]})
        assert (answer.status_code, answer.json()["error"]) == (
            422,
            "the run copy has been deleted, or moved, while it was served",
        )


@pytest.mark.parametrize("half", ["cut", "flipped", "missing", "without its vocabulary"])
def test_new_weights_that_are_damaged_or_not_all_there_wait_until_they_are_whole(
    run: Path, half: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    weights, vocabulary = copy / "model.safetensors", copy / "tokenizer.model"
    new, data = weights.read_bytes(), vocabulary.read_bytes()
    with client_of(copy) as client:

        def ask() -> list[str]:
            time.sleep(0.01)  # so that files written before have another time than those written after
            answer = client.post("/api/translate", json={"texts": ["eins zwei"]})
            assert answer.status_code == 200, answer.text
            health = client.get("/healthz").json()
            assert (f'mt_run_behind{{run="{copy.name}"}} 1.0' in client.get("/metrics").text) == ("behind" in health)
            return health.get("behind", [])

        assert ask() == []
        if half == "missing":
            weights.unlink()
        elif half == "without its vocabulary":
            weights.write_bytes(new)
            vocabulary.unlink()
        else:
            weights.write_bytes(new[: len(new) // 2] if half == "cut" else new[:-1] + bytes([new[-1] ^ 1]))
        assert [ask(), ask(), ask()] == [["copy"]] * 3
        weights.write_bytes(new[:40])
        assert ask() == ["copy"]
        told = "copy: the new weights cannot be read, and those of before answer: "
        assert caplog.text.count(told) == caplog.text.count("of before answer") == 1
        vocabulary.write_bytes(data)
        weights.write_bytes(new)
        assert ask() == []
        weights.write_bytes(new[:40])
        assert ask() == ["copy"]
        assert caplog.text.count(told) == 2


def test_a_run_that_has_been_deleted_is_not_described_and_the_others_are(run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(run, tmp_path / "copy")
    with client_of(copy, run) as client:
        assert [told["name"] for told in client.get("/api/runs").json()] == ["copy", run.name]
        shutil.rmtree(copy)
        assert [told["name"] for told in client.get("/api/runs").json()] == [run.name]
    with client_of(copy) as client:
        assert client.get("/api/runs").status_code == 422
