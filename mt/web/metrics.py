"""What the service tells a monitor: GET /metrics in the text format of Prometheus, and GET /api/drift."""

import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from functools import partial
from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.exceptions import HTTPException

from mt.web.drift import FALSE_ALARMS
from mt.web.guard import App, Receive, Scope, Send
from mt.web.messages import Drifted, Judged
from mt.web.queue import Answerer
from mt.web.served import Served, Translating
from mt.web.watch import Watch

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Of latency, in seconds."""
OTHER = "other"
"""The endpoint of every address that is none, so that strangers cannot make up labels."""


class Metrics:
    """What is counted for one service, in a registry of its own."""

    def __init__(self, waiting: Callable[[], int], watch: Watch):
        self.registry, self.watch = CollectorRegistry(), watch
        self.requests = Counter(
            "mt_requests", "Requests answered, refused ones too.", ["endpoint", "status"], registry=self.registry
        )
        self.latency = Histogram(
            "mt_request_seconds",
            "From a request to the end of its answer.",
            ["endpoint"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.sentences = Counter("mt_sentences", "Sentences translated.", ["run"], registry=self.registry)
        self.pieces = Counter(
            "mt_target_pieces", "Pieces of their best translations, </s> included.", ["run"], registry=self.registry
        )
        Gauge("mt_waiting_sentences", "Sentences that wait to be searched.", registry=self.registry).set_function(
            waiting
        )
        self.registry.register(_Drifts(watch))
        for name in watch.runs:
            self.sentences.labels(name), self.pieces.labels(name)

    def add_behind(self, runs: Sequence[Served]) -> None:
        """Tell of each run whether it answers with the weights of before."""
        behind = Gauge("mt_run_behind", "1 where new weights cannot be read.", ["run"], registry=self.registry)
        for run in runs:
            behind.labels(run.name).set_function(partial(getattr, run, "is_behind"))

    def count(self, how: Answerer[Any, Any], sentences: Sequence[Any], translations: Sequence[Any]) -> None:
        """Count translations that were asked for in one way, and hold them against validation; nothing else."""
        if not isinstance(how, Translating):
            return
        name = how.served.name
        self.sentences.labels(name).inc(len(translations))
        self.pieces.labels(name).inc(sum(len(one.pieces) for one in translations))
        self.watch.see(how, sentences, translations)


class _Drifts(Collector):
    """What is computed when a monitor asks."""

    def __init__(self, watch: Watch):
        self.watch = watch

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges of drift."""
        score = GaugeMetricFamily(
            "mt_drift_score", "Distance of a signal from validation, 0 to 1.", labels=["run", "signal"]
        )
        bound = GaugeMetricFamily("mt_drift_bound", "Above it, a score is an alarm.", labels=["run", "signal"])
        alarm = GaugeMetricFamily("mt_drift_alarm", "1 where a signal raises an alarm.", labels=["run", "signal"])
        known = GaugeMetricFamily(
            "mt_drift_watched", "1 where the run has a diagnosis.json of these weights.", labels=["run"]
        )
        for name, watched in self.watch.runs.items():
            known.add_metric([name], float(bool(watched.expected and watched.expected.signals)))
            for one in watched.drifts():
                score.add_metric([name, one.signal], one.score)
                bound.add_metric([name, one.signal], one.bound)
                alarm.add_metric([name, one.signal], float(one.alarm))
        yield from (score, bound, alarm, known)
        spent = CounterMetricFamily("mt_watch_seconds", "Spent on holding sentences against validation, so far.")
        spent.add_metric([], self.watch.seconds)
        yield spent


class Counted:
    """Counts what an application, with its guard, answers, by the endpoints that the service has."""

    def __init__(self, app: App, metrics: Metrics, endpoints: frozenset[str]):
        self.app, self.metrics, self.endpoints = app, metrics, endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def send_counted(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        endpoint = scope["path"] if scope["path"] in self.endpoints else OTHER
        try:
            await self.app(scope, receive, send_counted)
        finally:
            self.metrics.requests.labels(endpoint, str(status)).inc()
            self.metrics.latency.labels(endpoint).observe(time.perf_counter() - start)


def add_metrics(app: FastAPI, metrics: Metrics) -> None:
    """Let a service tell what was counted, and how far its sentences are from validation."""
    app.state.metrics = metrics

    @app.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    def tell_metrics() -> Response:
        """Tell what was counted, in the text format of Prometheus."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/api/drift")
    def tell_drift(run: str | None = None) -> Drifted:
        """Tell whether the last sentences are like validation; without a name, those of the first run."""
        name = next(iter(metrics.watch.runs)) if run is None else run
        if name not in metrics.watch.runs:
            raise HTTPException(404, f"no run {name!r} is served; there are {', '.join(metrics.watch.runs)}")
        watched = metrics.watch.runs[name]
        window = watched.window
        seen, held = window.seen, len(window)  # before the signals, which are then of these sentences, or of more
        found = {
            one.signal: Judged(score=one.score, bound=one.bound, alarm=one.alarm, says=one.says)
            for one in watched.drifts()
        }
        return Drifted(
            run=name,
            window=window.size,
            seen=seen,
            held=held,
            false_alarms=FALSE_ALARMS,
            says=watched.why_not(),
            signals=found,
        )


def counted(app: App, service: FastAPI) -> Counted:
    """Return an application, the service with what guards it, so that its answers are counted, refusals too."""
    endpoints = frozenset(path for route in service.routes if (path := getattr(route, "path", None)))
    return Counted(app, service.state.metrics, endpoints)
