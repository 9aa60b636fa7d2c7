"""A minimal decoder-only transformer: RMSNorm, rotary positions, SwiGLU, tied embeddings. Nothing else.

Attention is PyTorch's scaled_dot_product_attention, which picks FlashAttention where there is one. Traded away:
key-value caching (this model is trained, not served) and every option that a small ablation does not need.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class ModelConfig:
    """Shape of the model; `width` must be a multiple of 2 * `heads`, for rotary turns pairs of coordinates."""

    vocab_size: int
    width: int = 160
    layers: int = 4
    heads: int = 5
    context: int = 256


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotary embedding (arXiv:2104.09864) of x (batch, heads, time, head width), in x's own precision.

    `cos` and `sin` are (time, head width / 2): a query at m and a key at n then meet as a function of m - n.
    """
    left, right = x.chunk(2, dim=-1)
    return torch.cat((left * cos - right * sin, right * cos + left * sin), dim=-1).type_as(x)


class Attention(nn.Module):
    """Causal self-attention."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """(batch, time, width) to the same."""
        b, t, w = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, w // self.heads).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(rotate(q, cos, sin), rotate(k, cos, sin), v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(b, t, w))  # type: ignore[no-any-return]


class FeedForward(nn.Module):
    """SwiGLU (arXiv:2002.05202), hidden width 8/3 of the model's."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        hidden = -(-8 * config.width // 3 // 16) * 16
        self.gate = nn.Linear(config.width, 2 * hidden, bias=False)
        self.down = nn.Linear(hidden, config.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, width) to the same."""
        gate, up = self.gate(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)  # type: ignore[no-any-return]


class Block(nn.Module):
    """One layer: attention and feed-forward, each behind a norm."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.RMSNorm(config.width), nn.RMSNorm(config.width)
        self.attention, self.feed_forward = Attention(config), FeedForward(config)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """(batch, time, width) to the same."""
        x = x + self.attention(self.norm1(x), cos, sin)
        return x + self.feed_forward(self.norm2(x))  # type: ignore[no-any-return]


class Transformer(nn.Module):
    """Token ids to logits, or to the loss when targets are given."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        if config.width % (2 * config.heads):
            raise ValueError(f"width {config.width} must be a multiple of twice the {config.heads} heads.")
        self.config = config
        self.embed = nn.Embedding(config.vocab_size, config.width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.RMSNorm(config.width)
        half = config.width // config.heads // 2
        angles = torch.outer(torch.arange(config.context), 10_000.0 ** (-torch.arange(half) / half))
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        self.apply(self._init)

    def _init(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)

    def forward(self, ids: Tensor, targets: Tensor | None = None) -> Tensor:
        """ids (batch, time <= context) to logits (batch, time, vocab), or to the mean cross-entropy in nats."""
        x = self.embed(ids)
        cos, sin = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]  # type: ignore[index]
        for block in self.blocks:
            x = block(x, cos, sin)
        logits = F.linear(self.norm(x), self.embed.weight)
        if targets is None:
            return logits
        return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())

    def parameter_count(self) -> int:
        """Trainable numbers; the tied embedding counts once."""
        return sum(p.numel() for p in self.parameters())
