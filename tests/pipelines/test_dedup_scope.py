"""`scope = "language"`: near-duplicates meet only within their language; the text decides nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipelines.parts import write_part
from pipelines.sign import SIGNATURE, keyed_hashes
from recipes.dedup import Dedup, MinHash
from recipes.model import Recipe


@pytest.mark.parametrize(("scope", "meetings"), [("corpus", 3), ("language", 2)])
def test_bands_meet_within_the_scope(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scope: str, meetings: int
) -> None:
    minhash = MinHash.model_validate({"bands": 2, "rows": 4, "scope": scope})
    recipe = Recipe(name="tiny", title="Tiny", fidelity="R3", sources=("none",), dedup=Dedup(minhash=minhash))
    signed = np.arange(8, dtype=np.uint32)
    rows = [{"doc_id": str(i), "row": i, "lang": lang, "content": "00", "keys": [0.0], "signature": signed}
            for i, lang in enumerate(("en", "en", "zh"))]  # fmt: skip
    batch = pa.RecordBatch.from_pylist(rows, schema=SIGNATURE)
    path = str(tmp_path / "signatures.parquet")
    write_part(path, [batch], SIGNATURE, "m", {})
    monkeypatch.setattr("pipelines.sign.sign_part", lambda *_: path)
    for _, packed in keyed_hashes(0, str(tmp_path), recipe, 1):
        hashes = pa.ipc.open_stream(packed).read_all()["hash"].to_numpy()
        assert np.unique(hashes, return_counts=True)[1].max() == meetings
