"""From what a model wrote to what is judged, and why; docs/answers.md is the policy."""

from __future__ import annotations

import re
from dataclasses import replace

from flextune.data.answers.blocks import fenced
from flextune.data.answers.choosing import code_in
from flextune.data.answers.fit import fitted, fitted_program
from flextune.data.answers.grammar import Grammar, grammar_of
from flextune.data.answers.python_body import is_body
from flextune.data.answers.python_fit import after_prompt
from flextune.data.answers.python_flow import tree_of
from flextune.data.answers.reasoning import begins_with_reasoning, split_channels, split_reasoning
from flextune.data.answers.regions import answer_region, structured, unescaped
from flextune.data.answers.rules import Extraction, Trace
from flextune.data.answers.tokens import answering_turn, between_tokens
from flextune.data.answers.wanted import Wanted, defines, wanted_in, wanted_of
from flextune.records import Completion, Problem
from flextune.stopping import cut_at_stop

_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})", re.MULTILINE)
#: Spaces that no language takes for space, and marks that nobody sees.
_ODD = {
    **dict.fromkeys((0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000), " "),
    **dict.fromkeys((0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF)),
}
#: Stop strings that begin what can be no part of a program.
_NO_STATEMENT = re.compile(r"\n*(?:```|~~~|\"\"\"|'''|<|\[|[A-Z][A-Za-z ]*:)")


def read_answer(problem: Problem, answer: str) -> Extraction:
    """A chat answer in markdown as what is judged.

    The code is taken from it, with the imports and helpers of its other blocks, less examples and a main of
    its own; the answer to a problem with cases is a whole program and stays as it is.
    """
    trace = Trace()
    grammar, wanted = grammar_of(problem.language), wanted_of(problem)
    said, thoughts = _said(_lines(answer), trace)
    if wanted.entry is None:
        blocks = "\n".join(block.text for block in fenced(said, grammar).blocks)
        wanted = wanted_in(blocks or said, problem, wanted, grammar)
    code = _code(said, thoughts, problem, grammar, wanted, trace)
    judged, text = fitted(problem, code, wanted, trace, examples=True)
    return Extraction(judged, text, tuple(trace.steps))


def read_program(problem: Problem, program: str) -> Extraction:
    """As ``read_answer``, for a program up to its tests; statements that only show it off are kept."""
    trace = Trace()
    fenced_code = _FENCE.search(program) and not _is_source(program, grammar_of(problem.language))
    if fenced_code or begins_with_reasoning(program):
        return read_answer(problem, program)
    code = between_tokens(_lines(program), trace)
    judged, text = fitted(problem, code, wanted_of(problem), trace, examples=False)
    return Extraction(judged, text, tuple(trace.steps))


def read_completion(problem: Problem, text: str) -> Extraction:
    """What follows the prompt, up to a special token or a lone closing fence; else it stays as it is.

    A text that begins with a fence, with prose before one, or with reasoning continues nothing: it is read as
    an answer.
    """
    if begins_with_reasoning(text):
        return read_answer(problem, text)
    trace = Trace()
    grammar = grammar_of(problem.language)
    trace.note("completion")
    text = between_tokens(text, trace)
    fence = _first_fence(problem.prompt, text, grammar)
    if fence is None and problem.cases:
        return Extraction(*after_prompt(problem, text, trace), tuple(trace.steps))
    if fence is None:
        return Extraction(problem, text, tuple(trace.steps))
    if _continues(problem, text[:fence], grammar):
        trace.note("closing-fence")
        return Extraction(problem, text[:fence], tuple(trace.steps))
    return read_answer(problem, text)


def read_text(problem: Problem, text: str) -> Extraction:
    """A text of which nobody says whether it is an answer or a completion that goes on too long.

    One with a fenced block or reasoning, or that begins with a line of the prompt, is an answer. Any other,
    and any that begins indented, is what follows the prompt, up to the problem's first stop string.
    """
    if _is_answer(problem, text):
        return read_answer(problem, text)
    if problem.cases:
        return _program_up_to_stop(problem, text)
    # How the text ended is not known here. It is complete, so its last line is taken for a whole one.
    cut, stopped = cut_at_stop(between_tokens(text, Trace()), problem.stop, ended=True)
    found = read_completion(problem, text if not stopped else cut)
    trace = Trace(list(found.steps))
    if stopped:
        trace.note("stop")
    return replace(found, steps=tuple(trace.steps))


def judged_pair(
    problem: Problem, completion: Completion, *, whole: bool = False
) -> tuple[Problem, Completion]:
    """What is judged for something that flextune generated.

    A completion follows the prompt as it is. An answer is read as one; the completion then holds what is
    judged, and the file of completions what the model wrote.

    Args:
        problem: What it is for.
        completion: As the file has it.
        whole: Whether it is judged up to the program's end, where that was kept.
    """
    if whole and completion.program is not None:
        completion = replace(completion, text=completion.program)
    if completion.kind == "answer":
        problem, text = read_answer(problem, completion.text).pair
        completion = replace(completion, text=text)
    return problem, completion


