"""Model FLOPs utilisation: the share of a device's peak that the model's own arithmetic comes to.

FLOPs a token, forward and backward, are 6 N + 12 L d T (PaLM, arXiv:2204.02311, appendix B): N the parameters that
multiply (the tied embedding counts once, as the output's matrix), L layers of width d, T tokens of context. Attention
counts in full, though half of it, and more where documents are apart, is masked: so the figure is comparable with
published ones, and where a kernel skips what is masked it flatters. Nothing that is computed twice is counted twice.
"""

from __future__ import annotations

import torch

from training.model import ModelConfig

# Dense bf16 FLOP/s of one device, from its maker's data sheet (half of the figure "with sparsity", where that is all
# it gives). The first name that is part of the device's own name counts.
PEAKS = {
    "B200": 2250e12,
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100 NVL": 835e12,
    "H100": 989e12,
    "H800": 989e12,
    "H20": 148e12,
    "A100": 312e12,
    "A800": 312e12,
    "L40S": 362e12,
    "L4": 121e12,
    "A10": 125e12,
}


def flops_a_token(config: ModelConfig, parameters: int) -> int:
    """FLOPs of training on one token.

    >>> flops_a_token(ModelConfig(100, width=8, layers=2, heads=1, context=10), 1000)
    7920
    """
    return 6 * parameters + 12 * config.layers * config.width * config.context


def peak_of(name: str) -> float | None:
    """Peak FLOP/s of a device by its name; None if the table does not know it.

    >>> peak_of("NVIDIA H100 80GB HBM3"), peak_of("NVIDIA H100 PCIe"), peak_of("something")
    (989000000000000.0, 756000000000000.0, None)
    """
    return next((peak for part, peak in PEAKS.items() if part in name), None)


def peak(device: torch.device, told: float | None) -> float | None:
    """The peak that was told, else the table's for this device; None on a CPU, whose peak no name tells."""
    if told is not None or device.type != "cuda":
        return told
    return peak_of(torch.cuda.get_device_name(device))
