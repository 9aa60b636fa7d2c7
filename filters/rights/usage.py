"""Usage preferences for AI training: `Content-Usage` of the IETF's AIPREF, and `Content-Signal`.

draft-ietf-aipref-vocab-08 section 6: a structured-field dictionary (RFC 9651, parsed by http-sf) whose key `train-ai`
is the token `y` or `n`; anything else, and any fault, leaves the preference unknown. Content-Signal
(https://contentsignals.org) is a plain list of `key=yes|no`, of which `ai-train` is ours.
"""

from __future__ import annotations

from functools import lru_cache

from http_sf import Token, parse

LONGEST = 1_000


@lru_cache(maxsize=4096)
def preference(value: str) -> str | None:
    """`y` or `n` for `train-ai`, None where it is not said.

    >>> preference("train-ai=n, search=y"), preference("train-ai=y, train-ai"), preference("Train-AI=n")
    ('n', None, None)
    """
    try:
        said = parse(value[:LONGEST].encode(), tltype="dictionary")
    except ValueError:  # RFC 9651 4.2: a field that does not parse is ignored as a whole
        return None
    found = said.get("train-ai") if isinstance(said, dict) else None
    token = found[0] if isinstance(found, tuple) else None
    return str(token) if isinstance(token, Token) and str(token) in ("y", "n") else None


@lru_cache(maxsize=4096)
def signal(value: str) -> str | None:
    """`y` or `n` for `ai-train`, None where it is not said; the last one counts.

    >>> signal("search=yes,ai-train=no"), signal("search=yes")
    ('n', None)
    """
    pairs = (part.partition("=") for part in value[:LONGEST].lower().split(","))
    said = {key.strip(): answer.strip() for key, _, answer in pairs}.get("ai-train")
    return {"yes": "y", "no": "n"}.get(said or "")
