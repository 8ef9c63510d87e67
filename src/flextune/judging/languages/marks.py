"""Marks around the tests of a program, which tell a runner that the tests themselves were run.

What stands before the tests comes from a model. It can swallow them (an open text or comment, a here-document
that ends at one of their lines), attach their first statement to its own (``if (false)``), or end the source
before them (``__END__``). So the runner counts two statements of the judge: one before the tests, one after.
Both carry a tag that depends on the whole source, which no source can therefore contain.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

_TAG_CHARACTERS = 32
_LAST_TAG = re.compile(rb"(?<![0-9a-f])[0-9a-f]{%d}(?![0-9a-f])" % _TAG_CHARACTERS)
#: Lines with which tests may close what the solution leaves open.
BRACES = re.compile(r"(?:[\s\])};,]*[\])}];?)?")
ENDS = re.compile(r"(?:\s*end\b[);]*)*")
NOTHING = re.compile("")
_CLOSERS = ("}", ")", "]", "end")
_QUOTED = re.compile(r"""'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|[()]""")


@dataclass(frozen=True, slots=True)
class Seam:
    """A source, cut where its tests begin.

    Attributes:
        solution: Prompt and completion.
        closing: What the tests begin with in order to close what the solution left open, often nothing.
        tests: The rest.
        tag: Text that only this source has.
    """

    solution: str
    closing: str
    tests: str
    tag: str

    @property
    def source(self) -> str:
        """The whole, uncut."""
        return f"{self.solution}{self.closing}{self.tests}"

    @property
    def has_tests(self) -> bool:
        """Whether there is more than blanks behind the solution."""
        return bool(self.tests.strip())


def seam(source: str, tests_at: int, closing: re.Pattern[str] = NOTHING) -> Seam:
    """Cut ``source`` at its character ``tests_at``; ``closing`` is matched against what follows."""
    solution, tests = source[:tests_at], source[tests_at:]
    match = closing.match(tests)
    end = match.end() if match else 0
    content = f"{tests_at}\n{source}".encode("utf-8", "replace")
    tag = hashlib.sha256(content).hexdigest()[:_TAG_CHARACTERS]
    return Seam(solution, tests[:end], tests[end:], tag)


def marked(
    cut: Seam, before: str, after: str, last: re.Pattern[str] | None = None, separator: str = ";"
) -> str:
    """The source with a statement before its tests and one after them.

    Args:
        cut: The source.
        before: Put on the first line of the tests, so that later lines keep their numbers.
        after: Put on a line of its own.
        last: How tests themselves may end the program; ``after`` is put before such an end, on its line.
        separator: What must stand between a block and a statement on the same line.
    """
    if not cut.has_tests:
        return f"{cut.solution}{cut.closing}{cut.tests}\n{before}{after}\n"
    tests = cut.tests
    end = last.search(tests) if last else None
    tests = f"{tests[: end.start()]}{after}{tests[end.start() :]}" if end else f"{tests}\n{after}\n"
    closed = cut.closing.rstrip().endswith(_CLOSERS)
    return f"{cut.solution}{cut.closing}{separator if closed else ''}{before}{tests}"


def with_exits(tests: str, exit_: re.Pattern[str], leaving: str) -> str:
    """The tests, whose own exits say so after they have evaluated the status that they end with.

    Args:
        tests: The tests.
        exit_: Matches the head of an exit, up to an opening parenthesis or a group ``status`` that stands for
            the whole argument.
        leaving: What becomes of it, with ``{exit}`` for the group of that name and ``{status}`` for the
            argument.
    """
    parts, place = [], 0
    for match in exit_.finditer(tests):
        status, end = match["status"], match.end()
        if status is None:
            end = _closing(tests, match.end())
            status = tests[match.end() : end - 1]
        if end > 0 and match.start() >= place:
            left = leaving.format(exit=match["exit"], status=status.strip())
            parts += [tests[place : match.start("exit")], left]
            place = end
    return "".join((*parts, tests[place:]))


def _closing(text: str, place: int) -> int:
    """Where the parenthesis ends that was opened before ``place``; 0 where it does not."""
    depth = 1
    for match in _QUOTED.finditer(text, place):
        depth += {"(": 1, ")": -1}.get(match.group(), 0)
        if depth == 0:
            return match.end()
    return 0


def tag_of(program: bytes) -> str:
    """The tag of a program that was ``marked``, empty where it was not."""
    found = _LAST_TAG.findall(program)
    return found[-1].decode() if found else ""


def with_marked_main(cut: Seam, main: re.Pattern[str], statement: str) -> str:
    """The source with a statement at the start of the tests' own main function, and its tag at the end.

    The statement says where it is. Whoever starts the program asks afterwards whether that is the main
    function that it has called itself: where it returned, too, the tests have ended.

    Args:
        cut: The source; without such a function it stays as it is.
        main: Matches the head of a main function, up to its opening brace.
        statement: The statement, in which ``{tag}`` stands for the tag.
    """
    head = main.search(cut.tests)
    if head is None:
        return cut.source
    call = statement.format(tag=cut.tag)
    tests = f"{cut.tests[: head.end()]} {call} {cut.tests[head.end() :]}"
    return f"{cut.solution}{tests}\n//{cut.tag}"
