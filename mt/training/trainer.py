"""The training loop: schedule, clip, validate, keep the best, stop; and resume as if never interrupted.

Each update draws its dropout from a generator seeded by (seed, update), and each epoch its order from (seed, epoch):
the position is all the randomness there is, so a resumed run repeats an uninterrupted one bit for bit.
"""

import json
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import torch
from torch import Tensor

from mt.config.before import fingerprint
from mt.core import exchange, ranks
from mt.core.device import computing_in
from mt.core.errors import DamagedError, UserError
from mt.core.files import write_text
from mt.core.progress import Meter, Pace
from mt.data.pieces import Pieces
from mt.data.reading import Part
from mt.models.contract import NOTHING, Look, default_site
from mt.runs import checkpoint
from mt.runs.names import CACHE, FILM, FORMAT, LESSONS, METRICS, STATE, WEIGHTS
from mt.runs.run import Run
from mt.training.conditions import must_belong
from mt.training.divergence import Watch
from mt.training.film import Camera
from mt.training.learned import Learned
from mt.training.losses import coverage_loss, cross_entropy, guide_loss
from mt.training.materials import Materials, read_training
from mt.training.position import Position, Step, position_of
from mt.training.recorder import Recorder
from mt.training.schedule import learning_rate, validates_every, warn_of_warmup
from mt.training.teacher import Teacher
from mt.training.validation import Validator, describe, rank

log = logging.getLogger("mt")


