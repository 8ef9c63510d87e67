"""Two halves of the problems: one to choose by, one to report on."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Halves:
    """The problems of a benchmark in two parts that no configuration has a hand in.

    Attributes:
        choosing: A search sees the outcomes of these alone.
        reporting: What was chosen is judged on these.
    """

    choosing: frozenset[str]
    reporting: frozenset[str]

    @property
    def swapped(self) -> Halves:
        """The same halves in each other's place."""
        return Halves(self.reporting, self.choosing)


def split(strata: Mapping[str, Hashable], seed: int) -> Halves:
    """Split problems in two, each stratum in half as far as its number allows.

    The order within a stratum is that of a hash of seed and name, so it depends neither on the order of a
    file nor on a generator's version.

    Args:
        strata: Problem to what it is stratified by: the share of its runs that the baseline passed.
        seed: Of the split; others give other halves.

    Returns:
        Halves whose sizes differ by one at most.
    """
    parts: tuple[set[str], set[str]] = (set(), set())
    turn = 0
    by_stratum: dict[Hashable, list[str]] = {}
    for name, stratum in strata.items():
        by_stratum.setdefault(stratum, []).append(name)
    for stratum in sorted(by_stratum, key=repr):
        for name in in_order(by_stratum[stratum], seed):
            parts[turn].add(name)
            # An odd stratum leaves its last problem to one half; the next stratum begins with the other.
            turn = 1 - turn
    return Halves(frozenset(parts[0]), frozenset(parts[1]))


def in_order(names: Collection[str], seed: int) -> list[str]:
    """Problems in the order of a hash of the seed and their names."""
    return sorted(names, key=lambda name: (_place(seed, name), name))


def _place(seed: int, name: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{name}".encode("utf-8", "surrogatepass")).digest()
