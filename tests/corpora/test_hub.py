import http.server
import socket
import threading
import time
import typing
from collections.abc import Iterator
from pathlib import Path

import datasets
import pytest
from corpus_files import elsewhere as elsewhere
from corpus_files import hub_folder, pairs
from huggingface_hub import constants

from mt.config.corpora import HubCorpus
from mt.core.errors import UserError
from mt.corpora import hub, multi30k


def test_a_folder_in_the_hubs_layout(capfd: pytest.CaptureFixture[str]) -> None:
    lost: list[dict[str, object]] = [{"de": None, "en": "lost"}]
    folder = hub_folder("mine", {"train": pairs(20) + lost, "val": pairs(3)})
    config = HubCorpus(name="hub", path=folder, source="en", target="de")
    splits = hub.load(config)
    assert list(splits) == ["train", "validation", "test"]
    assert [len(split.sources) for split in splits.values()] == [18, 3, 2]
    assert splits["validation"].sources == ["en 0", "en 1", "en 2"]
    assert splits["train"].dropped == 1
    assert hub.find(config) == folder
    assert capfd.readouterr() == ("", "")


def test_a_translation_column() -> None:
    rows: list[dict[str, object]] = [{"translation": pair} for pair in pairs(3)]
    folder = hub_folder("mine", {"train": rows, "dev": rows[:2], "test": rows[1:]})
    texts = hub.columns(hub.fetch(folder), folder, "de", "en")
    assert texts["train"] == (["de 0", "de 1", "de 2"], ["en 0", "en 1", "en 2"])
    assert {name: len(text[0]) for name, text in texts.items()} == {"train": 3, "validation": 2, "test": 2}
    with pytest.raises(
        UserError, match=r"no 'fr' in column 'translation' of data set 'mine', whose languages are de, en"
    ):
        hub.columns(hub.fetch(folder), folder, "de", "fr")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"train": pairs(2)}, r"no 'fr' in data set 'mine', which has no column 'translation' but de, en"),
        ({"test": pairs(2)}, r"data set 'mine' has no split 'train'; its splits: test"),
        ({"train": [{"de": "a", "fr": 3}]}, r"'fr' is not text in data set 'mine'"),
    ],
)
def test_wrong_data_sets(rows: dict[str, list[dict[str, object]]], message: str) -> None:
    with pytest.raises(UserError, match=message):
        hub.columns(hub.fetch(hub_folder("mine", rows)), "mine", "de", "fr")


def test_an_unreadable_folder_and_an_unknown_subset() -> None:
    Path("void").mkdir()
    with pytest.raises(UserError, match=r"data set 'void' cannot be loaded: .*void"):
        hub.fetch("void")
    with pytest.raises(UserError, match=r"data set 'mine' cannot be loaded: .*no-such.*default"):
        hub.fetch(hub_folder("mine", {"train": pairs(2)}), "no-such")


def waits_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what would try again later fail: a clock would judge the machine's other work, too."""

    def sleep(seconds: float) -> typing.NoReturn:
        raise AssertionError(f"waits {seconds} seconds")

    monkeypatch.setattr(time, "sleep", sleep)


def test_no_network_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    waits_for_nothing(monkeypatch)
    with pytest.raises(UserError, match=r"data set 'some/body' is neither a folder here nor in the cache, and the Hub"):
        hub.fetch("some/body")


def test_without_network_an_earlier_download_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "reachable", lambda: False)
    hub.fetch(hub_folder("mine", {"train": pairs(4)}))
    made = next(Path("cache").glob("**/dataset_info.json")).parent
    kept = Path("cache/some___body_two/default/0.0.0", made.name)
    kept.parent.mkdir(parents=True)
    made.rename(kept)
    for table in kept.glob("*-train.arrow"):
        table.rename(kept / "body_two-train.arrow")
    assert hub.cached("some/BodyTwo")
    waits_for_nothing(monkeypatch)
    assert hub.columns(hub.fetch("some/BodyTwo"), "some/BodyTwo", "de", "en")["train"][0][3] == "de 3"
    assert not datasets.config.HF_HUB_OFFLINE
    assert hub.find(HubCorpus(name="hub", path="some/BodyTwo", source="de", target="en")) == "the cache of datasets"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """A Hub on this machine that answers with the given status."""
    answer = {"status": 200}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(answer["status"])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{running.server_port}")
        yield answer
        running.shutdown()
        thread.join()


@pytest.mark.parametrize(("status", "answers"), [(200, True), (404, True), (503, False)])
def test_probe(server: dict[str, int], monkeypatch: pytest.MonkeyPatch, status: int, answers: bool) -> None:
    server["status"] = status
    assert not hub.reachable()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    assert hub.reachable() is answers
    assert multi30k.available() == ("hub" if answers else None)


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Allow probes, short ones, and wait at the end for what they leave behind."""
    before = {*threading.enumerate()}
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "PROBE_SECONDS", 0.2)
    yield
    for thread in {*threading.enumerate()} - before:
        thread.join()


@pytest.mark.usefixtures("probes")
def test_probe_gives_up_on_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert not hub.reachable()


@pytest.mark.usefixtures("probes")
def test_probe_gives_up_on_a_slow_name_service(monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = threading.Event()

    def look_up(*_: object, **__: object) -> typing.NoReturn:
        given_up.wait()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert not hub.reachable()  # or waits for ever
    given_up.set()