def _program_up_to_stop(problem: Problem, text: str) -> Extraction:
    """A whole program, less what a model writes after it: no stop string that begins a statement cuts it."""
    trace = Trace()
    grammar = grammar_of(problem.language)
    text = between_tokens(text, trace)
    stops = [stop for stop in problem.stop if _NO_STATEMENT.match(stop)]
    if not _is_source(text, grammar) or grammar.short != "py":
        text, stopped = cut_at_stop(text, stops, ended=True)
        if stopped:
            trace.note("stop")
    judged, text = fitted_program(problem, text, grammar, trace)
    return Extraction(judged, text, tuple(trace.steps))


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_ODD)


def _said(text: str, trace: Trace) -> tuple[str, str]:
    """An answer without its reasoning, and the reasoning."""
    said, thoughts = split_channels(text, trace)
    if not thoughts:
        said, thoughts = split_reasoning(answering_turn(text, trace) if said == text else said, trace)
    return said, thoughts


def _code(said: str, thoughts: str, problem: Problem, grammar: Grammar, wanted: Wanted, trace: Trace) -> str:
    program = bool(problem.cases)

    def holds_code(text: str) -> bool:
        return bool(_FENCE.search(text)) or "```" in text or _has_code(text, grammar, wanted)

    def is_meant(text: str) -> bool:
        return defines(text, wanted, grammar)

    def region(text: str, trace: Trace) -> str:
        text = answer_region(structured(text, trace), (is_meant, holds_code), trace)
        return unescaped(between_tokens(text, trace), trace)

    answered = region(said, Trace())
    if not holds_code(answered) and holds_code(thoughts) and (not said.strip() or _only_prose(said, grammar)):
        trace.note("reasoning-only")
        said = thoughts
    return code_in(region(said, trace), grammar, wanted, program=program, trace=trace)


def _has_code(text: str, grammar: Grammar, wanted: Wanted) -> bool:
    if defines(text, wanted, grammar):
        return True
    if grammar.short == "py":
        return is_body(text) or (tree_of(text) is not None and re.search(r"[=(]", text) is not None)
    return re.search(r"[;{}]\s*$|^\s*\(|\bend\s*$", text, re.MULTILINE) is not None


def _only_prose(text: str, grammar: Grammar) -> bool:
    return grammar.short != "py" or tree_of(text) is None or not re.search(r"[=(]", text)


def _is_source(text: str, grammar: Grammar) -> bool:
    """Whether a text is source as it stands, as far as that can be told: a fence in it is text then."""
    if grammar.short == "py":
        return tree_of(text) is not None
    return _first_fence("", text, grammar) is None


def _first_fence(prompt: str, text: str, grammar: Grammar) -> int | None:
    """Where the first line begins that is a fence and not within a literal or comment of the code."""
    if not _FENCE.search(text):
        return None
    blanked = grammar.blank(prompt + text)[len(prompt) :]
    for fence in _FENCE.finditer(text):
        inside = blanked[fence.start() : fence.end()].strip() == ""
        if not inside or not re.search(r"[^\s]", blanked[: fence.start()]):
            return fence.start()
        # Three backticks are a literal in some languages; one that ends in its line is none.
        if (
            grammar.short in ("js", "ts", "go", "d", "sh", "r")
            and blanked[fence.start() - 1 : fence.start()] == "\n"
        ):
            return fence.start()
    return None


def _continues(problem: Problem, text: str, grammar: Grammar) -> bool:
    """Whether a text before a fence continues the prompt: it begins indented, or is code."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    if first.startswith(("  ", "\t")):
        return True
    if not first:
        return False
    if grammar.short == "py":
        return tree_of(problem.prompt + text) is not None
    return text.rstrip().endswith(("}", ";", "end", ")"))


def _is_answer(problem: Problem, text: str) -> bool:
    """Whether a text is an answer to the prompt rather than what follows it."""
    begins = next((line.rstrip() for line in text.split("\n") if line.strip()), "")
    # A body may go on to an explanation with code in it: behind its stop strings that does not count.
    if begins.startswith(("  ", "\t")) and not _FENCE.match(begins):
        return False
    if _FENCE.search(text) or _thinks(text):
        return True
    # Lines at the left margin only: a body may repeat an indented one, and many prompts have a lone brace.
    lines = {line.rstrip() for line in problem.prompt.split("\n") if not line[:1].isspace()}
    return begins in lines and re.search(r"\w", begins) is not None


def _thinks(text: str) -> bool:
    trace = Trace()
    _said(text, trace)
    return bool(trace.steps)
