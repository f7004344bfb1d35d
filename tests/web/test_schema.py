"""Whatever is asked, of every route in the schema, the answer is one that the schema has, and never a 5xx."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("fastapi")
import schemathesis
from command_line import mt
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient
from watched_runs import write_watched

from mt.web.app import create_app
from mt.web.served import Served

MODES = {"get": [GenerationMode.POSITIVE], "post": [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]}
"""Requests that the schema allows, and such as it does not."""
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
KNOWN = {"run": "run", "split": "test", "number": 3}
"""What there is; of made-up names and numbers the answer is only that there is no such thing."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """Yield the service of a run that was scored and diagnosed."""
    run = write_watched(tmp_path_factory.mktemp("schema") / "run")
    assert mt("eval", run).returncode == 0
    service = create_app([Served(run)])
    with TestClient(service):
        yield service


def test_every_route_answers_what_its_schema_says(service: FastAPI) -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", service)
    found = {
        path: sum((ask(schema[path][method], mode) for method in methods for mode in MODES[method]), Counter[int]())
        for path, methods in service.openapi()["paths"].items()
    }
    assert len(found) > 10
    assert not [path for path, statuses in found.items() if 200 not in statuses], found


def ask(operation: APIOperation, mode: GenerationMode) -> Counter[int]:
    """Ask one route some things, and check the answers; return how many there are of each status."""
    statuses = Counter[int]()

    @given(case=operation.as_strategy(mode))
    @settings(max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=HealthCheck)
    def ask_once(case: schemathesis.Case) -> None:
        if mode is GenerationMode.POSITIVE:
            aim(case.query)
            aim(case.body)
        answer = case.call()
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    ask_once()
    return statuses


def aim(fields: Any) -> None:
    """Put what there is in place of what a request names, where it names anything."""
    for name in KNOWN.keys() & fields.keys() if isinstance(fields, dict) else ():
        if fields[name]:
            fields[name] = [KNOWN[name]] if isinstance(fields[name], list) else KNOWN[name]
