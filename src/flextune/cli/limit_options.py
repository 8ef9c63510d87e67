"""The limits of judged programs as options, with the names and units of an experiment's section ``judge``."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

if TYPE_CHECKING:
    from flextune.judging import Limits

_PANEL = "Limits of a program"


def _option(name: str, least: float, text: str, *, hidden: bool = False) -> Any:
    return typer.Option(
        name, min=least, help=text, hidden=hidden, show_default=not hidden, rich_help_panel=_PANEL
    )


@dataclass(frozen=True)
class LimitOptions:
    """What one program may use."""

    cpu_seconds: Annotated[float, _option("--cpu-seconds", 0.1, "CPU seconds per program.")] = 10.0
    wall_seconds: Annotated[
        Optional[float],  # noqa: UP045 - typer reads it at run time
        _option(
            "--wall-seconds", 0.1, "Seconds on the clock per program (default: six times --cpu-seconds)."
        ),
    ] = None
    memory_mib: Annotated[int, _option("--memory-mib", 16, "Memory per program in MiB.")] = 1024
    processes: Annotated[
        int, _option("--processes", 1, "Processes and threads that a program may have at once.")
    ] = 256
    file_mib: Annotated[int, _option("--file-mib", 1, "Largest file that a program may write, in MiB.")] = 64
    tmp_mib: Annotated[int, _option("--tmp-mib", 1, "Size of a program's /tmp in MiB.")] = 128
    output_kib: Annotated[
        int, _option("--output-kib", 1, "Largest standard output, and standard error, in KiB.")
    ] = 1024
    open_files: Annotated[
        int, _option("--open-files", 16, "File descriptors that a process may have open.")
    ] = 256
    compile_seconds: Annotated[
        float, _option("--compile-seconds", 0.1, "CPU seconds to compile a program.")
    ] = 30.0
    compile_memory_mib: Annotated[
        int, _option("--compile-memory-mib", 64, "Memory to compile a program, in MiB.")
    ] = 2048
    #: The former name of ``memory_mib``; it was MiB then, too.
    memory_mb: Annotated[Optional[int], _option("--memory-mb", 16, "", hidden=True)] = None  # noqa: UP045

    def section(self) -> dict[str, Any]:
        """The section ``judge`` of an experiment that says the same."""
        section = asdict(self)
        former = section.pop("memory_mb")
        return section if former is None else {**section, "memory_mib": former}

    def limits(self) -> Limits:
        """The judge's limits in its own units."""
        from flextune.judging import Limits

        return Limits.of(**self.section())
