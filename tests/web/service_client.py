"""A client of a service, in this process."""

from pathlib import Path

import pytest

from mt.web.app import create_app
from mt.web.guard import Guard
from mt.web.served import Served
from mt.web.service import Limits

pytest.importorskip("fastapi")
from starlette.testclient import TestClient


def client_of(*runs: Path, limits: Limits | None = None, token: str | None = None) -> TestClient:
    app = Guard(create_app([Served(run) for run in runs], limits), token=token)
    return TestClient(app, base_url="http://localhost:8000", raise_server_exceptions=False)
