"""Fuzz targets for what looks at text: addresses, personal data, edits and signals.

Input is UTF-8 with whatever is broken replaced; rows are parted by a record separator. Kernels are held to their
laws: spans lie on borders of characters, values are finite, and a batch gives what its rows give one by one.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from filters.edits.registry import EDITS
from filters.pii import KINDS, find, scrub
from filters.segment import TextView
from filters.signals import SIGNALS, measure
from filters.urls import hosts, plain_urls, registrable_domain

LANGUAGES = ("en", "zh", "ja", "th", "fr", "und")
POLICY = dict.fromkeys(KINDS, "placeholder")


def rows(data: bytes, most: int = 8) -> pa.LargeStringArray:
    """Texts of an input; never none."""
    return pa.array(data.decode("utf-8", "replace").split("\x1e")[:most], pa.large_string())


def url(data: bytes) -> None:
    """Addresses: hosts, domains and plain forms, alone as in a batch."""
    texts = rows(data, 64)
    for change in (hosts, registrable_domain, plain_urls):
        together = change(texts)
        assert together.to_pylist() == [change(texts.slice(i, 1))[0].as_py() for i in range(len(texts))]
    for host in hosts(texts).to_pylist():
        assert host is None or (host.isascii() and host == host.lower() and 0 < len(host) <= 253), host


def pii(data: bytes) -> None:
    """Personal data: spans within the text; what is left after scrubbing is nothing that needs no cue."""
    texts = rows(data)
    end = {}
    for span in find(texts, list(KINDS)).to_pylist():
        raw = texts[span["row"]].as_py().encode()
        assert end.get(span["row"], 0) <= span["start"] < span["end"] <= len(raw)
        raw[: span["start"]].decode(), raw[: span["end"]].decode()
        end[span["row"]] = span["end"]
    scrubbed = scrub(texts, POLICY).text
    scrubbed.validate(full=True)
    alone = [scrub(texts.slice(i, 1), POLICY).text[0].as_py() for i in range(len(texts))]
    assert scrubbed.to_pylist() == alone
    for span in find(scrubbed, list(KINDS)).to_pylist():  # placeholders are short, so a cue may have come near
        value = scrubbed[span["row"]].as_py().encode()[span["start"] : span["end"]].decode()
        assert not find(pa.array([value], pa.large_string()), list(KINDS)).num_rows, (span, scrubbed.to_pylist())


def edits(data: bytes) -> None:
    """Every edit: valid text, alone as in a batch."""
    texts = rows(data, 4)
    for edit in EDITS.values():
        made = edit.kernel(texts)
        made.validate(full=True)
        assert len(made) == len(texts)
        alone = [edit.kernel(texts.slice(i, 1))[0].as_py() for i in range(len(texts))]
        assert made.to_pylist() == alone, edit.name


def signals(data: bytes) -> None:
    """Every signal in every way of cutting words: finite numbers, alone as in a batch."""
    texts = rows(data[1:], 4)
    lang = pa.array([LANGUAGES[(data[0] + i) % len(LANGUAGES)] if data else "en" for i in range(len(texts))])
    together = measure(TextView(texts, lang), list(SIGNALS))
    alone = [measure(TextView(texts.slice(i, 1), lang.slice(i, 1)), list(SIGNALS)) for i in range(len(texts))]
    for name, values in together.items():
        assert values.equals(pa.concat_arrays([one[name] for one in alone])), name
        if pa.types.is_floating(values.type):
            assert np.isfinite(values.drop_null().to_numpy()).all(), (name, values)
