"""Programs that are tested by what they print for what they read."""

from __future__ import annotations

import pytest
from tests.support.judged import judged_warm, needs_toolchain
from tests.support.judging import LIMITS

from flextune.judging.cases import first_difference, same_output
from flextune.records import Case, Completion, Problem, Verdict

DOUBLE = {
    "py": "for line in open(0): print(2 * int(line))",
    "js": "for (const n of require('fs').readFileSync(0, 'utf8').trim().split('\\n')) console.log(2 * n);",
    "java": "class P { public static void main(String[] a) { var s = new java.util.Scanner(System.in);\n"
    "while (s.hasNextInt()) System.out.println(2 * s.nextInt()); } }",
    "cpp": "#include <iostream>\nint main() { int n; while (std::cin >> n) std::cout << 2 * n << '\\n'; }",
    "pl": 'while (<STDIN>) { print 2 * $_, "\\n"; }',
    "sh": 'while read -r n || [ -n "$n" ]; do echo $((2 * n)); done',
}
CASES = (Case("1\n2\n", "2\n4\n"), Case("10", "20"))

pytestmark = pytest.mark.usefixtures("sandboxed")


def judged(language: str, source: str, cases: tuple[Case, ...] = CASES) -> Verdict:
    needs_toolchain(language)
    problem = Problem("p", "test", language, "", "", cases=cases)
    [verdict] = judged_warm([(problem, Completion("p", 0, source))], limits=LIMITS, workers=1)
    return verdict


@pytest.mark.parametrize("language", sorted(DOUBLE))
def test_a_program_passes_when_every_case_prints_what_it_should(language: str) -> None:
    assert judged(language, DOUBLE[language]).outcome == "passed"


def test_the_first_wrong_case_is_shown() -> None:
    verdict = judged("py", "print(2)\nprint(4)")
    assert (verdict.outcome, verdict.message) == ("wrong_answer", "case 2: expected '20', printed '2'")


def test_exit_status_0_after_the_output_is_a_normal_end() -> None:
    assert judged("py", "print(2 * int(input())); exit(0)", (Case("4", "8"),)).passed


@pytest.mark.parametrize(
    ("source", "outcome"),
    [
        ("exit(0)", "wrong_answer"),
        ("raise ValueError", "exception"),
        ("while True: pass", "timeout"),
        ("def f(:", "compile_error"),
    ],
)
def test_a_failed_run_is_told_from_a_wrong_answer(source: str, outcome: str) -> None:
    assert judged("py", source).outcome == outcome


def test_every_case_starts_anew() -> None:
    source = "import os\nprint(len(os.listdir('/tmp')))\nopen('/tmp/left', 'w').close()"
    assert judged("py", source, (Case("", "0"), Case("", "0"))).passed


def test_usage_is_the_sum_over_the_cases() -> None:
    busy = "import time\nwhile time.process_time() < 0.2: pass"
    assert judged("py", busy, (Case("", ""), Case("", ""))).cpu_seconds >= 0.4


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("1 2\n3", "1  2 \n3\n\n", True),
        ("1 2", "1\n2", False),
        ("", "\n", True),
        ("a", "", False),
        ("\na", "a", False),
    ],
)
def test_outputs_are_compared_word_by_word(first: str, second: str, same: bool) -> None:
    assert same_output(first, second) is same


def test_the_first_difference_is_that_of_the_lines() -> None:
    assert first_difference("1\n2\n3", "1\nx") == ("2", "x")
    assert first_difference("1\n2", "1") == ("2", "")
