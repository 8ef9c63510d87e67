"""APPS as training examples: a problem in the authors' words, and programs that solve it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Literal

from flextune.data.apps import AppsRow, docstring_prompt, json_field, plain_prompt
from flextune.data.training_text import normalize
from flextune.errors import FlextuneError
from flextune.files.rows import Row
from flextune.records import Example

Form = Literal["stdin", "call"]

_FUNCTION = re.compile(r'"fn_name"\s*:\s*"([^"]+)"')


def examples(
    rows: Iterable[Row],
    *,
    difficulties: Collection[str] = (),
    form: Form | None = None,
    solutions: int = 1,
    docstring: bool = False,
) -> Iterator[Example]:
    """Prompts and solutions, problem after problem; problems without a solution are left out.

    Args:
        rows: As published; tests are not needed.
        difficulties: The wanted classes; all if empty.
        form: Programs that read and print (``stdin``), or whose function is called; None: both.
        solutions: The first N of each problem, an example each; those that are equal count once.
        docstring: Pose problems as the benchmark ``apps`` does, in a docstring after the authors' imports,
            and not as the authors' own plain prompt.

    Raises:
        FlextuneError: Naming row and field.
    """
    for row in rows:
        if difficulties and row.fields.get("difficulty") not in difficulties:
            continue
        problem = _problem(row)
        if form is not None and form != ("call" if problem.function else "stdin"):
            continue
        prompt = docstring_prompt(problem) if docstring else plain_prompt(problem)
        for number, text in enumerate(problem.solutions[:solutions]):
            yield Example(f"{problem.name}/{number}", normalize(prompt), text)


def _problem(row: Row) -> AppsRow:
    """What training needs of a row: the tests, which may fill megabytes, stay unread."""
    texts = (text for text in json_field(row, "solutions", list) if isinstance(text, str))
    solutions = (normalize(text).strip("\n") + "\n" for text in texts if text.strip())
    return AppsRow(
        number=row.integer("problem_id" if "problem_id" in row.fields else "id"),
        question=row.text("question"),
        solutions=tuple(dict.fromkeys(solutions)),
        inputs=(),
        outputs=(),
        function=_function(row),
        starter=row.optional_text("starter_code") or "",
        difficulty=row.optional_text("difficulty") or "",
    )


def _function(row: Row) -> str | None:
    """The function that the tests call."""
    tests = row.fields.get("input_output")
    if isinstance(tests, dict):
        return tests.get("fn_name")
    if not isinstance(tests, str) or '"fn_name"' not in tests:
        return None
    try:
        name = json_field(row, "input_output", dict).get("fn_name")
    # Tests that cannot be read are of no concern here.
    except FlextuneError:
        match = _FUNCTION.search(tests)
        name = match[1] if match else None
    return name if isinstance(name, str) else None
