"""Runs an attack without a sandbox, where nothing can come to harm: in a container that is thrown away.

The container sees the machine's files read-only, and has processes, network, names and a /tmp of its own.
Inside, a naive judge with canaries of its own runs the program with the plain toolchain (``naive.py``).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.hostile.attack_cases import WORKED, Case
from tests.hostile.naive import Observation

HERE = Path(__file__).parent
TMP_BYTES = 1200 * 2**20
#: A compiler that is not the attacked one has all the time that it needs on a slow machine.
COMPILE_SECONDS = 60.0
#: How the kernel reports ``reboot`` in a namespace: its first process ends by SIGHUP or SIGINT.
REBOOTED = (129, 130)

_PYTHON = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
FILES = {"py": "main.py", "java": "Problem.java", "js": "main.js", "cpp": "main.cpp"}
COMPILE: Mapping[str, tuple[str, ...]] = {
    "java": (
        "javac",
        "-J-XX:TieredStopAtLevel=1",
        "-J-XX:+UseSerialGC",
        "-J-Xmx512m",
        "-nowarn",
        "-d",
        ".",
        FILES["java"],
    ),
    "cpp": ("g++", "-std=c++17", "-pthread", "-o", "program", FILES["cpp"]),
}
RUN: Mapping[str, tuple[str, ...]] = {
    "py": (_PYTHON, FILES["py"]),
    "java": ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-ea", "-cp", ".", "Problem"),
    "js": ("node", FILES["js"]),
    "cpp": ("./program",),
}

#: How an attack's success is seen: name to what an observation shows.
EVIDENCE: Mapping[str, Callable[[Observation], bool]] = {
    "word": lambda seen: WORKED in seen.output,
    "the next program": lambda seen: WORKED in seen.next_output,
    "left process": lambda seen: seen.left_processes > 0,
    "left files": lambda seen: seen.left_files > 0,
    "flood": lambda seen: seen.printed_bytes > 10 * 2**20,
    "output held open": lambda seen: seen.held,
    "no text": lambda seen: not seen.text,
    "hangs": lambda seen: seen.status is None and seen.state not in ("", "T"),
    "stopped": lambda seen: seen.state == "T",
    "crash": lambda seen: seen.status is not None and (seen.status < 0 or seen.status > 128),
    "failure": lambda seen: bool(seen.status),
    "quiet": lambda seen: seen.status == 0 and not seen.output,
    "exit status 0": lambda seen: seen.status == 0,
    "result blocked": lambda seen: seen.result_blocked,
    "compiler hangs": lambda seen: seen.compiler_slow,
    "compiler out of memory": lambda seen: "memory" in (seen.compiler or "").lower() and not seen.built_bytes,
    "compiler failure": lambda seen: bool(seen.compiler) and not seen.built_bytes,
    "huge program": lambda seen: seen.built_bytes > 300 * 2**20,
    "file in the compiler's message": lambda seen: "canary-" in (seen.compiler or ""),
    # The superuser's line, which has no password in a container image.
    "passwords in the compiler's message": lambda seen: "root:" in (seen.compiler or ""),
    "secret": lambda seen: seen.told_secret,
    "machine restarted": lambda seen: "restarted" in seen.touched,
    **{
        name: lambda seen, name=name: name in seen.touched  # type: ignore[misc]
        for name in ("tcp", "udp", "dns", "abstract socket", "file", "cache", "process killed",
                     "process stopped", "judge killed", "judge stopped")
    },
}  # fmt: skip


def tools(language: str) -> list[str]:
    """What a language's control needs and is not here."""
    programs = {command[language][0] for command in (COMPILE, RUN) if language in command}
    return sorted(name for name in programs if name[0] != "." and shutil.which(name) is None)


def can_run(language: str) -> None:
    """Skip the test where a language's control cannot run."""
    if missing := [*tools(language), *([] if shutil.which("bwrap") else ["bwrap"])]:
        pytest.skip(f"not installed: {', '.join(missing)}")


def container(command: list[str]) -> list[str]:
    """The command line that runs ``command`` as the first process of namespaces of its own."""
    arguments = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    arguments += ["--size", str(TMP_BYTES), "--tmpfs", "/tmp", "--tmpfs", "/run"]
    # Under the name that the suite's modules import one another by.
    arguments += ["--ro-bind", str(HERE), "/tmp/tests/hostile", "--chdir", "/tmp"]
    # Name servers are asked on the container's own loopback.
    resolver = os.path.realpath("/etc/resolv.conf")
    if os.path.isfile(resolver) and not resolver.startswith("/run/"):
        arguments += ["--ro-bind", str(HERE / "resolv.conf"), resolver]
    arguments += ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if os.geteuid():
        arguments += ["--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL"]
    return [*arguments, "--as-pid-1", "--die-with-parent", "--", *command]


def control(case: Case, language: str) -> Observation:
    """What the attack does without a sandbox."""
    return observe(
        language,
        case.programs[language],
        after=case.followers.get(language, ""),
        seconds=case.seconds,
        compile_seconds=case.seconds if case.stage == "compile" else COMPILE_SECONDS,
        input=case.input,
        unread=case.unread,
        bounded=case.stage == "compile" and language == "cpp",
    )  # fmt: skip


def observe(
    language: str,
    source: str,
    *,
    after: str = "",
    beside: str = "",
    seconds: float = 20,
    compile_seconds: float = COMPILE_SECONDS,
    input: str = "",
    unread: bool = False,
    bounded: bool = False,
    processes: int = 0,
) -> Observation:
    """What ``source`` does under a naive judge.

    Args:
        language: Decides the commands.
        source: The program.
        after: A program that is run next, in the same folder.
        beside: A program that is run at the same time, in a folder of its own.
        seconds: How long each program may run.
        compile_seconds: How long each compiler may run.
        input: Standard input: nothing, ``open`` or ``terminal``.
        unread: Whether the judge reads the output only at the end.
        bounded: Whether the compiler's address space is bounded, for attacks that would fill the machine.
        processes: The program's limit on processes, 0 for none.
    """
    request = {
        "source": source,
        "next": after,
        "beside": beside,
        "file": FILES[language],
        "compile": COMPILE.get(language, ()),
        "run": RUN[language],
        "seconds": seconds,
        "compile_seconds": compile_seconds,
        "input": input,
        "unread": unread,
        "bounded": bounded,
        "processes": processes,
    }
    ended = subprocess.run(
        container([_PYTHON, "-BS", "-m", "tests.hostile.naive"]),
        input=json.dumps(request),
        capture_output=True,
        text=True,
        timeout=3 * seconds + 2 * compile_seconds + 60,
        check=False,
    )
    if ended.returncode in REBOOTED and not ended.stdout:
        return Observation(touched=["restarted"])
    if ended.returncode or not ended.stdout:
        raise RuntimeError(f"the container failed ({ended.returncode}): {ended.stderr[-2000:]}")
    return Observation(**json.loads(ended.stdout))
