"""Runs programs with the plain toolchain, as harnesses do: a process for the compiler, one for the program.

A script of its own, because the programs are a model's: ``run_plain`` starts it in one bubblewrap container,
whose start is not part of what is timed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

TIMEOUT = 60
#: Where programs and compilers write, as no installation lies there.
SCRATCH = "/dev/shm"


@dataclass(frozen=True)
class Plain:
    """One program and how it is run: every command must end with exit status 0.

    Attributes:
        files: File name to content.
        commands: Run one after another in the folder of the files.
    """

    files: dict[str, str]
    commands: list[list[str]]


def run_plain(programs: Sequence[Plain], workers: int) -> tuple[list[bool], float]:
    """Whether each program passed, and the seconds for all.

    Args:
        programs: What to run.
        workers: Programs at once.
    """
    # Everything is where it is outside, this file and its interpreter too; only SCRATCH can be written to.
    container = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", SCRATCH]
    container += ["--unshare-all", "--die-with-parent"]
    container += ["--setenv", "HOME", SCRATCH, "--setenv", "TMPDIR", SCRATCH]
    request = json.dumps([workers, [[program.files, program.commands] for program in programs]])
    said = subprocess.run(
        [*container, sys.executable, __file__], input=request, stdout=subprocess.PIPE, text=True, check=True
    ).stdout
    passed, seconds = json.loads(said)
    return passed, seconds


def main() -> None:
    """Read the request from standard input, write the answer to standard output."""
    workers, programs = json.load(sys.stdin)
    with ThreadPoolExecutor(workers) as pool:
        # What is read and started for the first time is not part of the comparison.
        list(pool.map(run, programs[:1]))
        start = time.perf_counter()
        passed = list(pool.map(run, programs))
        seconds = time.perf_counter() - start
    json.dump([passed, seconds], sys.stdout)


def run(program: tuple[dict[str, str], list[list[str]]]) -> bool:
    """Whether all commands ended with exit status 0."""
    files, commands = program
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).write_text(content, encoding="utf-8")
        for command in commands:
            try:
                ended = subprocess.run(command, cwd=folder, capture_output=True, timeout=TIMEOUT, check=False)
            except subprocess.TimeoutExpired:
                return False
            if ended.returncode:
                return False
    return True


if __name__ == "__main__":
    main()
