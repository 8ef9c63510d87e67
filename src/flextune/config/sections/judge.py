"""The section ``judge``."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from flextune.config.section import Float, Int, Section


class JudgeConfig(Section):
    """How every program is judged, and what it may use."""

    cpu_seconds: Float = Field(
        10.0,
        gt=0,
        description="CPU seconds (user and system) that a program may take; they decide a timeout.",
    )
    wall_seconds: Float | None = Field(
        None, gt=0, description="Seconds on the clock that a program may take. null: six times cpu_seconds."
    )
    memory_mib: Int = Field(1024, ge=16, description="Memory of a program and its children, in MiB.")
    tolerance: Float = Field(
        1e-6,
        ge=0,
        lt=1,
        description="How far a printed number may be from an expected fraction. 0: texts are compared.",
    )
    site_packages: str | None = Field(
        None, description="Folder of packages that Python programs may import. null: the standard library."
    )
    processes: Int = Field(256, ge=1, description="Processes and threads that a program may have at once.")
    file_mib: Int = Field(64, ge=1, description="Largest file that a program may write, in MiB.")
    tmp_mib: Int = Field(128, ge=1, description="Size of a program's own /tmp, in MiB.")
    output_kib: Int = Field(
        1024, ge=1, description="Largest standard output, and largest standard error, in KiB."
    )
    open_files: Int = Field(256, ge=16, description="File descriptors that one process may have open.")
    compile_seconds: Float = Field(30.0, gt=0, description="CPU time for compiling one program.")
    compile_memory_mib: Int = Field(2048, ge=64, description="Memory for compiling one program, in MiB.")

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
