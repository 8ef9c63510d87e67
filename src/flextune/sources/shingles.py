"""Texts as sets of shingles: runs of tokens, whatever case, spaces and line ends they are written in."""

from __future__ import annotations

import re
import zlib

#: Tokens in a shingle.
LENGTH = 5

_TOKEN = re.compile(r"[^\W_]+|[^\w\s]")


def shingles(text: str, length: int = LENGTH) -> frozenset[int]:
    """The text's runs of ``length`` tokens, each as 32 bits; a shorter text is one run.

    Tokens are words (split at underscores, in lower case) and single signs.
    """
    tokens = _TOKEN.findall(text.lower())
    if not tokens:
        return frozenset()
    last = max(1, len(tokens) - length + 1)
    return frozenset(zlib.crc32(" ".join(tokens[at : at + length]).encode()) for at in range(last))


def jaccard(first: frozenset[int], second: frozenset[int]) -> float:
    """Shared runs as a part of all runs of both; 1 for two without any."""
    together = len(first | second)
    return len(first & second) / together if together else 1.0
