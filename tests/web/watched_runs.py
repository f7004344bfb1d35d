"""A run of random weights with a diagnosis, so small that a test can make and serve it."""

import json
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from starlette.testclient import TestClient
from toy_runs import RNN, config, write_run

from mt.config import Config
from mt.lab.diagnosis.case import Case
from mt.lab.diagnosis.diagnose import to_json
from mt.runs.run import Run
from mt.web.app import create_app
from mt.web.guard import Guard
from mt.web.metrics import counted
from mt.web.served import Served
from mt.web.watch import Flagged, Watch

HELD_OUT = 150


def write_watched(folder: Path, diagnosed: bool = True) -> Path:
    """Write a run on the toy corpus, with diagnosis.json as far as later traffic needs it."""
    tree = config(RNN, beam=1).model_dump()
    tree["corpus"] |= {"held_out": HELD_OUT}
    run = Run(write_run(folder, Config.model_validate(tree)))
    if diagnosed:
        (run / "diagnosis.json").write_text(json.dumps(to_json(Case(run, "test"), [])))
    return run.path


def client_of(run: Path, flagged: Path | None = None, token: str | None = None) -> TestClient:
    served = [Served(run)]
    service = create_app(served, watch=Watch(served, Flagged(flagged) if flagged else None, share=1))
    app = counted(Guard(service, token=token), service)
    return TestClient(app, base_url="http://localhost:8000", raise_server_exceptions=False)


def translate(client: TestClient, texts: list[str], **more: Any) -> None:
    for start in range(0, len(texts), 50):
        content = json.dumps({"texts": texts[start : start + 50]} | more)
        answer = client.post("/api/translate", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 200, answer.text


def drift_after(client: TestClient, seen: int) -> dict[str, Any]:
    """Return what is told of drift when so many sentences were seen, which is after their answers."""
    return until(lambda: client.get("/api/drift").json(), lambda told: told["seen"] == seen)


def until(ask: Callable[[], Any], right: Callable[[Any], bool]) -> Any:
    end = monotonic() + 60
    while not right(told := ask()):
        assert monotonic() < end, told
        sleep(0.02)
    return told
