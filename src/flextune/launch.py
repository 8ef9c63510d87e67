"""Which of several processes this is, as torchrun and ``accelerate launch`` say in the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache

from flextune.errors import FlextuneError


@dataclass(frozen=True)
class Launch:
    """A process among those that a launcher has started.

    Attributes:
        rank: Its number, from 0.
        world: How many there are.
        local_rank: Its number on its machine: that of its GPU.
    """

    rank: int = 0
    world: int = 1
    local_rank: int = 0

    @property
    def name(self) -> str:
        """``process 1 of 2``."""
        return f"process {self.rank} of {self.world}"


def launched() -> Launch:
    """This process, by ``RANK``, ``WORLD_SIZE`` and ``LOCAL_RANK``; the only one where a launcher set none.

    Raises:
        FlextuneError: One of them is no number.
    """
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        return Launch()
    found = {}
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"):
        value = os.environ.get(name, "0")
        if not value.isdecimal():
            raise FlextuneError(f"{name}={value}: a launcher sets it to a number; unset it to run alone")
        found[name] = int(value)
    return Launch(found["RANK"], max(found["WORLD_SIZE"], 1), found["LOCAL_RANK"])


@cache
def asked_for_fsdp() -> bool:
    """Whether ``accelerate launch --use_fsdp`` started this process.

    Its variables leave the environment: an experiment says what its numbers are computed in, and the sharding
    is done in ``flextune.training.sharding``, not by accelerate again.
    """
    os.environ.pop("ACCELERATE_MIXED_PRECISION", None)
    os.environ.pop("ACCELERATE_DYNAMO_BACKEND", None)
    return os.environ.pop("ACCELERATE_USE_FSDP", "false").lower() == "true"
