"""A teacher: how likely trained models find each piece of the training split, for a student to learn from.

Kim and Rush 2016, 3.1: word-level knowledge distillation. Letters of shapes: B sentences, T target pieces, C candidates
for a target piece, N all target pieces of the training split.
"""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from mt.config.train import TeacherConfig, Train
from mt.core.errors import DamagedError, UserError
from mt.core.progress import Meter
from mt.data.pieces import Pieces
from mt.models.contract import Seq2Seq
from mt.models.ensemble import Ensemble
from mt.runs import checkpoint
from mt.runs.run import Run
from mt.text.tokenizer import Tokenizers

log = logging.getLogger("mt")


class Teacher:
    """What a trained model says of every target piece of training; said once, to a file."""

    def __init__(self, model: Seq2Seq, settings: Train, pieces: Pieces, file: Path):
        self.settings = settings.teacher
        lengths_R = torch.from_numpy(pieces.target_lengths)
        self.lengths_R, self.starts_R = lengths_R, lengths_R.cumsum(0) - lengths_R
        weights = [Run(run).fingerprint for run in self.settings.runs]
        parts = self.settings.candidates, weights, pieces.digest
        self.digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
        """Of what is taught; a resumed run must have the same."""
        self.tensors = self._kept(file)
        if not self.tensors:
            self.tensors = self._ask(model, pieces, settings)
            checkpoint.save(file, self.tensors, {"digest": self.digest})

    def _kept(self, file: Path) -> dict[str, Tensor]:
        """Return what a file has of these lessons; nothing where it has none, or is damaged, which is said."""
        remedy = "its lessons are asked for again"
        try:
            if not file.exists() or checkpoint.read_record(file, remedy).get("digest") != self.digest:
                return {}
            tensors, _ = checkpoint.read(file, remedy)
            shape = int(self.lengths_R.sum()), self.settings.candidates
            wanted = {"candidates": (shape, torch.int32), "shares": (shape, torch.float16)}
            checkpoint.must_have({name: (one.shape, one.dtype) for name, one in tensors.items()}, wanted, file, remedy)
        except DamagedError as error:
            log.warning("%s", error)
            return {}
        return tensors

    @torch.inference_mode()
    def _ask(self, model: Seq2Seq, pieces: Pieces, settings: Train) -> dict[str, Tensor]:
        """Return the likeliest candidates for each target piece, and their probabilities, scaled to sum to one."""
        shape = int(self.lengths_R.sum()), self.settings.candidates
        candidates_NC, shares_NC = torch.zeros(shape, dtype=torch.int32), torch.zeros(shape, dtype=torch.float16)
        meter = Meter("teacher", "pair", len(self.lengths_R))
        for rows, batch in pieces.batches(settings.batch_tokens, settings.max_pieces):
            logits_BTV = model(*batch.to(model.device).given).logits.cpu()
            likeliest = logits_BTV.topk(shape[1])
            places_BT, real_BT = self._places(rows, logits_BTV.shape[1])
            candidates_NC[places_BT[real_BT]] = likeliest.indices[real_BT].int()
            shares_NC[places_BT[real_BT]] = likeliest.values.softmax(-1)[real_BT].half()
            meter.add(len(rows))
        meter.close()
        return {"candidates": candidates_NC, "shares": shares_NC}

    def batch(self, rows: Sequence[int], target: int, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return candidates_BTC and shares_BTC of these training pairs, there; on padding the shares are zero."""
        places_BT, real_BT = self._places(rows, target)
        shares_BTC = self.tensors["shares"][places_BT].float() * real_BT[:, :, None]
        return self.tensors["candidates"][places_BT].long().to(device), shares_BTC.to(device)

    def _places(self, rows: Sequence[int], target: int) -> tuple[Tensor, Tensor]:
        """Return where the target pieces of these pairs stand among all, and which of them are real."""
        place_T, row_B1 = torch.arange(target), torch.tensor(rows)[:, None]
        real_BT = place_T < self.lengths_R[row_B1]
        return (self.starts_R[row_B1] + place_T) * real_BT, real_BT


def load_teacher(settings: TeacherConfig, tokenizers: Tokenizers) -> Seq2Seq | None:
    """Return the model that teaches, or None when there is to be none.

    Raises UserError when a run is no trained model, or has another vocabulary than the student.
    """
    teachers = [Run(run) for run in settings.runs]
    for run in teachers:
        if any(one.identity != other.identity for one, other in zip(run.tokenizers, tokenizers, strict=True)):
            raise UserError(
                f"train.teacher.runs: {run} has another vocabulary than its student; both need the same corpus and the "
                f"same keys of vocabulary"
            )
    return Ensemble([run.model for run in teachers], [None] * len(teachers)).eval() if teachers else None
