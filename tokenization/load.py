"""Which engine reads a tokenizer file. A wrong or damaged file becomes one sentence here.

Traded away: the engine is told by the file's ending, not by sniffing, so that the sentence can say what was expected.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tokenization.engines import Chosen, choose
from tokenization.hugging_face import HuggingFace
from tokenization.sentence_piece import SentencePiece
from tokenization.tiktoken_ranks import TiktokenRanks
from tokenization.tokenizer import Reference

MOST_BYTES = 256 << 20  # of a tokenizer's file: the largest published ones have some 35 MB
ENGINES: dict[str, Callable[[Path], Reference]] = {
    ".json": HuggingFace,
    ".tiktoken": TiktokenRanks,
    ".model": SentencePiece,
}


def load(path: str | Path) -> Chosen:
    """A tokenizer from `tokenizer.json`, tiktoken ranks (`*.tiktoken`) or SentencePiece (`*.model`), at full speed.

    Raises FileNotFoundError or ValueError with one sentence that says what to do.
    """
    return choose(Path(path), load_reference(path))


def load_reference(path: str | Path) -> Reference:
    """The same tokenizer as the library of its format has it: slower, and at once; for decoding and as a measure.

    Raises FileNotFoundError or ValueError with one sentence that says what to do.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"There is no tokenizer file {path}. Give the path of an existing one.")
    if file.stat().st_size == 0:
        raise ValueError(f"The tokenizer file {path} is empty. Fetch it again.")
    if file.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path} has {file.stat().st_size:,} bytes, which no tokenizer has. Give another file.")
    engine = ENGINES.get(file.suffix)
    if engine is None:
        raise ValueError(
            f"{path} is no tokenizer that Winnow reads. Give a tokenizer.json, a *.tiktoken rank file "
            "or a SentencePiece *.model."
        )
    try:
        return engine(file)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # the libraries raise bare Exception for a bad file, and Rust's panics are none
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise ValueError(f"{path} is damaged or is no tokenizer of its kind ({reason}). Fetch it again.") from error
