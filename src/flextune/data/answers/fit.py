"""From an answer that repeats its prompt to a program: nothing twice, one main, room for the tests."""

from __future__ import annotations

import re
import textwrap
from dataclasses import replace

from flextune.data.answers.bodies import closed_body
from flextune.data.answers.cleaning import cleaned
from flextune.data.answers.delegating import out_of_namespace, with_delegate, with_entry, with_one_overload
from flextune.data.answers.grammar import Grammar, closed_scopes, closing_brace, grammar_of, without
from flextune.data.answers.python_body import fitted_body, is_body
from flextune.data.answers.python_cleaning import without_demo_after
from flextune.data.answers.python_fit import after_prompt, described, in_place_of_prompt
from flextune.data.answers.python_flow import tree_of
from flextune.data.answers.rules import Trace
from flextune.data.answers.wanted import Wanted, defines
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
#: Tests with a framework that programs do not have.
_TEST_IMPORT = re.compile(
    r"^[ \t]*(?:import\s+(?:static\s+)?org\.(?:junit|testng|assertj|mockito|hamcrest|scalatest)\b"
    r"|using\s+(?:static\s+)?(?:Xunit|NUnit|Microsoft\.VisualStudio\.TestTools)\b)[^\n]*\n?",
    re.MULTILINE,
)
_TEST = re.compile(
    r"@(?:Parameterized)?Test\b|\[(?:Test|Fact|Theory|TestMethod|TestFixture|TestClass)\b"
    r"|\bextends\s+[\w.]*(?:FunSuite|FlatSpec|WordSpec|TestCase|Spec)\b"
)
#: What a type has of others, besides its name.
_PARENTS = re.compile(r"\b(?:extends|implements)\b(?!\s+App\b)[^{]*|:[^{]*")
_OWN = re.compile(r"[ \t]*(?:private|protected|static)\b")
#: A statement at top level in C#, which must go; fields have modifiers there.
_STATEMENT = re.compile(
    r"^(?:(?:await\s+)?[A-Z][\w.]*(?:<[^<>\n]*>)?\s*\([^;{}]*\);|var\s+\w+\s*=[^;]*;)[ \t]*$", re.MULTILINE
)
_GO_IMPORTS = re.compile(r"^import\s*(?:\(([^)]{0,9999})\)|([^\n(]+))", re.MULTILINE)


def fitted(
    problem: Problem, code: str, wanted: Wanted, trace: Trace, *, examples: bool
) -> tuple[Problem, str]:
    """Code as what is judged.

    Args:
        problem: The problem that it is for.
        code: The code of an answer.
        wanted: What the tests call.
        trace: Told of the rules.
        examples: Whether statements that only show the function off are left out.

    Returns:
        A problem and what follows its prompt: the problem itself where the answer continues it, one without a
        prompt where the answer is a program of its own.
    """
    grammar = grammar_of(problem.language)
    if problem.cases:
        return fitted_program(problem, code, grammar, trace)
    entry = wanted.entry
    code = cleaned(problem, code, grammar, wanted, trace, examples=examples)
    if not wanted.posed or entry is None:
        # The prompt is a description, or none is known: a program goes on after it.
        if problem.language == "py":
            code = with_entry(problem, described(problem.prompt, code, wanted, trace), wanted, trace)
        return _after_description(problem, code, grammar, trace)
    if problem.language == "py" and defines(inner := textwrap.dedent(code), wanted, grammar):
        code = code if is_body(inner) else inner
    if _continues(problem, code, wanted, grammar):
        trace.note("body")
        fit = fitted_body(problem.prompt, code, trace) if problem.language == "py" else None
        if fit is None:
            return problem, closed_body(problem, code, grammar, trace)
        return problem, without_demo_after(problem.prompt, fit, wanted.used, trace) if examples else fit
    if delegated := with_delegate(problem, code, wanted, grammar, trace):
        return delegated
    trace.note("program")
    if problem.language == "py":
        return in_place_of_prompt(problem, code, wanted, trace)
    if problem.language == "go":
        return problem.of_programs(), _go(problem, code, grammar)
    if grammar.container is not None:
        return problem.of_programs(), _members(problem, code, grammar, entry)
    code = out_of_namespace(with_one_overload(problem, code, wanted, grammar, trace), wanted, grammar, trace)
    scopes = closed_scopes(grammar.blank(problem.tests))
    opener = f"\n{grammar.opener}" if scopes else ""
    return problem.of_programs(), _head(problem, code, grammar, entry, trace) + opener


