"""What a program uses, counted where it tries not to be seen, with control groups and without them."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Literal, NoReturn

import pytest
from tests.support.judged import needs_toolchain

from flextune.judging import Limits, isolation
from flextune.judging.sandbox import helper as helper_module
from flextune.judging.sandbox import meter as meter_module
from flextune.judging.sandbox.cgroups import CpuGroup, cpu_group
from flextune.judging.sandbox.command import Command, Result
from flextune.judging.sandbox.meter import Meter
from flextune.judging.sandbox.sandbox import Sandbox
from flextune.judging.sandbox.task_clock import TaskClock
from flextune.judging.sandbox.visible import interpreter
from flextune.judging.sandbox.watch import Usage

#: By what the program's time and memory are counted.
Counting = Literal["groups", "clock", "looks"]
#: Children that run in turn; the kernel adds their time to nobody's who ignores their end.
UNWAITED = """
import os, signal, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
spent = 0
while spent < 25:
    spent += SECONDS
    if os.fork() == 0:
        while time.process_time() < SECONDS: pass
        os._exit(0)
    try: os.wait()
    except ChildProcessError: pass
"""
#: More than its memory, in the kernel's hands.
SOCKETS = """
import os, socket, time
for _ in range(20):
    if os.fork() == 0:
        kept = []
        for _ in range(100):
            kept.append(socket.socketpair())
            kept[-1][0].setblocking(False)
            try:
                while True: kept[-1][0].send(bytes(65536))
            except OSError: pass
        time.sleep(60)
time.sleep(60)
"""
#: A page of the kernel's tables for every two megabytes that are only looked at.
TABLES = """
import ctypes, mmap
kept = mmap.mmap(-1, 1 << 43, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000, mmap.PROT_READ)
for place in range(0, 1 << 43, 1 << 21): kept[place]
"""


@pytest.fixture
def sandbox(sandboxed: None) -> Iterator[Sandbox]:
    with Sandbox(isolation()) as sandbox:
        yield sandbox


def run(
    sandbox: Sandbox, source: str, limits: Limits, *, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> Result:
    if counting != "groups":
        monkeypatch.setattr(helper_module, "memory_group", lambda: None)
        monkeypatch.setattr(helper_module, "cpu_group", lambda: None)
    elif (group := cpu_group()) is None:
        pytest.skip("no control group can be had")
    else:
        group.remove()
    if counting == "clock":
        own_clock().remove()
    elif counting == "looks":
        monkeypatch.setattr(helper_module, "TaskClock", refused)
    python = interpreter()
    command = Command((str(python), "-S", "{program}/main.py"), {"main.py": source.encode()})
    return sandbox.run(command, limits)


def own_clock() -> TaskClock:
    """A counter of this process's."""
    try:
        return TaskClock(os.getpid())
    except OSError as error:
        pytest.skip(f"the kernel gives no counter ({error})")


def refused(pid: int) -> NoReturn:
    """In place of a counter on a kernel that gives none."""
    raise PermissionError


