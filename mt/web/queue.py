"""A queue of questions to one thread, which answers several that are alike at once."""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mt.core.errors import UserError

Q = TypeVar("Q")
A = TypeVar("A")


class FullError(UserError):
    """So many questions wait that no more are taken."""


class ClosedError(UserError):
    """No more questions are taken, because the service ends."""


@dataclass(frozen=True, eq=False)
class _Waiting(Generic[Q, A]):
    question: Q
    kind: Hashable
    future: "Future[A]" = field(default_factory=Future)


class Queue(Generic[Q, A]):
    """Questions wait in the order in which they came; the first takes those of its kind along, wherever they stand.

    `answer` is called in one thread of its own, with at most `together` questions of one kind; and then, when whoever
    waited has the answers, `after` with both. It must not fail.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Q]], Sequence[A]],
        *,
        waiting: int,
        together: int,
        after: Callable[[Sequence[Q], Sequence[A]], None] = lambda questions, answers: None,
    ):
        self._answer, self.most, self._together, self._after = answer, waiting, together, after
        self._waiting: deque[_Waiting[Q, A]] = deque()
        self._changed, self._closed = threading.Condition(), False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return len(self._waiting)

    def ask(self, question: Q, kind: Hashable) -> "Future[A]":
        """Return the answer to come. Raises FullError when so many wait already, ClosedError after `close`."""
        one: _Waiting[Q, A] = _Waiting(question, kind)
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

    def _next(self) -> list[_Waiting[Q, A]]:
        """Wait for questions; return some of one kind, or nothing when the queue is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            if not self._waiting:
                return []
            kind = self._waiting[0].kind
            batch = [one for one in self._waiting if one.kind == kind][: self._together]
            for one in batch:
                self._waiting.remove(one)
            return batch

    def _serve(self, batch: Sequence[_Waiting[Q, A]]) -> None:
        """Answer all at once; where that fails, each by itself, so that nobody's mistake is another's."""
        questions = [one.question for one in batch]
        try:
            answers = self._answer(questions)
            for one, answer in zip(batch, answers, strict=True):
                one.future.set_result(answer)
        except Exception as error:  # whatever it is, the thread must go on, and somebody waits for this
            if len(batch) == 1:
                batch[0].future.set_exception(error)
                return
            for one in batch:
                with suppress(Exception):
                    self._serve([one])
            return
        self._after(questions, answers)
