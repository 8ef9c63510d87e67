"""What an answer has beside its solution: a main of its own, examples, exports; none of it may stay."""

from __future__ import annotations

import re

from flextune.data.answers.grammar import Grammar, closing_brace, without
from flextune.data.answers.python_cleaning import without_demo, without_main
from flextune.data.answers.rules import Trace
from flextune.data.answers.wanted import Wanted, defines
from flextune.records import Problem

_PACKAGE = re.compile(
    r"^[ \t]*(?:package\s+[\w.]+[ \t]*(?:;|$)|(?:module|namespace)\s+[\w.]+\s*;)", re.MULTILINE
)
#: What follows is no code; the tests must not stand there.
_DATA = re.compile(r"^__(?:END|DATA)__[ \t]*$.*", re.MULTILINE | re.DOTALL)
_NAMESPACE = re.compile(r"^[ \t]*namespace\s+[\w.]+\s*\{", re.MULTILINE)
_EXPORT = re.compile(
    r"^export\s+(?:default\s+)?(?=(?:async\s+)?(?:function|class|const|let|var|type|interface|enum)\b)"
    r"|^export\b[^\n]*$",
    re.MULTILINE,
)
_REQUIRE = re.compile(r"^(?:const|let|var|import)\s+(\w+)\s*(?:=\s*require\(|from\b)[^\n]*$", re.MULTILINE)
#: Ends the program before the tests, where it stands at the left margin.
_ENDS = re.compile(
    r"(?:exit|quit|q|os\.exit|main)(?:\s*\((?!\s*\)\s*\{)|\s*;|[ \t]*$|[ \t]+[\w\"$])"
    r"|if\s*\[\[?\s*\"?\$\{?BASH_SOURCE",
    re.MULTILINE,
)
_CALL = re.compile(r"(?:await\s+|\()?(?P<name>[\w$]+)\s*[( ]")


def cleaned(
    problem: Problem, code: str, grammar: Grammar, wanted: Wanted, trace: Trace, *, examples: bool
) -> str:
    """Code without what would collide with the tests or run beside them.

    Args:
        problem: The problem that the code is for.
        code: A program, or a part of one.
        grammar: The language's.
        wanted: What the tests call.
        trace: Told what goes.
        examples: Whether statements go too that only show the function off.
    """
    # A body alone has nothing at top level, whatever its lines look like there.
    whole = wanted.entry is None or defines(code, wanted, grammar)
    if problem.language == "py":
        code = without_main(code, trace)
        return without_demo(code, wanted.used, trace) if examples and whole and wanted.used else code
    code = _without_main(problem, code, grammar, trace)
    if examples and whole:
        spans = _examples(code, grammar, wanted.entry)
        if spans:
            trace.note("demo", f"from {code[spans[0][0] :].strip().splitlines()[0][:60]!r}")
        code = without(code, spans)
    return code


def _without_main(problem: Problem, code: str, grammar: Grammar, trace: Trace) -> str:
    """Code without a main of its own and what else must not come before the tests."""
    language, before = problem.language, code
    if language in ("js", "ts"):
        code = _EXPORT.sub("", code)
        # A name may be declared once, and the tests declare their own.
        code = _REQUIRE.sub(lambda line: "" if _declares(problem.tests, line[1]) else line[0], code)
    if language == "php":
        code = re.sub(r"\?>\s*\Z", "", code)
    if language in ("java", "cs", "scala", "d"):
        code = _PACKAGE.sub("", code)
    if language in ("pl", "rb") and not re.search(r"\bDATA\b", code):
        code = _DATA.sub("", code)
    if language == "cs":
        code = _unwrapped(code, grammar)
    if code != before:
        trace.note("exports")
    if grammar.main is not None:
        blanked = grammar.blank(code)
        heads = list(re.finditer(grammar.main, blanked))
        if heads:
            trace.note("main")
        code = without(code, [(head.start(), closing_brace(blanked, head.end() - 1) + 1) for head in heads])
    return code


def _declares(tests: str, name: str) -> bool:
    return re.search(rf"\b(?:const|let)\s+{name}\b", tests) is not None


def _unwrapped(code: str, grammar: Grammar) -> str:
    blanked = grammar.blank(code)
    spans = []
    for head in _NAMESPACE.finditer(blanked):
        end = closing_brace(blanked, head.end() - 1)
        spans += [(head.start(), head.end()), (end, end + 1)]
    return without(code, spans)


def _examples(code: str, grammar: Grammar, entry: str | None) -> list[tuple[int, int]]:
    """Statements at the left margin, outside all brackets, that call, print, assert or end."""
    if grammar.example is None:
        return []
    begins = re.compile(grammar.example.replace("{name}", re.escape(entry) if entry else "(?!)"))
    blanked = grammar.blank(code)
    spans: list[tuple[int, int]] = []
    depth = position = 0
    start: int | None = None
    block: str | None = None
    for line in blanked.splitlines(keepends=True):
        if start is None and depth == 0 and _shows(begins, code, blanked, position, grammar, entry):
            start, block = position, _block_end(line, grammar)
        depth = max(0, depth + sum(_BRACKETS.get(mark, 0) for mark in line))
        position += len(line)
        if start is not None and depth == 0 and (block is None or re.match(block, line)):
            spans.append((start, position))
            start = None
    return spans if start is None else [*spans, (start, len(code))]


def _shows(
    begins: re.Pattern[str], code: str, blanked: str, position: int, grammar: Grammar, entry: str | None
) -> bool:
    """Whether a statement begins there that is for a reader; a call that fills a table is not."""
    if begins.match(blanked, position):
        return True
    # Literals count here, but not what begins within one.
    if grammar.ends_early and code[position] == blanked[position] and _ENDS.match(code, position):
        return True
    called = _CALL.match(blanked, position)
    return called is not None and _calls_entry(called["name"], blanked, grammar, entry)


def _calls_entry(name: str, blanked: str, grammar: Grammar, entry: str | None) -> bool:
    """Whether a function of the code calls the one that is wanted."""
    if entry is None or name == entry:
        return False
    defined = grammar.definition(name).search(blanked)
    if defined is None:
        return False
    following = re.compile(r"^\S", re.MULTILINE).search(blanked, blanked.find("\n", defined.end()) + 1)
    body = blanked[defined.end() : following.start() if following else len(blanked)]
    return re.search(rf"(?<![\w$]){re.escape(entry)}(?![\w$])", body) is not None


def _block_end(line: str, grammar: Grammar) -> str | None:
    """How the last line of a block begins that has no brackets around it."""
    if grammar.short == "rb" and line.startswith("if "):
        return r"end\b"
    if grammar.short == "sh" and line.startswith("if "):
        return r"fi\b"
    return None


_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
