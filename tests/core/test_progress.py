"""What progress says in a log, with and without a known end; and when a line of a log was written."""

import io
import logging
import re
import sys

import pytest

from mt import cli
from mt.core import progress
from mt.core.progress import Meter, Pace


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


def test_the_time_left_is_of_all_that_is_to_do(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    caplog.set_level(logging.INFO)
    pace = Pace(0.5)  # a run that goes on in the middle
    meter = Meter("epoch 6/10", "pair", 100, 0)
    meter.bar.disable = True
    now = 60.0
    meter.add(100, 1200, "loss 2.5", pace.left(0.6, sooner=True))
    assert caplog.messages == ["epoch 6/10: 100 of 100 pairs, at most 4 min left, loss 2.5, 20 tokens/s"]
    assert pace.left(0.75) == "60 s left"
    meter.close()


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_bar_tells_the_same_time_left_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := _Terminal())
    meter = Meter("epoch 1/2", "pair", 100)
    meter.bar.mininterval = 0
    meter.add(50, 0, "loss 2.5", "at most 4 min left")
    meter.add(1, 0, "loss 2.5", "at most 4 min left")
    said = terminal.getvalue().rstrip().rpartition("\r")[2]
    meter.close()
    assert said.endswith("loss 2.5, at most 4 min left]")
    assert "50/100" in said
    assert "<" not in said


def test_a_line_of_a_log_file_has_its_time_and_one_on_a_terminal_has_not() -> None:
    record = logging.makeLogRecord({"msg": "hello"})
    assert logging.Formatter(cli.log_format(_Terminal()), cli.TIME).format(record) == "hello"
    said = logging.Formatter(cli.log_format(io.StringIO()), cli.TIME).format(record)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d hello", said)
