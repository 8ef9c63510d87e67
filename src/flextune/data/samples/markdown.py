"""The code in a chat answer."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

from flextune.data.python_source import parse_python
from flextune.data.samples.grammar import PYTHON, Grammar

_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})[ \t]*([^\n`]*)\n", re.MULTILINE)
_THOUGHTS = re.compile(r"\A.*</think(?:ing)?>", re.DOTALL)
# What a line of code begins with, where an answer has no fence.
_CODE_LINE = re.compile(
    r"^[ \t]*(?:import\b|from\s+\S+\s+import\b|using\b|use\b|package\b|require\b|library\(|\#include|\#lang|"
    r"\#!|<\?php|@\w|//|/\*|--|;;|\#\s|def\b|fn\b|pub\b|func\b|fun\b|function\b|sub\b|class\b|object\b|struct\b|"
    r"union\b|enum\b|template\b|public\b|private\b|static\b|const\b|let\b|var\b|local\b|async\b|\(define\b|module\b)",
    re.MULTILINE,
)
#: Prose after a program is looked for in so many lines at the end.
_LAST_LINES = 60


@dataclass(frozen=True, slots=True)
class _Block:
    tag: str
    text: str


def code_in(answer: str, grammar: Grammar, entry: str | None) -> str:
    """The one piece of code in an answer that is meant as the solution.

    Fenced blocks of the language come first, then blocks without a language, then any block. Of those, the
    first that defines ``entry`` is taken, else the longest. A fence that is never closed runs to the end.
    An answer without a fence is taken whole, less the prose around it. What a reasoning model thinks aloud
    before ``</think>`` is no answer.

    Args:
        answer: Markdown, as the model wrote it.
        grammar: The language's.
        entry: The function that the tests call, where it is known.
    """
    answer = _THOUGHTS.sub("", answer.replace("\r\n", "\n"))
    blocks = _blocks(answer)
    if not blocks:
        return _bare(answer, grammar, entry)
    for chosen in (
        [block for block in blocks if block.tag in grammar.tags],
        [block for block in blocks if not block.tag],
        blocks,
    ):
        defining = [block for block in chosen if entry and grammar.has_definition(block.text, entry)]
        if defining:
            return defining[0].text
        if chosen:
            return max(chosen, key=lambda block: len(block.text)).text
    raise AssertionError("there is a block")


def _blocks(answer: str) -> list[_Block]:
    blocks, position = [], 0
    while fence := _FENCE.search(answer, position):
        indent, marks, info = fence.groups()
        end = re.compile(rf"^[ \t]*{re.escape(marks[0])}{{{len(marks)},}}[ \t]*$", re.MULTILINE)
        closing = end.search(answer, fence.end())
        text = answer[fence.end() : closing.start() if closing else len(answer)]
        tag = re.split(r"[\s:,{}=]", info.strip().lstrip("{.").lower())[0]
        blocks.append(_Block(tag, textwrap.dedent(text) if indent else text))
        position = closing.end() if closing else len(answer)
    return blocks


def _bare(answer: str, grammar: Grammar, entry: str | None) -> str:
    """Code without a fence: from its first to its last line, if the function is defined there."""
    if entry is None or not grammar.has_definition(answer, entry):
        return answer
    first = _CODE_LINE.search(answer)
    code = answer[first.start() :] if first else answer
    return _as_python(code) if grammar is PYTHON else _as_statements(code)


def _as_python(code: str) -> str:
    lines = code.rstrip().split("\n")
    for length in range(len(lines), max(0, len(lines) - _LAST_LINES), -1):
        text = "\n".join(lines[:length])
        if parse_python(text) is not None:
            return text
    return code


def _as_statements(code: str) -> str:
    lines = code.rstrip().split("\n")
    for length in range(len(lines), max(0, len(lines) - _LAST_LINES), -1):
        if lines[length - 1].rstrip().endswith(("}", ";", ")", "end", "};")):
            return "\n".join(lines[:length])
    return code
