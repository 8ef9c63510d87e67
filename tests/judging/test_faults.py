"""A fault of the sandbox is not scored; what a program does to itself is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.support.judged import needs_toolchain

from flextune.judging import Limits, isolation, language, languages
from flextune.judging.sandbox.command import Command, Result, SandboxFault
from flextune.judging.sandbox.helper import Helper
from flextune.judging.sandbox.sandbox import Sandbox
from flextune.judging.worker import Program, Worker

pytestmark = pytest.mark.slow

LIMITS = Limits(cpu_seconds=4)
SUSPECT = "x = 'suspect'\n"


def fails(
    monkeypatch: pytest.MonkeyPatch, faulty: Callable[[Command, int], bool]
) -> list[tuple[Command, bool]]:
    """Make the sandbox fail for some commands; what was run, and whether it failed.

    Args:
        monkeypatch: Undoes it.
        faulty: Whether a command fails, given how many there were before it.
    """
    calls: list[tuple[Command, bool]] = []
    run = Sandbox.run

    def sometimes(self: Sandbox, command: Command, *arguments: Any, **options: Any) -> Result:
        calls.append((command, faulty(command, len(calls))))
        if calls[-1][1]:
            raise SandboxFault("no room")
        return run(self, command, *arguments, **options)

    monkeypatch.setattr(Sandbox, "run", sometimes)
    return calls


def suspicious(command: Command) -> bool:
    return SUSPECT.encode() in command.files.values()


def judged(source: str, name: str = "py") -> tuple[str, str]:
    with Worker(isolation(), LIMITS) as worker:
        judgement = worker.judge(language(name), Program(source))
    return judgement.outcome, judgement.message


def test_a_fault_that_does_not_come_again_is_forgotten(
    sandboxed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(monkeypatch, lambda command, before: before == 0)
    assert judged(SUSPECT) == ("passed", "")


def test_where_every_program_meets_a_fault_nothing_is_known(
    sandboxed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = fails(monkeypatch, lambda command, before: True)
    assert judged(SUSPECT) == ("sandbox_fault", "no room")
    # The program once, then a right one for each further attempt.
    assert [suspicious(command) for command, _ in calls] == [True, False, False]


def test_where_only_this_program_meets_a_fault_it_is_its_own(
    sandboxed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = fails(monkeypatch, lambda command, before: suspicious(command))
    outcome, message = judged(SUSPECT)
    assert (outcome, message) == ("exception", "it does not start, and other programs do: no room")
    assert [suspicious(command) for command, _ in calls] == [True, False, True, False]


def test_a_sandbox_that_fails_after_the_program_is_no_proof(
    sandboxed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails(monkeypatch, lambda command, before: suspicious(command) or before == 3)
    outcome, _ = judged(SUSPECT)
    assert outcome == "exception"  # at the next attempt, which the sandbox survives
    fails(monkeypatch, lambda command, before: suspicious(command) or before in (3, 6))
    assert judged(SUSPECT)[0] == "sandbox_fault"


def test_a_helper_that_the_kernel_ended_for_want_of_memory_is_the_programs_limit(
    sandboxed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[Helper] = []
    monkeypatch.setattr(Helper, "kills", lambda self: len(killed))
    with Sandbox(isolation()) as sandbox:
        assert sandbox.run(Command(("/bin/sh", "-c", ":")), LIMITS).breach is None
        helper = sandbox._helper
        assert helper is not None
        ask = helper.ask

        def ask_and_die(*arguments: Any) -> None:
            ask(*arguments)
            killed.append(helper)
            helper._process.kill()

        monkeypatch.setattr(helper, "ask", ask_and_die)
        result = sandbox.run(Command(("/bin/sh", "-c", "sleep 60")), LIMITS)
        assert (result.breach, result.status) == ("memory", 137)
        assert sandbox.run(Command(("/bin/sh", "-c", "echo new")), LIMITS).output == b"new\n"


#: Programs whose own code runs before their runner's, or whose file the kernel does not take.
UNSTARTED = {
    "cpp": {
        "exits in its resolver": (
            "ended_early",
            'extern "C" { static void f() {}\n'
            'void (*r())() { __asm__ volatile("syscall" :: "a"(231), "D"(0)); return f; }\n'
            'void hooked() __attribute__((ifunc("r"))); }\nint main() { hooked(); }\n',
        ),
        "crashes in its resolver": (
            "exception",
            'extern "C" { void (*r())() { __builtin_trap(); } void hooked() __attribute__((ifunc("r"))); }\n'
            "int main() { hooked(); }\n",
        ),
        "computes in its resolver": (
            "timeout",
            'extern "C" { void (*r())() { for (;;) __asm__ volatile(""); } '
            'void hooked() __attribute__((ifunc("r"))); }\nint main() { hooked(); }\n',
        ),
        "has another loader": (
            "exception",
            'extern "C" __attribute__((section(".interp"), used)) const char p[] = "/none";\nint main() {}\n',
        ),
    },
    "rs": {
        "has another loader": (
            "exception",
            '#[used] #[link_section = ".interp"] static P: [u8; 5] = *b"/none";\nfn main() {}\n',
        ),
        "exits among the first initializers": (
            "ended_early",
            'extern "C" fn early() { std::process::exit(0) }\n'
            '#[used] #[link_section = ".preinit_array"] static P: extern "C" fn() = early;\nfn main() {}\n',
        ),
        "exits among the initializers": (
            "ended_early",
            'extern "C" fn early() { std::process::exit(0) }\n'
            '#[used] #[link_section = ".init_array"] static P: extern "C" fn() = early;\nfn main() {}\n',
        ),
    },
    "d": {
        "exits in a constructor": (
            "ended_early",
            "import core.sys.posix.unistd;\npragma(crt_constructor) extern(C) void early() { _exit(0); }\n"
            "void main() {}\n",
        ),
    },
    "go": {
        "exits in an initializer": (
            "ended_early",
            'package main\nimport "os"\nvar early = func() int { os.Exit(0); return 0 }()\nfunc main() {}\n',
        ),
    },
}


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("name", "outcome", "source"),
    [
        pytest.param(name, outcome, source, id=f"{name}-{what}")
        for name, programs in UNSTARTED.items()
        for what, (outcome, source) in programs.items()
    ],
)
def test_a_program_that_never_starts_has_a_verdict(
    name: str, outcome: str, source: str, sandboxed: None
) -> None:
    needs_toolchain(name)
    with Worker(isolation(), Limits(cpu_seconds=1)) as worker:
        assert worker.judge(language(name), Program(source)).outcome == outcome


@pytest.mark.parametrize("language", list(languages()))
def test_the_right_program_of_a_language_passes_where_the_sandbox_is_well(
    sandboxed: None, language: str
) -> None:
    """Otherwise a program could be unknown by choice: its fault would count as the sandbox's."""
    needs_toolchain(language)
    known = languages()[language]
    with Worker(isolation(), Limits()) as worker:
        assert worker._is_well(known, Program("", tests_at=0))
