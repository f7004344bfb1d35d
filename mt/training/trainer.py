"""The training loop: schedule, clip, validate, keep the best, stop; and resume as if never interrupted.

Each update draws its dropout from a generator seeded by (seed, update), and each epoch its order from (seed, epoch):
the position is all the randomness there is, so a resumed run repeats an uninterrupted one bit for bit.
"""

import json
import logging
import math
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mt.config import Config, Train
from mt.core.errors import UserError
from mt.core.files import write_text
from mt.core.progress import Meter
from mt.core.special import PAD
from mt.corpora.pairs import Split
from mt.data.batches import Batch, batch_order
from mt.data.pieces import Pieces, report_split
from mt.evaluation import metrics
from mt.inference.translator import Translator
from mt.models.contract import NOTHING, Look, Seq2Seq, default_site
from mt.runs import checkpoint
from mt.runs.checkpoint import LESSONS, STATE, WEIGHTS
from mt.text.tokenizer import Tokenizers
from mt.training.average import Average
from mt.training.guide import Guide
from mt.training.losses import coverage_loss, cross_entropy, guide_loss
from mt.training.teacher import Teacher

log = logging.getLogger("mt")


@dataclass(frozen=True)
class Position:
    """Where training stands; written into state.safetensors as JSON."""

    update: int = 0
    epoch: int = 0
    """Epochs completed."""
    batch: int = 0
    """Batches of the current epoch completed."""
    best_bleu: float = -1.0
    best_update: int = 0
    stale: int = 0
    """Validations since the best one."""
    scale: float = 1.0
    """What the plateau schedule has multiplied the learning rate by."""
    seconds: float = 0.0
    finished: bool = False
    summed_loss: float = 0.0
    """Training loss (label-smoothed) since the last validation, in nats, and over how many target pieces."""
    tokens: int = 0
    records: list[dict[str, Any]] = field(default_factory=list)
    """The lines of metrics.jsonl."""


def learning_rate(config: Train, update: int, fraction: float, scale: float) -> float:
    """Return the rate of an update (from 0) at this fraction of training, after the warm-up of `config`."""
    warmup = min(1.0, (update + 1) / config.warmup) if config.warmup else 1.0
    if config.schedule == "linear":
        return config.learning_rate * warmup * (1 - (1 - config.final) * fraction)
    if config.schedule == "inverse_sqrt":
        return config.learning_rate * warmup * math.sqrt(max(config.warmup, 1) / max(update + 1, config.warmup, 1))
    return config.learning_rate * warmup * scale


