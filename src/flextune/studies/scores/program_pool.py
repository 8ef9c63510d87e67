"""Texts of programs, as many as a page may carry."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

LONGEST_TEXT = 6_000
LONGEST_MESSAGE = 600
MISSING = -1


@dataclass
class Pool:
    """Texts held once each, as long as the budget lasts.

    Attributes:
        left: Bytes of JSON that may still come.
        texts: In the order in which they came.
        places: Text to index.
    """

    left: int
    texts: list[str] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)

    def add(self, texts: Sequence[str], extra: int = 0) -> list[int] | None:
        """The index of each text; None, and nothing is added, where the budget does not hold all of them.

        Args:
            texts: What belongs together: a program without its rival says little.
            extra: Further bytes that go with them.
        """
        new = {text: _bytes(text) for text in texts if text not in self.places}
        cost = extra + sum(new.values())
        if cost > self.left:
            return None
        self.left -= cost
        for text in new:
            self.places[text] = len(self.texts)
            self.texts.append(text)
        return [self.places[text] for text in texts]


def shortened(text: str, longest: int = LONGEST_TEXT) -> str:
    """The text, or its beginning and how much is left out."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}\n… ({len(text) - longest:,} more characters)"


def _bytes(text: str) -> int:
    # The comma, too.
    return len(json.dumps(text)) + 1
