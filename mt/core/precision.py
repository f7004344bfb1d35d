"""Whether this processor has the precision that a config asks for."""

import torch

from mt.core.errors import UserError


def has_bfloat16() -> bool:
    """Tell whether the processor has instructions for bfloat16; emulated, it takes longer than float32, or fails."""
    return any(map(torch.cpu.get_capabilities().get, ("avx512_bf16", "amx_bf16", "bf16")))


def require(precision: str, remedy: str) -> None:
    """Raise UserError, which ends with the remedy, when the processor has no instructions for this precision."""
    if precision == "bfloat16" and not has_bfloat16():
        raise UserError(f"this processor has no instructions for bfloat16: {remedy}")
