"""One model as a server has it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flextune.config import ServerConfig
from flextune.generation.server.kinds import LLAMA_CPP_CACHE


@dataclass(frozen=True)
class Served:
    """A base model, or an adapter on it, under its names on a server.

    Attributes:
        config: Where, and how it is asked.
        model: The base model's name there.
        adapter: The adapter's name there; None for the base model.
        scale: What the adapter's update is multiplied by (llama.cpp alone can).
        folder: The adapter's folder on this machine, where there is one.
    """

    config: ServerConfig
    model: str
    adapter: str | None = None
    scale: float = 1.0
    folder: Path | None = None

    @property
    def name(self) -> str:
        """What a message calls it."""
        return self.adapter or self.model

    def given(self) -> dict[str, Any]:
        """What decides the texts, as a generation key has it.

        The server's program is part of it: another one computes and draws otherwise. Its address, the API
        key, and how many requests it gets at once are not.
        """
        row: dict[str, Any] = {"kind": self.config.kind, "model": self.model, "adapter": self.adapter}
        if self.config.kind == "llama.cpp":
            row |= LLAMA_CPP_CACHE
        return row if self.config.endpoint == "completions" else {**row, "endpoint": self.config.endpoint}
