"""What documents are known by: near-duplicates meet within the scope that the recipe names, the empty nowhere."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dedup.keys import columns, keys_of
from recipes.dedup import Dedup, Exact, MinHash

TEXT = "the same page taken for two languages by chance"


@pytest.mark.parametrize(("scope", "meetings"), [("corpus", 3), ("language", 2)])
def test_bands_meet_within_the_scope(scope: str, meetings: int) -> None:
    minhash = MinHash.model_validate({"ngram": 2, "bands": 2, "rows": 4, "scope": scope})
    text, lang = pa.array([TEXT] * 3, pa.large_string()), pa.array(["en", "en", "zh"])
    keys = keys_of(text, lang, None, Dedup(minhash=minhash)).keys
    assert keys.shape == (3, 2)
    for band in keys.T:
        assert np.unique(band, return_counts=True)[1].max() == meetings


def test_a_text_without_shingles_has_no_band_and_still_has_its_text() -> None:
    dedup = Dedup(exact=Exact(), minhash=MinHash(bands=2, rows=4))
    keys = keys_of(pa.array(["", TEXT], pa.large_string()), pa.array(["en", "en"]), None, dedup).keys
    assert columns(dedup) == ("exact", "band", "band")
    assert (keys[0] != 0).tolist() == [True, False, False] and (keys[1] != 0).all()
