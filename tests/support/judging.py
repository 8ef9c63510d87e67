"""What the tests of the judge share."""

from __future__ import annotations

from flextune.judging import Limits
from flextune.judging.sandbox.limits import MIB

# Short, so that the programs that run into them do not hold the suite up.
LIMITS = Limits(cpu_seconds=1.5, wall_seconds=3, memory_bytes=256 * MIB)
MARK = "flextune-canary-process"


def filled(source: str, host: dict[str, str]) -> str:
    """``source`` with the host's port, file and mark put in."""
    for key, value in host.items():
        source = source.replace(key, value)
    return source
