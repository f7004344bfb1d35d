"""`mt serve` says where it serves, and in one sentence why it does not."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from conftest import ENVIRONMENT, mt


def test_it_answers_until_it_is_interrupted(numbers: Path) -> None:
    command = [sys.executable, "-m", "mt", "serve", str(numbers), "--port", "0"]
    environment = ENVIRONMENT | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as server:
        assert server.stdout is not None
        said = server.stdout.readline()
        assert said.startswith(f"serving {numbers.name} at http://127.0.0.1:"), said
        address = said.split(" at ")[1].split(";")[0]
        request = urllib.request.Request(
            f"{address}/api/translate",
            json.dumps({"texts": ["eins zwei"]}).encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            (told,) = json.load(answer)["translations"]
        assert told["text"] == mt("translate", numbers, "eins zwei").stdout.strip()
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=60)
    assert "Traceback" not in errors
    assert errors.count("has no diagnosis.json of these weights") == 1
    assert f"`mt diagnose {numbers}` writes it" in errors


def test_what_cannot_be_served_is_told(numbers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MT_TOKEN", raising=False)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        busy = mt("serve", numbers, "--port", taken.getsockname()[1])
    assert busy.returncode == 1
    assert busy.stderr.startswith("mt: cannot serve at http://127.0.0.1:")
    assert busy.stderr.count("\n") == 1
    missing = mt("serve", tmp_path / "none")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
    assert "is not a run directory" in missing.stderr
    outside = mt("serve", numbers, "--host", "0.0.0.0")
    assert outside.returncode == 2
    assert "set MT_TOKEN to a secret" in outside.stderr
    twice = mt("serve", numbers, numbers)
    assert twice.returncode == 2
    assert f"two runs are called {numbers.name}" in twice.stderr


def test_a_missing_extra_is_told(numbers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    refused = mt("serve", numbers)
    assert refused.returncode == 1
    assert "needs the extra web: pip install 'mt[web]'" in refused.stderr
