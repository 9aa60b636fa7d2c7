"""The transformer: causal, relative in position, of the size it says, and ready for bf16 and compiling."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from training.flops import flops_a_token
from training.model import IGNORED, ModelConfig, Transformer, attend, block_mask, document_mask, rotate

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


DOCUMENTS = torch.tensor([[0, 0, 0, 1, 1, 2, 2, 2, 2, 2, -1, -1], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]])
POSITIONS = torch.tensor([[0, 1, 2, 0, 1, 0, 1, 2, 3, 4, 0, 0], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]])


def test_documents_apart_are_as_if_each_were_alone(model: Transformer) -> None:
    ids = torch.randint(0, 32, (2, 12))
    with torch.no_grad():
        packed = model(ids, None, DOCUMENTS, POSITIONS)
        for first, last in ((0, 3), (3, 5), (5, 10)):
            assert torch.allclose(packed[0, first:last], model(ids[:1, first:last])[0], atol=1e-5)
        assert torch.allclose(packed[1], model(ids[1:])[0], atol=1e-5)
        joined = model(ids)
    assert not torch.allclose(packed[0, 3:5], joined[0, 3:5], atol=1e-3)
    assert torch.isfinite(packed).all()  # padding too


def test_the_block_mask_is_the_mask() -> None:
    """What a GPU is given (flex_attention) and what a CPU is: the same attention. Forward only, as flex is on a CPU."""
    torch.manual_seed(0)
    documents = torch.cumsum(torch.rand(2, 256) < 0.03, 1)
    q, k, v = torch.randn(3, 2, 2, 256, 8)
    with torch.no_grad():
        flex, plain = attend(q, k, v, block_mask(documents)), attend(q, k, v, document_mask(documents))
    assert torch.allclose(flex, plain, atol=1e-5)
    assert block_mask(documents).sparsity() >= 0


def test_ignored_targets_do_not_count(model: Transformer) -> None:
    ids, targets = torch.randint(0, 32, (2, 12)), torch.randint(0, 32, (2, 12))
    targets[0, :7] = IGNORED
    logits = model(ids)
    wanted = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
    assert model(ids, targets).item() == pytest.approx(wanted.item(), rel=1e-5)
    assert model(ids, targets, learnt=torch.tensor(34.0)).item() == pytest.approx(wanted.item() / 2, rel=1e-5)
    assert torch.isfinite(model(ids, torch.full_like(targets, IGNORED)))


def test_the_graph_with_documents_compiles_whole(model: Transformer) -> None:
    """Forward and backward with the mask of a CPU, and forward with that of a GPU, without a break in the graph."""
    ids = torch.randint(0, 32, (2, 12))
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    loss = compiled(ids, ids, DOCUMENTS, POSITIONS)
    loss.backward()
    assert loss.item() == pytest.approx(model(ids, ids, DOCUMENTS, POSITIONS).item(), rel=1e-5)


def test_a_large_model_has_its_shapes_on_no_device() -> None:
    """On the meta device: a model of 1.2 billion parameters and 4,096 tokens, of which nothing is computed."""
    with torch.device("meta"):
        large = Transformer(ModelConfig(100_000, width=2048, layers=20, heads=16, context=4096))
        ids = torch.zeros(2, 4096, dtype=torch.long)
        assert large(ids, None, ids, ids).shape == (2, 4096, 100_000)
        assert large(ids, ids).shape == ()
    assert large.parameter_count() == pytest.approx(1.21e9, rel=0.01)


def test_flops_are_those_that_are_counted() -> None:
    """Against PyTorch's own counter of matrix products, forward and backward, for a model where they are nearly all."""
    from torch.utils.flop_counter import FlopCounterMode

    config = ModelConfig(64, width=64, layers=3, heads=2, context=32)
    model = Transformer(config)
    ids = torch.randint(0, 64, (2, 32))
    every = torch.zeros_like(ids)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:  # fused attention is not counted
        model(ids, ids, every, torch.arange(32).expand(2, 32)).backward()
    assert flops_a_token(config, model.parameter_count()) * ids.numel() == pytest.approx(
        counter.get_total_flops(), rel=0.01
    )


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_documents_apart_are_the_same_in_bf16() -> None:
    """flex_attention, compiled, forward and backward in bf16, against the mask written out in fp32."""
    torch.manual_seed(0)
    model = Transformer(ModelConfig(512, width=128, layers=2, heads=2, context=512)).cuda()
    documents = torch.cumsum(torch.rand(4, 512) < 0.02, 1)
    positions = torch.zeros(4, 512, dtype=torch.long)
    for row in range(4):
        for at in range(1, 512):
            positions[row, at] = positions[row, at - 1] + 1 if documents[row, at] == documents[row, at - 1] else 0
    ids = torch.randint(0, 512, (4, 512))
    with torch.autocast("cuda", torch.bfloat16):
        half = torch.compile(model)(*(t.cuda() for t in (ids, ids, documents, positions)))
    half.backward()
    whole = model.cpu()(ids, ids, documents, positions)
    assert half.item() == pytest.approx(whole.item(), rel=0.01)
