"""The service answers what `mt translate` gives, number by number, and refuses in a sentence what it should not do."""

import json
import re
import threading
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from command_line import ROOT
from live_page import serving
from service_client import client_of

import mt
from mt.web.guard import HEADERS
from mt.web.service import Limits

pytest.importorskip("fastapi")
from starlette.testclient import TestClient

LINES = ["eins zwei", "drei", "", "vier fünf sechs sieben"]


@pytest.fixture(scope="module")
def run(numbers: Path) -> Path:
    return numbers


@pytest.fixture(scope="module")
def client(run: Path) -> Iterator[TestClient]:
    with client_of(run) as client:
        yield client


def test_answers_are_those_of_translate(client: TestClient, run: Path) -> None:
    translator = mt.load(run)
    asked = {"texts": LINES, "n_best": 3, "beam": 4, "trace": True}
    answer = client.post("/api/translate", json=asked).json()
    assert answer["run"] == run.name
    settings = translator.settings.model_copy(update={"beam": 4})
    expected = translator.translate(LINES, settings, n_best=3, trace=True)
    for told, one in zip(answer["translations"], expected, strict=True):
        assert told["text"] == one.text
        assert told["score"] == pytest.approx(one.score, abs=1e-5)
        assert told["pieces"] == list(one.pieces)
        assert told["log_probabilities"] == pytest.approx(list(one.log_probabilities), abs=1e-5)
        assert [other["text"] for other in told["others"]] == [other.text for other in one.others]
        assert one.alignment is not None
        assert told["alignment"]["source_words"] == one.alignment.source_words
        assert list(chain(*told["alignment"]["words"])) == pytest.approx(one.alignment.words.ravel().tolist(), abs=1e-5)
        assert [len(step["kept"]) for step in told["trace"] or []] == [len(step.kept) for step in one.trace or []]


def test_alignments_are_left_out_where_nobody_asks_for_them(client: TestClient) -> None:
    whole, short = (
        client.post("/api/translate", json={"texts": LINES, "alignments": asked}).json()["translations"]
        for asked in (True, False)
    )
    assert [one["alignment"] for one in short] == [None] * len(LINES)
    assert all(one["alignment"] for one in whole)
    assert [one["text"] for one in short] == [one["text"] for one in whole]


def test_a_beginning_is_kept_as_text_and_as_pieces(client: TestClient, run: Path) -> None:
    (expected,) = mt.load(run).translate("eins zwei", prefixes="three")
    (told,) = client.post("/api/continue", json={"text": "eins zwei", "prefix": "three"}).json()["translations"]
    assert told["text"] == expected.text
    assert told["text"].startswith("three")
    asked = {"text": "eins zwei", "prefix": told["numbers"][:2]}
    (again,) = client.post("/api/continue", json=asked).json()["translations"]
    assert again["numbers"][:2] == told["numbers"][:2]


def test_weights_of_the_models_own_change_nothing_and_others_do(client: TestClient) -> None:
    asked = {"text": "eins zwei drei", "prefix": "", "beam": 1}
    (own,) = client.post("/api/continue", json=asked).json()["translations"]
    rows = own["alignment"]["attention"]
    (same,) = client.post("/api/continue", json=asked | {"weights": dict(enumerate(rows))}).json()["translations"]
    assert same["text"] == own["text"]
    assert same["log_probabilities"] == pytest.approx(own["log_probabilities"], abs=1e-5)
    for step, row in enumerate(rows):  # the others are the model's own, as long as it says the same
        clamped = {"weights": {step: row[::-1]}, "prefix": own["numbers"]}
        (other,) = client.post("/api/continue", json=asked | clamped).json()["translations"]
        told = other["alignment"]["attention"]
        assert told[step] == pytest.approx(row[::-1], abs=1e-6)
        assert told[:step] == [pytest.approx(one, abs=1e-5) for one in rows[:step]]
        assert other["log_probabilities"][:step] == pytest.approx(own["log_probabilities"][:step], abs=1e-5)
        assert other["log_probabilities"][step] != pytest.approx(own["log_probabilities"][step], abs=1e-5)
    (even,) = client.post("/api/continue", json=asked | {"uniform": True}).json()["translations"]
    width = len(rows[0])
    assert even["alignment"]["attention"][0] == pytest.approx([1 / width] * width)
    wrong = client.post("/api/continue", json=asked | {"weights": {0: [1.0]}})
    assert wrong.status_code == 422
    assert f"step 0 has 1 weights, and the source {width} pieces" in wrong.json()["error"]


def test_runs_are_described(client: TestClient, run: Path) -> None:
    (told,) = client.get("/api/runs").json()
    translator = mt.load(run)
    assert (told["name"], told["source"], told["target"]) == (run.name, "de", "en")
    assert (told["layers"], told["heads"]) == translator.model.sites
    assert client.get("/healthz").json() == {"status": "ok", "waiting": 0}


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ({"texts": ["a"], "run": "other"}, 404, "no run 'other' is served; there are run"),
        ({"texts": []}, 422, "texts: List should have at least 1 item"),
        ({"texts": ["a" * 2001]}, 422, "texts.0: String should have at most 2000 characters"),
        ({"texts": ["a"], "beam": 51}, 422, "beam: Input should be less than or equal to 50"),
        ({"texts": ["a"], "beem": 5}, 422, "beem: Extra inputs are not permitted"),
        ({"texts": ["a"], "layer": 2}, 422, "there is no layer 2, head 1: the model has 1 of 1 heads"),
        ({"texts": ["a"], "confidence": True}, 422, "has no confidence.json of these weights"),
        ("{", 422, "the body is not JSON"),
        (b"\xff\xfe", 422, ""),
    ],
)
def test_mistakes_are_told_in_a_sentence(client: TestClient, asked: object, code: int, said: str) -> None:
    content = asked if isinstance(asked, str | bytes) else json.dumps(asked)
    answer = client.post("/api/translate", content=content, headers={"content-type": "application/json"})
    assert answer.status_code == code
    assert list(answer.json()) == ["error"]
    assert said in answer.json()["error"]


