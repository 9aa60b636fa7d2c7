"""A minimal decoder-only transformer: RMSNorm, rotary positions, SwiGLU, tied embeddings. Nothing else.

Attention is PyTorch's scaled_dot_product_attention, which picks FlashAttention where there is one. Where documents are
kept apart, FlashAttention has no mask for it: on a GPU it is then flex_attention, whose block mask skips what no token
may see, and on a CPU the same attention with the mask written out. Traded away: key-value caching (this model is
trained, not served) and every option that a small ablation does not need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

FLEX = torch.compile(flex_attention)
IGNORED = -100  # a target that is not learnt
Mask: TypeAlias = "Tensor | BlockMask | None"


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

    `cos` and `sin` are (time, head width / 2), or (batch, 1, time, head width / 2) where positions begin anew with each
    document: a query at m and a key at n then meet as a function of m - n.
    """
    left, right = x.chunk(2, dim=-1)
    return torch.cat((left * cos - right * sin, right * cos + left * sin), dim=-1).type_as(x)


def document_mask(documents: Tensor) -> Mask:
    """What each token may see: itself and what is before it in its own document. `documents` is (batch, time).

    A block mask for flex_attention on a GPU; elsewhere (batch, 1, time, time), true where there is to be attention.
    """
    time = documents.shape[1]
    if not documents.is_cuda:
        same = documents[:, None, :, None] == documents[:, None, None, :]
        return same & torch.ones(time, time, dtype=torch.bool, device=documents.device).tril()
    return block_mask(documents)


def block_mask(documents: Tensor) -> BlockMask:
    """The same as a block mask, on any device."""
    batch, time = documents.shape

    def seen(b: Tensor, h: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (query >= key) & (documents[b, query] == documents[b, key])

    return create_block_mask(seen, batch, None, time, time, device=str(documents.device))


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Mask) -> Tensor:
    """Attention of (batch, heads, time, head width): causal where there is no mask, else as it says."""
    if isinstance(mask, BlockMask):  # on a GPU always compiled: only then is it one kernel
        return (FLEX if q.is_cuda else flex_attention)(q, k, v, block_mask=mask)  # type: ignore[return-value]
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=mask is None)


class Attention(nn.Module):
    """Causal self-attention."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=False)
        self.out = nn.Linear(config.width, config.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Mask) -> Tensor:
        """(batch, time, width) to the same."""
        b, t, w = x.shape
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, w // self.heads).permute(2, 0, 3, 1, 4)
        y = attend(rotate(q, cos, sin), rotate(k, cos, sin), v, mask)
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

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, mask: Mask) -> Tensor:
        """(batch, time, width) to the same."""
        x = x + self.attention(self.norm1(x), cos, sin, mask)
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
        self.register_buffer("cos", angles.cos(), persistent=False)  # not saved: of the shape alone
        self.register_buffer("sin", angles.sin(), persistent=False)
        self.apply(self._init)

    def _init(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=0.02)

    def forward(
        self, ids: Tensor, targets: Tensor | None = None, documents: Tensor | None = None,
        positions: Tensor | None = None, learnt: Tensor | None = None,
    ) -> Tensor:  # fmt: skip
        """ids (batch, time <= context) to logits (batch, time, vocab), or to the cross-entropy in nats.

        Of `targets`, those that are IGNORED do not count. The loss is their mean, or their sum by `learnt`, for a part
        of a step whose targets are so many in all. With `documents` no token sees another document's; `positions`,
        both (batch, time), then say where in its own document each is.
        """
        logits = self.logits(ids, documents, positions)
        return logits if targets is None else self.losses(logits, targets).sum() / self._count(targets, learnt)

    def logits(self, ids: Tensor, documents: Tensor | None = None, positions: Tensor | None = None) -> Tensor:
        """(batch, time) to (batch, time, vocab)."""
        x = self.embed(ids)
        cos, sin = self.cos[: ids.shape[1]], self.sin[: ids.shape[1]]  # type: ignore[index]
        if positions is not None:
            cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]  # type: ignore[index]
        mask = None if documents is None else document_mask(documents)
        for block in self.blocks:
            x = block(x, cos, sin, mask)
        return F.linear(self.norm(x), self.embed.weight)

    @staticmethod
    def losses(logits: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy of each target in nats, 0 for one that is IGNORED; flat."""
        return F.cross_entropy(
            logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none"
        )  # fmt: skip

    @staticmethod
    def _count(targets: Tensor, learnt: Tensor | None) -> Tensor:
        return (targets != IGNORED).sum().clamp(min=1) if learnt is None else learnt

    def parameter_count(self) -> int:
        """Trainable numbers; the tied embedding counts once."""
        return sum(p.numel() for p in self.parameters())
