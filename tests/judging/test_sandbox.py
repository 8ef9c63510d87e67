"""Limits and isolation, without any language."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.judged import needs_toolchain

from flextune.judging import Limits, isolation, language
from flextune.judging.sandbox.cgroups import MemoryGroup, memory_group, remove_stale
from flextune.judging.sandbox.command import Command, Interrupted, SandboxFault
from flextune.judging.sandbox.isolation import Isolation, free_user
from flextune.judging.sandbox.meter import breach
from flextune.judging.sandbox.sandbox import Sandbox
from flextune.judging.sandbox.watch import Usage, tree_usage
from flextune.judging.worker import Program, Worker

pytestmark = pytest.mark.slow

LIMITS = Limits(cpu_seconds=2, wall_seconds=4)


@pytest.fixture(params=["root", "user", "none"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Every kind of isolation that this machine can have."""
    best = isolation()
    if request.param == "none":
        chosen = Isolation("none")
    elif best.kind == "none" or (best.kind, request.param) == ("user", "root"):
        pytest.skip(best.detail or "not root")
    else:
        chosen = Isolation(request.param, best.bubblewrap)
    with Sandbox(chosen) as sandbox:
        yield sandbox


def shell(script: str, **files: bytes) -> Command:
    return Command(("/bin/sh", "-c", script), files=files)


def test_input_files_and_streams_arrive(sandbox: Sandbox) -> None:
    script = "cat; cat {program}/name; cat /dev/fd/3; echo error >/dev/stderr; echo reply >/dev/fd/4; exit 7"
    result = sandbox.run(shell(script, name=b"file "), LIMITS, b"secret", stdin=b"input ")
    assert (result.output, result.errors, result.reply, result.status) == (
        b"input file secret",
        b"error\n",
        b"reply\n",
        7,
    )


def test_without_input_standard_input_is_at_its_end(sandbox: Sandbox) -> None:
    assert sandbox.run(shell("cat; echo end"), LIMITS, b"secret").output == b"end\n"


def test_a_program_finds_no_descriptor_but_its_own(sandbox: Sandbox) -> None:
    said = sandbox.run(shell("ls /proc/self/fd"), LIMITS).output.split()
    # ls has one open for the folder that it lists.
    assert sorted(said) == [b"0", b"1", b"2", b"3", b"4", b"5"]


def test_the_kernels_own_cpu_limit_is_far_off_because_it_counts_in_clock_ticks(sandbox: Sandbox) -> None:
    # Under load a process may have been counted almost twice what it used.
    assert int(sandbox.run(shell("ulimit -t"), LIMITS).output) >= 5 * LIMITS.cpu_seconds


def test_a_companion_is_another_user_and_talks_through_pipes(sandbox: Sandbox) -> None:
    main = shell("id -u; echo call >&6; read answer <&5; echo $answer; cat <&3 >&4", one=b"")
    companion = shell("id -u; read asked <&3; echo $asked back >&4; sleep 600", two=b"")
    result = sandbox.run(main, LIMITS, b"secret", companion=companion)
    assert "call back" in result.output.decode()
    assert (result.reply, result.status, result.breach) == (b"secret", 0, None)
    users = [word for word in result.output.decode().split() if word.isdecimal()]
    assert len(set(users)) == (2 if sandbox.isolation.kind == "root" else 1)


def test_what_has_opened_sandboxes_before_is_refused(sandbox: Sandbox) -> None:
    if sandbox.isolation.kind == "none":
        pytest.skip("nothing is promised without isolation")
    if not Path("/usr/bin/python3").exists():
        pytest.skip("no system Python")
    script = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
ptrace, unshare, memfd_create, shmget, keyctl, bpf, clone, clone3 = 101, 272, 319, 29, 250, 321, 56, 435
for number, *arguments in [
    (ptrace, 0), (unshare, 0x10000000), (memfd_create, b"x", 0), (shmget, 0, 4096, 0o1600), (keyctl, 0, 0),
    (bpf, 0), (clone, 0x10000011, 0, 0, 0, 0), (clone3, 0, 0),
]:
    print(errno.errorcode[ctypes.get_errno()] if libc.syscall(number, *arguments) < 0 else "allowed")
