"""Run a study: what is missing is trained and scored, what is there is read."""

import logging
from collections.abc import Sequence
from typing import Any

from mt.core.device import processors
from mt.core.errors import UserError
from mt.core.progress import Meter
from mt.lab.study.plan import Plan
from mt.lab.study.table import Table
from mt.lab.study.work import Job, work
from mt.runs.lock import writing

log = logging.getLogger("mt")
LOG = "study.log"


def study(plan: Plan, workers: int | None = None) -> str:
    """Train and score all members of a plan that are not yet; return the table as Markdown.

    FOLDER/study.md and study.json are written after each run. Raises UserError at the end for what failed, and
    KeyboardInterrupt when a training was interrupted; the runs keep what they have reached.
    """
    with writing(plan.folder):
        jobs = jobs_of(plan)
        if jobs:
            threads = max(job.config.threads or 1 for job in jobs)
            workers = min(workers or max(1, processors() // threads), len(jobs))
            log.info("%d runs to train or score, %d at once; the log is %s", len(jobs), workers, plan.folder / LOG)
        table = Table(plan)
        progress = Progress(plan.name, jobs, table)
        try:
            failures = work(jobs, workers or 1, plan.folder / LOG, progress.look) if jobs else []
        finally:
            progress.meter.close()
            text = table.write()
    if failures:
        raise UserError("\n".join(failures))
    return text


def jobs_of(plan: Plan) -> list[Job]:
    """Return a job for each run that is to be trained, or to be scored."""
    asked = [
        training
        for training in plan.trainings
        if not training.is_finished or any(plan.state(member) != "scored" for member in plan.of(training))
    ]
    numbers = {training.fingerprint: number for number, training in enumerate(asked)}
    jobs = []
    for training in asked:
        searches = [(member.search, split) for member in plan.of(training) for split in member.splits]
        after = frozenset(numbers[one.fingerprint] for one in training.teachers if one.fingerprint in numbers)
        metrics, number = plan.study.metrics, numbers[training.fingerprint]
        jobs.append(Job(number, training.path, training.config, tuple(searches), metrics, after))
    return jobs


class Progress:
    """One line over all trainings: updates done of all, the rate, the time left."""

    def __init__(self, name: str, jobs: Sequence[Job], table: Table):
        self.name, self.jobs, self.table, self.ended = name, jobs, table, 0
        self.meter = Meter(name, "update", 0)
        self.before: int | None = None

    def look(self, places: Any, done: Job | None) -> None:
        """Show where the jobs stand; where one has just been done, say so, and write the table."""
        if done is not None:
            self.ended += 1
            self.meter.say(f"{done.path.name} is done")
            self.table.write()
        updates = [(places[2 * job.number], places[2 * job.number + 1], job) for job in self.jobs]
        if known := [(total, job.config.train.epochs) for _, total, job in updates if total]:
            each = sum(total for total, _ in known) / sum(epochs for _, epochs in known)
            total = round(sum(total or each * job.config.train.epochs for _, total, job in updates))
            reached = sum(done for done, _, _ in updates)
            if self.before is None:  # what was trained before this call tells nothing of the rate
                self.meter.close()
                self.before, self.meter = reached, Meter(self.name, "update", total, reached)
            self.meter.expect(total)
            self.meter.add(reached - self.meter.done, note=f"{self.ended} of {len(self.jobs)} runs")
