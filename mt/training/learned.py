"""What training changes: the model, its moving average, the moments of Adam, and the best weights so far."""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from mt.config import Config
from mt.core.device import choose
from mt.runs import checkpoint
from mt.text.tokenizer import Tokenizers
from mt.training.average import Average


class Learned:
    """A model in training and all that belongs to its weights."""

    def __init__(self, config: Config, tokenizers: Tokenizers):
        self.settings = config.train
        self.model = checkpoint.build(config, tokenizers).to(choose(config.device))
        self.optimizer = torch.optim.Adam(self.model.parameters(), betas=config.train.betas, fused=True)
        self.average = Average(self.model, config.train.average)
        self.best: dict[str, Tensor] = {}

    def step(self, rate: float) -> float:
        """Clip the gradients, take a step unless their norm is not finite, and return the norm."""
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        if not norm.isfinite():
            return norm.item()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update_parameters(self.model)
        return norm.item()

    def gradients(self) -> list[Tensor]:
        """Return the gradient of each parameter: zero where no batch has given one."""
        for parameter in self.model.parameters():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        return [parameter.grad for parameter in self.model.parameters() if parameter.grad is not None]

    def keep_as_best(self) -> None:
        """Keep the averaged weights of now as the best."""
        self.best = {name: tensor.clone() for name, tensor in checkpoint.weights(self.average.module).items()}

    def tensors(self) -> dict[str, Tensor]:
        """Return all that a resume needs, by name. Not copies."""
        tensors = {f"model.{name}": tensor for name, tensor in checkpoint.weights(self.model).items()}
        if self.settings.average:
            averages = checkpoint.weights(self.average.module)
            tensors |= {f"average.{name}": tensor for name, tensor in averages.items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best.items()}
        for name, parameter in self.model.named_parameters():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"optimizer.{key}.{name}"] = value
        return tensors

    def restore(self, tensors: Mapping[str, Tensor], origin: Path, update: int) -> None:
        """Take over what `tensors` gave after so many updates. Raises UserError when it is not this model's."""
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "best": {}, "optimizer": {}}
        for name, tensor in tensors.items():
            kind, _, rest = name.partition(".")
            groups.setdefault(kind, {})[rest] = tensor
        checkpoint.must_be_finite(tensors, origin)
        checkpoint.set_weights(self.model, groups["model"], origin)
        checkpoint.set_weights(self.average.module, groups["average"] or groups["model"], origin)
        if groups["best"]:
            checkpoint.must_match(groups["best"], checkpoint.weights(self.model), origin)
        self.best = groups["best"]
        self._must_be_moments(groups["optimizer"], origin)
        for name, parameter in self.model.named_parameters():
            for key in ("step", "exp_avg", "exp_avg_sq"):
                if f"{key}.{name}" in groups["optimizer"]:
                    self.optimizer.state[parameter][key] = groups["optimizer"][f"{key}.{name}"].to(parameter.device)
        self.average.stand_at(update)

    def _must_be_moments(self, tensors: Mapping[str, Tensor], origin: Path) -> None:
        """Raise UserError when these are not what the optimiser keeps of the model: nothing, before its first step."""
        if tensors:
            mine = checkpoint.weights(self.model)
            steps = {f"step.{name}": torch.tensor(0.0) for name in mine}
            moments = {f"{key}.{name}": value for key in ("exp_avg", "exp_avg_sq") for name, value in mine.items()}
            checkpoint.must_match(tensors, steps | moments, origin)
