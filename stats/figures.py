"""The figures of a plan, section by section: each with the formula that gave it, numbers put in, and its source.

What would have to be invented, such as bytes of text a token without a run to measure them in, is left out. What is
assumed (utilisation, the model's shape) is tagged [A] and can be given instead.

Traded away: one device's memory without parallelism, one utilisation for the whole training.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

from recipes.model import Tokens
from recipes.shares import Said
from stats.ask import Ask, budget_of, cite, ratio_of, short
from stats.corpora import Offer
from stats.scaling import (
    LAWS,
    PRECISIONS,
    activation_bytes,
    effective_tokens,
    flops,
    gpu_hours,
    shape_for,
)
from tokenization.manifest import dtype_for

Unit = Literal["tokens", "per_parameter", "flop", "bytes", "count", "epochs", "parameters", "hours", "days", "ratio"]
ID_BYTES = {"uint16": 2, "uint32": 4}


@dataclass(frozen=True)
class Figure:
    """One number: what it is, its formula with the numbers put in, and the source of the formula."""

    key: str
    label: Said
    value: float
    unit: Unit
    formula: str
    source: Said


@dataclass(frozen=True)
class Row:
    """One source of the mixture: its share, tokens wanted of it, tokens there are, and passes over them."""

    name: str
    share: float
    wanted: float
    available: int | None
    epochs: float | None


def token_figures(ask: Ask) -> Iterator[Figure]:
    """Compute-optimal tokens by ratio and by each fitted law, and the budget of this plan."""
    n = ask.parameters
    ratio, source = ratio_of(ask)
    yield Figure("optimal_ratio", Said("compute-optimal, by ratio", "计算最优（按比例）"), ratio * n, "tokens",
                 f"D = {ratio:g} x N = {ratio:g} x {short(n)}", cite(source))  # fmt: skip
    for law in LAWS:
        formula = (
            f"D = (beta B N^alpha / (alpha A))^(1/beta) = ({law.beta} x {law.b} x {short(n)}^{law.alpha} / "
            f"({law.alpha} x {law.a}))^(1/{law.beta}) = {law.tokens(n) / n:.1f} N"
        )
        label = Said(f"compute-optimal, {law.name}", f"计算最优（{law.name}）")
        yield Figure(f"optimal_{law.name}", label, law.tokens(n), "tokens", formula, cite(law.source))
    budget, formula, who = budget_of(ask)
    yield Figure("budget", Said("budget of this plan", "本计划的词元预算"), budget, "tokens", formula, who)
    yield Figure("tokens_per_parameter", Said("tokens a parameter", "每参数词元数"), budget / n, "per_parameter",
                 f"D / N = {short(budget)} / {short(n)}", Said("division", "相除"))  # fmt: skip


def compute_figures(ask: Ask, budget: int) -> Iterator[Figure]:
    """Operations of the whole training, and the time that they take."""
    n, hardware = ask.parameters, ask.hardware
    operations = flops(n, budget)
    yield Figure("flops", Said("training operations", "训练运算量"), operations, "flop",
                 f"C = 6 N D = 6 x {short(n)} x {short(budget)}", cite("arXiv:2001.08361 2.1"))  # fmt: skip
    hours = gpu_hours(operations, hardware.peak, hardware.mfu)
    mfu = f"{hardware.mfu:g} [A]"
    yield Figure("gpu_hours", Said("GPU hours", "GPU 小时"), hours, "hours",
                 f"C / (peak x MFU) / 3600 = {short(operations)} / ({short(hardware.peak)} x {mfu}) / 3600",
                 Said(f"arXiv:2204.02311 4.1; peak: {hardware.name.en}; MFU assumed",
                      f"arXiv:2204.02311 4.1；峰值：{hardware.name.zh}；MFU 为假设"))  # fmt: skip
    if hardware.devices:
        yield Figure("days", Said(f"days on {hardware.devices:,} devices", f"{hardware.devices:,} 卡所需天数"),
                     hours / hardware.devices / 24, "days", f"{short(hours)} / {hardware.devices} / 24",
                     Said("division", "相除"))  # fmt: skip


def corpus_figures(ask: Ask, budget: int, rows: Sequence[Row]) -> Iterator[Figure]:
    """What the sources that take part offer against the budget, with repetition discounted source by source."""
    have = sum(row.available or 0 for row in rows)
    if ask.offer is None or not have:
        return
    measured = Said("measured: the manifests", "实测：清单文件")
    yield Figure("available", Said("tokens of the sources", "各来源现有词元"), have, "tokens", "U = sum of available",
                 measured)  # fmt: skip
    yield Figure("passes", Said("passes over them", "平均遍数"), budget / have, "epochs",
                 f"D / U = {short(budget)} / {short(have)}", Said("division", "相除"))  # fmt: skip
    worth = sum(effective_tokens(row.available or 0, row.wanted) for row in rows)
    yield Figure("worth", Said("worth in new tokens", "折合新词元"), worth, "tokens",
                 "by source: U + U R* (1 - exp(-(D/U - 1) / R*)), R* = 15.39; D if D <= U",
                 cite("arXiv:2305.16264 3.1, A"))  # fmt: skip
    ratio, source = ratio_of(ask)
    yield Figure("optimal_model", Said("model that one pass is optimal for", "一遍语料对应的最优模型"), have / ratio,
                 "parameters", f"N = U / {ratio:g} = {short(have)} / {ratio:g}", cite(source))  # fmt: skip


def storage_figures(ask: Ask, budget: int, rows: Sequence[Row]) -> Iterator[Figure]:
    """Ids, text and shards of what is read, each document kept once."""
    known = [min(row.wanted, row.available) for row in rows if row.available is not None]
    whole = bool(rows) and len(known) == len(rows)
    kept, what = (sum(known), "sum of min(share x D, available)") if whole else (budget, "D")
    vocab = ask.recipe.tokens.vocab_size if ask.recipe else None
    for dtype in _dtypes(ask, vocab):
        size = ID_BYTES[dtype]
        why = f", vocab_size {vocab:,}" if vocab and ask.offer is None else ""
        yield Figure(f"ids_{dtype}", Said(f"token ids as {dtype}", f"词元编号（{dtype}）"), kept * size, "bytes",
                     f"{what} x {size} = {short(kept)} x {size}", cite(f"docs/manifest.md{why}"))  # fmt: skip
    if ask.offer is None or not ask.offer.tokens:
        return
    yield from _measured(ask.offer, kept, (ask.recipe.tokens if ask.recipe else Tokens()).shard_bytes)


def _measured(offer: Offer, kept: float, shard_bytes: int) -> Iterator[Figure]:
    """What the runs' own bytes of text a token come to."""
    a_token = offer.text_bytes / offer.tokens
    text = kept * a_token
    measured = Said(f"measured: {short(offer.text_bytes)} bytes / {short(offer.tokens)} tokens",
                    f"实测：{short(offer.text_bytes)} 字节 / {short(offer.tokens)} 词元")  # fmt: skip
    yield Figure("text", Said("raw text", "原始文本"), text, "bytes", f"{short(kept)} x {a_token:.3f}", measured)
    yield Figure("shards", Said("shards", "分片数"), max(1, ceil(text / shard_bytes)), "count",
                 f"ceil(text / shard_bytes) = ceil({short(text)} / {short(shard_bytes)})",
                 cite("docs/manifest.md"))  # fmt: skip
    yield Figure("held", Said("shards held now", "现有分片体积"), offer.shard_bytes, "bytes",
                 f"{offer.shards:,} shards, {offer.shard_bytes / offer.tokens:.3f} bytes a token",
                 Said("measured: the manifests", "实测：清单文件"))  # fmt: skip


