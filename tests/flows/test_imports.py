"""The directions of imports, as DESIGN lays them out, are enforced and not only described."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
