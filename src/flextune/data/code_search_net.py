"""CodeSearchNet (arXiv:1909.09436): two million documented functions in six languages."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from flextune.data.origins import HubSource, load_rows
from flextune.data.python_source import parse_python
from flextune.data.training_text import normalize, pose_function
from flextune.errors import FlextuneError
from flextune.files.rows import Row
from flextune.records import Example

#: Short name -> the dataset's own name.
LANGUAGES = {"go": "go", "java": "java", "js": "javascript", "php": "php", "py": "python", "rb": "ruby"}

HUB_REPO = "code-search-net/code_search_net"

_ENDINGS = (".jsonl", ".jsonl.gz", ".parquet")
_HASH_COMMENTS = {"py", "rb"}


def published_rows(language: str, data_dir: Path | None, split: str = "train") -> Iterator[Row]:
    """Rows of one language and split, shard after shard.

    Looked for in a data folder: ``codesearchnet/LANGUAGE/``, as published
    (``final/jsonl/SPLIT/LANGUAGE_SPLIT_0.jsonl.gz``) or as on the hub (``SPLIT-00000-of-00002.parquet``), and
    ``codesearchnet/LANGUAGE.jsonl``.

    Args:
        language: A short name of ``LANGUAGES``.
        data_dir: What ``--data-dir`` gave.
        split: ``train``, ``valid`` or ``test``; rows that say another are left out.

    Raises:
        FlextuneError: A file missing everywhere, or naming the bad row.
    """
    name = LANGUAGES[language]
    folder = f"codesearchnet/{name}"
    stems = (f"{folder}/final/jsonl/{split}/*", f"{folder}/{split}*", folder)
    names = [f"{stem}{end}" for stem in stems for end in _ENDINGS]
    rows = load_rows(names, data_dir=data_dir, hub=HubSource(HUB_REPO, name, split))
    return (row for row in rows if _of(row, name, split))


def _of(row: Row, language: str, split: str) -> bool:
    fields = row.fields
    partition = fields.get("partition") or fields.get("split_name") or split
    return partition == split and (fields.get("language") or language) == language


def examples(rows: Iterable[Row], language: str, *, docstring: bool = False) -> Iterator[Example]:
    """A function's documentation as the prompt, its code as the completion.

    A Python function loses its own docstring, which is what it is asked with. Functions that have no
    documentation, or cannot be divided, are left out.

    Args:
        rows: As published, by their own names of fields or by the hub's.
        language: A short name of ``LANGUAGES``.
        docstring: Pose functions as HumanEval and MultiPL-E do: in Python the signature and the docstring,
            else the documentation in comments and the signature. Without it: the documentation, a blank line.

    Raises:
        FlextuneError: Naming row and field.
    """
    pose = (_posed_python if language == "py" else _posed) if docstring else _plain
    for row in rows:
        # Lines after the first are indented as in the code.
        documentation = inspect.cleandoc(normalize(_field(row, "docstring", "func_documentation_string")))
        code = normalize(_field(row, "code", "func_code_string")).strip("\n")
        if not documentation or not code.strip():
            continue
        posed = pose(code, documentation, language)
        if posed is not None and posed[1].strip():
            name = _field(row, "func_name", "func_name")
            path = _field(row, "path", "func_path_in_repository")
            yield Example(f"{_field(row, 'repo', 'repository_name')}/{path}:{name}", *posed)


def _field(row: Row, published: str, on_hub: str) -> str:
    if published not in row.fields and on_hub not in row.fields:
        found = ", ".join(row.fields) or "nothing"
        raise FlextuneError(f'{row.where}: missing field "{published}" (found: {found})')
    return row.text(published if published in row.fields else on_hub)


def _plain(code: str, documentation: str, language: str) -> tuple[str, str]:
    undocumented = _without_docstring(code) if language == "py" else code
    return f"{documentation}\n\n", f"{undocumented}\n"


def _posed(code: str, documentation: str, language: str) -> tuple[str, str] | None:
    end = code.find("\n") if language == "rb" else _opening_brace(code)
    if end < 0:
        return None
    mark = "# " if language in _HASH_COMMENTS else "// "
    comments = textwrap.indent(documentation, mark, lambda line: True)
    comments = "\n".join(line.rstrip() for line in comments.split("\n"))
    return f"{comments}\n{code[: end + 1].rstrip()}\n", code[end + 1 :].lstrip("\n") + "\n"


def _opening_brace(code: str) -> int:
    """Where the function's body opens: the first brace outside of parentheses that is not closed at once."""
    depth = 0
    for place, character in enumerate(code):
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == "{" and depth == 0 and code[place + 1 : place + 2] != "}":
            return place
    return -1


def _posed_python(code: str, documentation: str, language: str) -> tuple[str, str] | None:
    function = _function(code)
    return None if function is None else pose_function(code, function, documentation)


def _function(code: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """The function that the code is; None where it is none, or is of Python 2."""
    tree = parse_python(code)
    first = tree.body[0] if tree is not None and tree.body else None
    return first if isinstance(first, (ast.FunctionDef, ast.AsyncFunctionDef)) else None


def _without_docstring(code: str) -> str:
    function = _function(code)
    if function is None or ast.get_docstring(function, clean=False) is None or len(function.body) < 2:
        return code
    docstring, after = function.body[:2]
    lines = code.split("\n")
    if docstring.lineno == function.lineno or after.lineno == docstring.end_lineno:
        return code
    return "\n".join([*lines[: docstring.lineno - 1], *lines[docstring.end_lineno or 0 :]])
