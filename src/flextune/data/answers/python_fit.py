"""A Python program in place of its prompt, or behind one that only describes."""

from __future__ import annotations

import re
import textwrap

from flextune.data.answers.delegating import takes_self, with_entry
from flextune.data.answers.grammar import PYTHON
from flextune.data.answers.python_body import fitted_body, is_body
from flextune.data.answers.python_flow import tree_of
from flextune.data.answers.rules import Trace
from flextune.data.answers.wanted import Wanted, defines
from flextune.records import Problem

_FUTURE = re.compile(r"^from __future__ import [^\n]*\n?", re.MULTILINE)


def after_prompt(problem: Problem, code: str, trace: Trace) -> tuple[Problem, str]:
    """A program behind a prompt that only describes; imports from the future go before all else."""
    if problem.prompt.strip():
        trace.note("after-prompt")
    if problem.language == "py" and _FUTURE.search(code):
        return problem.of_programs(), _with_future_first(f"{problem.prompt}{code}")
    return problem, code


def described(prompt: str, code: str, wanted: Wanted, trace: Trace) -> str:
    """Code at the margin, or a body with the signature that a description shows; else as it is."""
    inner = textwrap.dedent(code)
    if wanted.entry is None or defines(inner, wanted, PYTHON):
        return code if tree_of(code) is not None else inner
    shown = re.search(
        rf"^(?:class[ \t]+\w+[^\n]*:\n)?[ \t]*def[ \t]+{re.escape(wanted.entry)}\b[^\n]*:(?=[ \t]*$)",
        prompt,
        re.MULTILINE,
    )
    if shown is None or not is_body(code):
        return code
    trace.note("body")
    head = shown[0] + "\n"
    return head + fitted_body(head, code, trace)


def in_place_of_prompt(problem: Problem, code: str, wanted: Wanted, trace: Trace) -> tuple[Problem, str]:
    """What the prompt has before the function, then the program.

    Where the prompt begins a method, the program has its class again, or the method alone: one that takes
    ``self`` goes into the prompt's class.
    """
    posed = PYTHON.definition(wanted.entry).search(PYTHON.blank(problem.prompt))
    head = problem.prompt[: posed.start()] if posed else ""
    indent = posed[0][: len(posed[0]) - len(posed[0].lstrip())] if posed else ""
    holders = list(re.finditer(r"^class[ \t]+(\w+)", head, re.MULTILINE)) if indent else []
    if holders and takes_self(code, wanted.entry):
        code = textwrap.indent(code, indent)
    else:
        head = head[: holders[-1].start()] if holders else head
        code = with_entry(problem, code, wanted, trace)
    if head.strip():
        trace.note("prompt-head")
        code = f"{head}\n{code}"
    return problem.of_programs(), _with_future_first(code)


def _with_future_first(code: str) -> str:
    future = _FUTURE.findall(code)
    return "".join(line.rstrip("\n") + "\n" for line in future) + _FUTURE.sub("", code) if future else code
