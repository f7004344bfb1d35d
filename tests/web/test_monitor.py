"""GET /metrics tells what was asked and answered."""

from pathlib import Path

import pytest

pytest.importorskip("fastapi")
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient
from watched_runs import client_of, translate, until, write_watched

import mt


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_watched(tmp_path_factory.mktemp("watched") / "run", diagnosed=False)


def told(client: TestClient) -> dict[tuple[str, ...], float]:
    """Return the samples by name and the values of their labels."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_what_was_asked_is_counted(run: Path) -> None:
    lines = ["Die Katze schläft.", "Der Hund isst."]
    expected = mt.load(run).translate(lines)
    with client_of(run) as client:
        translate(client, lines)
        found = until(lambda: told(client), lambda found: found["mt_sentences_total", "run"] == 2)
        assert found["mt_target_pieces_total", "run"] == sum(len(one.pieces) for one in expected)
        assert found["mt_requests_total", "/api/translate", "200"] == 1
        assert found["mt_request_seconds_count", "/api/translate"] == 1
        assert found["mt_request_seconds_sum", "/api/translate"] > 0
        assert found["mt_waiting_sentences",] == 0
        client.post("/api/translate", json={"texts": []})
        for number in range(3):
            client.get(f"/made/up/{number}")
        client.get("/api/runs", headers={"host": "evil.example"})
        found = told(client)
        assert found["mt_requests_total", "/api/translate", "422"] == 1
        assert found["mt_requests_total", "other", "404"] == 3
        assert found["mt_requests_total", "/api/runs", "403"] == 1
        assert {key[1] for key in found if key[0] == "mt_requests_total"} == {
            "/api/translate",
            "/api/runs",
            "/metrics",
            "other",
        }
        assert not any(key[0] == "mt_drift_score" for key in found)


def test_services_count_each_for_itself_and_the_token_holds(run: Path) -> None:
    with client_of(run, token="secret") as client:
        for path in ("/metrics", "/api/drift"):
            assert client.get(path).status_code == 401
            assert client.get(path, headers={"host": "evil.example"}).status_code == 403
        answer = client.get("/metrics", headers={"authorization": "Bearer secret"})
        assert answer.headers["content-type"].startswith("text/plain; version=")
        assert 'mt_requests_total{endpoint="/metrics",status="401"} 1.0' in answer.text
        assert 'mt_sentences_total{run="run"} 0.0' in answer.text
        wrong = client.get("/api/drift?run=none", headers={"authorization": "Bearer secret"})
        assert (wrong.status_code, wrong.json()["error"]) == (404, "no run 'none' is served; there are run")


def test_a_sentence_that_cannot_be_watched_has_its_answer(run: Path, tmp_path: Path, caplog) -> None:
    copy = write_watched(tmp_path / "run")
    with client_of(copy) as client:
        translate(client, ["Die Katze schläft."])
        (copy / "diagnosis.json").write_text("{")
        translate(client, ["Der Hund isst."])
        translate(client, ["Der Hund schläft."])
    assert "diagnosis.json is damaged; delete it" in caplog.text
    assert "Traceback" not in caplog.text
