"""Token healing: the prompt's last tokens are taken back, and what is decoded must begin with their text.

A model has hardly seen a prompt that ends between two characters which its tokenizer merges: after
``"\\n"`` it rarely continues with four spaces if its training texts have both as one token. So the longest
run of last tokens is taken back whose text some longer token begins with. Until that text is there again,
only tokens that agree with it may be chosen.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from flextune.models.encoding import token_texts

#: Tokens that are taken back at most.
MOST = 4


class Vocabulary:
    """The text of every token, and which tokens agree with a text.

    Args:
        tokenizer: Of the model.
        size: Logits of a row; ids behind the tokenizer's own have no text.
    """

    def __init__(self, tokenizer: Any, size: int) -> None:
        self.texts = token_texts(tokenizer, range(min(size, len(tokenizer))))
        self._ordered = sorted(set(self.texts))
        self._size = size
        self._masks = {"": torch.ones(size, dtype=torch.bool)}

    def text(self, ids: Sequence[int]) -> str:
        """The text of some tokens behind a prompt."""
        return "".join(self.texts[token] for token in ids)

    def agreeing(self, rest: str) -> Tensor:
        """Tokens that begin with ``rest``, or that ``rest`` begins with: bool, shape ``(size,)``."""
        if rest not in self._masks:
            mask = torch.zeros(self._size, dtype=torch.bool)
            fits = [bool(t) and (t.startswith(rest) or rest.startswith(t)) for t in self.texts]
            mask[: len(fits)] = torch.tensor(fits)
            self._masks[rest] = mask
        return self._masks[rest]

    def taken_back(self, prompt: str, ids: Sequence[int]) -> int:
        """How many of the prompt's last tokens are taken back; 0 where no longer token begins as they do.

        Args:
            prompt: The text.
            ids: Its tokens; the first stays, so that there is something to continue.
        """
        best = 0
        for count in range(1, min(MOST, len(ids) - 1) + 1):
            # A special token has no text, and a token may be a part of a character.
            if not self.texts[ids[-count]] or not prompt.endswith(self.text(ids[-count:])):
                break
            if self._begins_longer(self.text(ids[-count:])):
                best = count
        return best

    def _begins_longer(self, text: str) -> bool:
        place = bisect_right(self._ordered, text)
        return place < len(self._ordered) and self._ordered[place].startswith(text)


@dataclass(frozen=True, slots=True)
class Healed:
    """What a row must say again of its prompt.

    Attributes:
        text: What the prompt's ids lack; what is decoded begins with it.
        tokens: Tokens that it was.
        vocabulary: The model's.
    """

    text: str
    tokens: int
    vocabulary: Vocabulary

    def rest(self, ids: Sequence[int]) -> str:
        """What is still to be said after these tokens."""
        return self.text[len(self.vocabulary.text(ids[: len(self.text)])) :]


class Healing:
    """What the slots of a batch must still say again of their prompts."""

    def __init__(self) -> None:
        self._rest: list[str] = []
        self._vocabulary: Vocabulary | None = None

    def admit(self, rows: Sequence[Healed | None]) -> None:
        """Rows take the slots behind those that are taken."""
        self._rest += [row.text if row else "" for row in rows]
        self._vocabulary = next((row.vocabulary for row in rows if row), self._vocabulary)

    def keep(self, order: Sequence[int]) -> None:
        """The rows of the slots ``order`` take the slots 0, 1, ...; all others have left."""
        self._rest = [self._rest[slot] for slot in order]

    def allowed(self, logits: Tensor) -> Tensor:
        """Logits with ``-inf`` for tokens that do not agree, shape ``(rows, vocabulary)``."""
        if self._vocabulary is None or not any(self._rest):
            return logits
        masks = torch.stack([self._vocabulary.agreeing(rest) for rest in self._rest])
        return logits.masked_fill(~masks.to(logits.device), -torch.inf)

    def chosen(self, tokens: Tensor) -> None:
        """Take note of what was chosen, shape ``(rows,)``."""
        if self._vocabulary is None or not any(self._rest):
            return
        texts = self._vocabulary.texts
        pairs = zip(self._rest, tokens.tolist(), strict=True)
        self._rest = [rest and rest[len(texts[token]) :] for rest, token in pairs]