@pytest.mark.slow
@pytest.mark.parametrize(
    # Looks every 50 ms see only children that live longer.
    ("counting", "seconds"),
    [("groups", 0.02), ("groups", 0.25), ("clock", 0.02), ("clock", 0.25), ("looks", 0.25)],
)
def test_cpu_time_of_children_that_nobody_waits_for_counts(
    sandbox: Sandbox, counting: Counting, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits(cpu_seconds=1, wall_seconds=60)
    source = UNWAITED.replace("SECONDS", str(seconds))
    result = run(sandbox, source, limits, counting=counting, monkeypatch=monkeypatch)
    assert result.breach == "cpu"
    # In all the children would use 25 seconds.
    assert 1 <= result.cpu_seconds < 10


@pytest.mark.slow
@pytest.mark.parametrize("counting", ["groups", "looks"])
@pytest.mark.parametrize("source", [SOCKETS, TABLES], ids=["sockets", "page tables"])
def test_memory_of_the_kernels_counts(
    sandbox: Sandbox, source: str, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits(cpu_seconds=20, wall_seconds=60, memory_bytes=100 << 20)
    result = run(sandbox, source, limits, counting=counting, monkeypatch=monkeypatch)
    assert result.breach == "memory"


class Looks:
    """A tree of two processes whose usage is given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.cpu_seconds, self.waited = 0.0, 0.0
        self.own: dict[int, float] = {}
        monkeypatch.setattr(meter_module, "tree_usage", lambda root: self._usage())
        monkeypatch.setattr(
            meter_module, "waiting_seconds", lambda processes: {1: self.waited, 2: self.waited}
        )

    def _usage(self) -> Usage:
        return Usage((1, 2), 2, self.cpu_seconds, 1, 1, self.own)

    def meter(self) -> Meter:
        helper = SimpleNamespace(pid=1, kills=lambda: 0, cpu_seconds=lambda: None, counts_memory=True)
        return Meter(helper, Limits())  # type: ignore[arg-type]


def test_many_that_wait_at_once_stretch_the_wall_clock_by_no_more_than_the_time_it_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = Looks(monkeypatch)
    meter = looks.meter()
    # Both waited for three of the first four seconds.
    looks.waited = 3.0
    assert meter.breach(4.0, 10, 6) is None
    # Since then both sleep.
    assert meter.breach(9.9, 10, 6) is None
    assert meter.breach(10.1, 10, 6) == "wall"


def test_what_was_seen_of_a_process_that_is_gone_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(monkeypatch)
    meter = looks.meter()
    for pid in range(2, 6):
        looks.own = {1: 0.1, pid: 2.0}
        meter.breach(pid, 100, 100)
    assert meter.cpu_seconds == pytest.approx(8.1)
    # One that was waited for is in its parent's count.
    looks.cpu_seconds = 8.5
    looks.own = {1: 0.1}
    meter.breach(9, 100, 100)
    assert meter.cpu_seconds == pytest.approx(8.5)


def test_cpu_groups_of_both_versions_are_read(tmp_path: Path) -> None:
    (tmp_path / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1000000\n")
    (tmp_path / "cpuacct.usage").write_text("2500000000\n")
    assert CpuGroup(tmp_path, 2).seconds() == 1.5
    assert CpuGroup(tmp_path, 1).seconds() == 2.5


def test_a_cpu_group_counts_what_ran_in_it() -> None:
    group = cpu_group()
    if group is None:
        pytest.skip("no control group can be had")
    busy = "while __import__('time').process_time() < 0.2: pass"
    script = f'echo 0 > {group.join_file}; exec {sys.executable} -S -c "{busy}"'
    subprocess.run(["/bin/sh", "-c", script], check=True)
    assert 0.2 <= group.seconds() < 5
    group.remove()


def test_a_clock_counts_what_descends_from_its_process() -> None:
    own_clock().remove()
    busy = "while __import__('time').process_time() < 0.2: pass"
    # Nobody waits for the one in the background, and the shell waits for its end without its time.
    script = f'read go; {sys.executable} -S -c "{busy}" & sleep 0.4; exec {sys.executable} -S -c "{busy}"'
    with subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE) as process:
        clock = TaskClock(process.pid)
        assert clock.seconds() < 0.1
        process.communicate(b"go\n")
    assert 0.4 <= clock.seconds() < 10
    clock.remove()


def test_a_clock_on_a_machine_without_its_system_call_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(OSError, match="riscv64"):
        TaskClock(1)


#: Prints by how many MiB the judge's own memory grew for a program of 120 MiB.
LARGE = """
import resource, sys
from flextune.judging import Limits, isolation, language
from flextune.judging.worker import Program, Worker
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
with Worker(isolation(), Limits()) as worker:
    assert worker.judge(language("cpp"), Program("int main() {}")).passed
    before = peak()
    source = "int a[30'000'000] = {1};\\nint main() { return a[5]; }"
    assert worker.judge(language("cpp"), Program(source)).passed
    print(peak() - before)
"""


@pytest.mark.slow
@pytest.mark.toolchain
def test_a_large_program_stays_out_of_the_judges_memory(sandboxed: None) -> None:
    needs_toolchain("cpp")
    said = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, check=True)
    assert float(said.stdout) < 20
