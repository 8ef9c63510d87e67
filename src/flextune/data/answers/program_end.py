"""Where a program ends in a text that continues a prompt and goes on behind its first stop string.

Only what the program calls and lacks is worth keeping: behind the function, definitions are taken as long as
one of them defines something that is called and not defined yet. The first statement at top level that is no
definition ends the program, and so do a fence, the end of the scope that the prompt opened, and a second
definition of a name. docs/generation.md has the rule in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flextune.data.answers.grammar import Grammar, closed_scopes, grammar_of
from flextune.data.answers.python_flow import bound_in, free_names, program_of, tree_of
from flextune.records import Problem

#: Languages whose functions are closed by braces and called as ``name(``.
_BRACES = frozenset({"java", "cs", "cpp", "rs", "go", "d", "js", "ts", "php", "swift", "scala", "pl", "r"})
_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})", re.MULTILINE)
#: How a line at the left margin of a Python program begins that does nothing but define.
_DEFINES = re.compile(
    r"(?:async\s+def|def|class)\b|@|(?:import|from)\b|[A-Za-z_]\w*(?:\s*:[^=\n]+)?\s*=(?!=)"
)
_CALL = re.compile(r"(?<![\w$.>:@\\])([A-Za-z_$][\w$]*)\s*\(")
_TYPE = re.compile(r"\b(?:class|struct|enum|interface|record|union|trait)\s+(\w+)")
_NEUTRAL = re.compile(r"\s*(?:static|private|public|final|const|let|var|val|my|our|use|using|import)\b")
#: What stands before a bracket and is no function.
# fmt: off
_KEYWORDS = frozenset({
    "if", "for", "while", "switch", "catch", "return", "function", "func", "fn", "fun", "sub", "new", "else",
    "elsif", "elseif", "foreach", "until", "unless", "when", "match", "synchronized", "using", "lock",
    "assert", "throw", "sizeof", "typeof", "await", "yield", "case", "do", "def", "and", "or", "not", "in",
})
# fmt: on
#: Functions that a language has of itself; where one is not listed, decoding only goes on for longer.
_GIVEN: dict[str, frozenset[str]] = {
    language: frozenset(names.split())
    for language, names in {
        "go": "append cap clear close complex copy delete len make max min new panic print println recover "
        "string int int64 float64 byte rune bool",
        "rs": "Some Ok Err Box drop",
        "js": "Array BigInt Boolean Date Map Number Object Set String isNaN parseFloat parseInt require",
        "ts": "Array BigInt Boolean Date Map Number Object Set String isNaN parseFloat parseInt require",
        "cpp": "abs accumulate count find isalpha isdigit islower isspace isupper make_pair max min pow "
        "reverse sort sqrt stoi string swap to_string tolower toupper vector",
        "swift": "Array Character Dictionary Double Int Set String abs max min print stride zip",
        "scala": "Array List Map Set Some Vector println",
        "php": "abs array array_filter array_map array_sum count explode floor implode in_array intval "
        "max min sort str_split strlen strrev strtolower strtoupper substr usort",
    }.items()
}
#: Functions that the tests have, too.
_MAINS = frozenset({"main", "Main"})


@dataclass(frozen=True, slots=True)
class End:
    """Where a program ends.

    Attributes:
        text: What follows the prompt, with the helpers behind the function; None where there are none.
        decided: Whether nothing that follows could change that.
    """

    text: str | None
    decided: bool


@dataclass(frozen=True, slots=True)
class _Unit:
    """A piece of a program at the depth of the function.

    Attributes:
        end: Where it ends.
        names: What it defines.
        neutral: Whether it may stand between definitions: imports, constants, fields.
        closed: Whether it is known to end there.
    """

    end: int
    names: frozenset[str]
    neutral: bool
    closed: bool


def has_policy(language: str) -> bool:
    """Whether it is known here where a program of the language ends."""
    return language == "py" or language in _BRACES


def program_end(problem: Problem, text: str, *, final: bool) -> End:
    """Look for the end of the program.

    Args:
        problem: What the text answers, in a language with a policy.
        text: What follows the prompt so far.
        final: Whether nothing follows.
    """
    fence = _FENCE.search(text)
    if fence is not None:
        text, final = text[: fence.start()], True
    source, begin = problem.prompt + text, len(problem.prompt)
    if problem.language == "py":
        found = _python(source, begin, final)
        return End(None if found[0] is None else source[begin : found[0]], found[1])
    return _braces(problem, source, begin, final)


def _python(source: str, begin: int, final: bool) -> tuple[int | None, bool]:
    """Where the last helper that is needed ends, and whether that is decided."""
    margins = list(_margins(source, begin))
    if not margins:
        return None, final
    lacking = _lacking(source[: margins[0]])
    if not lacking:
        return None, True
    defined = set(bound_in(tree)) if (tree := tree_of(source[: margins[0]])) else set[str]()
    end = None
    for place, start in enumerate(margins):
        last = place + 1 == len(margins)
        if last and not final:
            # A line that is not whole yet may become anything.
            return end, "\n" in source[start:] and _DEFINES.match(source, start) is None
        stop = len(source) if last else margins[place + 1]
        unit = tree_of(source[start:stop])
        names = set(bound_in(unit)) if unit is not None else set[str]()
        if _DEFINES.match(source, start) is None or unit is None or names & defined:
            return end, True
        defined |= names
        if names & lacking:
            end = stop
            lacking = _lacking(source[:stop])
            if not lacking:
                return end, True
    return end, final


def _margins(source: str, begin: int) -> Iterator[int]:
    """Where lines of code begin at the left margin, outside brackets, after the first line of the text."""
    grammar = grammar_of("py")
    blanked = grammar.blank(source)
    depth, position, decorated = 0, 0, False
    for line in blanked.splitlines(keepends=True):
        if position > begin and depth == 0 and not line[:1].isspace():
            if not decorated:
                yield position
            decorated = line.startswith("@")
        depth = max(0, depth + sum(line.count(c) for c in "([{") - sum(line.count(c) for c in ")]}"))
        position += len(line)


def _lacking(source: str) -> set[str]:
    """Names that a program uses and nobody defines; none where it cannot be parsed."""
    program = program_of(source)
    return set() if program is None else set(free_names(program))


def _braces(problem: Problem, source: str, begin: int, final: bool) -> End:
    grammar = grammar_of(problem.language)
    blanked = grammar.blank(source)
    depth = blanked[:begin].count("{") - blanked[:begin].count("}")
    closed = closed_scopes(grammar.blank(problem.tests))
    if depth < 1 or closed not in (depth, depth - 1):
        return End(None, True)
    function = _closes(blanked, begin, depth, depth - 1)
    if function is None:
        return End(None, final)
    defined = _defined(blanked[:function], grammar)
    defined |= _GIVEN.get(problem.language, frozenset())
    lacking = _called(blanked[:function]) - defined
    end, decided = None, not lacking
    position = function
    while not decided:
        unit = _unit(blanked, position, grammar)
        if unit is None or not unit.closed:
            decided = final
            break
        if not (unit.names or unit.neutral) or unit.names & (defined | _MAINS):
            decided = True
            break
        defined |= unit.names
        if unit.names & lacking:
            end = unit.end
            lacking = _called(blanked[:end]) - defined
            decided = not lacking
        position = unit.end
    if end is None:
        return End(None, decided)
    stop = end
    if closed == depth:
        # The tests close the function's own scope: the last helper is left open for them.
        if blanked[end - 1] != "}":
            return End(None, decided)
        stop = end - 1
    return End(source[begin:stop].rstrip(" \t"), decided)


def _closes(blanked: str, begin: int, depth: int, wanted: int) -> int | None:
    """Behind the brace with which the depth comes down to ``wanted``."""
    for brace in re.compile(r"[{}]").finditer(blanked, begin):
        depth += 1 if brace[0] == "{" else -1
        if depth == wanted:
            return brace.end()
    return None


def _unit(blanked: str, position: int, grammar: Grammar) -> _Unit | None:
    """What comes next at the function's depth; None where nothing does yet."""
    start = re.compile(r"[\s;]*").match(blanked, position)
    begin = start.end() if start else position
    if begin >= len(blanked):
        return None
    if blanked[begin] == "}":
        return _Unit(begin, frozenset(), neutral=False, closed=True)
    head = re.compile(r"[{};]").search(blanked, begin)
    if head is None:
        line = blanked.find("\n", begin)
        text = blanked[begin : line if line >= 0 else len(blanked)]
        return _Unit(len(blanked), _names(text, grammar), _is_neutral(text), closed=False)
    end: int | None = head.end()
    if head[0] == "{":
        end = _closes(blanked, head.start(), 0, 0)
    text = blanked[begin : head.end()]
    closed = end is not None
    return _Unit(end or len(blanked), _names(text, grammar), head[0] == ";" and _is_neutral(text), closed)


def _names(head: str, grammar: Grammar) -> frozenset[str]:
    """What the head of a unit defines."""
    # Patterns of relatives of C want something before the type.
    found = {match["name"] for match in grammar.definition().finditer(f"\n{head}")}
    return frozenset(found | set(_TYPE.findall(head))) - _KEYWORDS


def _defined(blanked: str, grammar: Grammar) -> set[str]:
    return {match["name"] for match in grammar.definition().finditer(blanked)} | set(_TYPE.findall(blanked))


def _is_neutral(head: str) -> bool:
    """Whether it is a constant, a field or an import, not a statement that does something."""
    return _NEUTRAL.match(head) is not None


def _called(blanked: str) -> set[str]:
    return set(_CALL.findall(blanked)) - _KEYWORDS
