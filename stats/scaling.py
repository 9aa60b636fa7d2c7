"""Formulas of scale: compute-optimal tokens, training FLOPs, repeated data, memory of training, GPU hours.

Each is one published formula over plain numbers, with its source beside it. Fits of one laboratory's corpus and
models are shown side by side and never averaged: they disagree by a factor of five at 70 B parameters, and that is
worth seeing.

Traded away: attention's own FLOPs, recomputation, communication and parallelism; 6ND and a stated utilisation stand
for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

CHINCHILLA_RATIO = 20.0  # tokens a parameter: 1.4 T for 70 B, arXiv:2203.15556
MANY_EPOCHS = 4.0  # up to here repeated data is nearly as good as new, arXiv:2305.16264 abstract
R_STAR = 15.387756  # decay of repeated tokens' worth, arXiv:2305.16264 appendix A
FITTED = (70e6, 16e9)  # parameters of the models that the laws were fitted on, arXiv:2203.15556 abstract
ASPECT = 128  # width over layers, and width of a head, where no shape is given: our assumption


@dataclass(frozen=True)
class Law:
    """L(N, D) = E + A / N^alpha + B / D^beta, fitted; N parameters, D tokens, L nats a token."""

    name: str
    e: float
    a: float
    b: float
    alpha: float
    beta: float
    source: str

    def loss(self, parameters: float, tokens: float) -> float:
        """The loss that the fit predicts."""
        return float(self.e + self.a / parameters**self.alpha + self.b / tokens**self.beta)

    def tokens(self, parameters: float) -> float:
        """D at which N is compute-optimal: alpha A / N^alpha = beta B / D^beta, from dL = 0 at 6ND constant."""
        ratio = self.beta * self.b * parameters**self.alpha / (self.alpha * self.a)
        return float(ratio ** (1 / self.beta))


LAWS = (
    Law("Hoffmann", 1.69, 406.4, 410.7, 0.34, 0.28, "arXiv:2203.15556 D.3, as printed"),
    Law("Hoffmann, unrounded", 1.6934, 406.4, 410.7, 0.3392, 0.2849, "arXiv:2203.15556 TeX, by arXiv:2404.10102"),
    Law("Besiroglu", 1.8172, 482.01, 2085.43, 0.3478, 0.3658, "arXiv:2404.10102"),
)


def flops(parameters: float, tokens: float) -> float:
    """6ND: 2 a parameter and token forward, 4 backward (arXiv:2001.08361 2.1)."""
    return 6 * parameters * tokens


def effective_tokens(unique: float, seen: float) -> float:
    """What `seen` tokens drawn from `unique` ones are worth in new tokens: U + U R* (1 - exp(-R / R*)), R = D/U - 1.

    arXiv:2305.16264 3.1, with the constant of its appendix A. Below one epoch it is `seen` itself.
    """
    if seen <= unique:
        return seen
    return unique + unique * R_STAR * (1 - exp(-(seen / unique - 1) / R_STAR))


@dataclass(frozen=True)
class Shape:
    """Layers, width and heads of a decoder; 12 layers width^2 parameters without embeddings (arXiv:2001.08361 2.1)."""

    layers: int
    width: int
    heads: int

    @property
    def parameters(self) -> int:
        """Of attention (4 width^2) and of a feed-forward four times as wide (8 width^2), a layer."""
        return 12 * self.layers * self.width**2


def shape_for(parameters: float) -> Shape:
    """A shape for so many parameters, by assumption: width is 128 times the layers, and a head is 128 wide.

    >>> shape_for(7e9)
    Shape(layers=33, width=4224, heads=33)
    """
    layers = max(1, round((parameters / (12 * ASPECT**2)) ** (1 / 3)))
    return Shape(layers, ASPECT * layers, layers)


@dataclass(frozen=True)
class Precision:
    """Bytes a parameter of weights, gradients, and AdamW: a float32 copy of the weights, first and second moment."""

    weights: int
    gradients: int
    master: int
    moments: int
    source: str

    @property
    def total(self) -> int:
        """Bytes a parameter of everything that stays between steps."""
        return self.weights + self.gradients + self.master + self.moments


PRECISIONS = {
    "bf16": Precision(2, 2, 4, 8, "arXiv:1910.02054 3.1"),
    "bf16-fp32-gradients": Precision(2, 4, 4, 8, "arXiv:1910.02054 3.1, with gradients kept in float32"),
    "fp32": Precision(4, 4, 0, 8, "arXiv:1711.05101 algorithm 2, all in float32"),
}


def activation_bytes(shape: Shape, context: int, micro_batch: int, recompute: str) -> int:
    """Activations of all layers at 16 bits (arXiv:2205.05198 equations 1 and 6, and table 2; no parallelism).

    `recompute` "none": sbh(34 + 5as/h) a layer; "selective", attention recomputed or fused: 34sbh; "full": 2sbh.
    """
    sbh = context * micro_batch * shape.width
    scores = 5 * shape.heads * context**2 * micro_batch
    a_layer = {"none": 34 * sbh + scores, "selective": 34 * sbh, "full": 2 * sbh}[recompute]
    return shape.layers * a_layer


def gpu_hours(operations: float, peak: float, utilisation: float) -> float:
    """Hours of one device of `peak` FLOP/s, of which `utilisation` (MFU, arXiv:2204.02311 4.1) is reached."""
    return operations / (peak * utilisation) / 3600
