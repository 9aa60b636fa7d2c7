from typing import Any, Generic, TypeVar

import pyarrow as pa

E = TypeVar("E")


class Scorer(Generic[E]):
    digest: str = ""

    def columns(self, *a: Any) -> dict[str, pa.Array]:
        return {}


def load(score: Any, path: str | None = None) -> Scorer[Any]:
    return Scorer()


def score_types(score: Any) -> dict[str, pa.DataType]:
    return {f"score_{score.id}": pa.float64()}
