"""The body of a function, closed once, in languages with braces, ``end`` or parentheses."""

from __future__ import annotations

import re

from flextune.data.answers.grammar import Grammar, closed_scopes
from flextune.data.answers.rules import Trace
from flextune.records import Problem

#: What opens and closes in languages without braces; a loop's ``do`` belongs to its own keyword.
_KEYWORDS = {
    "lua": (r"\b(?:function|do|if|repeat)\b", r"\b(?:end|until)\b"),
    "rb": (
        r"\b(?:def|class|module|begin|case)\b|(?:^|[=(])[ \t]*(?:if|unless|while|until|for)\b"
        r"|^(?![ \t]*(?:while|until|for)\b).*\bdo\b",
        r"(?<![.:])\bend\b(?!:)",
    ),
    "jl": (r"\b(?:function|if|for|while|begin|let|do|try|struct|module)\b", r"\bend\b"),
}
#: Languages in which braces and nothing else enclose a body.
_BRACES = frozenset(
    {"java", "cs", "scala", "cpp", "rs", "go", "d", "swift", "js", "ts", "php", "pl", "r", "sh"}
)


def closed_body(problem: Problem, code: str, grammar: Grammar, trace: Trace) -> str:
    """What continues the prompt, less the closing braces that the tests bring, plus those that lack."""
    if grammar.short == "rkt":
        blanked = grammar.blank(problem.prompt + code)
        lacking = len(re.findall(r"[(\[]", blanked)) - len(re.findall(r"[)\]]", blanked))
        return _with_end(code, ")" * lacking, trace)
    if grammar.short in _KEYWORDS:
        return _with_end(code, "end\n" * lacking_ends(problem.prompt + code, grammar), trace)
    if grammar.short not in _BRACES:
        return code
    # In D the prompt ends before the body's own brace.
    if grammar.short == "d" and not re.match(r"\s*(?:\{|in\b|out\b|do\b|=>)", grammar.blank(code)):
        code = f"{{\n{code}"
    blanked = grammar.blank(problem.prompt + code)
    opened = blanked.count("{") - blanked.count("}")
    surplus = closed_scopes(grammar.blank(problem.tests)) - opened
    while surplus > 0 and code.rstrip().endswith("}"):
        trace.note("closed-once")
        code, surplus = code.rstrip()[:-1], surplus - 1
    return _with_end(code, "}\n" * -surplus, trace)


def lacking_ends(code: str, grammar: Grammar) -> int:
    """How many blocks code leaves open that keywords close; 0 in languages with braces."""
    if grammar.short not in _KEYWORDS:
        return 0
    opens, closes = (re.compile(pattern, re.MULTILINE) for pattern in _KEYWORDS[grammar.short])
    blanked = grammar.blank(code)
    return len(opens.findall(blanked)) - len(closes.findall(blanked))


def _with_end(code: str, end: str, trace: Trace) -> str:
    if not end:
        return code
    trace.note("closed-once", "by what was missing")
    return code.rstrip("\n") + "\n" + end
