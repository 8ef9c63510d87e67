"""Code behind marks at the margin: the prompts of a session, the signs of a patch."""

from __future__ import annotations

import re
import textwrap

from flextune.data.answers.grammar import Grammar

#: How a session shows what was typed: the first line of a statement, a further one.
_PROMPTS: dict[str, tuple[str, ...]] = {
    "py": (r">>> ?", r"\.\.\.(?: |$)", r"In \[\d+\]: ?", r" *\.{3,}: ?"),
    "rb": (r"irb\([^()\n]*\)[:\d]*[>*](?: |$)", r"[\d.]+ :\d+ [>*?](?: |$)"),
}
_NUMBER = re.compile(r"[ \t]*(\d{1,5})(?:[ \t]*[|:.)\u2502])?(?=\s|$)")
_EDIT_MARK = re.compile(r"([<=>])\1{4,8}(?: ?\w+)?$")
_HEADER = re.compile(r"(?:diff |index |--- |\+\+\+ |@@|\\ No newline)")


def typed(text: str, grammar: Grammar) -> str:
    """What was typed in a session with an interpreter; empty where a text shows none."""
    prompts = _PROMPTS.get(grammar.short)
    if prompts is None:
        return ""
    lines = ((line, re.match("|".join(prompts), line)) for line in text.split("\n"))
    return "".join(f"{line[found.end() :]}\n" for line, found in lines if found)


def without_numbers(text: str) -> str:
    """A listing without the numbers of its lines; empty where not every line has the next one."""
    lines = text.strip("\n").split("\n")
    numbers = [_NUMBER.match(line) for line in lines]
    first = int(numbers[0][1]) if numbers[0] else -1
    if first not in (0, 1) or len(lines) < 2:
        return ""
    if [int(found[1]) if found else -1 for found in numbers] != list(range(first, first + len(lines))):
        return ""
    rest = (line[found.end() :] for line, found in zip(lines, numbers, strict=True) if found)
    return textwrap.dedent("\n".join(rest)) + "\n"


def edited(text: str) -> str:
    """What an edit by search and replace puts in the place of others; empty where a text is none."""
    kept: list[str] = []
    side, edits = "", 0
    for line in text.split("\n"):
        mark = _EDIT_MARK.match(line)
        if mark is None:
            kept += [line] if side in ("", "=") else []
        else:
            side = "" if mark[1] == ">" else mark[1]
            edits += not side
    return "\n".join(kept) if edits and not side else ""


def new_side(patch: str) -> str:
    """What a patch leaves: lines that it adds or keeps."""
    lines = [line for line in patch.split("\n") if not _HEADER.match(line)]
    return "\n".join(line[1:] for line in lines if not line.startswith("-"))
