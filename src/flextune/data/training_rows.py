"""Rows of a user's own as training examples: prompt and completion, plain text, or chat messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from flextune.errors import FlextuneError
from flextune.files.rows import Row, json_kind
from flextune.records import Example, Message

Column = Literal["prompt", "completion", "text", "messages"]

#: The columns of each form, best first: the first that a row has decides.
FORMS: tuple[tuple[Column, ...], ...] = (("messages",), ("prompt", "completion"), ("text",))


def examples(rows: Iterable[Row], columns: Mapping[Column, str] | None = None) -> Iterator[Example]:
    """One example a row; the first row decides the form of all.

    A row of ``messages`` keeps them for the model's chat template; ``prompt`` and ``completion`` may be
    lists of messages too. A row of ``text`` is all completion: every token of it is learned.

    Args:
        rows: The rows.
        columns: Which column is what, where they have other names.

    Raises:
        FlextuneError: At the row without these columns (the message lists those it has), with another
            type in them, with nothing to learn, or whose last message is not the assistant's.
    """
    form: tuple[Column, ...] | None = None
    for row in rows:
        form = form or _form(row, columns)
        yield _example(row, form, columns or {})


def _form(row: Row, columns: Mapping[Column, str] | None) -> tuple[Column, ...]:
    if columns is not None:
        form = next((each for each in FORMS if set(each) == set(columns)), None)
        if form is None:
            raise FlextuneError(
                f"columns {', '.join(columns)}: give prompt and completion, or text, or messages"
            )
        return form
    form = next((each for each in FORMS if all(name in row.fields for name in each)), None)
    if form is None:
        found = ", ".join(row.fields) or "nothing"
        raise FlextuneError(
            f"{row.where}: no prompt and completion, text, or messages (found: {found}); say which column is"
            " what: columns: {prompt: ..., completion: ...}"
        )
    return form


def _example(row: Row, form: tuple[Column, ...], columns: Mapping[Column, str]) -> Example:
    values = {name: _value(row, columns.get(name, name)) for name in form}
    turns = [turn for name, value in values.items() for turn in _turns(row, columns.get(name, name), value)]
    if turns and any(isinstance(value, str) for value in values.values()):
        raise FlextuneError(
            f"{row.where}: prompt and completion must both be text, or both be lists of messages"
        )
    if turns:
        return Example(row.where, "", "", _conversation(row, turns, columns.get(form[-1], form[-1])))
    learned = values[form[-1]]
    if not learned.strip():
        column = columns.get(form[-1], form[-1])
        raise FlextuneError(f'{row.where}: field "{column}" is empty: nothing to learn; remove the row')
    return Example(row.where, values.get("prompt", ""), learned)


def _value(row: Row, column: str) -> Any:
    if column not in row.fields:
        found = ", ".join(row.fields) or "nothing"
        raise FlextuneError(f"{row.where}: no column {column!r} (found: {found})")
    value = row.fields[column]
    if not isinstance(value, (str, list)):
        raise FlextuneError(
            f'{row.where}: field "{column}" must be text or a list of messages (found: {json_kind(value)})'
        )
    return value


def _turns(row: Row, column: str, value: str | list[Any]) -> list[Message]:
    """A list of messages; none of a text.

    Raises:
        FlextuneError: Something in the list is no message, or ``messages`` is a text.
    """
    if isinstance(value, str):
        if column == "messages":
            raise FlextuneError(f'{row.where}: field "messages" must be a list of messages (found: text)')
        return []
    return [_message(turn, f"{row.where}: {column}[{place}]") for place, turn in enumerate(value)]


def _message(turn: Any, where: str) -> Message:
    fields = turn if isinstance(turn, dict) else {}
    role, content = fields.get("role"), fields.get("content")
    if not isinstance(role, str) or not isinstance(content, str):
        raise FlextuneError(f'{where} must have "role" and "content", both text')
    return Message(role, content)


def _conversation(row: Row, turns: list[Message], column: str) -> tuple[Message, ...]:
    last = turns[-1]
    if last.role != "assistant":
        raise FlextuneError(
            f"{row.where}: the last message is the {last.role}'s; what is learned is the assistant's answer,"
            " which must come last"
        )
    if not last.content.strip():
        raise FlextuneError(
            f'{row.where}: field "{column}" ends in an empty message: nothing to learn; remove the row'
        )
    return tuple(turns)