@pytest.mark.parametrize(
    "text", ["\0", "\u202e abc", "<script>alert(1)</script>", "\ud800", "a" * 500, "\n\r", "\u0085"]
)
def test_any_text_has_a_translation(client: TestClient, text: str) -> None:
    content = json.dumps({"texts": [text]})
    answer = client.post("/api/translate", content=content, headers={"content-type": "application/json"})
    assert answer.status_code in {200, 422}, answer.text
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"host": "evil.example"}, 403),
        ({"host": "localhost.evil.example:8000"}, 403),
        ({"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000"}, 200),
        ({"host": "[::1]:8000"}, 200),
        ({"host": "[::1"}, 403),
        ({"host": ""}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"content-length": "1048577"}, 413),
        ({"content-length": "-1"}, 413),
        ({"content-length": "9" * 5000}, 413),
    ],
)
def test_strangers_are_refused(client: TestClient, headers: dict[str, str], code: int) -> None:
    answer = client.get("/api/runs", headers=headers)
    assert answer.status_code == code
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert code == 200 or list(answer.json()) == ["error"]


def test_a_long_body_is_refused_though_its_length_is_not_told(client: TestClient) -> None:
    answer = client.post("/api/translate", content=(b" " * 65536 for _ in range(17)))
    assert answer.status_code == 413


def test_a_token_is_asked_for(run: Path) -> None:
    with client_of(run, token="secret") as client:
        assert client.get("/api/runs").status_code == 401
        assert client.get("/api/runs", headers={"authorization": "Bearer secre"}).status_code == 401
        assert client.get("/api/runs", headers={"authorization": "Bearer secret"}).status_code == 200


def test_a_full_queue_and_a_slow_search_are_told(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release, begun = threading.Event(), threading.Event()
    original = mt.inference.translator.Translator.translate

    def slow(self: object, *arguments: object, **options: object) -> object:
        begun.set()
        release.wait(20)
        return original(self, *arguments, **options)

    monkeypatch.setattr(mt.inference.translator.Translator, "translate", slow)
    with client_of(run, limits=Limits(waiting=1, seconds=0.3)) as client:
        late = client.post("/api/translate", json={"texts": ["eins"]})
        assert late.status_code == 504
        assert "took too long" in late.json()["error"]
        assert begun.is_set()
        full = client.post("/api/translate", json={"texts": ["eins", "zwei"]})
        assert full.status_code == 429
        assert "1 requests wait already" in full.json()["error"]
        release.set()


def test_a_request_that_is_refused_leaves_none_of_its_sentences_behind(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, seen = threading.Event(), list[str]()
    original = mt.inference.translator.Translator.translate

    def slow(self: object, sources: list[str], *arguments: object, **options: object) -> object:
        seen.extend(sources)
        release.wait(20)
        return original(self, sources, *arguments, **options)

    monkeypatch.setattr(mt.inference.translator.Translator, "translate", slow)
    with client_of(run, limits=Limits(waiting=2, seconds=0.3)) as client:
        assert client.post("/api/translate", json={"texts": ["eins"]}).status_code == 504
        assert client.post("/api/translate", json={"texts": ["zwei", "drei", "vier"]}).status_code == 429
        release.set()
    assert seen == ["eins"]  # leaving waits for what is in the queue


@pytest.mark.parametrize("split", ["../../etc", "a" * 300, "a/b", ".", "\0", "é"])
def test_a_split_is_no_path(client: TestClient, split: str) -> None:
    answer = client.get("/api/sentence", params={"split": split, "number": 1})
    assert answer.status_code == 422
    assert "has no scores of" in answer.json()["error"]


def test_what_nobody_foresaw_is_told_to_the_log_alone(run: Path, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    def broken(self: object, *arguments: object, **options: object) -> object:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(mt.inference.translator.Translator, "translate", broken)
    with client_of(run) as client:
        answer = client.post("/api/translate", json={"texts": ["eins"]})
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_the_schema_names_every_failure(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    for path in ("/api/translate", "/api/continue"):
        assert {"200", "401", "403", "404", "413", "422", "429", "503", "504"} <= schema["paths"][path]["post"][
            "responses"
        ].keys()


def test_the_lines_of_the_page_work(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs/howto/serving.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(lines.split("\n\n")[-1].splitlines()) + 1 == 5
    with serving(run) as address:
        exec(lines.replace("http://127.0.0.1:8000", address), {})
    (expected,) = mt.load(run).translate(["eins zwei drei"], n_best=3)
    assert capsys.readouterr().out.splitlines() == [one.text for one in expected.n_best]
