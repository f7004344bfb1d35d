"""What progress says in a log, with and without a known end."""

import logging

import pytest

from mt.core import progress
from mt.core.progress import Meter


@pytest.mark.parametrize(
    ("total", "said"),
    [(100, "reading: 20 of 100 lines, 02:40 left"), (None, "reading: 20 lines, 0.5 lines/s")],
)
def test_a_log_tells_the_time_left_or_the_rate(
    total: int | None, said: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = iter([0.0, 1.0, 40.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    caplog.set_level(logging.INFO)
    meter = Meter("reading", "line", total)
    meter.bar.disable = True
    meter.add(5)
    assert caplog.messages == []
    meter.add(15)
    assert caplog.messages == [said]
    meter.close()
