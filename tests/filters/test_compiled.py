"""What a step may not do (filters/compiled.py), read off the source: nothing counts references for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]


def compiled(kind: str) -> Iterator[tuple[Path, ast.FunctionDef]]:
    """Functions with this decorator."""
    for room in ("filters", "dedup", "pipelines"):
        for path in sorted((REPO / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.FunctionDef) and kind in {ast.unparse(one) for one in node.decorator_list}:
                    yield path, node


def names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def returned_arrays(step: ast.FunctionDef) -> set[str]:
    """Names that are subscripted somewhere, hence arrays, and returned as they are."""
    arrays = {node.value.id for node in ast.walk(step)
              if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name)}  # fmt: skip
    found: set[str] = set()
    for node in ast.walk(step):
        if isinstance(node, ast.Return) and node.value is not None:
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            found |= {value.id for value in values if isinstance(value, ast.Name)} & arrays
    return found


def test_steps_return_no_array() -> None:
    steps = [*compiled("step")]
    assert len(steps) > 150
    assert {f"{path.name}: {step.name}" for path, step in steps if returned_arrays(step)} == set()


def test_steps_call_no_kernel_of_their_file() -> None:
    """Kernels of other files would fail to compile: they make arrays, which needs what a step is compiled without."""
    kernels = {(path, kernel.name) for path, kernel in compiled("kernel")}
    assert {f"{path.name}: {step.name}" for path, step in compiled("step")
            if any((path, name) in kernels for name in names(step))} == set()  # fmt: skip


@pytest.mark.parametrize(
    ("source", "returns"),
    [("def f(a, i): return a[i], i", set()), ("def f(a, i):\n a[i] = 1\n return i, a", {"a"})],
)
def test_the_check_sees_an_array(source: str, returns: set[str]) -> None:
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    assert returned_arrays(function) == returns
