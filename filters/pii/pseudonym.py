"""A name for a value that tells nobody what it was: a keyed hash, the same wherever the value stands.

The key comes from the environment and is written nowhere. A run's fingerprints hold a check of it, eight bytes of
another keyed hash, so that a part made with another key is made again; a key drawn at random cannot be guessed from
that. Traded away: who has the key and a list of values can tell which stand in a corpus. Throw the key away to
make that impossible.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from hashlib import blake2b

from filters.pii.fold import PLAIN

VARIABLE = "WINNOW_PSEUDONYM_KEY"
LEAST = 32  # characters: 16 bytes, written in hex
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # no vowels, no digits: never a word, an address or a number
LENGTH = 12  # 20**12: one chance collision among about 60 million values


class KeyMissing(ValueError):
    """A recipe asks for pseudonyms and there is no key, or one that could be guessed."""


def key_for(policy: Mapping[str, str]) -> bytes | None:
    """The key that this policy needs, None if it needs none; KeyMissing in a sentence that never quotes the key."""
    kinds = sorted(kind for kind, action in policy.items() if action == "pseudonym")
    if not kinds:
        return None
    given = os.environ.get(VARIABLE, "")
    if len(given) < LEAST:
        told = f"has {len(given)} characters" if given else "is not set"
        raise KeyMissing(
            f"scrub.policy wants pseudonyms for {', '.join(kinds)}, but {VARIABLE} {told}. Set it to at least "
            f"{LEAST} random ones, for example: export {VARIABLE}=$(openssl rand -hex 32), on every worker."
        )
    return blake2b(given.encode(), digest_size=32, person=b"winnow-key").digest()


def key_check(key: bytes | None) -> str | None:
    """What fingerprints may know of a key."""
    return None if key is None else blake2b(b"", key=key, digest_size=8, person=b"winnow-check").hexdigest()


def normalised(value: str) -> str:
    """A value as its other spellings have it: case, width and, outside addresses, separators do not count.

    >>> normalised("+86 138-1234-5678") == normalised("+8613812345678"), normalised("Jo@Mail.DE")
    (True, 'jo@mail.de')
    """
    plain = unicodedata.normalize("NFKC", value.translate(PLAIN)).casefold()
    if any(mark in plain for mark in "@:") or plain.count(".") == 3:  # e-mail, IPv6, MAC, IPv4
        return plain
    return "".join(c for c in plain if c.isalnum()) or plain


def pseudonym(kind: str, value: str, placeholder: str, key: bytes) -> str:
    """`<EMAIL_...>`: the placeholder with twelve letters of a hash of kind and value under the key.

    >>> pseudonym("email", "Jo@mail.de", "<EMAIL>", b"k" * 32) == pseudonym("email", "jo@MAIL.de", "<EMAIL>", b"k" * 32)
    True
    """
    digest = blake2b(f"{kind}\0{normalised(value)}".encode("utf-8", "surrogatepass"), key=key, digest_size=16)
    number, letters = int.from_bytes(digest.digest(), "big"), []
    for _ in range(LENGTH):
        number, place = divmod(number, len(LETTERS))
        letters.append(LETTERS[place])
    return f"{placeholder.rstrip('>')}_{''.join(letters)}>"
