"""Grid and random search: every configuration is fixed before an outcome is seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flextune.search.base import Axis, Proposal, Settings, Trial, drawn

#: Draws that may be repeats of others before the space counts as exhausted.
REPEATS = 200


class Listed:
    """A list of configurations, in its order.

    Args:
        configurations: All of them.
    """

    in_turn = False

    def __init__(self, configurations: Sequence[Settings]) -> None:
        self._configurations = configurations

    def propose(self, trials: Sequence[Trial]) -> Proposal | None:
        """The first that was not tried yet."""
        place = len(trials)
        return Proposal(self._configurations[place]) if place < len(self._configurations) else None

    def close(self) -> None:
        """Nothing is open."""


def random_configurations(axes: Sequence[Axis], count: int, seed: int) -> list[Settings]:
    """Different configurations, drawn evenly; fewer than ``count`` where the axes have no more.

    Args:
        axes: What is varied.
        count: How many.
        seed: Of the draws.
    """
    rng = np.random.default_rng(seed)
    found: list[Settings] = []
    repeated = 0
    while len(found) < count and repeated < REPEATS:
        settings = drawn(axes, rng)
        repeated = repeated + 1 if settings in found else 0
        if not repeated:
            found.append(settings)
    return found
