"""The warm Java compiler: programs do not affect one another, and a broken compiler is replaced."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.judged import needs_toolchain
from tests.support.judging import LIMITS

from flextune.judging import isolation, language
from flextune.judging.sandbox.watch import tree_usage
from flextune.judging.worker import Program, Worker

pytestmark = pytest.mark.toolchain

MAIN = "public static void main(String[] a) {"


@pytest.fixture(scope="module")
def worker(sandboxed: None) -> Iterator[Worker]:
    needs_toolchain("java")
    with Worker(isolation(), LIMITS) as worker:
        yield worker


def outcome(worker: Worker, source: str) -> str:
    return worker.judge(language("java"), Program(source)).outcome


def test_a_class_of_an_earlier_program_is_not_seen(worker: Worker) -> None:
    assert outcome(worker, f"class Problem {{ {MAIN} }} }} class Helper {{ }}") == "passed"
    assert outcome(worker, f"class Problem {{ {MAIN} new Helper(); }} }}") == "compile_error"


def test_the_main_class_may_have_any_name_and_be_public(worker: Worker) -> None:
    assert (
        outcome(worker, f"package a.b; public class Other {{ {MAIN} assert a.length == 0; }} }}") == "passed"
    )


def test_nested_and_anonymous_classes_are_packed(worker: Worker) -> None:
    body = "record P(int x) {} Runnable r = new Runnable() {"
    body += " public void run() { assert new P(1).x() == 1; } }; r.run();"
    assert (
        outcome(worker, f"class Problem {{ enum E {{ A }} {MAIN} {body} assert E.A.ordinal() == 0; }} }}")
        == "passed"
    )


def test_a_program_without_main_does_not_compile(worker: Worker) -> None:
    assert outcome(worker, "class Problem { }") == "compile_error"


def test_errors_name_the_line(worker: Worker) -> None:
    source = f'class Problem {{\n {MAIN}\n int x = "s";\n }} }}'
    verdict = worker.judge(language("java"), Program(source))
    assert "Problem.java:3: error: incompatible types" in verdict.message


def test_a_compiler_that_was_killed_is_replaced(worker: Worker) -> None:
    source = f"class Problem {{ {MAIN} assert true; }} }}"
    assert outcome(worker, source) == "passed"
    servers = [pid for pid in tree_usage(os.getpid()).processes if _is_compile_server(pid)]
    assert servers
    for pid in servers:
        os.kill(pid, signal.SIGKILL)
    assert outcome(worker, source) == "passed"


def _is_compile_server(pid: int) -> bool:
    arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return arguments[0].endswith(b"java") and b"flextune.CompileServer" in arguments
