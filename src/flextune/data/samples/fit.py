"""From an answer that repeats its prompt to a program: nothing twice, one main, room for the tests."""

from __future__ import annotations

import re

from flextune.data.samples.cleaning import cleaned
from flextune.data.samples.grammar import Grammar, closed_scopes, closing_brace, grammar_of, without
from flextune.data.samples.markdown import code_in
from flextune.records import Problem

_TYPE = re.compile(
    r"\b(?:class|interface|enum|record|object|trait|struct|union)[ \t]+(\w+)[^{};=\n]{0,999}\s{0,99}\{"
)
_PUBLIC = re.compile(
    r"^([ \t]*)public\s+(?=(?:(?:final|abstract|sealed|partial|static)\s+)*"
    r"(?:class|interface|enum|record)\b)",
    re.MULTILINE,
)
_DIRECTIVE = re.compile(r"\A\s*(<\?php\b|\#lang [^\n]*|\#![^\n]*)")
_IMPORT = re.compile(r"^[ \t]*(?:import|using|use|\#\s*include|require|from)\b[^\n]*$", re.MULTILINE)
_GO_IMPORTS = re.compile(r"^import\s*(?:\(([^)]{0,9999})\)|([^\n(]+))", re.MULTILINE)


def from_answer(problem: Problem, answer: str) -> tuple[Problem, str]:
    """A chat answer in markdown as what is judged.

    Returns:
        A problem and what follows its prompt: the problem itself where the answer continues it, one without a
        prompt where the answer is a program of its own.
    """
    grammar = grammar_of(problem.language)
    entry = entry_point(problem, grammar)
    return _fit(problem, code_in(answer, grammar, entry), grammar, entry, examples=True)


def from_program(problem: Problem, program: str) -> tuple[Problem, str]:
    """As ``from_answer``, for a program up to its tests; statements that only show it off are kept."""
    grammar = grammar_of(problem.language)
    return _fit(problem, program, grammar, entry_point(problem, grammar), examples=False)


def entry_point(problem: Problem, grammar: Grammar) -> str | None:
    """The function that a problem asks for: as it says, or the last one in its prompt."""
    if problem.entry_point is not None:
        return problem.entry_point
    found = [match["name"] for match in grammar.definition().finditer(grammar.blank(problem.prompt))]
    return found[-1] if found else None


def _fit(
    problem: Problem, code: str, grammar: Grammar, entry: str | None, *, examples: bool
) -> tuple[Problem, str]:
    prompt = grammar.blank(problem.prompt)
    posed = entry is not None and grammar.definition(entry).search(prompt)
    code = cleaned(problem, code, grammar, entry, examples=examples)
    if not posed or entry is None:
        # The prompt is a description, or none is known: a program goes on after it.
        return problem, code
    if not grammar.has_definition(code, entry) and not _is_program(code, grammar):
        return problem, _body(problem, code, grammar)
    if problem.language == "py":
        head = problem.prompt[: posed.start()]
        return problem.of_programs(), _with_future_first(f"{head}\n{code}" if head.strip() else code)
    if problem.language == "go":
        return problem.of_programs(), _go(problem, code, grammar)
    if grammar.container is not None:
        return problem.of_programs(), _members(problem, code, grammar, entry)
    scopes = closed_scopes(grammar.blank(problem.tests))
    opener = f"\n{grammar.opener}" if scopes else ""
    return problem.of_programs(), _head(problem, code, grammar, entry) + opener


def _is_program(code: str, grammar: Grammar) -> bool:
    """Whether code begins with a definition or an import at the left margin, so that it continues nothing."""
    if _DIRECTIVE.match(code):
        return True
    blanked = grammar.blank(code, strings=False).lstrip("\n")
    begins = len(blanked) - len(blanked.lstrip())
    if blanked[:begins].rpartition("\n")[2]:
        return False
    line = blanked.lstrip().split("\n", 1)[0]
    return any(pattern.search(line) for pattern in (_IMPORT, _TYPE, grammar.definition()))


def _body(problem: Problem, code: str, grammar: Grammar) -> str:
    """What continues the prompt, less closing braces that the tests bring."""
    if problem.language == "py":
        first = next((line for line in code.split("\n") if line.strip()), "")
        indented = re.sub(r"^(?=[^\n])", "    ", code, flags=re.MULTILINE)
        return code if first[:1].isspace() else indented
    blanked = grammar.blank(problem.prompt + code)
    opened = blanked.count("{") - blanked.count("}")
    surplus = closed_scopes(grammar.blank(problem.tests)) - opened
    while surplus > 0 and code.rstrip().endswith("}"):
        code, surplus = code.rstrip()[:-1], surplus - 1
    return code


def _with_future_first(code: str) -> str:
    future = re.findall(r"^from __future__ import [^\n]*\n?", code, re.MULTILINE)
    if not future:
        return code
    return "".join(future) + re.sub(r"^from __future__ import [^\n]*\n?", "", code, flags=re.MULTILINE)


