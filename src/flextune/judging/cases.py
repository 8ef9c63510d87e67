"""Tests of a whole program: what it must print for what it reads."""

from __future__ import annotations

from flextune.judging.comparing import first_difference, same_output
from flextune.judging.languages.base import Finding
from flextune.judging.sandbox.command import Result
from flextune.records import Case


def case_finding(finding: Finding, result: Result, case: Case, number: int, tolerance: float) -> Finding:
    """What a run means for a case, by the same rules for every language.

    The judge compares the output itself, so a program that ends by exit status 0 is not required to have come
    to its last statement.

    Args:
        finding: What the run would mean without a case.
        result: The run.
        case: Its input and the output to expect.
        number: Which case it is, from 1.
        tolerance: How far a number may be from an expected fraction; see ``comparing``.
    """
    if finding.outcome not in ("passed", "ended_early"):
        return Finding(finding.outcome, finding.stage, f"case {number}: {finding.message}")
    # No two byte strings become one text: bytes that are not UTF-8 become lone surrogates.
    output = result.output.decode("utf-8", "surrogateescape")
    if same_output(case.output, output, tolerance):
        return Finding("passed", finding.stage)
    expected, printed = first_difference(case.output, output, tolerance)
    message = f"case {number}: expected {expected!r}, printed {printed!r}"
    return Finding("wrong_answer", finding.stage, message)
