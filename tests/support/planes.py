"""Planes that are drawn: arms at true places, trainings that shift them, problems of different ease."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from flextune.statistics.pooled import Part, Pooled
from flextune.statistics.simulation import PROBLEM_SPREAD, chances
from flextune.studies.transfer.families import Family
from flextune.studies.transfer.plane import Plane, Point, Side

#: What a family keeps at each level of learning.
Curve = Mapping[float, float]


@dataclass(frozen=True)
class DrawnPlane:
    """Two families on lines that are known.

    Attributes:
        reference: Learned to kept, in the order of strength.
        other: The same of the other family.
        seeds: Trainings of every arm.
        problems: Posed in each of three settings: one learned, two kept.
        seed_spread: Standard deviation of a training's learning; it forgets as much more.
        common: Of that variance, the part that all arms of a seed share.
    """

    reference: Curve
    other: Curve
    seeds: int = 5
    problems: int = 120
    seed_spread: float = 0.03
    common: float = 0.5

    def draw(self, rng: np.random.Generator) -> Plane:
        ease = rng.normal(size=self.problems)
        shared = rng.normal(size=self.seeds)
        points = [
            self._point(f"{name}{place}", learned, kept, ease, shared, rng)
            for name, curve in (("r", self.reference), ("o", self.other))
            for place, (learned, kept) in enumerate(curve.items())
        ]
        points.append(self._point("baseline", 0.02, 0.6, ease, shared[:1] * 0, rng))
        families = (_family("reference", "r", self.reference), _family("other", "o", self.other))
        return Plane("greedy", (), (), tuple(points), families, "baseline", 0)

    def _point(
        self,
        arm: str,
        learned: float,
        kept: float,
        ease: np.ndarray,
        shared: np.ndarray,
        rng: np.random.Generator,
    ) -> Point:
        own = rng.normal(size=len(shared))
        luck = self.seed_spread * (np.sqrt(self.common) * shared + np.sqrt(1 - self.common) * own)
        trained = 0 if arm == "baseline" else self.seeds
        luck = luck if trained else luck * 0
        return Point(
            arm,
            Side(self._rates(learned + luck, 1, ease, trained, rng), None),
            # What learns more forgets more.
            Side(self._rates(kept - luck, 2, ease, trained, rng), None),
            ("py",),
        )

    def _rates(
        self, rates: np.ndarray, settings: int, ease: np.ndarray, trained: int, rng: np.random.Generator
    ) -> Pooled:
        names = tuple(f"p{number}" for number in range(self.problems))
        parts = []
        for _ in range(settings):
            own = np.sqrt(0.5) * (ease + rng.normal(size=self.problems))
            chance = np.array([chances(min(max(rate, 0.01), 0.99), PROBLEM_SPREAD, own) for rate in rates])
            passed = (rng.random(chance.shape) < chance).astype(float)
            parts.append(Part(names, passed, (len(rates),) * self.problems))
        seeds = tuple(map(str, range(trained))) if trained else ("-",)
        return Pooled(seeds, tuple(parts), trained, False)


def _family(name: str, letter: str, curve: Sequence[float] | Curve) -> Family:
    arms = tuple(f"{letter}{place}" for place in range(len(curve)))
    values = tuple(float(place) for place in range(len(curve)))
    return Family(name, "penalty.strength", arms, values, fourier=name == "reference")
