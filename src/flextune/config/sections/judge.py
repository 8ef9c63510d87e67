"""The section ``judge``."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from flextune.config.section import Float, Int, Section


class JudgeConfig(Section):
    """Limits for every judged program."""

    cpu_seconds: Float = Field(10.0, gt=0, description="CPU time of the program and its children.")
    wall_seconds: Float | None = Field(
        None, gt=0, description="Wall clock of the run. null: six times cpu_seconds."
    )
    memory_mib: Int = Field(1024, ge=16, description="Memory of all its processes together, in MiB.")

    @property
    def wall_limit(self) -> float:
        """Seconds of wall clock, whether given or not."""
        return 6 * self.cpu_seconds if self.wall_seconds is None else self.wall_seconds

    def given(self) -> dict[str, Any]:
        """The limits that differ from their defaults."""
        given = self.model_dump(mode="json", exclude_defaults=True)
        if self.wall_limit == 6 * self.cpu_seconds:
            given.pop("wall_seconds", None)
        return given
