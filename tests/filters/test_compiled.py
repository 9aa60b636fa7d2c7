"""What a step may not do (filters/compiled.py): nothing counts references for it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from numba.core.registry import CPUDispatcher

import filters.edits
import filters.pii
import filters.signals  # noqa: F401 - what is imported is looked at
from filters.compiled import kernel, step

REPO = Path(__file__).resolve().parents[2]
ROOMS = ("filters", "dedup", "pipelines")


def compiled(kind: str) -> set[str]:
    """module.function of the functions with this decorator."""
    found = set()
    for path in (path for room in ROOMS for path in (REPO / room).rglob("*.py")):
        module = ".".join(path.relative_to(REPO).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and kind in {ast.unparse(one) for one in node.decorator_list}:
                found.add(f"{module}.{node.name}")
    return found


def dispatchers() -> dict[str, CPUDispatcher]:
    """Those that were imported, by module.function."""
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] in ROOMS]
    found = [one for module in modules for one in vars(module).values() if isinstance(one, CPUDispatcher)]
    return {f"{one.py_func.__module__}.{one.py_func.__name__}": one for one in found}


def returned_arrays(function: ast.FunctionDef) -> set[str]:
    """What is subscripted somewhere, hence an array, and returned as it is or as a slice, by itself or in a tuple."""
    subscripts = [node for node in ast.walk(function) if isinstance(node, ast.Subscript)]
    known = {ast.unparse(node.value) for node in subscripts}
    found: set[str] = set()
    waiting = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value is not None]
    while waiting:
        value = waiting.pop()
        if isinstance(value, ast.Tuple):
            waiting += value.elts
        elif isinstance(value, ast.IfExp):
            waiting += [value.body, value.orelse]
        elif (isinstance(value, ast.Subscript) and isinstance(value.slice, ast.Slice)) or ast.unparse(value) in known:
            found.add(ast.unparse(value))
    return found


def functions(source: str) -> Iterator[ast.FunctionDef]:
    yield from (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))


def test_steps_return_no_array() -> None:
    names = compiled("step")
    found = set()
    for module in {name.rpartition(".")[0] for name in names}:
        source = (REPO / (module.replace(".", "/") + ".py")).read_text("utf-8")
        found |= {f"{module}.{one.name}" for one in functions(source) if returned_arrays(one)} & names
    assert found == set()


@pytest.mark.parametrize(
    ("body", "returns"),
    [
        ("return a[i], i", set()), ("a[i] = 1\n return i, a", {"a"}), ("return a[i:]", {"a[i:]"}),
        ("a[0] = 1\n return a if i else b", {"a"}),
    ],
)  # fmt: skip
def test_the_check_sees_an_array(body: str, returns: set[str]) -> None:
    assert returned_arrays(next(functions(f"def f(a, b, i):\n {body}"))) == returns


def test_steps_call_no_kernel() -> None:
    """Of whatever file: a kernel may make arrays, and would be compiled without what that needs."""
    kernels, steps, known = compiled("kernel"), compiled("step"), dispatchers()
    assert len(steps) > 150
    assert kernels | steps >= {name for name in known if name.partition(".")[0] != "pipelines"}

    def called(name: str) -> set[str]:
        function = known[name].py_func
        values = [function.__globals__.get(one) for one in function.__code__.co_names]
        return {f"{one.py_func.__module__}.{one.py_func.__name__}" for one in values if isinstance(one, CPUDispatcher)}

    assert {name for name in steps & known.keys() if called(name) & kernels} == set()


def test_a_kernel_is_one_whoever_compiles_it() -> None:
    """Numba would hand a step's options down to what it calls."""

    def plain(a: object) -> object:
        return a

    assert kernel(plain).targetoptions["_nrt"] is True
    assert step(plain).targetoptions["_nrt"] is False
