"""``class Solution``: tests that call a function, and answers that have a method, or the other way round."""

from __future__ import annotations

import ast
import re

from flextune.data.answers.grammar import Grammar, closing_brace
from flextune.data.answers.python_flow import bound_in, tree_of
from flextune.data.answers.rules import Trace
from flextune.data.answers.wanted import SOLUTION, Wanted, solution_class
from flextune.records import Problem

_CLASS = re.compile(
    r"\b(?P<kind>class|struct|impl|trait|object|module)[ \t]+(?P<name>\w+)[^{};=\n]{0,999}\s{0,99}"
    r"(?P<open>\{)?"
)
_NAMESPACE = re.compile(r"^[ \t]*namespace[ \t]+(?P<name>\w+(?:::\w+)*)\s*\{", re.MULTILINE)
_INCLUDE = re.compile(r"^[ \t]*\#[ \t]*include\b[^\n]*", re.MULTILINE)
#: The call of a method of a new object, as the body of the function.
_CALLS = {
    "java": "        {result}new {kind}().{name}({arguments});\n",
    "cs": "        {result}new {kind}().{name}({arguments});\n",
    "cpp": "    {result}{kind}().{name}({arguments});\n",
    "d": "{{\n    {result}(new {kind}()).{name}({arguments});\n}}\n",
    "scala": "        new {kind}().{name}({arguments})\n",
    "rs": "    {kind}::{name}({arguments})\n",
    "php": "    return (new {kind}())->{name}({arguments});\n}}\n",
    "js": "  return new {kind}().{name}({arguments});\n}}\n",
    "ts": "  return new {kind}().{name}({arguments});\n}}\n",
    "rb": "  {kind}.new.{name}({arguments})\nend\n",
}


def with_entry(problem: Problem, code: str, wanted: Wanted, trace: Trace) -> str:
    """A Python program in which the name that the tests call is there: as a function, or in ``Solution``."""
    tree = tree_of(code) if problem.language == "py" and wanted.entry else None
    if tree is None or wanted.entry is None:
        return code
    bound = set(bound_in(tree))
    holder = solution_class(code, wanted.entry)
    if wanted.method and SOLUTION not in bound and wanted.entry in bound:
        trace.note("solution-class", "the other way round")
        called = wanted.entry if takes_self(code, wanted.entry) else f"staticmethod({wanted.entry})"
        method = f"\nclass {SOLUTION}:\n    {wanted.entry} = {called}\n"
        return code.rstrip("\n") + "\n" + method
    asks_class = wanted.method or re.search(rf"\b{SOLUTION}\b", problem.tests)
    if holder is None or wanted.entry in bound or (asks_class and holder == SOLUTION):
        return code
    if not _made_without_arguments(tree, holder):
        return code
    trace.note("solution-class", f"{holder}.{wanted.entry}")
    return code.rstrip("\n") + f"\n\n\n{wanted.entry} = {holder}().{wanted.entry}\n"


def takes_self(code: str, entry: str | None) -> bool:
    """Whether a function at top level has a first parameter ``self`` or ``cls``."""
    tree = tree_of(code)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)] if tree else []
    return any(
        node.name == entry and node.args.args and node.args.args[0].arg in ("self", "cls")
        for node in functions
    )


