"""The transformer: causal, relative in position, of the size it says, and ready for bf16 and compiling."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from training.model import ModelConfig, Transformer, rotate

CONFIG = ModelConfig(32, width=16, layers=2, heads=2, context=12)


@pytest.fixture
def model() -> Transformer:
    torch.manual_seed(0)
    return Transformer(CONFIG)


def test_the_future_does_not_leak(model: Transformer) -> None:
    ids = torch.randint(0, 32, (1, 12))
    other = ids.clone()
    other[0, 8:] = (other[0, 8:] + 1) % 32
    with torch.no_grad():
        a, b = model(ids), model(other)
    assert torch.allclose(a[:, :8], b[:, :8], atol=1e-6)
    assert not torch.allclose(a[:, 8:], b[:, 8:])


def test_the_past_is_seen(model: Transformer) -> None:
    """Changing the first token changes every later position."""
    ids = torch.randint(0, 32, (1, 12))
    other = ids.clone()
    other[0, 0] = (other[0, 0] + 1) % 32
    with torch.no_grad():
        change = (model(ids) - model(other)).abs().amax(-1)[0]
    assert (change > 1e-7).all()


def test_rotary_positions_are_relative(model: Transformer) -> None:
    """q at m times k at n depends on m - n only (arXiv:2104.09864, equation 11), and a rotation keeps lengths."""
    torch.manual_seed(1)
    q, k = torch.randn(8), torch.randn(8)
    cos, sin = model.cos, model.sin
    at = [rotate(torch.stack([q, k]), cos[i], sin[i]) for i in range(12)]  # type: ignore[index]
    for distance in range(6):
        products = torch.stack([at[m + distance][0] @ at[m][1] for m in range(6)])
        assert torch.allclose(products, products[0].expand(6), atol=1e-5)
    assert at[5][0].norm() == pytest.approx(q.norm().item(), rel=1e-5)
    assert not torch.allclose(at[5][0] @ at[0][1], at[0][0] @ at[0][1])


def test_parameters_are_counted_once(model: Transformer) -> None:
    width, hidden = 16, 48  # 8/3 of 16, up to a multiple of 16
    layer = 4 * width * width + 3 * width * hidden + 2 * width
    assert model.parameter_count() == 32 * width + 2 * layer + width


def test_an_untrained_model_knows_nothing(model: Transformer) -> None:
    ids = torch.randint(0, 32, (64, 13))
    loss = model(ids[:, :-1], ids[:, 1:])
    assert loss.item() == pytest.approx(math.log(32), abs=0.05)


def test_the_loss_is_the_cross_entropy_of_the_logits(model: Transformer) -> None:
    ids = torch.randint(0, 32, (4, 13))
    logits = model(ids[:, :-1])
    assert logits.shape == (4, 12, 32)
    by_hand = -F.log_softmax(logits, -1).gather(-1, ids[:, 1:, None]).mean()
    assert model(ids[:, :-1], ids[:, 1:]).item() == pytest.approx(by_hand.item(), rel=1e-5)


def test_an_odd_head_is_refused() -> None:
    with pytest.raises(ValueError, match="multiple of twice"):
        Transformer(ModelConfig(32, width=18, heads=2))


def test_bf16_agrees_with_fp32(model: Transformer) -> None:
    """What autocast does on a GPU, on this CPU: the same loss within bf16's precision, and gradients in fp32."""
    ids = torch.randint(0, 32, (4, 13))
    whole = model(ids[:, :-1], ids[:, 1:])
    with torch.autocast("cpu", torch.bfloat16):
        half = model(ids[:, :-1], ids[:, 1:])
    half.backward()
    assert half.item() == pytest.approx(whole.item(), rel=0.01)
    assert {p.grad.dtype for p in model.parameters() if p.grad is not None} == {torch.float32}


def test_the_graph_compiles_whole(model: Transformer) -> None:
    """torch.compile finds no break in the graph, forward and backward; no code generator is needed for that."""
    ids = torch.randint(0, 32, (4, 13))
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    loss = compiled(ids[:, :-1], ids[:, 1:])
    loss.backward()
    assert loss.item() == pytest.approx(model(ids[:, :-1], ids[:, 1:]).item(), rel=1e-5)
