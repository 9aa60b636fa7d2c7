"""A Parquet file's footer, looked at before Arrow reads it: how many levels deep does its schema nest?

Arrow turns a schema into types by recursion, and 20,000 levels, which fit into a file of 200 KB, end the process by a
stack overflow. So the levels are counted first, over the bytes of the footer, and Arrow judges all the rest. A footer
of thrift's compact protocol is walked whole, since a field may come twice and the last one counts; small ones cannot
be deep, and are not walked at all.
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

# What reading a damaged file raises: Parquet's own exceptions reach Python as RuntimeError, and a column's name need
# not be UTF-8.
UNREADABLE = (OSError, pa.ArrowException, RuntimeError, UnicodeError)
DEEPEST = 100  # levels that are accepted, of schemas and of structs in the footer
SMALL = 16 << 10  # bytes of a footer that cannot hold more levels than Arrow bears: an element takes four at least
MOST_ROWS = 1 << 48
FIXED = {1: 0, 2: 0, 3: 1, 7: 8, 13: 16}  # bytes of a field by its type: true, false, byte, double, uuid
INTEGERS, BINARY, LISTS, MAP, STRUCT = (4, 5, 6), 8, (9, 10), 11, 12
SCHEMA, CHILDREN = 2, 5  # field ids: FileMetaData.schema, SchemaElement.num_children


def open_parquet(stream: IO[bytes]) -> pq.ParquetFile:
    """The file as Arrow opens it; one of UNREADABLE if it does not, or must not be asked to."""
    size = stream.seek(0, 2)
    stream.seek(max(size - 8, 0))
    length = int.from_bytes(stream.read(4), "little")
    if SMALL < length <= size - 8:
        stream.seek(size - 8 - length)
        _walked(stream.read(length))
    stream.seek(0)
    table = pq.ParquetFile(stream)
    rows = [table.metadata.row_group(i).num_rows for i in range(table.metadata.num_row_groups)]
    # a row's number is part of its id, and must be one row's alone
    if min(rows, default=0) < 0 or sum(rows) > MOST_ROWS:
        raise pa.ArrowInvalid("its footer counts fewer rows than none, or more than there can be")
    return table


@lru_cache(maxsize=2)  # the row groups of a file are read as parts of their own
def _walked(footer: bytes) -> None:
    with suppress(IndexError):  # it ends too early: Arrow will say so, before it comes to the types
        _Compact(footer).structure(0)


class _Compact:
    """A cursor over a footer; ArrowInvalid where it is too deep, IndexError at its end."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        value = shift = 0
        while (byte := self.byte()) & 0x80 and shift < 63:
            value, shift = value | (byte & 0x7F) << shift, shift + 7
        return value | byte << shift

    def structure(self, level: int) -> int:
        """Pass over a struct; returns the value of its field CHILDREN. The outermost one's SCHEMA is measured."""
        if level > DEEPEST:
            raise pa.ArrowInvalid(f"its footer nests more than {DEEPEST} levels deep")
        last = children = 0
        while (head := self.byte()) & 0xF:
            kind = head & 0xF
            last = last + (head >> 4) if head >> 4 else self.signed()
            if last == CHILDREN and kind in INTEGERS:
                children = self.signed()
            else:
                self.value(kind, level, measured=not level and last == SCHEMA)
        return children

    def signed(self) -> int:
        number = self.varint()
        return (number >> 1) ^ -(number & 1)

    def value(self, kind: int, level: int, measured: bool = False) -> None:
        """Pass over a field's value."""
        if kind in FIXED:
            self.at += FIXED[kind]
        elif kind in INTEGERS:
            self.varint()
        elif kind == BINARY:
            size = self.varint()
            self.at += size
        elif kind == STRUCT:
            self.structure(level + 1)
        elif kind in LISTS:
            head = self.byte()
            count = head >> 4 if head >> 4 < 15 else self.varint()
            self.elements(count, [head & 0xF], level + 1, measured)
        elif kind == MAP and (count := self.varint()):
            kinds = self.byte()
            self.elements(count, [kinds >> 4, kinds & 0xF], level + 1, False)
        elif kind != MAP:
            raise pa.ArrowInvalid("its footer is no thrift struct")

    def elements(self, count: int, kinds: list[int], level: int, measured: bool) -> None:
        """Pass over the values of a list or map; a measured list is a schema, each group before its children."""
        if level > DEEPEST:
            raise pa.ArrowInvalid(f"its footer nests more than {DEEPEST} levels deep")
        sizes = [1 if kind in (1, 2) else FIXED.get(kind) for kind in kinds]
        if None not in sizes:
            self.at += count * sum(size or 0 for size in sizes)
            return
        wanted: list[int] = []  # children still to come, of each group that is open
        for _ in range(count):
            for kind, size in zip(kinds, sizes, strict=True):
                children = self.structure(level) if kind == STRUCT else 0
                if size is not None:
                    self.at += size
                elif kind != STRUCT:
                    self.value(kind, level)
            if not measured:
                continue
            while wanted and not wanted[-1]:
                wanted.pop()
            if wanted:
                wanted[-1] -= 1
            if children > 0:
                wanted.append(children)
            if len(wanted) > DEEPEST:
                raise pa.ArrowInvalid(f"its schema nests more than {DEEPEST} levels deep")
