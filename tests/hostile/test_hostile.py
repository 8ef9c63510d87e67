"""The right verdict in bounded time, nothing left behind, the next program unaffected."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hostile_programs import PROGRAMS
from judging_helpers import filled, pair

from flextune.judging import Limits, isolation, judge, language
from flextune.judging.sandbox.limits import MIB
from flextune.judging.sandbox.watch import tree_usage
from flextune.records import Verdict

LIMITS = Limits(cpu_seconds=1, wall_seconds=2, memory_bytes=320 * MIB, tmp_bytes=64 * MIB)
#: A language, its verdicts, and what was left on the host.
Judged = tuple[str, dict[str, Verdict], set[str]]
RIGHT = {
    "py": "assert True",
    "js": "require('node:assert')(true);",
    "java": "class Problem { public static void main(String[] args) { assert args.length == 0; } }",
}


def left_on_the_host() -> set[str]:
    """Programs in sandboxes, our helpers, mounts, cgroups and files that somebody could have left."""
    found = {f"process {pid}" for pid in tree_usage(os.getpid()).processes}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"/flextune/program" in path.read_bytes() and path.parent.stat().st_uid >= 60_000:
                found.add(str(path))
        except OSError:
            continue
    found |= {f"mount {line}" for line in Path("/proc/self/mounts").read_text().splitlines()}
    found |= {f"group {path}" for path in Path("/sys/fs/cgroup").glob(f"**/flextune-{os.getpid()}-*")}
    return found | {f"file {path}" for path in Path("/tmp").glob("flextune-*")}


def lasting(found: set[str]) -> set[str]:
    """What of ``found`` stays; another judge on this machine has programs too, but they come and go."""
    deadline = time.monotonic() + 15
    while found and time.monotonic() < deadline:
        time.sleep(0.1)
        found &= left_on_the_host()
    return found


@pytest.fixture(scope="module", params=sorted(PROGRAMS))
def judged(request: pytest.FixtureRequest) -> Judged:
    tongue = request.param
    toolchain = language(tongue).toolchain()
    if isolation().kind == "none" or not toolchain.found:
        pytest.skip(isolation().detail or toolchain.missing)
    host = {"@CANARY@": __file__}
    pairs = []
    for name, (_, source) in PROGRAMS[tongue].items():
        pairs.append(pair(tongue, filled(source, host), name))
        # A right program follows every hostile one, on the same workers; the comment keeps it from being
        # recognised as the same program.
        mark = "#" if tongue == "py" else "//"
        pairs.append(pair(tongue, f"{RIGHT[tongue]} {mark} {name}", f"after: {name}"))
    before = left_on_the_host()
    verdicts = {verdict.name: verdict for verdict in judge(pairs, limits=LIMITS)}
    return tongue, verdicts, lasting(left_on_the_host() - before)


def test_every_outcome_is_right(judged: Judged) -> None:
    tongue, verdicts, _ = judged
    wrong = {
        name: verdicts[name]
        for name, (right, _) in PROGRAMS[tongue].items()
        if verdicts[name].outcome not in right
    }
    assert not wrong


def test_the_next_program_is_unaffected(judged: Judged) -> None:
    _, verdicts, _ = judged
    assert all(verdict.passed for name, verdict in verdicts.items() if name.startswith("after: "))


def test_nothing_is_left(judged: Judged) -> None:
    _, _, left = judged
    assert not left


def test_no_program_outlives_its_limits(judged: Judged) -> None:
    _, verdicts, _ = judged
    # A program that waits for a busy processor gets four times the wall-clock limit; 12 s are for ending it
    # on a machine that is busy with other things.
    bound = 4 * LIMITS.wall_seconds + 12
    assert all(verdict.wall_seconds < bound for verdict in verdicts.values())


def test_an_always_equal_object_is_not_caught() -> None:
    """Solution and tests share a process; docs say so. A change that catches it should change this test."""
    if isolation().kind == "none":
        pytest.skip(isolation().detail)
    source = "class Equal:\n    def __eq__(self, other): return True\nassert Equal() == 3"
    [verdict] = judge([pair("py", source)], limits=LIMITS)
    assert verdict.outcome == "passed"