class Trainer:
    """One training run in progress: model, optimiser, position, and the encoded data."""

    def __init__(
        self,
        run: Path,
        config: Config,
        splits: dict[str, Split],
        tokenizers: Tokenizers,
        guide: Guide | None = None,
        teacher: Seq2Seq | None = None,
    ):
        self.run, self.config, self.tokenizers = run, config, tokenizers
        self.validation = splits["validation"]
        self.train_pieces = Pieces(splits["train"], tokenizers, run / checkpoint.CACHE)
        self.validation_pieces = Pieces(self.validation, tokenizers, run / checkpoint.CACHE)
        report_split("train", splits["train"], self.train_pieces, config.train.max_pieces)
        report_split("validation", self.validation, self.validation_pieces, sys.maxsize)
        self.guide = guide
        self.teacher = Teacher(teacher, config.train, self.train_pieces, run / LESSONS) if teacher else None
        self.model = checkpoint.build(config, tokenizers)
        self.look = Look(default_site(self.model, config.model.report))
        self.optimizer = torch.optim.Adam(self.model.parameters(), betas=config.train.betas, fused=True)
        self.average = Average(self.model, config.train.average)
        self.position = Position()
        self.best: dict[str, Tensor] = {}
        self.interrupted = False

    # What a resume needs ----------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Write state.safetensors; metrics.jsonl and the best weights follow from it."""
        tensors = {f"model.{name}": tensor for name, tensor in checkpoint.weights(self.model).items()}
        if self.config.train.average:
            tensors |= {f"average.{name}": tensor for name, tensor in self.average.tensors.items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        for name, parameter in self.model.named_parameters():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer.{key}.{name}"] = value
        checkpoint.save(self.run / STATE, tensors, asdict(self.position) | {"made_with": self._conditions()})

    def _conditions(self) -> dict[str, Any]:
        """Return what must be the same for a resumed run to be the same bit for bit."""
        sources = self.train_pieces, self.validation_pieces, self.guide, self.teacher
        data_read = "".join(source.digest for source in sources if source)
        return {"torch": torch.__version__, "threads": torch.get_num_threads(), "data": data_read}

    def restore(self) -> None:
        """Continue where state.safetensors stands, and make the other files agree with it."""
        if (self.run / STATE).exists():
            tensors, record = checkpoint.read(self.run / STATE)
            then, now = record.pop("made_with"), self._conditions()
            if then["data"] != now["data"]:
                raise UserError(f"the data has changed since {self.run} began: restore it, or start anew (--overwrite)")
            if then != now:
                log.warning("%s was made with %s, this is %s: it continues, but not bit for bit", self.run, then, now)
            groups: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "best": {}}
            for name, tensor in tensors.items():
                kind, _, rest = name.partition(".")
                groups.setdefault(kind, {})[rest] = tensor
            checkpoint.set_weights(self.model, groups["model"], self.run / STATE)
            with self.average.in_the_model():
                checkpoint.set_weights(self.model, groups["average"] or groups["model"], self.run / STATE)
            self.best = groups["best"]
            for name, parameter in self.model.named_parameters():
                for key in ("step", "exp_avg", "exp_avg_sq"):
                    if f"{key}.{name}" in groups.get("optimizer", {}):
                        self.optimizer.state[parameter][key] = groups["optimizer"][f"{key}.{name}"]
            self.position = Position(**record)
        self.write_results()

    def write_results(self) -> None:
        """Write metrics.jsonl and model.safetensors as the position has them."""
        write_text(self.run / "metrics.jsonl", "".join(json.dumps(record) + "\n" for record in self.position.records))
        if self.best:
            checkpoint.save(self.run / WEIGHTS, self.best, {"update": self.position.best_update})

    # The loop ---------------------------------------------------------------------------------------------------------

    def train(self) -> None:
        """Train to the end, or until interrupted; either way the state is saved."""
        epochs = self.config.train.epochs
        while not self.position.finished and not self.interrupted:
            batches = self.order(self.position.epoch)
            self._epoch(batches)
            if self.position.batch == len(batches):
                done = self.position.epoch + 1
                self.position = replace(
                    self.position, epoch=done, batch=0, finished=self.position.finished or done == epochs
                )
                self.save()
        if self.interrupted:
            self.save()

    def order(self, epoch: int) -> list[list[int]]:
        """Return the batches of an epoch."""
        pieces, config = self.train_pieces, self.config.train
        return batch_order(pieces.source_lengths, pieces.target_lengths, config.batch_tokens, config.max_pieces,
                          (self.config.seed, epoch))  # fmt: skip

    def _epoch(self, batches: list[list[int]]) -> None:
        config, start = self.config.train, self.position
        done, total = (sum(map(len, part)) for part in (batches[: start.batch], batches))
        meter = Meter(f"epoch {start.epoch + 1}/{config.epochs}", "pair", total, done)
        for rows in batches[start.batch :]:
            clock = time.monotonic()
            batch = self.train_pieces.batch(rows)
            fraction = (self.position.epoch + self.position.batch / len(batches)) / config.epochs
            sizes = batch.target_out_BT.shape[1], batch.source_BS.shape[1]
            guide_BTS = self.guide.batch(rows, *sizes) if self.guide else None
            taught = self.teacher.batch(rows, sizes[0]) if self.teacher else None
            loss, tokens = self.update(batch, fraction, guide_BTS, taught)
            self.position = replace(
                self.position,
                update=self.position.update + 1,
                batch=self.position.batch + 1,
                seconds=self.position.seconds + time.monotonic() - clock,
                summed_loss=self.position.summed_loss + loss,
                tokens=self.position.tokens + tokens,
            )
            meter.add(len(rows), tokens, f"loss {self.position.summed_loss / self.position.tokens:.3f}")
            if self._validation_is_due(len(batches)):
                meter.say(self.validate())
            elif self.position.update % config.save_every == 0:
                self.save()
            if self.interrupted or self.position.finished:
                break
        meter.close()

    def _validation_is_due(self, batches: int) -> bool:
        config, position = self.config.train, self.position
        if position.batch == batches and (config.validate_every is None or position.epoch + 1 == config.epochs):
            return True
        return config.validate_every is not None and position.update % config.validate_every == 0

    def update(
        self,
        batch: Batch,
        fraction: float,
        guide_BTS: Tensor | None = None,
        taught: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[float, int]:
        """Take one step of the optimiser; return the translation's summed loss and the number of real target pieces."""
        config, position = self.config.train, self.position
        torch.manual_seed(self.config.seed * 1_000_003 + position.update)
        self.model.train()
        tokens = int((batch.target_out_BT != PAD).sum())
        look = self.look if guide_BTS is not None or config.coverage_loss > 0 else NOTHING
        with torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bfloat16"):
            output = self.model(batch.source_BS, batch.mask_BS, batch.target_in_BT, look).float()
        weight = config.teacher.weight if taught else 0.0
        loss = total = cross_entropy(output.logits, batch.target_out_BT, config.label_smoothing, taught, weight)
        if guide_BTS is not None:
            total = total + config.guide.weight * guide_loss(output.attention, guide_BTS)
        if config.coverage_loss:
            total = total + config.coverage_loss * coverage_loss(output.attention, batch.target_out_BT)
        torch.autograd.backward(total / tokens)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), config.clip)
        if not norm.isfinite():
            raise UserError(f"training diverged at update {position.update + 1}: the gradient is {norm.item()}; "
                            f"try a lower train.learning_rate")  # fmt: skip
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(config, position.update, fraction, position.scale)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.add(position.update)
        return loss.item(), tokens

    # Validation -------------------------------------------------------------------------------------------------------

    def validate(self) -> str:
        """Score the validation split, keep the best weights, move the schedule, and save; return how it went."""
        clock = time.monotonic()
        self.model.eval()
        with self.average.in_the_model():
            loss = self.validation_loss()
            translator = Translator(self.model, self.tokenizers, self.config)
            greedy = self.config.search.model_copy(update={"beam": 1, "sample": False})
            found = translator.translate(self.validation.sources, greedy, alignments=False)
        bleu = metrics.bleu([translation.text for translation in found], self.validation.targets)
        config, position = self.config.train, self.position
        better = bleu > position.best_bleu
        if better:
            self.best = {name: tensor.clone() for name, tensor in self.average.tensors.items()}
        stale = 0 if better else position.stale + 1
        drop = config.schedule == "plateau" and stale and stale % config.patience == 0
        seconds = position.seconds + time.monotonic() - clock
        record = {
            "update": position.update,
            "epoch": position.epoch + 1,
            "train_loss": position.summed_loss / position.tokens,
            "validation_loss": loss,
            "validation_bleu": bleu,
            "best": better,
            "seconds": round(seconds),
        }
        self.position = replace(
            position,
            best_bleu=bleu if better else position.best_bleu,
            best_update=position.update if better else position.best_update,
            stale=stale,
            scale=position.scale * config.factor if drop else position.scale,
            seconds=seconds,
            summed_loss=0.0,
            tokens=0,
            finished=bool(config.early_stop) and stale >= config.early_stop,
            records=[*position.records, record],
        )
        self.save()
        self.write_results()
        return (
            f"update {position.update}, epoch {position.epoch + 1}: validation loss {loss:.3f}, perplexity "
            f"{math.exp(min(loss, 700)):.2f}, greedy BLEU {bleu:.2f}{', the best so far' if better else ''}"
        )

    @torch.inference_mode()
    def validation_loss(self) -> float:
        """Return the unsmoothed cross-entropy in nats per target piece."""
        total, tokens = 0.0, 0
        for _, batch in self.validation_pieces.batches(self.config.train.batch_tokens):
            logits_BTV = self.model(batch.source_BS, batch.mask_BS, batch.target_in_BT).logits
            total += cross_entropy(logits_BTV, batch.target_out_BT, 0.0).item()
            tokens += int((batch.target_out_BT != PAD).sum())
        return total / tokens