"""
    if os.uname().machine != "x86_64":
        pytest.skip("the numbers are those of x86-64")
    said = sandbox.run(Command(("/usr/bin/python3", "-c", script)), LIMITS).output.decode().split("\n")
    assert said == [*["EPERM"] * 7, "ENOSYS", ""]


def test_a_death_by_signal_is_128_and_its_number(sandbox: Sandbox) -> None:
    assert sandbox.run(shell("kill -SEGV $$"), LIMITS).status == 139


def test_a_million_bytes_of_input_that_nobody_reads_do_not_block(sandbox: Sandbox) -> None:
    assert sandbox.run(shell("exit 0"), LIMITS, bytes(1_000_000)).status == 0


def test_what_stays_behind_is_ended(sandbox: Sandbox) -> None:
    sandbox.run(shell("true"), LIMITS)
    before = tree_usage(os.getpid()).processes
    result = sandbox.run(shell("setsid sleep 600 & (sleep 600 &) ; exit 0"), LIMITS)
    assert result.status == 0
    assert set(tree_usage(os.getpid()).processes) == set(before)


def test_the_number_of_processes_is_bounded(sandbox: Sandbox) -> None:
    if sandbox.isolation.kind != "root" and os.geteuid() == 0:
        pytest.skip("the kernel exempts root; programs of root run as another user")
    if not Path("/usr/bin/python3").exists():
        pytest.skip("no system Python")
    script = """
import os, time
n = 0
try:
    while n < 200:
        os.fork() or (time.sleep(9), os._exit(0))
        n += 1
except OSError:
    pass