def _head(problem: Problem, code: str, grammar: Grammar, entry: str) -> str:
    """What the prompt has before the function and the code lacks, then the code."""
    directive = _DIRECTIVE.match(problem.prompt) or _DIRECTIVE.match(code)
    first = f"{directive[1]}\n" if directive else ""
    code = _DIRECTIVE.sub("", code, count=1) if _DIRECTIVE.match(code) else code
    posed = grammar.definition(entry).search(grammar.blank(problem.prompt))
    prelude = _DIRECTIVE.sub("", problem.prompt[: posed.start()] if posed else "", count=1)
    # What stands on the function's own line belongs to the function.
    lines = grammar.blank(prelude, strings=False).split("\n")[:-1]
    units = _units("\n".join(lines))
    missing = [unit for unit in units if not _has(code, unit, grammar)]
    return first + "".join(f"{unit}\n" for unit in missing) + code


def _units(source: str) -> list[str]:
    """Top-level definitions and single lines."""
    units: list[str] = []
    held: list[str] = []
    depth = 0
    for line in source.split("\n"):
        held.append(line)
        depth += line.count("{") + line.count("(") - line.count("}") - line.count(")")
        if depth <= 0:
            units.append("\n".join(held))
            held, depth = [], 0
    return [unit for unit in units if unit.strip()]


def _has(code: str, unit: str, grammar: Grammar) -> bool:
    """Whether code has an import, or defines a type, already."""
    if _squeezed(unit) in _squeezed(grammar.blank(code, strings=False)):
        return True
    if defined := _TYPE.search(unit):
        return re.search(rf"\b(?:class|struct|union|enum)\s+{defined[1]}\b", grammar.blank(code)) is not None
    if re.match(r"\s*use\b", unit):
        name = re.findall(r"\w+", unit)[-1]
        return any(
            re.search(rf"\b{name}\b", line) for line in re.findall(r"^\s*use\b[^;]*;", code, re.MULTILINE)
        )
    return False


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _members(problem: Problem, code: str, grammar: Grammar, entry: str) -> str:
    """Imports, other types, and the type that holds the function, left open as the prompt leaves it."""
    code = _PUBLIC.sub(r"\1", code)
    blanked = grammar.blank(code)
    spans = _type_spans(blanked)
    defined = grammar.definition(entry).search(blanked)
    position = defined.start() if defined else 0
    holding = next((span for span in spans if span[0] <= position < span[2]), None)
    others = [span for span in spans if span is not holding]
    if holding is not None:
        body = (
            code[holding[1] + 1 : holding[2] - 1]
            if blanked[holding[2] - 1] == "}"
            else code[holding[1] + 1 : holding[2]]
        )
        loose = without(code, [(start, end) for start, _, end in spans])
        header = code[holding[0] : holding[1] + 1]
    else:
        outside = without(code, [(start, end) for start, _, end in spans])
        body, loose = _IMPORT.sub("", outside), "\n".join(_IMPORT.findall(outside))
        header = ""
    types = "\n".join(code[start:end] for start, _, end in others)
    posed = next(iter(_type_spans(grammar.blank(problem.prompt))), None)
    if posed is not None:
        name = _TYPE.search(problem.prompt[posed[0] :])
        own = _TYPE.search(header)
        if name and own and name[1] != own[1]:
            types, body = (re.sub(rf"\b{own[1]}\b", name[1], text) for text in (types, body))
        header = problem.prompt[posed[0] : posed[1] + 1]
    imports = _IMPORT.findall(grammar.blank(problem.prompt, strings=False))
    lacking = [line for line in imports if _squeezed(line) not in _squeezed(loose)]
    scopes = closed_scopes(grammar.blank(problem.tests))
    end = {0: "}\n", 1: ""}.get(scopes, grammar.opener)
    return "\n".join(part for part in (*lacking, loose.strip(), types, header, body.strip("\n"), end) if part)


def _type_spans(blanked: str) -> list[tuple[int, int, int]]:
    """Types at top level: where the line, the opening brace and the rest of the text begin."""
    spans = []
    position = 0
    while head := _TYPE.search(blanked, position):
        end = closing_brace(blanked, head.end() - 1)
        start = blanked.rfind("\n", 0, head.start()) + 1
        spans.append((max(start, position), head.end() - 1, min(end + 1, len(blanked))))
        position = end + 1
    return spans


def _go(problem: Problem, code: str, grammar: Grammar) -> str:
    """Go wants one package clause, then every import once, and none that is not used."""
    blanked = grammar.blank(problem.prompt, strings=False)
    package = re.search(r"^package\s+\w+", blanked, re.MULTILINE)
    code = re.sub(r"^package\s+\w+[^\n]*", "", code, count=1, flags=re.MULTILINE)
    imports = [*_go_imports(blanked), *_go_imports(grammar.blank(code, strings=False))]
    code = _GO_IMPORTS.sub("", code)
    used = grammar.blank(f"{code}\n{problem.tests}")
    kept = [
        line
        for line in dict.fromkeys(imports)
        if re.search(rf"\b{_go_name(line)}\.", used) or line[:1] in "_."
    ]
    block = "".join(f"    {line}\n" for line in kept)
    return f"{package[0] if package else 'package main'}\n\nimport (\n{block})\n{code}"


def _go_imports(source: str) -> list[str]:
    lines = []
    for block, single in _GO_IMPORTS.findall(source):
        lines += [line.strip().rstrip(";") for line in (block or single).split("\n") if line.strip()]
    return lines


def _go_name(line: str) -> str:
    alias, _, path = line.rpartition(" ")
    return re.escape(alias.strip() or path.strip('"').rsplit("/", 1)[-1])
