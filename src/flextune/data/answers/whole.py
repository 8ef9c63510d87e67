"""Whether code is whole: a function with a body, braces that close, a program that reads and prints."""

from __future__ import annotations

import ast
import itertools
import re

from flextune.data.answers.bodies import lacking_ends
from flextune.data.answers.grammar import Grammar, closing_brace
from flextune.data.answers.python_flow import tree_of
from flextune.data.answers.rules import Trace
from flextune.data.python_source import first_error

#: Languages whose blocks are braces.
_BRACES = frozenset(
    {"java", "cs", "scala", "cpp", "rs", "go", "d", "swift", "js", "ts", "php", "pl", "r", "sh"}
)
#: So many ends of statements are tried before a syntax error.
_MOST_ENDS = 50
#: A comment in place of code that stands elsewhere.
_ELIDED = re.compile(
    r"^[ \t]*(?:\#|//|--|;+)[ \t]*(?:(?:\.\.\.|\u2026)|(?:the )?rest of (?:the|your) \w+"
    r"|(?:existing|unchanged|remaining|previous) (?:code|logic|implementation)|same as (?:before|above))"
    r"[ .)\u2026]*"
    r"(?:$|(?:rest|existing|same|unchanged|remaining)\b)",
    re.MULTILINE | re.IGNORECASE,
)
#: A last line at the left margin that breaks off before any mark of code.
_WORDS = re.compile(r"^[A-Za-z][\w:<>*& ]*\s*\Z", re.MULTILINE)
_NOTEBOOK = re.compile(r"^[ \t]*(?:!|%{1,2}[a-z])[^\n]*$", re.MULTILINE)
#: How a line of code ends, or what prose has not.
_LOOKS = re.compile(
    r"[;{})]\s*$|^\s*[\w$, ]+=|\bend\s*$|\$\(|^#!|<\?php|^\s*(?:puts|print|echo|say|cat)\b", re.MULTILINE
)
_READS = re.compile(
    r"\b(?:input\s*\(|stdin|STDIN|readline|readLine|readln|ReadLine|ReadToEnd|Scanner|BufferedReader|cin\b|scanf|getline|"
    r"fgets|gets\b|getchar|fgetc|bufio|Scan(?:ln|f)?\s*\(|file\s*\(|readLines|scan\s*\(|io\.read|io\.lines|read-line|"
    r"read\b|mapfile|readarray|ARGF|\$<|/dev/stdin|read_to_string|read_line|fileinput|current-input-port)"
    r"|<STDIN>|<>"
)
_PRINTS = re.compile(
    r"\b(?:print\w*|puts|echo|printf|console\.log|process\.stdout|write\w*|Write\w*|Print\w*|println|cout|cat|display\w*|"
    r"say|fmt|putchar|io\.write|displayln|System\.out)\b|\bprint(?:ln)?!|sys\.stdout"
)


def is_complete(code: str, grammar: Grammar, entry: str | None) -> bool:
    """Whether code can be parsed, as far as this can be told, and the function has a body."""
    if _ELIDED.search(code):
        return False
    if grammar.short == "py":
        tree = tree_of(code)
        return tree is not None and not _is_stub(tree, entry)
    blanked = grammar.blank(code)
    if grammar.short == "rkt":
        return blanked.count("(") + blanked.count("[") == blanked.count(")") + blanked.count("]")
    if grammar.short not in _BRACES:
        return True
    if blanked.count("{") != blanked.count("}"):
        return False
    head = grammar.definition(entry).search(blanked) if entry else None
    opening = blanked.find("{", head.end() - 1) if head else -1
    return opening < 0 or bool(blanked[opening + 1 : closing_brace(blanked, opening)].strip())


def _is_stub(tree: ast.Module, entry: str | None) -> bool:
    """Whether the function is there in name only: ``pass``, ``...``, a docstring, ``NotImplementedError``."""
    functions = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == entry
    ]
    return bool(functions) and all(
        all(map(_says_nothing, node.body)) or any(map(_is_elision, node.body[1:])) for node in functions
    )


def _is_elision(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and node.value.value is ...


def _says_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Raise):
        return "NotImplemented" in ast.dump(node)
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def program_rank(code: str, grammar: Grammar) -> int:
    """How much code is a program: 2 if it reads and prints, or has a main; 1 if it prints; else 0."""
    blanked = grammar.blank(code)
    if not is_complete(code, grammar, None):
        return 0
    reads, prints = _READS.search(blanked) is not None, _PRINTS.search(blanked) is not None
    main = grammar.main is not None and re.search(grammar.main, blanked) is not None
    return 2 if prints and (reads or main) else int(prints)


def is_program(text: str, grammar: Grammar) -> bool:
    """Whether a text without lines of prose is a program that prints, as far as that can be told."""
    if program_rank(text, grammar) == 0:
        return False
    return grammar.short == "py" or _LOOKS.search(text) is not None


def without_notebook(code: str, trace: Trace) -> str:
    """Python without lines for a notebook's shell and magic, which are no Python."""
    if tree_of(code) is not None or not _NOTEBOOK.search(code):
        return code
    trace.note("notebook")
    return _NOTEBOOK.sub("", code)


def without_broken_end(code: str, grammar: Grammar, entry: str | None, trace: Trace) -> str:
    """Code without what breaks off after the function; as it is where the function itself breaks off."""
    if entry is None:
        return code
    if grammar.short == "py":
        return _python_without(code, entry, trace)
    blanked = grammar.blank(code)
    if lacking_ends(code, grammar) > 0:
        begin = _last_definition(blanked, grammar)
    elif grammar.short in _BRACES and grammar.container is None:
        begin = _last_unit(blanked)
        if begin is None and grammar.short != "sh" and (words := _WORDS.search(blanked)):
            begin = words.start()
    else:
        return code
    defined = grammar.definition(entry).search(blanked)
    if begin is None or defined is None or defined.start() >= begin:
        return code
    trace.note("truncated", f"from {code[begin:].strip()[:60]!r}")
    return code[:begin]


def _last_definition(blanked: str, grammar: Grammar) -> int | None:
    """Where the last function at the left margin begins, if it is what lacks an end."""
    lines = re.finditer(r"^\w.*", blanked, re.MULTILINE)
    begins = [line.start() for line in lines if grammar.definition().search(line[0])]
    return begins[-1] if begins and lacking_ends(blanked[: begins[-1]], grammar) <= 0 else None


def _last_unit(blanked: str) -> int | None:
    """Where the last definition at top level begins, if its braces do not close."""
    depth, begin = 0, 0
    for brace in re.finditer(r"[{}]", blanked):
        depth += 1 if brace[0] == "{" else -1
        if depth <= 0:
            depth, begin = 0, brace.end()
    return begin if depth > 0 else None


def _python_without(code: str, entry: str, trace: Trace) -> str:
    error = first_error(code)
    if error is None:
        return code
    lines = code.rstrip("\n").split("\n")
    # What comes after the first error changes nothing about it.
    lengths = range(min(len(lines), error) - 1, 0, -1)
    # Statements at top level end before a line at the margin.
    ends = (n for n in lengths if re.match(r"[^\s)\]}]", lines[n]))
    for length in itertools.islice(ends, _MOST_ENDS):
        tree = tree_of("\n".join(lines[:length]))
        if tree is not None:
            if not any(getattr(node, "name", None) == entry for node in ast.walk(tree)):
                return code
            trace.note("truncated", f"from {lines[length][:60]!r}")
            return "\n".join(lines[:length]) + "\n"
    return code
