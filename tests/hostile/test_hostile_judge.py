"""The judge itself: under load, killed, asked twice at once, and what its compilers keep."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.hostile.attack_cases import LANGUAGES, RIGHT, cpp, java, javascript, python
from tests.hostile.attacks_on_compilers import CASES as SOURCES
from tests.hostile.hostile_suite import LIMITS, lasting, start_of
from tests.support.judged import needs_toolchain, pair

from flextune.judging import judge
from flextune.judging.sandbox.watch import tree_usage

pytestmark = pytest.mark.usefixtures("sandboxed")

#: Right programs that need half of what they may use.
WORKING = {
    "py": python("while time.process_time() < 0.5: pass"),
    "java": java("""
        var clock = java.lang.management.ManagementFactory.getThreadMXBean();
        while (clock.getCurrentThreadCpuTime() < 400_000_000L) {}
    """),
    "js": javascript("""
        let used;
        do { used = process.cpuUsage(); } while (used.user + used.system < 0.5e6);
    """),
    "cpp": cpp("while (clock() < 0.5 * CLOCKS_PER_SEC) {}"),
}
#: Leave their process group, close everything and ignore what can be ignored, before they wait.
_STUBBORN = """
import sys
sys.path[:0] = {path!r}
from flextune.judging import judge
from flextune.records import Completion, Problem
source = '''
import os, signal, time
for _ in range(2):
    if os.fork() == 0:
        os.setsid()
        for number in range(1, 65):
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        os.closerange(0, 256)
        if os.fork(): time.sleep(600)
time.sleep(600)
'''
pairs = [
    (Problem(str(n), "test", "py", "", ""), Completion(str(n), 0, source + "#" + str(n))) for n in range(2)
]
print("ready", flush=True)
list(judge(pairs, workers=2))
"""


@pytest.fixture
def busy_machine() -> Iterator[None]:
    """Two processes for every processor that never wait."""
    count = 2 * len(os.sched_getaffinity(0))
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    yield
    for loop in loops:
        loop.kill()
        loop.wait()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_right_program_passes_on_a_busy_machine(language: str, busy_machine: None) -> None:
    needs_toolchain(language)
    [verdict] = judge([pair(language, WORKING[language])], limits=LIMITS)
    assert verdict.passed, verdict


def test_what_a_killed_judge_ran_ends_however_stubborn() -> None:
    script = _STUBBORN.format(path=sys.path)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()
    stubborn: set[int] = set()
    # For each of two workers: bubblewrap, the helper, the program's first process, the program, its children.
    while len(stubborn) < 12:
        stubborn |= set(tree_usage(process.pid).processes)
        assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert lasting(lambda: {str(pid) for pid in stubborn if start_of(pid)}) == set()


@pytest.mark.parametrize("language", ["java", "cpp"])
def test_the_compiler_works_after_every_source_that_breaks_it_in_a_row(language: str) -> None:
    needs_toolchain(language)
    breaking = [case for case in SOURCES if case.stage == "compile" and language in case.programs]
    attacks = [pair(language, case.programs[language], case.name) for case in breaking]
    pairs = [*attacks, pair(language, RIGHT[language], "after")]
    seen = {verdict.name: verdict.outcome for verdict in judge(pairs, limits=LIMITS, workers=1)}
    assert seen.pop("after") == "passed"
    assert "passed" not in seen.values()
    assert len(seen) == len(breaking) > 3
