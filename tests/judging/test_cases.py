"""Programs that are tested by what they print for what they read."""

from __future__ import annotations

import pytest
from tests.support.judged import judged_warm, needs_toolchain
from tests.support.judging import LIMITS

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


@pytest.mark.slow
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


def test_numbers_are_compared_within_the_tolerance_of_the_judge() -> None:
    third = (Case("", "0.3333333333333333"),)
    assert judged("py", "print('0.33333333333')", third).passed
    problem = Problem("p", "test", "py", "", "", cases=third)
    pairs = [(problem, Completion("p", 0, "print('0.33333333333')"))]
    [verdict] = judged_warm(pairs, limits=LIMITS, workers=1, tolerance=0)
    assert verdict.outcome == "wrong_answer"


def test_bytes_that_are_no_text_equal_no_replacement_character() -> None:
    source = "import sys\nsys.stdout.buffer.write(bytes([255]))"
    assert judged("py", source, (Case("", "\ufffd"),)).outcome == "wrong_answer"
