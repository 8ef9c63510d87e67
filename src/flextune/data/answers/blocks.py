"""Fenced blocks of markdown, as models write them: glued to text, nested in lists, or without an end."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from flextune.data.answers.grammar import Grammar

_FENCE = re.compile(
    r"^(?P<indent>(?:[ \t]*>)*[ \t]*(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?)(?P<marks>`{3,}|~{3,})(?P<info>.*)$"
)
_GLUED_OPENING = re.compile(r"^(?P<text>.*[^`\s])[ \t]*(?P<marks>`{3,})[ \t]*(?P<info>[\w+#.-]*)[ \t]*$")
_GLUED_CLOSING = re.compile(r"^(?P<text>.*[^`\s])[ \t]*(?P<marks>`{3,}|~{3,})(?:[ \t]*|[ \t]+[A-Z].*)$")
#: So many fences are looked at within a literal.
_MOST_FENCES = 50
#: What holds markdown of its own.
_MARKDOWN = ("markdown", "md", "mdx", "")
#: Languages whose literals run over lines, so that a fence may be text.
_LONG_LITERALS = ("py", "js", "ts")


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of an answer that may be code.

    Attributes:
        tag: What its fence calls the language, in lower case; empty without one.
        text: Its lines.
        closed: Whether a fence ends it.
        lead: The last line of prose before it.
        marks: The rule by which marks at its margin were taken off.
    """

    tag: str
    text: str
    closed: bool = True
    lead: str = ""
    marks: str = ""


@dataclass
class Fenced:
    """An answer taken apart.

    Attributes:
        blocks: In order; empty ones are left out.
        outside: The text before the first fence, between blocks, and after the last one.
        bare_first: Whether the first fence has no language, so that it may as well close a block.
        after_first: What follows that fence.
    """

    blocks: list[Block] = field(default_factory=list)
    outside: list[str] = field(default_factory=lambda: [""])
    bare_first: bool = False
    after_first: str = ""


def fenced(text: str, grammar: Grammar) -> Fenced:
    """Take an answer apart at its fences.

    A fence closes a block if it is as long, is not indented deeper than the opening one (by more than three
    columns, as in CommonMark), and is not within a literal of the code. Where nothing closes a block so, the
    first fence of its kind does. An opening fence with a language closes a block that was left open.
    """
    found = Fenced()
    lines = text.split("\n")
    number, lead = 0, ""
    while number < len(lines):
        opening = _opening(lines[number], grammar.tags)
        if opening is None:
            found.outside[-1] += lines[number] + "\n"
            number += 1
            continue
        before, indent, marks, tag, first = opening
        found.outside[-1] += before + ("\n" if before else "")
        lead = _last_line(found.outside[-1]) or lead
        if not found.blocks and len(found.outside) == 1:
            found.bare_first = not tag and first is None
            found.after_first = "\n".join(lines[number + 1 :])
        if first is not None and first.endswith(marks):
            code, closed, rest = [first.removesuffix(marks).rstrip()], True, number + 1
        else:
            code, closed, rest = _inner(lines, number + 1, indent, marks, grammar)
            code = code if first is None else [first, *code]
        body = unquoted("".join(line + "\n" for line in _dedented(code, indent)))
        inner = fenced(body, grammar).blocks if tag in _MARKDOWN and len(marks) > 3 else []
        found.blocks += inner or ([Block(tag, body, closed, lead)] if body.strip() else [])
        found.outside.append("")
        number = rest
    return found


def tag_of(info: str) -> str:
    """The language that a fence names: ``python`` for ``{.python .numbered}`` and ``Python3.11 title=x``."""
    word = re.split(r"[\s:,{}=(\[]", info.strip().lstrip("{[.(").lower(), maxsplit=1)[0]
    word = re.sub(r"^(?:language|lang|highlight)-", "", word)
    if re.match(r"py(?:thon)?2(?:\.\d)?$", word):
        return "python2"
    return re.sub(r"(?<=[a-z+])[\d.]+$", "", word) or word