def fitted_program(problem: Problem, code: str, grammar: Grammar, trace: Trace) -> tuple[Problem, str]:
    """A whole program, which reads and prints: nothing is cleaned away.

    It replaces a prompt that begins a program, and follows one that only describes; what a language has once,
    such as ``package main`` and ``<?php``, is there once.
    """
    trace.note("whole-program")
    prompt = grammar.blank(problem.prompt)
    if problem.language == "py":
        if code.startswith(problem.prompt):
            return problem, code[len(problem.prompt) :]
        opened = tree_of(problem.prompt) is None
        if opened and is_body(code):
            return problem, fitted_body(problem.prompt, code, trace)
        head = "" if opened else problem.prompt
        return after_prompt(replace(problem.of_programs(), prompt=head), code, trace)
    opened = prompt.count("{") > prompt.count("}")
    main = grammar.main is not None and re.search(grammar.main, grammar.blank(code)) is not None
    if code.startswith(problem.prompt) and problem.prompt.strip():
        return problem, code[len(problem.prompt) :]
    if opened and not main and not _DIRECTIVE.match(code):
        return problem, code
    # Imports of a prompt may be missing in the answer, and twice is as good as once; but not in Go.
    head = "" if main or _DIRECTIVE.match(code) or not prompt.strip() else problem.prompt
    if not head.strip():
        first = _DIRECTIVE.match(problem.prompt)
        head = f"{first[1]}\n" if first and not _DIRECTIVE.match(code) and not main else ""
    return replace(problem.of_programs(), prompt=head), code


def _after_description(problem: Problem, code: str, grammar: Grammar, trace: Trace) -> tuple[Problem, str]:
    """A program behind a prompt that only describes; what must be there once comes from one of the two."""
    if problem.language == "go":
        trace.note("program")
        return problem.of_programs(), _go(problem, code, grammar)
    own = _DIRECTIVE.match(code)
    if own and problem.prompt.strip():
        if not _DIRECTIVE.match(problem.prompt):
            return problem.of_programs(), code
        code = _DIRECTIVE.sub("", code, count=1)
    return after_prompt(problem, code, trace)


def _continues(problem: Problem, code: str, wanted: Wanted, grammar: Grammar) -> bool:
    """Whether code is the body of the function that the prompt begins."""
    if problem.language == "py":
        if defines(code, wanted, grammar) and not is_body(code):
            return False
        return is_body(code) or not _is_program(code, grammar)
    if defines(code, wanted, grammar):
        return False
    return _returns(grammar.blank(code)) or not _is_program(code, grammar)


def _returns(blanked: str) -> bool:
    """Whether code returns outside all braces and blocks, so that it is a function's body."""
    found = re.search(r"^return\b", blanked, re.MULTILINE)
    return found is not None and blanked.count("{", 0, found.start()) == blanked.count("}", 0, found.start())


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


def _head(problem: Problem, code: str, grammar: Grammar, entry: str, trace: Trace) -> str:
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
    if missing:
        trace.note("prompt-head")
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
    code = _TEST_IMPORT.sub("", _PUBLIC.sub(r"\1", code))
    if problem.language == "cs":
        code = re.sub(rf"\b({re.escape(entry)}\s*\(\s*)this\s+", r"\1", _STATEMENT.sub("", code))
    blanked = grammar.blank(code)
    spans = _type_spans(blanked)
    position = _defined_at(blanked, grammar, entry)
    holding = next((span for span in spans if span[0] <= position < span[2]), None)
    others = [span for span in spans if span is not holding and not _TEST.search(blanked[span[0] : span[2]])]
    if holding is not None:
        body = (
            code[holding[1] + 1 : holding[2] - 1]
            if blanked[holding[2] - 1] == "}"
            else code[holding[1] + 1 : holding[2]]
        )
        loose = without(code, [(start, end) for start, _, end in spans])
        header = code[holding[0] : holding[1] + 1]
    else:
        others = [span for span in others if not _OWN.match(blanked, span[0])]
        outside = without(code, [(start, end) for start, _, end in spans if (start, _, end) in others])
        body, loose = _IMPORT.sub("", outside), "\n".join(_IMPORT.findall(outside))
        header = ""
    types = "\n".join(code[start:end] for start, _, end in others)
    posed = next(iter(_type_spans(grammar.blank(problem.prompt))), None)
    if posed is not None:
        name = _TYPE.search(problem.prompt[posed[0] :])
        own = _TYPE.search(header)
        if name and own and name[1] != own[1]:
            types, body = (re.sub(rf"\b{own[1]}\b", name[1], text) for text in (types, body))
        parents = _PARENTS.search(grammar.blank(header))
        header = problem.prompt[posed[0] : posed[1]] + (parents[0] if parents else "") + "{"
    imports = _IMPORT.findall(grammar.blank(problem.prompt, strings=False))
    lacking = [line for line in imports if _squeezed(line) not in _squeezed(loose)]
    scopes = closed_scopes(grammar.blank(problem.tests))
    end = {0: "}\n", 1: ""}.get(scopes, grammar.opener)
    return "\n".join(part for part in (*lacking, loose.strip(), types, header, body.strip("\n"), end) if part)


def _defined_at(blanked: str, grammar: Grammar, entry: str) -> int:
    """Where the function is defined; of methods of that name, the static one."""
    places = [found.start() for found in grammar.definition(entry).finditer(blanked)]
    static = [place for place in places if "static " in blanked[blanked.rfind("\n", 0, place) + 1 : place]]
    return next(iter(static or places), 0)


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