def _dtypes(ask: Ask, vocab: int | None) -> tuple[str, ...]:
    """The runs' own, else what the recipe's vocabulary needs, else both."""
    if ask.offer is not None and ask.offer.dtypes:
        return ask.offer.dtypes
    return (dtype_for(vocab),) if vocab else tuple(ID_BYTES)


def memory_figures(ask: Ask) -> Iterator[Figure]:
    """What training holds: state by precision, and activations of one micro-batch for a given or assumed shape."""
    n, each = ask.parameters, PRECISIONS[ask.precision]
    for key, label, a_parameter in (
        ("weights", Said("weights", "权重"), each.weights),
        ("gradients", Said("gradients", "梯度"), each.gradients),
        ("adamw", Said("AdamW: float32 copy, two moments", "AdamW：fp32 副本与两个动量"), each.master + each.moments),
        ("state", Said("all three", "三者合计"), each.total),
    ):
        yield Figure(
            key,
            label,
            a_parameter * n,
            "bytes",
            f"{a_parameter} x N = {a_parameter} x {short(n)} ({ask.precision})",
            cite(each.source),
        )
    shape, assumed = (ask.shape, "") if ask.shape else (shape_for(n), " [A]")
    told = f"s={ask.context} b={ask.micro_batch} h={shape.width} a={shape.heads} L={shape.layers}{assumed}"
    for recompute, label, formula in (
        ("none", Said("activations, all kept", "激活（全部保留）"), "L s b h (34 + 5 a s / h)"),
        ("selective", Said("activations, attention recomputed", "激活（重算注意力）"), "34 L s b h"),
        ("full", Said("activations, layers recomputed", "激活（整层重算）"), "2 L s b h"),
    ):
        bytes_ = activation_bytes(shape, ask.context, ask.micro_batch, recompute)
        source = Said("arXiv:2205.05198 eq. 1, 16 bits, no parallelism", "arXiv:2205.05198 式 1，16 位，无并行")
        yield Figure(f"activations_{recompute}", label, bytes_, "bytes", f"{formula}, {told}", source)
    memory = ask.hardware.memory
    yield Figure("devices", Said("devices that hold the state, at least", "容纳训练状态的最少卡数"),
                 ceil(each.total * n / memory), "count", f"ceil({each.total} x N / {short(memory)}), all sharded",
                 cite("arXiv:1910.02054 5.3"))  # fmt: skip
