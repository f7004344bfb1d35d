"""Which numbers products are made of: float32, or bfloat16, whose 8 bits of precision take half the time."""

import torch

from mt.errors import UserError


def has_bfloat16() -> bool:
    """Tell whether the processor has instructions for bfloat16; emulated, it takes longer than float32, or fails."""
    return any(map(torch.cpu.get_capabilities().get, ("avx512_bf16", "amx_bf16", "bf16")))


def require(precision: str, key: str) -> None:
    """Raise UserError when the processor has no instructions for the precision that the config's `key` asks for."""
    if precision == "bfloat16" and not has_bfloat16():
        raise UserError(f"{key} is bfloat16, for which this processor has no instructions: set it to float32")
