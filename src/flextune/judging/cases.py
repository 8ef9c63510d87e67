"""Tests of a whole program: what it must print for what it reads."""

from __future__ import annotations

import itertools

from flextune.judging.languages.base import Finding
from flextune.judging.sandbox.command import Result
from flextune.records import Case

_SHOWN = 300


def case_finding(finding: Finding, result: Result, case: Case, number: int) -> Finding:
    """What a run means for a case, by the same rules for every language.

    The judge compares the output itself, so a program that ends by exit status 0 is not required to have come
    to its last statement.

    Args:
        finding: What the run would mean without a case.
        result: The run.
        case: Its input and the output to expect.
        number: Which case it is, from 1.
    """
    if finding.outcome not in ("passed", "ended_early"):
        return Finding(finding.outcome, finding.stage, f"case {number}: {finding.message}")
    output = result.output.decode("utf-8", "replace")
    if same_output(output, case.output):
        return Finding("passed", finding.stage)
    expected, printed = first_difference(case.output, output)
    message = f"case {number}: expected {expected!r}, printed {printed!r}"
    return Finding("wrong_answer", finding.stage, message)


def same_output(first: str, second: str) -> bool:
    """Whether two outputs have the same words in the same lines."""
    return _lines(first) == _lines(second)


def first_difference(expected: str, printed: str) -> tuple[str, str]:
    """The first line in which two outputs differ, from each."""
    for ours, theirs in itertools.zip_longest(_lines(expected), _lines(printed)):
        if ours != theirs:
            return " ".join(ours or [])[:_SHOWN], " ".join(theirs or [])[:_SHOWN]
    return "", ""


def _lines(text: str) -> list[list[str]]:
    lines = [line.split() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    return lines
