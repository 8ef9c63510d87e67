"""Code that stands in an answer without a fence, among lines of prose."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

from flextune.data.answers.blocks import Block
from flextune.data.answers.grammar import Grammar
from flextune.data.answers.python_body import is_body
from flextune.data.answers.python_flow import tree_of
from flextune.data.python_source import first_error

# What a line of code begins with, where an answer has no fence.
_CODE_LINE = re.compile(
    r"^[ \t]*(?:import\b|from\s+\S+\s+import\b|using\b|use\b|package\b|require\b|library\(|\#include|\#lang|"
    r"\#!|<\?php|@\w|//|/\*|--|;;|\#\s|def\b|fn\b|pub\b|func\b|fun\b|function\b|sub\b|class\b|object\b|struct\b|"
    r"union\b|enum\b|template\b|public\b|private\b|static\b|const\b|let\b|var\b|local\b|async\b|\(define\b|module\b)",
    re.MULTILINE,
)
_PYTHON_LINE = re.compile(
    r"^(?:import\s+\w|from\s+\S+\s+import\b|(?:async\s+)?def\s+\w+\s*\(|class\s+\w+\s*[(:]|@\w|"
    r"\w[\w.\[\], ]*\s*(?:[-+*/%|&^@]|//|\*\*|<<|>>)?=(?!=)|"
    r"(?:for|while|if|with|try|print|assert)\b.*[:)]?\s*$|\#)"
)
#: Words as in a sentence.
_PROSE = re.compile(
    r"^[ \t]*(?:[-*>\#]+[ \t]+)?[*_]*[A-Z][\w'\u2019]*[,:]?(?:[ \t]+[\w'\u2019`*]+[,:;]?){2,}"
)
#: A sentence, or what announces the next lines: a step of a list, a heading.
_LABEL = re.compile(
    r"(?:\d+[.)]|[-*\u2022]|\#{1,6})[ \t]+[A-Z`*]|\*\*\S|(?![A-Z_]+:)[A-Z](?!.*(?:::|[;{}=])).*[.:!?][*_]*$"
)
#: Punctuation of other scripts, or their letters in a line without marks of code.
_FOREIGN = re.compile(r"[\u3001\u3002\uff01\uff0c\uff1a\uff1b\uff1f]|^[^=(){};]*[^\x00-\x7f][^=(){};]*$")
#: Text within a program, up to a line of one word.
_HERE = re.compile(r"<<[-~]?[ \t]*['\"]?[A-Za-z_]\w*")
#: So many lines of prose are looked for.
_MOST_PROSE = 200
#: Prose after a program is looked for in so many lines at the end.
_LAST_LINES = 60
#: A text is taken apart at so many lines that are no Python, then left as it is.
_MOST_ERRORS = 200
#: Characters that are parsed for that, all tries together.
_MOST_PARSED = 2_000_000


def bare_blocks(
    text: str, grammar: Grammar, is_meant: Callable[[str], bool], *, program: bool = False
) -> list[Block]:
    """Runs of lines that are code, as blocks of the language; none if none of them can be the answer.

    Args:
        text: Code among prose.
        grammar: The language's.
        is_meant: Whether a run has what is asked for.
        program: Whether it is a program, of which any line may be code that does not look like prose.
    """
    if program:
        runs = ["\n".join(run).strip("\n") + "\n" for run in _between_prose(text, grammar)]
    elif grammar.short != "py":
        runs = [_run("\n".join(run), grammar) for run in _between_prose(text, grammar)]
        runs = runs if any(map(is_meant, runs)) else [_run(text, grammar)]
    else:
        runs = _python_runs(text)
        if not any(map(is_meant, runs)):
            # Markdown's other kind of block: lines that are indented by four columns.
            runs = _python_runs(re.sub(r"^(?:    |\t)", "", text, flags=re.MULTILINE))
    return [Block("", run) for run in runs] if any(map(is_meant, runs)) else []


def _between_prose(text: str, grammar: Grammar) -> list[list[str]]:
    """Lines between lines of prose, which stand at the left margin, outside literals and brackets."""
    runs: list[list[str]] = [[]]
    looked = 0
    lines = text.split("\n")
    here = _HERE.search(text) if grammar.short in ("rb", "pl", "php", "sh") else None
    for number, line in enumerate(lines):
        prose = looked < _MOST_PROSE and is_prose(line, grammar)
        looked += prose
        if here is not None and prose:
            # Text of the program may look like prose, but not at its beginning.
            prose = not any(map(str.strip, runs[-1])) or not any(
                after.strip() and not is_prose(after, grammar) for after in lines[number:]
            )
        if prose and _is_whole(runs[-1], grammar):
            runs.append([])
        else:
            runs[-1].append(line)
    return [run for run in runs if any(line.strip() for line in run)]


def is_prose(line: str, grammar: Grammar) -> bool:
    """Whether a line at the left margin is a sentence, a label or a heading rather than code."""
    if not grammar.blank(line).strip() or line.rstrip()[-1:] in (*";{},(\\",):
        return False
    if line[0].isspace():
        return False
    return (_PROSE.match(line) or _LABEL.match(line) or _FOREIGN.search(grammar.blank(line))) is not None


def _is_whole(lines: list[str], grammar: Grammar) -> bool:
    """Whether lines of code end outside literals and brackets."""
    blanked = grammar.blank("\n".join([*lines, "x"]))
    opened = sum(blanked.count(mark) for mark in "([{") - sum(blanked.count(mark) for mark in ")]}")
    return blanked.endswith("x") and opened <= 0


def _run(text: str, grammar: Grammar) -> str:
    """From the first line that begins code to the last that ends it, in languages without a parser here.

    Lines are looked at one by one: an apostrophe in prose opens no literal in the lines after it.
    """
    lines = text.rstrip().split("\n")
    begin = next((n for n in range(len(lines)) if _begins_code(lines, n, grammar)), 0)
    end = len(lines)
    while end > max(begin + 1, len(lines) - _LAST_LINES) and not _ends_code(lines[end - 1]):
        end -= 1
    return "\n".join(lines[begin:end] if _ends_code(lines[end - 1]) else lines[begin:]) + "\n"


def _begins_code(lines: list[str], number: int, grammar: Grammar) -> bool:
    line = lines[number]
    if _CODE_LINE.match(line) or line.rstrip().endswith(("{", ";")):
        return True
    if _PROSE.match(line) and not line.rstrip().endswith(")"):
        return False
    # The body's brace may stand in the next line.
    blanked = grammar.blank("\n".join([*lines[number : number + 2], "x"]))
    found = grammar.definition().search(blanked)
    return found is not None and found.start() < len(line)


def _ends_code(line: str) -> bool:
    line = line.rstrip()
    return line.endswith(("}", ";", ")", "end", "fi", "done")) and not (
        _PROSE.match(line) and line[-1] not in "};"
    )


def _python_runs(text: str) -> list[str]:
    """The longest runs of lines that can be parsed, each from a line that looks like code."""
    lines = text.split("\n")
    runs, number, errors = [], 0, 0
    most = min(_MOST_ERRORS, _MOST_PARSED // max(len(text), 1))
    while number < len(lines) and errors < most:
        if not _PYTHON_LINE.match(lines[number]):
            number += 1
            continue
        length, tried = _parsed_length(lines[number:], most - errors)
        errors += tried
        if length and _says_something("\n".join(lines[number : number + length])):
            runs.append("\n".join(lines[number : number + length]).rstrip() + "\n")
        number += max(length, 1)
    return runs


def _parsed_length(lines: list[str], most: int) -> tuple[int, int]:
    """How many lines from the first can be parsed, and how many tries that took."""
    length, tries = len(lines), 0
    while length > 0 and tries < most:
        tries += 1
        error = first_error("\n".join(lines[:length]) + "\n")
        if error is None:
            return length, tries
        # What is wrong is in that line, or in one before it.
        length = min(length, error) - 1
    return 0, tries


def _says_something(code: str) -> bool:
    """Whether code is more than comments and words that happen to be expressions."""
    tree = tree_of(code)
    return tree is not None and any(
        not isinstance(node, ast.Expr) or isinstance(node.value, (ast.Call, ast.Await)) for node in tree.body
    )


def looks_like_code(text: str, grammar: Grammar, has_function: Callable[[str], bool]) -> bool:
    """Whether what stands before a lone fence is code, so that the fence closes it."""
    stripped = text.strip("\n")
    if not stripped.strip():
        return False
    if has_function(text):
        return True
    if grammar.short == "py":
        return is_body(text) or (tree_of(text) is not None and _says_something(text) and not _labels(text))
    last = stripped.rstrip().split("\n")[-1].rstrip()
    return last.endswith(("}", ";", "end")) or (grammar.short == "rkt" and last.endswith(")"))


def _labels(code: str) -> bool:
    """Whether all that code has are lines such as ``Output: x``, which are annotations to Python."""
    tree = tree_of(code)
    return tree is not None and all(
        isinstance(node, ast.Expr) or (isinstance(node, ast.AnnAssign) and node.value is None)
        for node in tree.body
    )
