"""Statements that only show a function off, in languages that are read by their lines alone."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from flextune.data.answers.grammar import Grammar


@dataclass(frozen=True)
class _Shape:
    """What a statement at the left margin looks like in one language.

    Attributes:
        declares: How one begins that defines, imports, sets or assigns.
        assigned: How an assignment begins, with the names up to its sign.
        asks: What asks for input, or reads the command line.
        ends: What ends the program.
        tests: How a class or a call of a test framework begins.
        opens: How a block begins that keywords close.
        closes: How the line begins that closes it.
        in_literals: Whether code may stand in a literal.
        collected: Names of functions that the tests' framework calls of itself.
    """

    declares: str
    assigned: str
    asks: str
    ends: str
    tests: str = r"(?!)"
    opens: str = r"(?!)"
    closes: str = r"(?!)"
    in_literals: bool = False
    collected: str = r"(?!)"


_JS = _Shape(
    declares=r"(?:async|function|class|const|let|var|import|export|type|interface|enum|declare|abstract|namespace)\b"
    r"|@|[\w$.\[\]'\"]+\s*(?:[-+*/|&?]{0,2}=(?!=)|:)",
    assigned=r"(?:const|let|var)\s+([^=]{1,200}?)\s*=",
    asks=r"\bprompt\s*\(|\breadlineSync\b|\bprocess\s*\.\s*(?:stdin|argv)\b|\breadFileSync\s*\(\s*0",
    ends=r"\bprocess\s*\.\s*exit\b|\bthrow\b",
    tests=r"(?:describe|it|test|suite|beforeEach|afterEach)(?:\.\w+)*\s*\(\s*['\"`]|(?:window|document|alert)\b",
)
_SHAPES = {
    "js": _JS,
    "ts": _JS,
    "php": _Shape(
        declares=r"(?:function|class|final|abstract|interface|trait|enum|readonly|use|namespace|declare|define|const"
        r"|require\w*|include\w*|global|static)\b|<\?|\?>|\#\[|\$[\w\[\]'\"$>:-]+\s*[.+*/?-]{0,2}=(?![=>])",
        assigned=r"(\$\w+|\[[^\]=]*\]|list\([^()]*\))\s*=(?![=>])",
        asks=r"\bSTDIN\b|\breadline\s*\(|php://stdin|\$arg[vc]\b|\$_(?:GET|POST|SERVER)\b",
        ends=r"\b(?:exit|die|throw)\b",
        tests=r"(?:final\s+)?class\s+\w+\s+extends\s+[\\\w]*TestCase\b|use\s+PHPUnit\\",
    ),
    "rb": _Shape(
        declares=r"(?:def|class|module|require\w*|include|extend|using|alias\w*|private|public|protected|attr_\w+"
        r"|module_function|define_method|end|BEGIN|__END__)\b|[\w@$.:]+(?:\s*,\s*\*?[\w@$]+)*\s*(?:\|\||&&|[-+*/])?=(?![=~>])",
        assigned=r"([\w$@]+(?:\s*,\s*\*?[\w$@]+)*)\s*=(?![=~>])",
        asks=r"\bgets\b|\bSTDIN\b|\$stdin\b|\bARG[VF]\b|\breadlines?\b",
        ends=r"\b(?:exit!?|abort|raise)\b",
        tests=r"class\s+\w+\s*<\s*(?:::)?(?:Mini[Tt]est|Test::Unit)|RSpec\b|describe\s|require\s*\(?['\"](?:minitest|rspec)",
        opens=r"(?:if|unless|while|until|for|begin|case|class|module|def(?!\s+\w+[?!]?(?:\([^()]*\))?\s*=))\b|.*\bdo\b\s*(?:\|[^|]*\|)?\s*$",
        closes=r"end\b",
        in_literals=True,
    ),
    "pl": _Shape(
        declares=r"(?:sub|use|no|package|my|our|local|state|BEGIN|END|__\w+__)\b|\d+\s*;|[*@%$][\w:{}\[\]'\"$>-]+\s*[.|+*/-]{0,2}=(?![=~])",
        assigned=r"(?:my|our|local)?\s*(\([^()]*\)|[$@%]\w+)\s*=(?![=~])",
        asks=r"<STDIN>|\bSTDIN\b|<>|@ARGV\b|\$ARGV\b",
        ends=r"\b(?:exit|die|croak)\b",
        tests=r"(?:is|ok|is_deeply|isnt|like|cmp_ok|subtest|done_testing|plan)\b|use\s+Test::(?:More|Simple|Most)\b",
    ),
    "lua": _Shape(
        declares=r"(?:function|local|end|until)\b|[\w.\[\]\"':]+(?:\s*,\s*[\w.\[\]\"']+)*\s*=(?!=)",
        assigned=r"(?:local\s+)?([\w.]+(?:\s*,\s*[\w.]+)*)\s*=(?!=)",
        asks=r"\bio\s*\.\s*(?:read|lines|stdin)\b|\barg\s*\[",
        ends=r"\bos\s*\.\s*exit\b|\berror\s*\(",
        opens=r"(?:for|while|if|do|repeat|(?:local\s+)?function)\b|.*\bfunction\s*\([^()]*\)\s*$",
        closes=r"(?:end|until)\b",
        collected=r"[tT]est",
    ),
    "r": _Shape(
        declares=r"(?:library|require|source|options|setClass|setGeneric|setMethod)\b|[\w.$\[\]\"']+\s*(?:<<?-|=(?!=))|[\w.]+\([\w.]+\)\s*<-",
        assigned=r"([\w.]+)\s*(?:<<?-|=(?!=))",
        asks=r"\breadline\s*\(|\breadLines\s*\(|\bcommandArgs\b|\bscan\s*\(|file\s*\(\s*['\"]stdin",
        ends=r"\b(?:quit|q|stop)\s*\(",
        tests=r"(?:test_that|expect_\w+|describe)\s*\(|library\(testthat\)",
    ),
    "sh": _Shape(
        declares=r"(?:function|local|declare|typeset|readonly|export|set|shopt|source|unset|alias|trap)\b|\.\s"
        r"|[\w-]+\s*\(\s*\)|\w+(?:\[[^\]]*\])?\+?=|\}",
        assigned=r"(\w+)=",
        asks=r"^read\b|\$[1-9@\#*]|\$\{[1-9@\#*]",
        ends=r"\bexit\b",
        opens=r"(?:if|for|while|until|case)\b",
        closes=r"(?:fi|done|esac)\b",
        in_literals=True,
    ),
    "rkt": _Shape(
        declares=r"\((?:define\S*|require|provide|struct|begin-for-syntax|set!)[\s(]|\#",
        assigned=r"\(define\s+([^\s()\[\]]+)\s",
        asks=r"\((?:read|read-line|current-command-line-arguments)\b",
        ends=r"\((?:exit|error|raise)\b",
    ),
}
#: What goes on with the statement before it.
_GOES_ON = re.compile(r"[ \t]+\S|\{|else\b|elsif\b|elseif\b|catch\b|finally\b|[.)\]}?:]|&&|\|\||>>>")
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
#: Ends the program before the tests, where it stands at the left margin.
_ENDS = re.compile(
    r"(?:exit|quit|q|os\.exit|main)(?:\s*\((?!\s*\)\s*\{)|\s*;|[ \t]*$|[ \t]+[\w\"$])"
    r"|if\s*\[\[?\s*\"?\$\{?BASH_SOURCE",
    re.MULTILINE,
)
#: Longer programs stay as they are: following all names would take long.
_LONGEST, _MOST_STATEMENTS = 100_000, 500
_LAMBDA = re.compile(r"=>|\bfunction\b|\bsub\b|->\s*[({]|\blambda\b|\u03bb|\\\(")


@dataclass(frozen=True)
class _Statement:
    """One at the left margin.

    Attributes:
        start: Where it begins in the code.
        end: Where the next one begins.
        text: Its code, with spaces for comments, and for literals where no code may stand in them.
        function: What it defines, if that is a function.
        assigns: Variables that it gives a value.
    """

    start: int
    end: int
    text: str
    function: str | None
    assigns: frozenset[str]


def examples(
    code: str, grammar: Grammar, entry: str | None, taken: Collection[str] = ()
) -> list[tuple[int, int]]:
    """Spans of the statements at the left margin that are there for a reader.

    A statement goes if it prints, asserts, tests, asks for input or ends the program, if it calls the
    function or one that does, or if it reads what went. Definitions and other assignments stay.

    Args:
        code: A program.
        grammar: The language's.
        entry: The function that is wanted.
        taken: Functions that the tests define: one of that name which calls the function is a test, too.
    """
    if grammar.example is None or len(code) > _LONGEST:
        return []
    shape = _SHAPES.get(grammar.short)
    statements = list(itertools.islice(_statements(code, grammar, shape), _MOST_STATEMENTS))
    showing = _showing(statements, entry)
    gone = {
        one
        for one in statements
        if _is_test(one, shape, showing - {entry}, taken)
        or (one.function is None and _begins_example(one, code, grammar, entry, shape))
    }
    while True:
        before = len(gone)
        lost = {name for one in gone for name in one.assigns}
        kept = [one for one in statements if one not in gone]
        for one in kept:
            if one.function is None and shape is not None and entry not in one.assigns:
                others = [other for other in kept if other is not one]
                if _shows(one, shape, showing, lost) and not _serves(one, shape, showing, lost, others):
                    gone.add(one)
        if len(gone) == before:
            return sorted((one.start, one.end) for one in gone)


def _begins_example(
    one: _Statement, code: str, grammar: Grammar, entry: str | None, shape: _Shape | None
) -> bool:
    """Whether a statement prints, asserts, tests or ends the program by how it begins."""
    begins = (grammar.example or "(?!)").replace("{name}", re.escape(entry) if entry else "(?!)")
    if re.match(begins, one.text) or (shape and re.match(shape.tests, code[one.start : one.end])):
        return True
    # Literals count here.
    return grammar.ends_early and _ENDS.match(code, one.start) is not None


def _is_test(
    one: _Statement, shape: _Shape | None, showing: Collection[str | None], taken: Collection[str]
) -> bool:
    """Whether a function that calls the wanted one would be taken for one of the tests."""
    if one.function is None or one.function not in showing:
        return False
    return one.function in taken or bool(shape and re.match(shape.collected, one.function))


def _shows(one: _Statement, shape: _Shape, showing: Collection[str], lost: Collection[str]) -> bool:
    if _mentions(one.text, {*showing, *lost}) or re.search(shape.asks, one.text):
        return bool(one.assigns) or not re.match(shape.declares, one.text)
    return not re.match(shape.declares, one.text) and re.search(shape.ends, one.text) is not None


def _serves(
    one: _Statement, shape: _Shape, showing: Collection[str], lost: Collection[str], others: list[_Statement]
) -> bool:
    """Whether what an assignment computes with the function is used by what stays."""
    if not one.assigns or _mentions(one.text, lost) or re.search(shape.asks, one.text):
        return False
    return any(_mentions(other.text, one.assigns) for other in others)


def _showing(statements: list[_Statement], entry: str | None) -> set[str]:
    """The function, and those that call it, in any number of steps."""
    found = {entry} if entry else set[str]()
    while found:
        more = {one.function for one in statements if one.function and _mentions(one.text, found)} - found
        if not more:
            break
        found |= more
    return found


def _mentions(text: str, names: Collection[str]) -> bool:
    return any(re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text) for name in names)


def _statements(code: str, grammar: Grammar, shape: _Shape | None) -> Iterator[_Statement]:
    blanked = grammar.blank(code)
    read = grammar.blank(code, strings=False) if shape and shape.in_literals else blanked
    lines = blanked.splitlines(keepends=True)
    number = position = 0
    while number < len(lines):
        length = _length(lines[number:], shape)
        size = sum(map(len, lines[number : number + length]))
        # What is blank there is a comment, or within a literal.
        if not lines[number][0].isspace() and code[position] == blanked[position]:
            yield _statement(read[position : position + size], position, grammar, shape)
        number, position = number + length, position + size


def _statement(text: str, start: int, grammar: Grammar, shape: _Shape | None) -> _Statement:
    assigned = re.match(shape.assigned, text) if shape else None
    names = frozenset(re.findall(r"[\w$@]+", assigned[1])) if assigned else frozenset[str]()
    defined = grammar.definition().search(text.split("\n", 1)[0] + "\n{")
    is_function = (
        defined is not None
        and (text[0] not in "([{!" or text.startswith("(define"))
        and (not assigned or _LAMBDA.search(text[assigned.end() :][:200]))
    )
    function = defined["name"] if defined and is_function else None
    return _Statement(start, start + len(text), text, function, frozenset() if function else names)


def _length(lines: list[str], shape: _Shape | None) -> int:
    """How many lines the statement has that begins with the first."""
    first = lines[0]
    depth = _depth(first, 0)
    open_block = False
    if shape and not first[:1].isspace() and re.match(shape.opens, first):
        open_block = re.search(rf"[;\s](?:{shape.closes})", first) is None
    for number, line in enumerate(lines[1:], 1):
        if depth == 0 and not open_block and not (line.strip() and _GOES_ON.match(line)):
            return number
        depth = _depth(line, depth)
        if open_block and shape and depth == 0 and re.match(shape.closes, line):
            open_block = False
    return len(lines)


def _depth(line: str, depth: int) -> int:
    return max(0, depth + sum(_BRACKETS.get(mark, 0) for mark in line))
