"""Runs trained in seconds on number words, whose attention is wrong in one known way; and a way to question them."""

import random
from pathlib import Path

import pytest
from conftest import write_numbers
from torch import Tensor, nn

from mt.config import Config
from mt.config.files import read_config
from mt.lab.diagnosis import GROUPS
from mt.lab.diagnosis.case import Case
from mt.lab.diagnosis.finding import Finding, find
from mt.models.contract import NOTHING, Look, Memory, Output, Seq2Seq, State
from mt.runs import checkpoint
from mt.runs.run import Run
from mt.text.tokenizer import Tokenizers
from mt.training import experiment

GROUPS_OF_ATTENTION = ("use", "faithful", "aligned", "shape")


def shuffle_targets(folder: Path) -> None:
    """Give the sources the targets of others."""
    targets = (folder / "numbers.en").read_text().splitlines(keepends=True)
    random.Random(1).shuffle(targets)
    (folder / "numbers.en").write_text("".join(targets))


def freeze_scores(patch: pytest.MonkeyPatch) -> None:
    """Let the trainer make models whose attention scores are 0 and stay so: all weights are equal."""
    build = checkpoint.build

    def frozen(config: Config, tokenizers: Tokenizers) -> Seq2Seq:
        model = build(config, tokenizers)
        for parameter in model.get_submodule("decoder.attention.score").parameters():
            nn.init.zeros_(parameter).requires_grad_(False)
        return model

    patch.setattr(checkpoint, "build", frozen)


def train(folder: Path, epochs: int, shuffled: bool = False) -> Run:
    """Train by the real trainer on number words, fewer and for a shorter time than the run that all tests share."""
    config = write_numbers(folder, 600)
    if shuffled:
        shuffle_targets(folder)
    assert experiment.train(read_config(config, [f"train.epochs={epochs}"]), folder / "run")
    return Run(folder / "run")


class Late(Seq2Seq):
    """A model that uses its attention as it should, and reports each row one step late."""

    def __init__(self, model: Seq2Seq):
        super().__init__()
        self.model, self.sites, self.summary = model, model.sites, model.summary

    def encode(self, source_BS: Tensor, mask_BS: Tensor) -> tuple[Memory, State]:
        return self.model.encode(source_BS, mask_BS)

    def step(self, previous_BK: Tensor, state: State, memory: Memory, look: Look = NOTHING) -> tuple[Output, State]:
        return self.model.step(previous_BK, state, memory, look)

    def forward(self, source_BS: Tensor, mask_BS: Tensor, target_in_BT: Tensor, look: Look = NOTHING) -> Output:
        output: Output = self.model(source_BS, mask_BS, target_in_BT, look)
        if output.attention is None:
            return output
        rows = [max(step - 1, 0) for step in range(output.attention.shape[-2])]
        return output._replace(attention=output.attention[..., rows, :])


def diagnose(run: Run) -> dict[str, Finding]:
    """What the diagnoses of attention find."""
    case = Case(run, run.split_name(None))
    return {
        f"{group}.{name}": find(f"{group}.{name}", diagnosis, case)
        for group in GROUPS_OF_ATTENTION
        for name, diagnosis in GROUPS[group].items()
    }
