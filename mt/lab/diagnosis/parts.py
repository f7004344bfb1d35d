"""Do all parts of the model take part: gradients, weights, hidden units."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from mt.core.device import differentiable_in_evaluation
from mt.inference.scorer import Scored, batch_again
from mt.lab.diagnosis.case import Case
from mt.lab.diagnosis.data import sample
from mt.lab.diagnosis.finding import Bounds, Diagnosis, Measured, Question
from mt.models.contract import Seq2Seq
from mt.runs import checkpoint
from mt.training.losses import cross_entropy

BATCHES, SIZE = 4, 32
"""Batches of training, and pairs in each, whose gradient is taken."""
READ = 64
"""Training pairs in which hidden units must change."""
STILL = 1e-4
"""A unit that moves by less than this share of what the units of its layer move on average is dead."""
SILENT = 1e-4
"""A part whose gradient is less than this share of the typical one, for its weights, takes no part."""


def mean_gradients(model: Seq2Seq, batches: Sequence[Sequence[Scored]]) -> dict[str, Tensor]:
    """Return the gradient of the loss, in nats a piece, without dropout, by the name of the parameter."""
    model.zero_grad(set_to_none=True)
    pieces = sum(len(one.target) for batch in batches for one in batch)
    for batch in batches:
        given = batch_again(batch, model)
        with differentiable_in_evaluation():
            logits_BTV = model(*given.given).logits
        torch.autograd.backward(cross_entropy(logits_BTV, given.target_out_BT, 0.0) / pieces)
    found = {name: one.grad for name, one in model.named_parameters() if one.grad is not None}
    model.zero_grad(set_to_none=True)
    return found


def part_of(name: str) -> str:
    """Return the part of the model that a parameter belongs to: encoder, decoder.attention, and the like."""
    names = name.split(".")[:-1] or [name]
    return ".".join(one for one in names if not one.isdigit())


def norms(gradients: Mapping[str, Tensor]) -> dict[str, tuple[float, int]]:
    """Return of each part the norm of its gradient, and how many numbers it has."""
    squares: dict[str, float] = {}
    sizes: dict[str, int] = {}
    for name, gradient in gradients.items():
        part = part_of(name)
        squares[part] = squares.get(part, 0.0) + float(gradient.double().square().sum())
        sizes[part] = sizes.get(part, 0) + gradient.numel()
    return {part: (square**0.5, sizes[part]) for part, square in squares.items()}


def silent(gradients: Mapping[str, Tensor]) -> list[str]:
    """Return the matrices and vectors of scores that get hardly any gradient, against the largest for their size.

    Biases are not among them: adding the same to all scores before a softmax changes nothing.
    """
    sizes = {name: float(one.double().square().mean()) ** 0.5 for name, one in gradients.items() if "bias" not in name}
    largest = max(sizes.values(), default=0.0)
    return [name for name, size in sizes.items() if size <= SILENT * largest]


@contextmanager
def _watched(model: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """Keep what each linear layer reads."""
    seen: dict[str, list[Tensor]] = {}

    def keep(name: str) -> Any:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            seen.setdefault(name, []).append(inputs[0].detach().flatten(0, -2))

        return hook

    layers = {name: one for name, one in model.named_modules() if isinstance(one, nn.Linear)}
    hooks = [one.register_forward_pre_hook(keep(name)) for name, one in layers.items()]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def dead_units(values_NH: Tensor) -> int:
    """Return how many units, the columns, keep one value while others move."""
    moved_H = values_NH.amax(0) - values_NH.amin(0)
    return int((moved_H <= STILL * moved_H.mean().clamp_min(STILL)).sum())


@torch.inference_mode()
def hidden_units(model: Seq2Seq, read: Sequence[Scored]) -> dict[str, tuple[int, int]]:
    """Return of what each linear layer reads how many units never change over these pairs, and how many there are.

    The pairs are read one by one: there is no padding, which might change.
    """
    with _watched(model) as seen:
        for one in read:
            model(*batch_again([one], model).given)
    joined = {name: torch.cat(rows) for name, rows in seen.items()}
    return {name: (dead_units(rows), rows.shape[1]) for name, rows in joined.items() if len(rows) > 1}


def _gradients(case: Case) -> Measured:
    read = case.once(sample).read[: BATCHES * SIZE]
    batches = [read[start : start + SIZE] for start in range(0, len(read), SIZE)]
    gradients = mean_gradients(case.run.model, batches)
    quiet, shares = silent(gradients), norms(gradients)
    rows = [(part, f"{size:,}", f"{norm:.2e}") for part, (norm, size) in shares.items()]
    told = f"{len(quiet)} of its parameters get hardly any gradient: {', '.join(quiet[:5])}."
    says = told if quiet else f"All {len(gradients)} of its parameters get a gradient."
    return Measured(len(quiet), says, table=(("part", "numbers", "norm of the gradient"), *rows))


def _dead(case: Case) -> Measured:
    found = hidden_units(case.run.model, case.once(sample).read[:READ])
    dead, units = (sum(one[number] for one in found.values()) for number in (0, 1))
    share = 100 * dead / max(units, 1)
    rows = [(name, str(units), str(count)) for name, (count, units) in found.items()]
    says = f"{share:.1f} % of its hidden units never change, whatever it reads."
    return Measured(share, says, table=(("read by", "units", "of which never change"), *rows))


def growth(weights: Mapping[str, Tensor], first: Mapping[str, Tensor]) -> dict[str, float]:
    """Return of each matrix how many times its root mean square is that of its first values."""
    return {
        name: float(one.double().square().mean().sqrt() / first[name].double().square().mean().sqrt().clamp_min(1e-9))
        for name, one in weights.items()
        if one.dim() > 1
    }


def _weights(case: Case) -> Measured:
    with torch.random.fork_rng(devices=[]):
        fresh = checkpoint.build(case.run.config, case.run.tokenizers)
    grown = growth(checkpoint.weights(case.run.model), checkpoint.weights(fresh))
    most = max(grown, key=grown.__getitem__)
    middle = sorted(grown.values())[len(grown) // 2]
    rows = [(name, f"{times:.2f}") for name, times in grown.items()]
    says = (
        f"The middle one of its matrices is {middle:.1f} times as large as it began, and the one that grew most, "
        f"{most}, {grown[most]:.1f} times."
    )
    return Measured(middle, says, table=(("matrix", "times its first size"), *rows))


DIAGNOSES: dict[str, Diagnosis] = {
    "gradients": Diagnosis(
        Question("Does every part get a gradient?", "parameters"),
        Bounds(fine=(None, 0), broken=(None, 3), attempt="train.learning_rate"),
        _gradients,
    ),
    "dead": Diagnosis(
        Question("Do hidden units change?", "%"),
        Bounds(fine=(None, 5), broken=(None, 30), attempt="train.learning_rate"),
        _dead,
    ),
    "weights": Diagnosis(
        Question("Have the weights grown out of bounds?", "times"),
        Bounds(fine=(0.3, 8), broken=(0.1, 20), attempt="train.learning_rate"),
        _weights,
    ),
}