def _opening(line: str, tags: Collection[str]) -> tuple[str, str, str, str, str | None] | None:
    """Text before a fence, its indentation and marks, its language, and code on its own line."""
    if fence := _FENCE.match(line):
        indent, marks, info = fence["indent"], fence["marks"], fence["info"].strip()
        if marks[0] == "`" and "`" in info.removesuffix(marks):
            return None
        tag, code = tag_of(info), None
        _, _, rest = info.partition(" ")
        if tag in tags and _is_code(rest):
            code = rest.strip()
        elif tag not in tags and _is_code(info):
            tag, code = "", info
        return "", indent, marks, tag, code
    glued = _GLUED_OPENING.match(line)
    # Inline code has an even number of marks in its line.
    if glued is None or line.count("```") % 2 == 0 or (glued["info"] and tag_of(glued["info"]) not in tags):
        return None
    return glued["text"], "", glued["marks"], tag_of(glued["info"]), None


def _is_code(info: str) -> bool:
    """Whether what stands behind a fence is a line of code rather than attributes of the block."""
    return bool(
        re.match(
            r"(?:def|class|import|from|async|return|function|const|let|var|public|static|fn|func|package|\#include"
            r"|using|print|for|while|if)\b(?!\s*=)|[\w.]+\s*\(",
            info.strip(),
        )
    )


def _inner(
    lines: list[str], first: int, indent: str, marks: str, grammar: Grammar
) -> tuple[list[str], bool, int]:
    """The lines of a block, whether it was closed, and the number of the line after it."""
    deepest = _columns(indent) + 3
    fallback: tuple[list[str], bool, int] | None = None
    # The first that closes nothing for its depth alone.
    deep: int | None = None
    tries = 0
    for number in range(first, len(lines)):
        line = lines[number]
        text = _closes(line, marks, grammar.tags)
        if text is None:
            continue
        code = lines[first:number] + ([text] if text else [])
        # A fence with a language begins the next block and is read again.
        reopens = (fence := _FENCE.match(line)) is not None and tag_of(fence["info"]) in grammar.tags
        closing = code, not reopens, number + (0 if reopens else 1)
        bare = _FENCE.match(line)
        tries += 1
        inside = _in_literal(code if deep is None else code[:deep] + code[deep + 1 :], grammar)
        if inside or (bare is not None and _columns(bare["indent"]) > deepest):
            fallback = fallback or closing
            if not inside and not reopens and deep is None:
                deep = number - first
            if tries > _MOST_FENCES:
                break
            continue
        if reopens and deep is not None:
            # It closed the block after all, since another one begins here.
            return code[:deep], True, first + deep + 1
        return closing
    return fallback or (lines[first:], False, len(lines))


def _closes(line: str, marks: str, tags: Collection[str]) -> str | None:
    """The code before a closing fence in its line; None where there is no such fence."""
    if fence := _FENCE.match(line):
        same = fence["marks"][0] == marks[0] and len(fence["marks"]) >= len(marks)
        info = fence["info"].strip()
        return "" if same and (not info or info[0] in "<([" or tag_of(info) in tags) else None
    glued = _GLUED_CLOSING.match(line)
    if glued and glued["marks"].startswith(marks) and line.count(marks) % 2:
        return glued["text"]
    return None


def _in_literal(code: list[str], grammar: Grammar) -> bool:
    """Whether code breaks off within a comment, or a literal that runs over lines."""
    strings = grammar.short in _LONG_LITERALS
    return not grammar.blank("\n".join([*code, "x"]), strings=strings).endswith("x")


def _dedented(lines: list[str], indent: str) -> list[str]:
    """Lines without the indentation, or the quotation marks, that the opening fence has."""
    quotes = indent.count(">")
    if quotes:
        lines = [re.sub(rf"^(?:[ \t]*>){{1,{quotes}}}[ ]?", "", line) for line in lines]
        indent = indent.rpartition(">")[2].removeprefix(" ")
    width = _columns(indent)
    return [line[min(width, len(line) - len(line.lstrip(" \t"))) :] for line in lines]


def unquoted(text: str) -> str:
    """A text without markdown's marks of quotation, if all its lines have one."""
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines or not all(line.startswith(">") for line in lines):
        return text
    return re.sub(r"^>[ ]?", "", text, flags=re.MULTILINE)


def _columns(indent: str) -> int:
    return len(indent.expandtabs(4))


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.split("\n")) if line.strip()), "")
