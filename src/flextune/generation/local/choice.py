"""How each slot chooses its next token: rows of several settings side by side."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from flextune.config import DecodeConfig
from flextune.generation.local.healing import Healing
from flextune.generation.local.rows import Row
from flextune.generation.local.sampling import (
    draw,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    penalize_repetition,
    uniforms,
)
from flextune.generation.seeds import row_seed


class Choice:
    """The decoding settings of every slot, and what has been drawn.

    Temperature, top-k, top-p and min-p are applied in the order in which transformers applies them.

    Args:
        slots: Rows at most.
        rows: All rows that will come.
        vocabulary: Logits of a row.
        device: The model's.
    """

    def __init__(self, slots: int, rows: Sequence[Row], vocabulary: int, device: torch.device) -> None:
        decodes = {row.decode for row in rows}
        self._sampled = any(map(_samples, decodes))
        self._penalized = any(decode.repetition_penalty != 1 for decode in decodes)
        self._tokens = max((row.max_new_tokens for row in rows), default=0)
        self._device = device
        self._numbers = self._zeros(slots, self._tokens if self._sampled else 0, torch.float64)
        self._seen = self._zeros(slots, vocabulary if self._penalized else 0, torch.bool)
        self._drawn = torch.zeros(slots, dtype=torch.long, device=device)
        self._healing = Healing()
        self._settings: list[DecodeConfig] = []
        self._values: dict[str, Tensor] = {}

    def admit(self, rows: Sequence[Row]) -> None:
        """Rows take the slots behind those that are taken."""
        first = len(self._settings)
        self._settings += [row.decode for row in rows]
        self._healing.admit([row.healed for row in rows])
        places = slice(first, first + len(rows))
        self._drawn[places] = 0
        if self._sampled:
            seeds = [row_seed(row.seed, row.problem, row.sample) for row in rows]
            self._numbers[places] = uniforms(seeds, self._tokens).to(self._device)
        if self._penalized:
            self._seen[places] = False
            for slot, row in enumerate(rows, start=first):
                self._seen[slot, torch.tensor(row.prompt, device=self._device)] = True
        self._tell()

    def keep(self, order: Sequence[int]) -> None:
        """The rows of the slots ``order`` take the slots 0, 1, ...; all others have left."""
        self._settings = [self._settings[slot] for slot in order]
        self._healing.keep(order)
        slots = torch.tensor(order, dtype=torch.long, device=self._device)
        for held in (self._numbers, self._drawn, self._seen):
            held[: len(order)] = held[slots]
        self._tell()

    def allowed(self, logits: Tensor) -> Tensor:
        """Logits of the tokens that each row may choose, ``-inf`` for the others; shapes as ``choose``."""
        return self._healing.allowed(logits)

    def choose(self, logits: Tensor) -> Tensor:
        """Next tokens.

        Args:
            logits: Of ``allowed``, float32, shape ``(rows, vocabulary)``; row ``i`` is that of slot ``i``.

        Returns:
            Ids, shape ``(rows,)``.
        """
        rows = logits.shape[0]
        if self._penalized:
            logits = penalize_repetition(logits, self._seen[:rows], self._values["repetition_penalty"])
        tokens = logits.argmax(-1)
        if self._sampled:
            tokens = torch.where(self._values["samples"], self._drawn_from(logits), tokens)
        if self._penalized:
            self._seen[:rows].scatter_(1, tokens[:, None], True)
        self._drawn[:rows] += 1
        self._healing.chosen(tokens)
        return tokens

    def _drawn_from(self, logits: Tensor) -> Tensor:
        values = self._values
        scores = logits / values["temperature"][:, None]
        if self._used("top_k", 0):
            scores = keep_top_k(scores, values["top_k"])
        weights = torch.softmax(scores.double(), dim=-1)
        if self._used("top_p", 1):
            weights = keep_top_p(weights, values["top_p"])
        if self._used("min_p", 0):
            weights = keep_min_p(weights, values["min_p"])
        rows = logits.shape[0]
        # Rows run on for some steps behind their limit, until they are looked at.
        step = self._drawn[:rows].clamp(max=self._tokens - 1)
        return draw(weights, self._numbers[torch.arange(rows, device=self._device), step])

    def _used(self, key: str, neutral: float) -> bool:
        return any(_samples(decode) and getattr(decode, key) != neutral for decode in self._settings)

    def _tell(self) -> None:
        """Put the settings of the slots into tensors, shape ``(rows,)``."""

        def values(key: str, neutral: float, dtype: torch.dtype) -> Tensor:
            numbers = [getattr(decode, key) if _samples(decode) else neutral for decode in self._settings]
            return torch.tensor(numbers, dtype=dtype, device=self._device)

        penalties = [decode.repetition_penalty for decode in self._settings]
        self._values = {
            "samples": torch.tensor([_samples(decode) for decode in self._settings], device=self._device),
            "temperature": values("temperature", 1, torch.float32),
            "top_k": values("top_k", 0, torch.long),
            "top_p": values("top_p", 1, torch.float64),
            "min_p": values("min_p", 0, torch.float64),
            "repetition_penalty": torch.tensor(penalties, dtype=torch.float32, device=self._device),
        }

    def _zeros(self, slots: int, columns: int, dtype: torch.dtype) -> Tensor:
        return torch.zeros(slots, columns, dtype=dtype, device=self._device)


def _samples(decode: DecodeConfig) -> bool:
    return decode.strategy == "sample"
