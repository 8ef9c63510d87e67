"""Which piece of an answer is the solution, and what it needs of the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from flextune.data.answers.blocks import Block, Fenced, fenced, unquoted
from flextune.data.answers.grammar import Grammar
from flextune.data.answers.joining import joined
from flextune.data.answers.rules import Trace
from flextune.data.answers.unfenced import bare_blocks, looks_like_code
from flextune.data.answers.wanted import Wanted, defines
from flextune.data.answers.whole import is_complete, program_rank, without_broken_end, without_notebook

#: Blocks for a terminal, or of what a program prints; they are code only where nothing else is.
# fmt: off
_NO_CODE = frozenset({
    "sh", "bash", "shell", "zsh", "console", "terminal", "cmd", "powershell", "bat", "text", "txt",
    "plaintext", "output", "out", "log", "json", "yaml", "yml", "toml", "xml", "html", "css", "diff", "patch",
    "markdown", "md", "mermaid", "latex", "tex", "math", "sql", "dockerfile", "makefile", "ini", "csv",
    "input", "stdin", "stdout", "result", "traceback", "error", "pytb", "pseudocode", "pseudo", "algorithm",
})
# fmt: on
_WRONG = re.compile(
    r"\b(?:wrong|incorrect|buggy|broken|flawed|na[i\u00ef]ve|inefficient|anti-?pattern|mistakes?|"
    r"for comparison|"
    r"(?:does|do|did|will|would)(?: not|n['\u2019]t) (?:work|pass|handle)|fails?|avoid (?:this|doing)|"
    r"don['\u2019]t (?:do|write|use))\b",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"\s*(?:\#|//|--|;|/\*)")
_MENDED = re.compile(
    r"\b(?:correct(?:ed|ly|ion)?|fix(?:e[sd])?|improved?|better|final|optimi[sz]ed|efficient|instead|right|mended|"
    r"proper(?:ly)?|rather)\b",
    re.IGNORECASE,
)


def code_in(answer: str, grammar: Grammar, wanted: Wanted, *, program: bool, trace: Trace) -> str:
    """The code in an answer that is meant as the solution, with what it needs of other blocks.

    Args:
        answer: Markdown without reasoning and special tokens.
        grammar: The language's.
        wanted: What the tests call.
        program: Whether the answer must be a whole program.
        trace: Told of the rules.
    """
    answer = unquoted(answer)
    found = fenced(answer, grammar)

    def has_function(text: str) -> bool:
        return defines(text, wanted, grammar)

    if found.bare_first and looks_like_code(found.outside[0], grammar, has_function):
        trace.note("closing-fence")
        first = _unwrapped(found.outside[0], grammar, wanted)
        found = _flipped(first, fenced(found.after_first, grammar))
    if not found.blocks:
        return _without_fence(answer, grammar, wanted, trace)
    blocks = _in_language(found.blocks, grammar, wanted, trace)
    if not any(map(_is_ours(grammar), blocks)) or (
        wanted.entry and not any(has_function(b.text) for b in blocks)
    ):
        outside = [block for text in found.outside for block in bare_blocks(text, grammar, has_function)]
        if any(has_function(block.text) for block in outside):
            trace.note("outside-fences")
            blocks = outside
    chosen = _chosen(blocks, grammar, wanted, program=program, trace=trace)
    code = chosen.text
    if not chosen.closed:
        trace.note("open-fence")
    if grammar.short == "py":
        code = without_notebook(code, trace)
    if not chosen.closed or grammar.short == "py":
        code = without_broken_end(code, grammar, wanted.entry, trace)
    return joined(code, [b.text for b in blocks if b is not chosen], grammar, wanted, trace)


def _unwrapped(text: str, grammar: Grammar, wanted: Wanted) -> list[Block]:
    """What a lone fence closes: the code, without prose before it."""
    return bare_blocks(text, grammar, lambda part: defines(part, wanted, grammar)) or [Block("", text)]


def _flipped(first: list[Block], rest: Fenced) -> Fenced:
    rest.blocks[:0] = first
    rest.outside[:0] = [""]
    return rest


def _without_fence(answer: str, grammar: Grammar, wanted: Wanted, trace: Trace) -> str:
    blocks = bare_blocks(answer, grammar, lambda text: defines(text, wanted, grammar))
    if not blocks:
        return answer
    trace.note("unfenced")
    if len(blocks) == 1:
        return without_broken_end(blocks[0].text, grammar, wanted.entry, trace)
    chosen = _chosen(blocks, grammar, wanted, program=False, trace=trace)
    return joined(chosen.text, [b.text for b in blocks if b is not chosen], grammar, wanted, trace)


def _is_ours(grammar: Grammar) -> Callable[[Block], bool]:
    return lambda block: not block.tag or block.tag in grammar.tags


def _in_language(blocks: Sequence[Block], grammar: Grammar, wanted: Wanted, trace: Trace) -> list[Block]:
    """Blocks of the language, and others that alone define what is wanted; else those that may be code."""
    ours = [block for block in blocks if _is_ours(grammar)(block)]
    others = [block for block in blocks if block not in ours]
    defining = [block for block in others if defines(block.text, wanted, grammar)]
    if any(defines(block.text, wanted, grammar) for block in ours):
        defining = []
    if ours and others and not defining:
        trace.note("other-language", ", ".join(dict.fromkeys(block.tag for block in others)))
    if defining:
        return [*ours, *defining]
    return ours or [block for block in others if block.tag not in _NO_CODE] or others


def _chosen(
    blocks: Sequence[Block], grammar: Grammar, wanted: Wanted, *, program: bool, trace: Trace
) -> Block:
    tagged = [block for block in blocks if block.tag in grammar.tags]
    if program:
        ranks = {id(block): program_rank(block.text, grammar) for block in tagged or blocks}
        best = [block for block in tagged or blocks if ranks[id(block)] == max(ranks.values())]
        if max(ranks.values()) == 0:
            trace.note("only-block")
            return max(best, key=lambda block: len(block.text))
        return _last(best, grammar, wanted, "program-block", trace)
    defining = [block for block in blocks if defines(block.text, wanted, grammar)]
    if not defining:
        if len(blocks) > 1:
            trace.note("only-block")
        return max(tagged or blocks, key=lambda block: len(block.text))
    return _last(defining, grammar, wanted, "last-definition", trace)


def _last(blocks: list[Block], grammar: Grammar, wanted: Wanted, rule: str, trace: Trace) -> Block:
    """The last block that is complete and not called wrong, as far as there is one."""
    if len(blocks) == 1:
        return blocks[0]
    trace.note(rule, f"one of {len(blocks)}")
    complete = [block for block in blocks if is_complete(block.text, grammar, wanted.entry)]
    if complete and complete[-1] is not blocks[-1]:
        trace.note("incomplete")
    blocks = complete or blocks
    meant = [block for block in blocks if not _called_wrong(block)]
    if meant and meant[-1] is not blocks[-1]:
        trace.note("marked-wrong", blocks[-1].lead[:60])
    return (meant or blocks)[-1]


def _called_wrong(block: Block) -> bool:
    first = next((line for line in block.text.split("\n") if line.strip()), "")
    said = f"{block.lead} {first}" if _COMMENT.match(first) else block.lead
    return bool(_WRONG.search(said)) and not _MENDED.search(said)