print(n)
"""
    result = sandbox.run(Command(("/usr/bin/python3", "-c", script)), Limits(processes=20))
    assert 10 <= int(result.output) <= 20


def test_the_program_has_no_privileges_and_no_user_of_the_host(sandbox: Sandbox) -> None:
    if sandbox.isolation.kind == "none":
        pytest.skip("nothing is promised without isolation")
    said = sandbox.run(shell("id -u; grep -E 'CapEff|CapPrm|CapInh|NoNewPrivs' /proc/self/status"), LIMITS)
    user, *rest = said.output.decode().split("\n")
    assert int(user) >= 60_000
    assert [line.split()[1].strip("0") for line in rest if line] == ["", "", "", "1"]


def test_the_helpers_memory_and_descriptors_are_closed_to_the_program(sandbox: Sandbox) -> None:
    if sandbox.isolation.kind == "none":
        pytest.skip("nothing is promised without isolation")
    script = "for n in mem maps environ fd/0 fd/1 root/tmp; do head -c 1 /proc/1/$n && echo read; done; true"
    result = sandbox.run(shell(script), LIMITS)
    assert (result.output, result.errors.count(b"Permission denied")) == (b"", 6)


def test_orphans_are_reaped_while_the_program_runs(sandbox: Sandbox) -> None:
    script = "for n in 1 2 3 4 5; do (: &); done; sleep 0.5; grep -l '^State:.Z' /proc/[0-9]*/status | wc -l"
    if sandbox.isolation.kind == "none":
        pytest.skip("without a namespace the machine's other processes are seen")
    assert sandbox.run(shell(script), LIMITS).output == b"0\n"


def test_peak_memory_is_the_programs_and_not_the_judges(sandbox: Sandbox) -> None:
    ballast = bytearray(os.urandom(1)) * 100_000_000
    small = sandbox.run(shell("true"), LIMITS).peak_memory_bytes
    assert small < 30_000_000
    assert len(ballast) == 100_000_000


def test_an_interruption_ends_the_program(sandbox: Sandbox) -> None:
    sandbox.run(shell("true"), LIMITS)
    before = tree_usage(os.getpid()).processes
    timer = threading.Timer(0.3, sandbox.interrupt)
    timer.start()
    with pytest.raises(Interrupted):
        sandbox.run(shell("sleep 600"), Limits(wall_seconds=600))
    assert set(tree_usage(os.getpid()).processes) == set(before)


def test_a_sandbox_whose_helper_was_killed_is_replaced(sandboxed: None) -> None:
    with Worker(isolation(), LIMITS) as worker:
        for _ in range(2):
            assert worker.judge(language("py"), Program("assert True")).passed
            helper = worker._sandboxes["py", "run"]._helper
            assert helper is not None
            helper._process.kill()


def test_a_program_dies_with_its_killed_helper(sandbox: Sandbox) -> None:
    if sandbox.isolation.kind == "none":
        pytest.skip("nothing ties an unprotected program to its helper")
    seconds = f"{600 + os.getpid() % 100}.{id(sandbox) % 10**6}"
    assert sandbox.run(shell("true"), LIMITS).status == 0
    assert sandbox._helper is not None
    timer = threading.Timer(0.5, sandbox._helper._process.kill)
    timer.start()
    with pytest.raises(SandboxFault):
        sandbox.run(shell(f"sleep {seconds}"), Limits(wall_seconds=600))
    sandbox.close()
    for _ in range(100):
        if not sleeping(seconds):
            return
        time.sleep(0.05)
    raise AssertionError("the program lives on")


def sleeping(seconds: str) -> bool:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            lines.append(path.read_bytes())
    return any(f"sleep\0{seconds}\0".encode() in line for line in lines)


@pytest.mark.toolchain
def test_artifacts_are_readable_whatever_the_umask_says(
    sandboxed: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_toolchain("java")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    before = os.umask(0o077)
    try:
        with Worker(isolation(), Limits()) as worker:
            source = "class P { public static void main(String[] a) { assert true; } }"
            assert worker.judge(language("java"), Program(source)).passed
    finally:
        os.umask(before)


def usage(cpu_seconds: float = 0.1, *, threads: int = 1, resident_bytes: int = 1) -> Usage:
    return Usage((1,), threads, cpu_seconds, resident_bytes, largest_bytes=1)


@pytest.mark.parametrize(
    ("cpu", "waited", "wall", "expected"),
    [
        (2.5, 0.0, 1.0, "cpu"),
        (0.1, 0.0, 4.5, "wall"),  # sleeps
        (1.0, 3.0, 4.5, None),  # wants the processor and does not get it
        (1.0, 1.0, 6.5, "wall"),  # sleeps, and did not get it for a while either
        (1.0, 39.0, 40.5, "wall"),  # patience ends
        (1.0, 0.0, 4.5, None),
    ],
)
def test_cpu_time_decides_and_a_starved_program_gets_more_wall_time(
    cpu: float, waited: float, wall: float, expected: str | None
) -> None:
    assert breach(usage(cpu), cpu + waited, wall, LIMITS) == expected


def test_too_much_memory_is_seen_or_told_by_the_kernel() -> None:
    assert breach(usage(resident_bytes=LIMITS.memory_bytes), 0, 1, LIMITS) is None
    assert breach(usage(resident_bytes=LIMITS.memory_bytes + 1), 0, 1, LIMITS) == "memory"
    assert breach(usage(), 0, 1, LIMITS, out_of_memory=True) == "memory"


def test_the_runners_own_processes_do_not_count() -> None:
    assert breach(usage(threads=LIMITS.processes + 8), 0, 1, LIMITS) is None
    assert breach(usage(threads=LIMITS.processes + 9), 0, 1, LIMITS) == "processes"


def test_of_several_limits_the_one_that_tells_most_is_named() -> None:
    everything = usage(2.5, threads=1000, resident_bytes=LIMITS.memory_bytes + 1)
    assert breach(everything, 0, 100, LIMITS) == "cpu"
    assert breach(replace(everything, cpu_seconds=0), 0, 100, LIMITS) == "processes"
    assert breach(replace(everything, cpu_seconds=0, threads=1), 0, 100, LIMITS) == "memory"


def test_every_program_gets_a_user_of_its_own() -> None:
    assert len({free_user() for _ in range(50)}) > 40
    assert min(free_user() for _ in range(50)) >= 60_000


def test_memory_groups_of_version_2_speak_its_files(tmp_path: Path) -> None:
    group = MemoryGroup(tmp_path, 2)
    (tmp_path / "memory.events").write_text("low 0\noom 4\noom_kill 3\n")
    group.set_limit(1000)
    assert (tmp_path / "memory.max").read_text() == "1000"
    assert group.kills() == 3


def test_a_folder_without_the_controller_is_no_memory_group(tmp_path: Path) -> None:
    assert memory_group(tmp_path, "0::/\n") is None
    assert list(tmp_path.iterdir()) == []


def test_groups_of_dead_judges_are_removed(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / f"flextune-{ended.pid}-0").mkdir()
    (tmp_path / f"flextune-{os.getpid()}-0").mkdir()
    remove_stale(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"flextune-{os.getpid()}-0"]


def test_a_closed_worker_can_be_interrupted() -> None:
    with Worker(Isolation("none"), LIMITS) as worker:
        worker._sandbox(language("py"), "run")
    worker.interrupt()
