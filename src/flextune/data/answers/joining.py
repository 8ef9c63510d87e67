"""What a block needs of the other blocks of its answer: imports, helpers, types, constants."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from flextune.data.answers.grammar import Grammar, without
from flextune.data.answers.python_flow import Statement, free_names, needed, program_of, tree_of
from flextune.data.answers.rules import Trace
from flextune.data.answers.wanted import Wanted

_IMPORT = re.compile(
    r"^[ \t]*(?:import\b|using\b|use\b|\#\s*include\b|require\b|from\b|library\(|"
    r"const\s+.*=\s*require\()[^\n]*$",
    re.MULTILINE,
)
#: A constant or a table at the left margin.
_CONSTANT = re.compile(
    r"\#\s*define\s+(?P<macro>\w+)"
    r"|(?:(?:pub|public|private|static|const|constexpr|inline|let|var|val|final|my|our|local|readonly)\s+)*"
    r"(?:[\w<>\[\]:*&,.]+\s+)?[$@%]?(?P<name>\w+)(?:\[[^\]\n]*\])*\s*(?::[^=\n]+)?(?:<-|=)(?!=)"
)
_FIRST = re.compile(r"<\?php\s*$|\#lang\b|\#!|package\s+\w+\s*$")
_TYPE = re.compile(r"\b(?:class|interface|enum|record|object|trait|struct|union|type|module)[ \t]+(\w+)")


def joined(code: str, others: Sequence[str], grammar: Grammar, wanted: Wanted, trace: Trace) -> str:
    """Code with what it uses, does not define, and other blocks define, before it.

    Args:
        code: The block that was chosen.
        others: The other blocks, in the answer's order.
        grammar: The language's.
        wanted: What the tests call; another definition of it is no helper.
        trace: Told what was joined.
    """
    if not others:
        return code
    if grammar.short == "py":
        return _python(code, others, wanted, trace)
    parts = [part for part in others if _serves(part, code, grammar, wanted)]
    if parts:
        trace.note("joined", f"{len(parts)} of {len(others)} blocks")
    return _once([*parts, code])


def with_start(code: str, later: Sequence[str], grammar: Grammar, trace: Trace) -> str:
    """A Python program that only defines, with the block after it that calls what it defines."""
    own = program_of(code) if grammar.short == "py" else None
    if own is None:
        return code
    functions = {name for one in own if one.defines for name in one.binds}
    if any(one.reads & functions for one in own if not one.defines):
        return code
    for block in later:
        program = program_of(block) or ()
        if any(one.reads & functions for one in program) and not any(one.defines for one in program):
            trace.note("joined", "the start")
            return f"{code.rstrip()}\n\n{block}"
    return code


def continued(code: str, later: Sequence[str], wanted: Wanted, trace: Trace) -> str:
    """Python whose function goes on in the blocks after it: an answer that shows it piece by piece."""
    for block in later:
        tree = tree_of(code)
        last = tree.body[-1] if tree and tree.body else None
        if not isinstance(last, ast.FunctionDef) or last.name != wanted.entry:
            return code
        first = next((line for line in block.split("\n") if line.strip()), "")
        longer = f"{code.rstrip()}\n{block}"
        ends = isinstance(last.body[-1], (ast.Return, ast.Raise))
        if ends or not first[:1].isspace() or tree_of(longer) is None:
            return code
        trace.note("joined", "the rest of the function")
        code = longer
    return code


def with_mended(code: str, later: Sequence[str], wanted: Wanted, trace: Trace) -> str:
    """Python with the functions of later blocks that mend its helpers: what is defined last counts."""
    own = program_of(code) or ()
    functions = {name for one in own if one.defines for name in one.binds} - {wanted.entry}
    for block in later:
        program = program_of(block) or ()
        mends = {name for one in program if one.defines for name in one.binds}
        if mends and mends <= functions and all(one.defines or one.imports for one in program):
            trace.note("joined", ", ".join(sorted(mends)))
            code = f"{code.rstrip()}\n\n{block}"
    return code


def _once(parts: Sequence[str]) -> str:
    """Parts in a row; an import, and what a program begins with, stands only where it comes first."""
    seen = set[str]()
    kept = []
    for line in "\n".join(parts).split("\n"):
        again = line.strip()
        if again in seen:
            continue
        if not line[:1].isspace() and (_FIRST.match(line) or _IMPORT.match(line)):
            seen.add(again)
        kept.append(line)
    return "\n".join(kept)


def _serves(part: str, code: str, grammar: Grammar, wanted: Wanted) -> bool:
    """Whether another block has imports alone, or defines something that the code uses and lacks."""
    blanked = grammar.blank(part)
    if wanted.entry and grammar.has_definition(part, wanted.entry):
        return False
    if not without(blanked, [found.span() for found in _IMPORT.finditer(blanked)]).strip():
        return bool(blanked.strip())
    names = {found["name"] for found in grammar.definition().finditer(blanked)}
    names |= set(_TYPE.findall(blanked)) | _constants(blanked, wanted)
    own = grammar.blank(code)
    return any(
        re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", own)
        and not grammar.has_definition(code, name)
        and not re.search(rf"\b(?:class|interface|enum|record|struct|union|type)\s+{re.escape(name)}\b", code)
        for name in names - {"main", "Main"}
    )


def _constants(blanked: str, wanted: Wanted) -> set[str]:
    """Constants of a block that has nothing else, and does not use the function."""
    if wanted.entry and re.search(rf"(?<![\w$]){re.escape(wanted.entry)}(?![\w$])", blanked):
        return set()
    found = [_CONSTANT.match(line) for line in re.findall(r"^[^\s)\]}].*", blanked, re.MULTILINE)]
    names = {one["macro"] or one["name"] for one in found if one}
    return names if all(found) else set()


def _python(code: str, others: Sequence[str], wanted: Wanted, trace: Trace) -> str:
    own = program_of(code)
    if own is None:
        return code
    lacking = free_names(own)
    if wanted.entry is not None:
        lacking |= (wanted.used - {wanted.entry}) - {name for one in own for name in one.binds}
    taken: list[str] = []
    names: list[str] = []
    # What stands closest before the block is tried first.
    for other in reversed(others):
        parsed = program_of(other) if lacking else None
        if parsed is None:
            continue
        program = [one for one in parsed if not one.is_main]
        positions = _needed(program, lacking, wanted)
        if not positions:
            continue
        lines = other.split("\n")
        part = "\n".join(_source(lines, program[position]) for position in sorted(positions))
        bound = {name for position in positions for name in program[position].binds}
        names += sorted(bound & lacking)
        taken.insert(0, part)
        lacking = (lacking | (free_names(program) & _read(program, positions))) - bound
    if not taken:
        return code
    trace.note("joined", ", ".join(names))
    return "\n".join([*taken, code])


def _needed(program: list[Statement], lacking: set[str], wanted: Wanted) -> set[int]:
    """Statements of another block that bind what is lacking, and what these need of their own block."""
    there = {name for one in program for name in one.binds}
    targets = (lacking & there) - ({wanted.entry} if wanted.entry else set())
    # What a star brings is not known, so it may be what is lacking.
    stars = {n for n, one in enumerate(program) if _has_star(one)}
    return (needed(program, targets) if targets else set()) | stars


def _has_star(one: Statement) -> bool:
    return isinstance(one.node, ast.ImportFrom) and one.node.names[0].name == "*"


def _read(program: list[Statement], positions: set[int]) -> set[str]:
    return {name for position in positions for name in program[position].reads}


def _source(lines: list[str], one: Statement) -> str:
    node = one.node
    first = min([node.lineno, *(item.lineno for item in getattr(node, "decorator_list", []))])
    return "\n".join(lines[first - 1 : node.end_lineno])
