"""A queue answers each question once, those of one kind together, in the order in which they came."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from mt.web.queue import ClosedError, FullError, Queue


class Machine:
    """Answers with the question doubled, when it may; notes what it was asked together."""

    def __init__(self) -> None:
        self.may, self.begun, self.asked = threading.Event(), threading.Event(), list[list[int]]()

    def answer(self, questions: Sequence[int]) -> list[int]:
        self.begun.set()
        self.may.wait(20)
        self.asked.append(list(questions))
        if 13 in questions:
            raise ZeroDivisionError
        return [2 * question for question in questions]


@dataclass(frozen=True)
class Kind:
    """Answers by a machine; there are several kinds."""

    machine: Machine
    name: str = ""

    def __call__(self, questions: Sequence[int]) -> list[int]:
        return self.machine.answer(questions)


def busy(waiting: int, together: int) -> tuple[Machine, Queue]:
    """Return a queue whose thread is at work, on 0, until it may go on."""
    machine = Machine()
    queue = Queue(waiting=waiting, together=together)
    queue.ask(0, Kind(machine, "first"))
    assert machine.begun.wait(20)
    return machine, queue


def test_questions_of_a_kind_are_answered_together_in_their_order() -> None:
    machine, queue = busy(9, 3)
    futures = [queue.ask(number, Kind(machine, kind)) for number, kind in enumerate("abaabaa", 1)]
    assert len(queue) == 7
    machine.may.set()
    assert [future.result(20) for future in futures] == [2, 4, 6, 8, 10, 12, 14]
    assert machine.asked == [[0], [1, 3, 4], [2, 5], [6, 7]]
    queue.close()


def test_an_idle_queue_waits_for_those_who_ask_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine()
    machine.may.set()
    queue = Queue(waiting=9, together=9)
    monkeypatch.setattr("mt.web.queue.QUIET", 1.0)
    futures = []
    for number in range(3):
        futures.append(queue.ask(number, Kind(machine)))
        time.sleep(0.1)
    assert [future.result(20) for future in futures] == [0, 2, 4]
    assert machine.asked == [[0, 1, 2]]
    queue.close()


def test_a_full_queue_takes_no_more_and_a_cancelled_question_is_not_answered() -> None:
    machine, queue = busy(2, 1)
    one, other = queue.ask(1, Kind(machine)), queue.ask(2, Kind(machine))
    with pytest.raises(FullError, match="2 requests wait already"):
        queue.ask(3, Kind(machine))
    assert one.cancel()
    machine.may.set()
    assert other.result(20) == 4
    queue.close()
    assert machine.asked == [[0], [2]]


def test_one_mistake_is_no_other_s() -> None:
    machine, queue = busy(9, 5)
    futures = [queue.ask(number, Kind(machine)) for number in (12, 13, 14)]
    machine.may.set()
    assert [futures[0].result(20), futures[2].result(20)] == [24, 28]
    with pytest.raises(ZeroDivisionError):
        futures[1].result(20)
    assert queue.ask(4, Kind(machine)).result(20) == 8
    queue.close()


def test_closing_answers_what_waits_and_takes_no_more() -> None:
    machine, queue = busy(9, 5)
    last = queue.ask(5, Kind(machine))
    closing = threading.Thread(target=queue.close)
    closing.start()
    while True:
        try:
            queue.ask(6, Kind(machine))
        except ClosedError:
            break
    machine.may.set()
    closing.join(20)
    assert last.result(0) == 10