class Trainer:
    """One training run in progress: model, optimiser, position, and the encoded data."""

    def __init__(self, run: Run, given: Materials):
        self.run, self.config, self.tokenizers, self.guide = run, given.config, given.tokenizers, given.guide
        self.reading = read_training(given, run / CACHE)
        self.validator = Validator(given, run / CACHE)
        self.camera = Camera(self.validator, run / FILM)
        self.teacher = None
        if given.teacher:
            pieces = Pieces(given.splits["train"], given.tokenizers, run / CACHE)
            self.teacher = Teacher(given.teacher, given.config.train, pieces, run / LESSONS)
        self.learned = Learned(given.config, given.tokenizers)
        self.model = self.learned.model
        self.look = Look(default_site(self.model, given.config.model.report))
        self.position = Position()
        self.recorder = Recorder(run, given.config, self.updates)
        self.pace = Pace(0.0)
        self.interrupted = self.all_interrupted = False
        self.tell: Callable[[int], object] = lambda updates: None

    # What a resume needs ----------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write state.safetensors, with updates.jsonl before it; metrics.jsonl and the best weights follow from it.

        The first process writes.
        """
        self.recorder.save()
        if ranks.rank() == 0:
            record = asdict(self.position) | {"format": FORMAT, "made_with": self._conditions()}
            checkpoint.save(self.run / STATE, self.learned.tensors(), record)

    def _conditions(self) -> dict[str, Any]:
        """Return what must be the same for a resumed run to be the same bit for bit."""
        sources = self.reading, self.validator.pieces, self.guide, self.teacher
        data_read = "".join(source.digest for source in sources if source)
        device = self.model.device.type
        found: dict[str, Any] = {"torch": torch.__version__, "threads": torch.get_num_threads(), "data": data_read}
        found["config"] = fingerprint(self.config)
        if ranks.count() > 1:
            found["processes"] = ranks.count()
        return found if device == "cpu" else found | {"device": device}

    def restore(self) -> None:
        """Continue where state.safetensors stands, and make the other files agree with it."""
        if (self.run / STATE).exists():
            remedy = "restore it, or start anew (--overwrite)"
            tensors, record = checkpoint.read(self.run / STATE, remedy)
            try:
                position, made_with = position_of(record)
            except ValueError as error:
                raise DamagedError(self.run / STATE, remedy, error) from error
            must_belong(self.run, made_with, self._conditions())
            self.position = position
            self.learned.restore(tensors, self.run / STATE, self.position.update)
        self.recorder.go_on(self.position)
        self.camera.go_on({record["update"] for record in self.position.records})
        self.write_results()

    def write_results(self) -> None:
        """Write metrics.jsonl and model.safetensors as the position has them. The first process writes."""
        if ranks.rank():
            return
        lines = (json.dumps(record, allow_nan=False) + "\n" for record in self.position.records)
        write_text(self.run / METRICS, "".join(lines))
        if self.learned.best and self.position.best:
            checkpoint.save(self.run / WEIGHTS, self.learned.best, {"update": self.position.best["update"]})

    # The loop ---------------------------------------------------------------------------------------------------------

    def train(self) -> None:
        """Train to the end, or until interrupted; either way the state is saved."""
        warn_of_warmup(self.config.train.warmup, self.updates)
        self.pace = Pace(self._fraction(len(self.part.batches)))
        while not self.position.finished and not self.stops:
            part = self.part
            self._read(part.batches)
            if not part.batches and self._epoch_ends(0) and self.position.tokens and self._validation_is_due(True):
                log.info(self.validate())  # for the parts before, as this one has no pairs
            if self.position.batch == len(part.batches):
                self.position = self.position.behind(part.after, self.reading.parts, self.config.train.epochs)
                self.save()
        if self.stops:
            self.save()

    @property
    def part(self) -> Part:
        """What is read where training stands."""
        position = self.position
        place = (0, 0) if position.finished else (position.epoch, position.part)
        return self.reading.part(place, position.stream)

    @property
    def stops(self) -> bool:
        """Whether it was asked to stop; processes that train together stop at the same update."""
        return self.interrupted if ranks.count() == 1 else self.all_interrupted

    @property
    def updates(self) -> int:
        """About how many updates there are in all epochs."""
        return self.config.train.epochs * self.updates_of_epoch

    @property
    def updates_of_epoch(self) -> int:
        """About how many updates an epoch has."""
        return math.ceil(self.reading.batches / self.config.train.accumulate)

    def _read(self, batches: list[list[int]]) -> None:
        config, start, parts = self.config.train, self.position, self.reading.parts
        done, total = (sum(map(len, part)) for part in (batches[: start.batch], batches))
        title = f"epoch {start.epoch + 1}/{config.epochs}" + f", part {start.part + 1}/{parts}" * (parts > 1)
        meter = Meter(title, "pair", total, done)
        while self.position.batch < len(batches):
            clock = time.monotonic()
            taken = batches[self.position.batch : self.position.batch + config.accumulate]
            step = self.update(taken, self._fraction(len(batches)))
            self.position = self.recorder.count(self.position.after(step, len(taken), time.monotonic() - clock))
            self.tell(self.position.update)
            said = f"loss {self.position.summed_loss / self.position.tokens:.3f}"
            left = self.pace.left(self._fraction(len(batches)), sooner=bool(config.early_stop))
            meter.add(sum(map(len, taken)), step.tokens, said, left)
            epoch_ends = self._epoch_ends(len(batches))
            if epoch_ends:
                epoch_loss = self.position.summed_loss / self.position.tokens
                if wrong := self._watch.judge_training(epoch_loss):
                    raise UserError(self._diverged(self.position.update, wrong))
            if self._validation_is_due(epoch_ends):
                meter.say(self.validate(epoch_ends))
            elif self.position.update % config.save_every == 0:
                self.save()
            if self.stops or self.position.finished:
                break
        meter.close()

    def _fraction(self, batches: int) -> float:
        """Return how much of the training is done, where the current part has so many batches."""
        position, config = self.position, self.config.train
        of_epoch = (position.part + position.batch / max(batches, 1)) / self.reading.parts
        return 1.0 if position.finished else (position.epoch + of_epoch) / config.epochs

    @property
    def _watch(self) -> Watch:
        return Watch(len(self.tokenizers.target), self.position.first_loss)

    def _epoch_ends(self, batches: int) -> bool:
        """Tell whether all is read of an epoch, when all of a part's batches are."""
        return self.position.batch == batches and self.position.part + 1 == self.reading.parts

    def _validation_is_due(self, epoch_ends: bool) -> bool:
        config, position = self.config.train, self.position
        every = validates_every(config, self.updates_of_epoch)
        if epoch_ends and (every is None or position.epoch + 1 == config.epochs):
            return True
        return every is not None and position.update % every == 0

    def update(self, batches: Sequence[Sequence[int]], fraction: float) -> Step:
        """Take one step of the optimiser on these batches of training pairs, at this fraction of training.

        The processes that train together deal the batches among them; gradients are summed over all, so that the step
        is that of one large batch.
        """
        tokens = int(self.part.pieces.target_lengths[[row for rows in batches for row in rows]].sum())
        loss = torch.zeros(1, device=self.model.device)
        self.model.train()
        for place, rows in ranks.deal(list(enumerate(batches))):
            torch.manual_seed(self.config.seed * 1_000_003 + self.position.update + place * 2**40)
            loss += self._accumulate(rows, tokens)
        if ranks.count() > 1:
            interrupted = torch.full_like(loss, self.interrupted)
            exchange.add_up([*self.learned.gradients(), loss, interrupted])
            self.all_interrupted = bool(interrupted)
        rate = learning_rate(self.config.train, self.position.update, fraction, self.position.scale)
        norm = self.learned.step(rate)
        for name, value in {"gradient": norm, "loss": loss.item()}.items():
            if not math.isfinite(value):
                raise UserError(self._diverged(self.position.update + 1, f"the {name} is {value}"))
        return Step(loss.item(), tokens, rate, norm)

    def _accumulate(self, rows: Sequence[int], tokens: int) -> Tensor:
        """Add to the gradients what these training pairs have of a loss that is divided by `tokens`; return theirs."""
        batch, config, device = self.part.pieces.batch(rows), self.config.train, self.model.device
        sizes = batch.target_out_BT.shape[1], batch.source_BS.shape[1]
        guide_BTS = self.guide.batch(rows, *sizes) if self.guide else None
        taught = self.teacher.batch(rows, sizes[0], device) if self.teacher else None
        look = self.look if guide_BTS is not None or config.coverage_loss > 0 else NOTHING
        batch = batch.to(device)
        with computing_in(config.precision, device):
            output = self.model(*batch.given, look).float()
        weight = config.teacher.weight if taught else 0.0
        loss = total = cross_entropy(output.logits, batch.target_out_BT, config.label_smoothing, taught, weight)
        if guide_BTS is not None:
            total = total + config.guide.weight * guide_loss(output.attention, guide_BTS.to(device))
        if config.coverage_loss:
            total = total + config.coverage_loss * coverage_loss(output.attention, batch.target_out_BT)
        torch.autograd.backward(total / tokens)
        return loss.detach()

    # Validation -------------------------------------------------------------------------------------------------------

    def validate(self, epoch_ends: bool = True) -> str:
        """Score the validation split, keep the best weights, move the schedule, and save; return how it went.

        Raises UserError when the loss is no finite number, or at the end of an epoch when it is that of a training that
        has diverged; the weights and the state on disk are then as before.
        """
        clock, config, position = time.monotonic(), self.config.train, self.position
        averaged = self.learned.average.module
        averaged.eval()
        found = self.validator.score(averaged)
        loss, training = found["validation_loss"], position.summed_loss / position.tokens
        if not math.isfinite(loss):
            raise UserError(self._diverged(position.update, f"the validation loss is {loss}"))
        if (lost := self._watch.judge_validation(loss, training)) and epoch_ends:
            raise UserError(self._diverged(position.update, lost))
        update, epoch = position.update, position.epoch + 1
        self.camera.add(update, epoch, averaged)
        record: dict[str, Any] = {"update": update, "epoch": epoch, "train_loss": training} | found
        best, mine = position.best, rank(record, self.validator.choose_by)
        least = rank(best, self.validator.choose_by) if best else (-math.inf,)
        better = mine >= least and not lost
        if better:
            self.learned.keep_as_best()
        stale = 0 if better and mine > least else position.stale + 1
        drop = config.schedule == "plateau" and stale and stale % config.patience == 0
        seconds = position.seconds + time.monotonic() - clock
        record |= {"best": better, "chosen_by": self.validator.choose_by, "seconds": round(seconds)}
        self.position = replace(
            position,
            stale=stale,
            scale=position.scale * config.factor if drop else position.scale,
            seconds=seconds,
            summed_loss=0.0,
            tokens=0,
            finished=bool(config.early_stop) and stale >= config.early_stop,
            records=[*position.records, record],
        )
        self.recorder.add_validation(record)
        self.save()
        self.recorder.draw(self.position.records)
        self.write_results()
        return describe(record)

    def _diverged(self, update: int, how: str) -> str:
        """Return what to say, and to do, when training has diverged."""
        best = self.position.best
        kept = f"; {self.run / WEIGHTS} has the best weights, of update {best['update']}" if best else ""
        return (
            f"training diverged at update {update}: {how}{kept}. Lower train.learning_rate, and train "
            f"anew (--overwrite)"
        )