def _made_without_arguments(tree: ast.Module, name: str) -> bool:
    holder = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)
    makers = [n for n in holder.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"]
    return all(len(n.args.args) - len(n.args.defaults) <= 1 for n in makers)


def with_delegate(
    problem: Problem, code: str, wanted: Wanted, grammar: Grammar, trace: Trace
) -> tuple[Problem, str] | None:
    """An answer whose method is called by the function of the prompt; None where that is not needed.

    The classes go before the prompt's function, or before the type that holds it. The prompt's signature gets
    a body that calls the method of a new object.
    """
    call = _CALLS.get(problem.language)
    if call is None or wanted.entry is None:
        return None
    blanked = grammar.blank(code)
    if _is_lone_method(blanked, grammar, wanted.entry):
        imports, methods = _apart(code, problem.language, keep=True)
        code = f"{imports}class {SOLUTION} {{\n{methods}\n}}\n"
        blanked = grammar.blank(code)
    kind = _method(blanked, grammar, wanted.entry)
    if kind is None:
        return None
    prompt = grammar.blank(problem.prompt)
    posed = grammar.definition(wanted.entry).search(prompt)
    if posed is None:
        return None
    holder = _CLASS.search(prompt) if grammar.container else None
    begin = holder.start() if holder else prompt.rfind("\n", 0, _name_start(posed)) + 1
    # What begins the line belongs to the definition.
    begin = problem.prompt.rfind("\n", 0, begin) + 1
    signature = problem.prompt[problem.prompt.rfind("\n", 0, _name_start(posed)) + 1 :]
    arguments = ", ".join(_parameters(grammar.blank(signature), wanted.entry, problem.language))
    result = "" if re.search(rf"\bvoid\s+{re.escape(wanted.entry)}\b", signature) else "return "
    body = call.format(kind=kind, name=wanted.entry, arguments=arguments, result=result)
    if problem.language == "rs" and _takes_self(code, wanted.entry):
        body = body.replace(f"{kind}::", f"{kind}{{}}." if "{" in _fields(code, kind) else f"{kind}.")
    static = rf"\bstatic\s+(?:async\s+)?{re.escape(wanted.entry)}\b"
    if problem.language in ("js", "ts") and re.search(static, blanked):
        body = body.replace(f"new {kind}().", f"{kind}.")
    if problem.language == "rb" and not _needs_object(blanked, kind, wanted.entry):
        body = body.replace(f"{kind}.new.", f"{kind}.")
    trace.note("solution-class", f"{kind}.{wanted.entry}")
    imports, types = _apart(code, problem.language)
    head = problem.prompt[:begin]
    return problem.of_programs(), f"{imports}{head}{types}\n{problem.prompt[begin:]}{body}"


def _takes_self(code: str, name: str) -> bool:
    return re.search(rf"\bfn\s+{name}\s*(?:<[^>]*>)?\(\s*&?(?:mut\s+)?self\b", code) is not None


def _is_lone_method(blanked: str, grammar: Grammar, name: str) -> bool:
    """Whether a method that needs an object stands outside all types."""
    if grammar.short not in ("java", "cs"):
        return False
    places = [found.start("name") for found in grammar.definition(name).finditer(blanked)]
    outside = [place for place in places if blanked.count("{", 0, place) == blanked.count("}", 0, place)]
    heads = [blanked[blanked.rfind("\n", 0, place) + 1 : place] for place in outside]
    return bool(heads) and not any(re.search(r"\bstatic\b", head) for head in heads)


def _fields(code: str, kind: str) -> str:
    declared = re.search(rf"\bstruct\s+{kind}\s*[{{;]", code)
    return declared[0] if declared else ""


def with_one_overload(problem: Problem, code: str, wanted: Wanted, grammar: Grammar, trace: Trace) -> str:
    """C++ with several functions of the wanted name in a namespace, and one that calls the fitting one.

    The tests take the function's address, which overloads make ambiguous.
    """
    blanked = grammar.blank(code)
    posed = grammar.definition(wanted.entry).search(grammar.blank(problem.prompt))
    if problem.language != "cpp" or posed is None or wanted.entry is None or "namespace std" in blanked:
        return code
    places = [found.start("name") for found in grammar.definition(wanted.entry).finditer(blanked)]
    own = [place for place in places if blanked.count("{", 0, place) == blanked.count("}", 0, place)]
    if len(own) < 2:
        return code
    trace.note("solution-class", "overloads")
    signature = problem.prompt[problem.prompt.rfind("\n", 0, _name_start(posed)) + 1 :]
    arguments = ", ".join(_parameters(grammar.blank(signature), wanted.entry, problem.language))
    includes = "".join(f"{line}\n" for line in _INCLUDE.findall(code))
    call = f"    return overloads::{wanted.entry}({arguments});\n}}\n"
    return f"{includes}namespace overloads {{\n{_INCLUDE.sub('', code)}\n}}\n{signature.rstrip()}\n{call}"


def out_of_namespace(code: str, wanted: Wanted, grammar: Grammar, trace: Trace) -> str:
    """C++ or Lua whose function can be called without naming its namespace or table."""
    blanked = grammar.blank(code)
    if grammar.short == "lua" and wanted.entry and not grammar.has_definition(code, wanted.entry):
        held = grammar.find_method(blanked, wanted.entry)
        if held is None:
            return code
        name, called = wanted.entry, f"{held['table']}{held['call']}{wanted.entry}"
        trace.note("solution-class", called)
        alias = called if held["call"] == "." else f"function(...) return {called}(...) end"
        return f"{code.rstrip()}\nlocal {name} = {alias}\n"
    if grammar.short != "cpp" or wanted.entry is None or _at_top_level(blanked, grammar, wanted.entry):
        return code
    for found in _NAMESPACE.finditer(blanked):
        inner = blanked[found.end() : closing_brace(blanked, found.end() - 1)]
        if _at_top_level(inner, grammar, wanted.entry):
            trace.note("solution-class", found["name"])
            return f"{code.rstrip()}\nusing {found['name']}::{wanted.entry};\n"
    return code


def _name_start(posed: re.Match[str]) -> int:
    return posed.start("name")


def _method(blanked: str, grammar: Grammar, name: str) -> str | None:
    """The type that has a method of that name; None where a function or a static method can be called."""
    if grammar.short == "rb":
        return _ruby_method(blanked, name)
    if grammar.container is None and _at_top_level(blanked, grammar, name):
        return None
    holder: str | None = None
    for found in _CLASS.finditer(blanked):
        if found["open"] is None:
            continue
        inner = blanked[found.end() : closing_brace(blanked, found.end() - 1)]
        defined = grammar.find_method(inner, name)
        if defined is None:
            continue
        line = inner[inner.rfind("\n", 0, defined.start() + 1) + 1 : defined.end()]
        static = re.search(r"\bstatic\b", line) is not None and grammar.container is not None
        if static or found["kind"] == "object":
            return None
        holder = SOLUTION if SOLUTION in (holder, found["name"]) else found["name"]
    return holder


def _at_top_level(blanked: str, grammar: Grammar, name: str) -> bool:
    """Whether a function of that name is defined outside all braces."""
    return any(
        blanked.count("{", 0, found.start("name")) <= blanked.count("}", 0, found.start("name"))
        for found in grammar.definition(name).finditer(blanked)
    )


def _ruby_method(blanked: str, name: str) -> str | None:
    method = re.search(rf"^[ \t]+def[ \t]+(?:self\.)?{re.escape(name)}(?![\w?!])", blanked, re.MULTILINE)
    holders = re.findall(r"^(?:class|module)[ \t]+(\w+)", blanked[: method.start() if method else 0], re.M)
    at_margin = re.search(rf"^def[ \t]+{re.escape(name)}(?![\w?!])", blanked, re.MULTILINE)
    return holders[-1] if holders and not at_margin else None


def _needs_object(blanked: str, kind: str, name: str) -> bool:
    """Whether a method of Ruby's is one of an object: not of a module, nor of the class itself."""
    own = re.search(rf"^[ \t]+def[ \t]+self\.{re.escape(name)}(?![\w?!])", blanked, re.MULTILINE)
    return own is None and re.search(rf"^module[ \t]+{kind}\b", blanked, re.MULTILINE) is None


def _parameters(signature: str, name: str, language: str) -> list[str]:
    """Names of the parameters in a signature."""
    begin = signature.index("(", signature.index(name))
    depth, part, parts = 0, "", []
    for mark in signature[begin + 1 :]:
        if mark == ")" and depth == 0:
            break
        depth += (mark in "([{<") - (mark in ")]}>")
        if mark == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += mark
    parts.append(part)
    found = []
    for text in parts:
        text = text.partition("=")[0]
        if language in ("ts", "scala", "rs"):
            text = text.partition(":")[0]
        words = re.findall(r"\$?[\w$]+", text)
        if words:
            found.append(words[-1])
    return found


def _apart(code: str, language: str, *, keep: bool = False) -> tuple[str, str]:
    """Imports, which must come first, and the rest; its types are public only if asked to ``keep`` that."""
    if language == "php":
        return "", re.sub(r"\A\s*<\?php", "", code)
    if language not in ("java", "cs"):
        return "", code
    pattern = re.compile(r"^[ \t]*(?:import|using)\s+(?!\()[^\n(]*;[ \t]*\n?", re.MULTILINE)
    imports = "".join(line.rstrip("\n") + "\n" for line in pattern.findall(code))
    if keep:
        return imports, pattern.sub("", code)
    types = re.sub(
        r"^([ \t]*)public\s+(?=(?:final\s+)?(?:class|interface|enum|record)\b)",
        r"\1",
        pattern.sub("", code),
        flags=re.MULTILINE,
    )
    return imports, types
