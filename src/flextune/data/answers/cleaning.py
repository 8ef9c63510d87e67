"""What an answer has beside its solution: a main of its own, examples, exports; none of it may stay."""

from __future__ import annotations

import re

from flextune.data.answers.examples import examples as examples_in
from flextune.data.answers.grammar import Grammar, closing_brace, without
from flextune.data.answers.python_cleaning import without_demo, without_main
from flextune.data.answers.rules import Trace
from flextune.data.answers.wanted import Wanted, defines
from flextune.records import Problem

#: A function that only the module's exports hold.
_EXPORTED = re.compile(
    r"^(?:module\.)?exports\.(?P<name>[\w$]+)\s*=\s*(?=(?:async\s*)?(?:function\b|\(|[\w$]+\s*=>))"
    r"|^module\.exports\s*=\s*(?=(?:async\s+)?function\s*\*?\s*[\w$])",
    re.MULTILINE,
)
_PACKAGE = re.compile(
    r"^[ \t]*(?:package\s+[\w.]+[ \t]*(?:;|$)|(?:module|namespace)\s+[\w.]+\s*;)", re.MULTILINE
)
#: What follows is no code; the tests must not stand there.
_DATA = re.compile(r"^__(?:END|DATA)__[ \t]*$.*", re.MULTILINE | re.DOTALL)
_NAMESPACE = re.compile(r"^[ \t]*namespace\s+[\w.]+\s*\{", re.MULTILINE)
_EXPORT = re.compile(
    r"^export\s+(?:default\s+)?(?=(?:async\s+)?(?:function|class|const|let|var|type|interface|enum)\b)"
    r"|^export\b[^{\n]*\{[^{}]*\}[^\n]*$|^export\b[^\n]*$",
    re.MULTILINE,
)
#: What an import of JavaScript binds, and from where.
_BINDS = re.compile(
    r"^(?:import\s+(?:type\s+)?(?P<from>[\w$*{][^;'\"()=]{0,400}?)\s+from\s+['\"][^'\"\n]*['\"]"
    r"|(?:const|let|var)\s+(?P<required>[\w$]+|\{[^{}]*\})\s*=\s*require\([^()\n]*\)[.\w]*)[ \t]*;?",
    re.MULTILINE,
)
_FROM = re.compile(
    r"^import\s+(?P<names>[\w$*{][^;'\"()=]{0,400}?)\s+from\s+(?P<module>['\"][^'\"\n]*['\"])[ \t]*;?",
    re.MULTILINE,
)
#: Of frameworks for tests in C++.
_TEST_HEADER = re.compile(
    r"^[ \t]*\#[ \t]*(?:include\s*[<\"](?:gtest|gmock|catch2?|doctest)[/.]|define\s+(?:CATCH|DOCTEST)_).*",
    re.MULTILINE,
)
_REQUIRE = re.compile(r"^(?:const|let|var|import)\s+(\w+)\s*(?:=\s*require\(|from\b)[^\n]*$", re.MULTILINE)


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
    if examples:
        # A body closes the function that the prompt begins; what follows stands at the margin.
        head = "" if whole else problem.prompt
        taken = {found["name"] for found in grammar.definition().finditer(grammar.blank(problem.tests))}
        found = examples_in(head + code, grammar, wanted.entry, taken)
        spans = [(start - len(head), end - len(head)) for start, end in found if start >= len(head)]
        if spans:
            trace.note("demo", f"from {code[spans[0][0] :].strip().splitlines()[0][:60]!r}")
        code = without(code, spans)
    if problem.language in ("js", "ts"):
        code = _without_spare_imports(problem, code, grammar, trace)
    if problem.language == "php":
        # What follows a closing tag is no code, and the tests would stand there.
        code = re.sub(r"\?>(?:(?!<\?php|\?>).)*\Z", "", code, flags=re.DOTALL)
    return code


def _without_spare_imports(problem: Problem, code: str, grammar: Grammar, trace: Trace) -> str:
    """Code less imports that nothing in it uses; JavaScript has others as ``require``, as the tests do."""
    # Names within literals count: templates hold code.
    blanked = grammar.blank(code, strings=False)
    spans = []
    for found in _BINDS.finditer(blanked):
        names = re.findall(r"[\w$]+(?=\s*(?:[,}]|$))", found["from"] or found["required"])
        rest = blanked[: found.start()] + blanked[found.end() :]
        if not any(re.search(rf"(?<![\w$.]){re.escape(name)}(?![\w$])", rest) for name in names):
            spans.append(found.span())
    if spans:
        trace.note("exports")
    code = without(code, spans)
    return _FROM.sub(_as_require, code) if problem.language == "js" else code


def _as_require(found: re.Match[str]) -> str:
    names = re.sub(r"\*\s*as\s+", "", found["names"]).replace(" as ", ": ").strip()
    first, _, others = names.partition(", {")
    binds = [first, f"{{{others}"] if others else [names]
    return "\n".join(f"const {one} = require({found['module']});" for one in binds)


def _without_main(problem: Problem, code: str, grammar: Grammar, trace: Trace) -> str:
    """Code without a main of its own and what else must not come before the tests."""
    language, before = problem.language, code
    if language in ("js", "ts"):
        code = _EXPORTED.sub(_as_constant, _EXPORT.sub("", code))
        # A name may be declared once, and the tests declare their own.
        code = _REQUIRE.sub(lambda line: "" if _declares(problem.tests, line[1]) else line[0], code)
    if language in ("java", "cs", "scala", "d"):
        code = _PACKAGE.sub("", code)
    if language in ("pl", "rb") and not re.search(r"\bDATA\b", code):
        code = _DATA.sub("", code)
    if language == "cpp":
        code = _TEST_HEADER.sub("", code)
    if language == "scala":
        code = re.sub(r"@main\s+(?=def\b)", "", code)
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


def _as_constant(exported: re.Match[str]) -> str:
    return f"const {exported['name']} = " if exported["name"] else ""


def _declares(tests: str, name: str) -> bool:
    return re.search(rf"\b(?:const|let)\s+{name}\b", tests) is not None


def _unwrapped(code: str, grammar: Grammar) -> str:
    blanked = grammar.blank(code)
    spans = []
    for head in _NAMESPACE.finditer(blanked):
        end = closing_brace(blanked, head.end() - 1)
        spans += [(head.start(), head.end()), (end, end + 1)]
    return without(code, spans)
