"""Which piece of an answer is the solution, and what it needs of the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from flextune.data.answers.blocks import Block, Fenced, fenced, unquoted
from flextune.data.answers.bodies import lacking_ends
from flextune.data.answers.grammar import Grammar
from flextune.data.answers.joining import continued, joined, with_mended, with_start
from flextune.data.answers.rules import Trace
from flextune.data.answers.transcripts import edited, new_side, typed, without_numbers
from flextune.data.answers.unfenced import bare_blocks, is_prose, looks_like_code
from flextune.data.answers.wanted import Wanted, defines, defines_function
from flextune.data.answers.whole import (
    is_complete,
    is_program,
    program_rank,
    without_broken_end,
    without_notebook,
)

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
    r"pitfalls?|not to do|with the bug|for comparison|bad (?:example|practice|code|approach)|"
    r"(?:your|the) (?:original|old|previous|initial) \w+ (?:was|is)|"
    r"(?:does|do|did|will|would)(?: not|n['\u2019]t) (?:work|pass|handle)|fails?|avoid (?:this|doing)|"
    r"don['\u2019]t (?:do|write|use))\b|[\u274c\u2717\U0001f6ab]"
    # A heading or label that is about what was there before.
    r"|^[\W_]*(?:before|previously|old|original|bad)\b(?:[ \w]{0,30}(?:\([^()]*\))?[\W_]*)$",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"\s*(?:\#|//|--|;|/\*)")
_MENDED = re.compile(
    r"\b(?:correct(?:ed|ly|ion)?|fix(?:e[sd])?|improved?|better|final|optimi[sz]ed|efficient|instead|right|mended|"
    r"proper(?:ly)?|rather|updated?|revised?|avoids|avoiding|handles)\b",
    re.IGNORECASE,
)


#: What runs in the language and is another: of a block in each, the language's own counts.
_RELATED = {"cpp": {"c"}, "cs": {"c"}, "ts": {"javascript", "js"}, "rkt": {"scheme", "lisp"}}
_NUMBERED = re.compile(r"\s*[01](?:[ \t]*[|:.)\u2502]|[ \t])")
_PATCH = ("diff", "patch")
_INLINE = re.compile(r"(?<!`)(`{1,3})([^`\n]+)\1(?!`)")


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

    def is_meant(text: str) -> bool:
        return is_program(text, grammar) if program else defines(text, wanted, grammar)

    def bare(text: str) -> list[Block]:
        return bare_blocks(text, grammar, is_meant, program=program)

    read = any(is_meant(block.text) for block in found.blocks)
    if found.bare_first and not read and (first := _before_fence(found.outside[0], grammar, is_meant, bare)):
        trace.note("closing-fence")
        found = _flipped(first, fenced(found.after_first, grammar))
    if not found.blocks:
        return _without_fence(answer, is_meant, bare, grammar, wanted, program=program, trace=trace)
    found.blocks = [_unmarked(block, is_meant, grammar) for block in found.blocks]
    blocks = _in_language(found.blocks, grammar, wanted, trace)
    if not any(map(_is_ours(grammar), blocks)) or (
        (program or wanted.entry) and not any(is_meant(b.text) for b in blocks)
    ):
        outside = [block for text in found.outside for block in bare(text)]
        if outside:
            trace.note("outside-fences")
            blocks = outside
    chosen = _chosen(blocks, grammar, wanted, program=program, trace=trace)
    code = chosen.text
    if not chosen.closed:
        trace.note("open-fence")
    if chosen.marks:
        trace.note(chosen.marks)
    # What stands before PHP's opening tag is printed.
    printed = program and grammar.short == "php"
    if not printed and is_prose(code.lstrip("\n").partition("\n")[0], grammar) and bare(code):
        code = _without_fence(code, is_meant, bare, grammar, wanted, program=program, trace=trace)
    if grammar.short == "py":
        code = without_notebook(code, trace)
    if not chosen.closed or grammar.short == "py":
        code = without_broken_end(code, grammar, wanted.entry, trace)
    others = [b.text for b in blocks if b is not chosen]
    later = blocks[blocks.index(chosen) + 1 :]
    if program:
        code = with_start(code, [b.text for b in later], grammar, trace)
    elif grammar.short == "py":
        code = continued(code, [b.text for b in later], wanted, trace)
        code = with_mended(code, [b.text for b in later if _MENDED.search(b.lead)], wanted, trace)
    return joined(code, others, grammar, wanted, trace)


def _before_fence(
    text: str, grammar: Grammar, is_meant: Callable[[str], bool], bare: Callable[[str], list[Block]]
) -> list[Block]:
    """The code that a lone fence closes, without prose before it; none where it is no code."""
    found = bare(text)
    if looks_like_code(text, grammar, is_meant):
        return found or [Block("", text)]
    return found if grammar.short == "py" else []


def _unmarked(block: Block, is_meant: Callable[[str], bool], grammar: Grammar) -> Block:
    """A block without prompts of a session, or signs of a patch, where it has the answer only so."""
    patch = block.tag in _PATCH
    if is_meant(text := edited(block.text)):
        return replace(block, text=text, marks="patch")
    if not patch and is_meant(block.text) and not _NUMBERED.match(block.text):
        return block
    if patch:
        read = {"patch": new_side(block.text)}
    else:
        read = {"session": typed(block.text, grammar), "numbered": without_numbers(block.text)}
    for rule, text in read.items():
        if is_meant(text):
            return replace(block, text=text, marks=rule)
    return block


def _flipped(first: list[Block], rest: Fenced) -> Fenced:
    rest.blocks[:0] = first
    rest.outside[:0] = [""]
    return rest


def _inline(answer: str, is_meant: Callable[[str], bool]) -> str:
    """The last code within a line that has what is asked for, or all of an answer that is such code."""
    spans = [span[2] for span in _INLINE.finditer(answer) if is_meant(span[2])]
    whole = _INLINE.fullmatch(answer.strip())
    return spans[-1] if spans else whole[2] if whole else answer


def _without_fence(
    answer: str,
    is_meant: Callable[[str], bool],
    bare: Callable[[str], list[Block]],
    grammar: Grammar,
    wanted: Wanted,
    *,
    program: bool,
    trace: Trace,
) -> str:
    blocks = bare(answer)
    if not blocks and (blocks := bare(session := typed(answer, grammar))):
        trace.note("session")
        answer = session
    if not blocks:
        return _inline(answer, is_meant)
    if len(blocks) == 1 and program and blocks[0].text.strip() == answer.strip():
        return answer
    trace.note("unfenced")
    if len(blocks) == 1:
        return without_broken_end(blocks[0].text, grammar, wanted.entry, trace)
    chosen = _chosen(blocks, grammar, wanted, program=program, trace=trace)
    return joined(chosen.text, [b.text for b in blocks if b is not chosen], grammar, wanted, trace)


def _is_ours(grammar: Grammar) -> Callable[[Block], bool]:
    return lambda block: not block.tag or block.tag in grammar.tags


def _in_language(blocks: Sequence[Block], grammar: Grammar, wanted: Wanted, trace: Trace) -> list[Block]:
    """Blocks of the language, and others that alone define what is wanted; else those that may be code."""
    ours = [block for block in blocks if _is_ours(grammar)(block)]
    related = _RELATED.get(grammar.short, ())
    if any(defines(block.text, wanted, grammar) for block in ours if block.tag not in related):
        ours = [block for block in ours if block.tag not in related]
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
    functions = [block for block in defining if defines_function(block.text, wanted, grammar)]
    return _last(functions or defining, grammar, wanted, "last-definition", trace)


def _last(blocks: list[Block], grammar: Grammar, wanted: Wanted, rule: str, trace: Trace) -> Block:
    """The last block that is complete and not called wrong, as far as there is one."""
    if len(blocks) == 1:
        return blocks[0]
    trace.note(rule, f"one of {len(blocks)}")
    complete = [
        block
        for block in blocks
        if is_complete(block.text, grammar, wanted.entry)
        and (block.closed or lacking_ends(block.text, grammar) <= 0)
    ]
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
