"""A queue of questions to one thread, which answers several that are alike at once."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mt.core.errors import UserError

Q = TypeVar("Q")
A = TypeVar("A")
Answerer = Callable[[Sequence[Q]], Sequence[A]]
"""What answers questions at once. It can be hashed: what is asked of equal ones is answered by one of them."""
After = Callable[[Answerer[Any, Any], Sequence[Any], Sequence[Any]], None]

QUIET = 0.003
"""Seconds."""


class FullError(UserError):
    """So many questions wait that no more are taken."""


class ClosedError(UserError):
    """No more questions are taken, because the service ends."""


@dataclass(frozen=True, eq=False)
class _Waiting:
    question: Any
    answerer: Answerer[Any, Any]
    future: "Future[Any]" = field(default_factory=Future)


class Queue:
    """Questions wait in the order in which they came; the first takes those of its kind along, wherever they stand.

    Answers are found in one thread, of at most `together` questions at once; and then, when whoever waited has them,
    `after` is called there with the answerer, the questions and the answers. It must not fail.
    """

    def __init__(self, *, waiting: int, together: int, after: After = lambda answerer, questions, answers: None):
        self.most, self._together, self._after = waiting, together, after
        self._waiting: deque[_Waiting] = deque()
        self._changed, self._closed = threading.Condition(), False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return len(self._waiting)

    def ask(self, question: Q, answerer: Answerer[Q, A]) -> "Future[A]":
        """Return the answer to come. Raises FullError when so many wait already, ClosedError after `close`."""
        one = _Waiting(question, answerer)
        with self._changed:
            if self._closed:
                raise ClosedError("the service is ending: ask again when it is back")
            if len(self._waiting) >= self.most:
                raise FullError(f"{self.most} requests wait already: ask again in a moment")
            self._waiting.append(one)
            self._changed.notify()
        return one.future

    def close(self) -> None:
        """Take no more questions, and return when those that wait are answered."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next():
            begun = [one for one in batch if one.future.set_running_or_notify_cancel()]
            if begun:
                self._serve(begun)

    def _next(self) -> list[_Waiting]:
        """Wait for questions; return some of one kind, or nothing when the queue is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            self._wait_for_others()
            if not self._waiting:
                return []
            kind = self._waiting[0].answerer
            batch = [one for one in self._waiting if one.answerer == kind][: self._together]
            for one in batch:
                self._waiting.remove(one)
            return batch

    def _wait_for_others(self) -> None:
        """Wait until nobody has asked for QUIET seconds: those who were just answered together ask together again."""
        before = 0
        while before < len(self._waiting) < self._together and not self._closed:
            before = len(self._waiting)
            self._changed.wait(QUIET)

    def _serve(self, batch: Sequence[_Waiting]) -> None:
        """Answer all at once; where that fails, each by itself, so that nobody's mistake is another's."""
        answerer, questions = batch[0].answerer, [one.question for one in batch]
        try:
            answers = answerer(questions)
            for one, answer in [*zip(batch, answers, strict=True)]:  # all of them before any is told
                one.future.set_result(answer)
        except Exception as error:  # whatever it is, the thread must go on, and somebody waits for this
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                return
            for one in batch:
                with suppress(Exception):
                    self._serve([one])
            return
        self._after(answerer, questions, answers)
