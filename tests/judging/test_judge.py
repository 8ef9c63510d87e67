"""The pool: every pair gets its verdict, and stopping leaves nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.judged import pair
from tests.support.judging import LIMITS

from flextune.errors import FlextuneError
from flextune.judging import Limits, check_isolation, isolation, judge, languages
from flextune.judging import language as language_of
from flextune.judging.languages.base import Basis, Toolchain
from flextune.judging.sandbox.command import Command, Result
from flextune.judging.sandbox.sandbox import Sandbox
from flextune.judging.sandbox.watch import tree_usage
from flextune.judging.worker import Program, Worker
from flextune.records import Completion, Problem, Verdict

RIGHT = "assert True"
#: Python itself is always there.
pytestmark = pytest.mark.slow

WITH_TOOLS = [name for name in languages() if name != "py"]
SCRIPT = """
from flextune.judging import judge
from flextune.records import Completion, Problem
pairs = [(Problem(str(n), "test", "py", "", ""), Completion(str(n), 0, f"import time; time.sleep(60 + {n})"))
         for n in range(4)]
print("ready", flush=True)
list(judge(pairs, workers=2))
"""


def test_the_program_is_prompt_completion_and_tests(sandboxed: None) -> None:
    problem = Problem("p", "test", "py", "def f(x):\n", "assert f(1) == 2")
    completions = [Completion("p", 0, "    return x + 1"), Completion("p", 1, "    return x")]
    outcomes = {v.sample: v.outcome for v in judge([(problem, c) for c in completions], limits=LIMITS)}
    assert outcomes == {0: "passed", 1: "wrong_answer"}


def test_identical_programs_run_once_and_every_pair_gets_its_verdict(
    sandboxed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[bytes] = []
    real = Sandbox.run

    def counted(self: Sandbox, command: object, limits: Limits, data: bytes = b"") -> Result:
        runs.append(command.files["main.py"])  # type: ignore[attr-defined]
        return real(self, command, limits, data)  # type: ignore[arg-type]

    monkeypatch.setattr(Sandbox, "run", counted)
    pairs = [pair("py", RIGHT, f"p{n}", n) for n in range(30)] + [pair("py", "assert 0", "other")]
    verdicts = list(judge(pairs, limits=LIMITS, workers=2))
    assert len(runs) == 2
    assert {(v.name, v.sample) for v in verdicts} == {(f"p{n}", n) for n in range(30)} | {("other", 0)}
    assert all(v.passed == (v.name != "other") for v in verdicts)


def test_pairs_are_read_as_the_work_proceeds(sandboxed: None) -> None:
    read = []

    def endless() -> object:
        for n in range(10**9):
            read.append(n)
            yield pair("py", f"assert {n} >= 0", str(n))

    verdicts = judge(endless(), limits=LIMITS, workers=1)  # type: ignore[arg-type]
    assert next(verdicts).passed
    verdicts.close()
    assert len(read) < 20


def test_callback_sees_every_verdict_in_order(sandboxed: None) -> None:
    seen: list[Verdict] = []
    pairs = [pair("py", f"assert {n} < 3", str(n)) for n in range(5)]
    assert list(judge(pairs, limits=LIMITS, on_verdict=seen.append)) == seen
    assert len(seen) == 5


def test_kept_programs_can_be_run_by_hand(sandboxed: None, tmp_path: Path) -> None:
    problem = Problem("HumanEval/0", "test", "py", "x = 1\n", "assert x == 1")
    escaping = Problem("../../up", "test", "py", "x = 1\n", "assert x == 2")
    list(
        judge(
            [(problem, Completion("HumanEval/0", 3, "")), (escaping, Completion("../../up", 0, ""))],
            limits=LIMITS,
            keep_programs=tmp_path / "kept",
        )
    )
    kept = tmp_path / "kept" / "HumanEval" / "0" / "3" / "main.py"
    assert subprocess.run([sys.executable, kept], check=False).returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept"]
    # A name that would lead out of the folder is changed, and ends in a digest.
    [changed] = (path for path in (tmp_path / "kept").rglob("main.py") if path != kept)
    assert changed.parent.name == "0"
    assert changed.parent.parent.name == "up"


def test_text_that_is_not_unicode_is_judged(verdict_of: Callable[..., Verdict]) -> None:
    assert verdict_of("py", "x = '\ud800'").outcome == "passed"


@pytest.mark.parametrize("strict", [False, True])
def test_a_warm_interpreter_gives_every_program_random_numbers_of_its_own(
    sandboxed: None, strict: bool
) -> None:
    problem = Problem("p", "test", "py", "", "assert f(), f.__doc__", entry_point="f")
    text = "import random\ndef f(): raise ValueError(random.random())\n"
    completions = [Completion("p", n, text + "\n" * n) for n in range(3)]
    # One worker: the same interpreter starts them all.
    found = list(judge([(problem, one) for one in completions], limits=LIMITS, workers=1, strict=strict))
    numbers = {verdict.message.strip().splitlines()[-1] for verdict in found}
    assert len(numbers) == 3
    assert all(number.startswith("ValueError: 0.") for number in numbers)


def test_a_warm_interpreters_programs_have_a_whole_stack(verdict_of: Callable[..., Verdict]) -> None:
    # A cache's calls are C's, each of some hundred bytes.
    text = (
        "import functools, sys\nsys.setrecursionlimit(100_000)\n"
        "@functools.lru_cache(None)\ndef f(n): return n and f(n - 1) + 1\nassert f(12_000) == 12_000\n"
    )
    assert verdict_of("py", text).passed


@pytest.mark.parametrize("spare", [0, 1])
def test_a_worker_for_each_processor_keeps_to_its_own(sandboxed: None, spare: int) -> None:
    cores = os.sched_getaffinity(0)
    workers = len(cores) - spare
    if workers < 1:
        pytest.skip("one processor alone")
    text = "import os, time\ntime.sleep(0.3)\nraise ValueError(sorted(os.sched_getaffinity(0)))"
    pairs = [pair("py", f"{text}\n# {n}", f"{n}") for n in range(workers)]
    said = {verdict.message.splitlines()[-1] for verdict in judge(pairs, limits=LIMITS, workers=workers)}
    everywhere = {f"ValueError: {sorted(cores)}"}
    assert said == (everywhere if spare else {f"ValueError: [{core}]" for core in cores})
    assert os.sched_getaffinity(0) == cores


def test_closing_leaves_no_process(sandboxed: None) -> None:
    before = tree_usage(os.getpid()).processes
    pairs = [pair("py", "assert True", "quick")] + [
        pair("py", f"import time; time.sleep(60 + {n})", f"slow {n}") for n in range(3)
    ]
    verdicts = judge(pairs, workers=2)
    assert next(verdicts).name == "quick"
    assert set(tree_usage(os.getpid()).processes) - set(before)
    verdicts.close()
    assert set(tree_usage(os.getpid()).processes) <= set(before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_judge_that_is_ended_leaves_no_process(number: signal.Signals, sandboxed: None) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    # Spawner, bubblewrap, shell and program, for two workers.
    started = wait_for(lambda: len(found := tree_usage(process.pid).processes) >= 8 and found)
    process.send_signal(number)
    process.wait(timeout=20)
    process.stdout.close()
    assert isinstance(started, tuple)
    assert wait_for(lambda: not any(map(alive, started)))


def alive(pid: int) -> bool:
    """Whether a process still runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition: Callable[[], object], seconds: float = 20) -> object:
    """The first true value of ``condition``; processes of others end when the kernel gets to it."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return value


class Broken(Basis):
    """A language whose runner says nothing."""

    name, suffix = "broken", ".x"

    def toolchain(self) -> Toolchain:
        return Toolchain(found=True)

    def run(self, program: bytes, limits: Limits) -> Command:
        return Command(("/bin/sh", "-c", "exit 0"))


def test_a_runner_that_does_not_start_is_a_fault_and_no_answer(sandboxed: None) -> None:
    with Worker(isolation(), Limits()) as worker:
        verdict = worker.judge(Broken(), Program("anything"))
    assert (verdict.outcome, verdict.message) == ("sandbox_fault", "the runner did not start (exit status 0)")


def test_an_unknown_language_names_the_known_ones() -> None:
    with pytest.raises(FlextuneError, match=r"unknown language 'cobol' \(known: .*java, js"):
        language_of("cobol")


@pytest.mark.parametrize("language", WITH_TOOLS)
def test_what_is_missing_comes_with_the_command_that_installs_it(
    language: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    toolchain = language_of(language).toolchain()
    assert not toolchain.found
    assert toolchain.missing
    assert "apt-get install" in toolchain.install


@pytest.mark.parametrize("language", WITH_TOOLS)
def test_a_missing_toolchain_is_no_wrong_answer(
    language: str, sandboxed: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    [verdict] = judge([pair(language, "anything")])
    assert (verdict.outcome, verdict.stage) == ("toolchain_missing", "toolchain")
    assert "apt-get install" in verdict.message


def test_without_javatuples_java_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FLEXTUNE_JAVATUPLES", str(tmp_path / "none.jar"))
    if language_of("java").toolchain().missing == "javac":
        pytest.skip("no JDK")
    assert "libjavatuples-java" in language_of("java").toolchain().install


def test_without_bubblewrap_judging_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    isolation.cache_clear()
    try:
        with pytest.raises(FlextuneError, match=r"apt-get install bubblewrap.*--no-sandbox"):
            check_isolation()
        with pytest.raises(FlextuneError):
            judge([])
    finally:
        isolation.cache_clear()


def test_judging_imports_no_torch() -> None:
    script = (
        "import sys, flextune.judging; print(sorted({'torch', 'transformers', 'numpy'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"
