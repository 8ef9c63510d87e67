"""Decoding in the three ways, for tests of engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from flextune.config import DecodeConfig
from flextune.generation.engine import Request
from flextune.records import Completion, Problem

if TYPE_CHECKING:
    from flextune.generation.engine import Engine

GREEDY = DecodeConfig(max_new_tokens=40, batch_size=8)
SAMPLE = DecodeConfig(strategy="sample", temperature=0.9, n=2, max_new_tokens=40, batch_size=8)
BEAM = DecodeConfig(strategy="beam", num_beams=3, max_new_tokens=20, batch_size=8)
EVERY_WAY = pytest.mark.parametrize("decode", [GREEDY, SAMPLE, BEAM], ids=["greedy", "sample", "beam"])


def answers(
    engine: Engine, problems: Sequence[Problem], decode: DecodeConfig, seed: int = 0
) -> list[Completion]:
    """Everything that an engine answers, in its order."""
    batches = engine.answer([Request(problems, decode, seed)])
    return [answer.completion for batch in batches for answer in batch]
