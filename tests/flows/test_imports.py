"""The directions of imports, as DESIGN lays them out, are enforced and not only described."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    script = Path(sys.executable).parent / "lint-imports"
    return subprocess.run(
        [str(script), "--no-cache", "--config", str(folder / "pyproject.toml")],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_imports_run_one_way() -> None:
    done = lint(REPO)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_import_upstairs_is_found(tmp_path: Path) -> None:
    """The check can fail: the same contracts refuse a kernel that imports Beam and a lower floor that looks up."""
    for room in ("recipes", "filters", "dedup", "tokenization", "pipelines", "stats", "training", "flows"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("")
    (tmp_path / "filters" / "bad.py").write_text("import apache_beam\nimport pipelines\n")
    (tmp_path / "pyproject.toml").write_text((REPO / "pyproject.toml").read_text())
    script = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
         f"sys.argv=['lint-imports','--no-cache']; exec(open({str(script)!r}).read())"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "filters.bad" in done.stdout


def names_in(path: Path) -> set[str]:
    """What a module defines, imports or lists at its top."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= {one.asname or one.name for one in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def module_at(name: str) -> Path | None:
    """The file of one of our modules; None for anybody else's."""
    place = REPO.joinpath(*name.split("."))
    return next((p for p in (place.with_suffix(".py"), place / "__init__.py") if p.is_file()), None)


@pytest.mark.parametrize("script", sorted((REPO / "benchmarks").glob("*.py")), ids=lambda path: path.stem)
def test_a_benchmark_imports_what_is_there(script: Path) -> None:
    """Nobody runs them in CI, so a name that has gone would be noticed only when a figure is wanted."""
    for node in ast.walk(ast.parse(script.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and (module := module_at(node.module)):
            missing = {one.name for one in node.names} - names_in(module)
            assert not {n for n in missing if module_at(f"{node.module}.{n}") is None}, f"{node.module}: {missing}"
