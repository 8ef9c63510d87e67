"""A mapping checked against a part, with errors that name the key and the nearest known one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from flextune.config.section import Part
from flextune.errors import FlextuneError, did_you_mean

PartT = TypeVar("PartT", bound=Part)


def validate(model: type[PartT], raw: Mapping[str, Any], *, where: str) -> PartT:
    """A part from raw keys.

    Raises:
        FlextuneError: One line: where, the key, what is wrong, the nearest known key.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise FlextuneError(f"{where}: {_explain(model, error)}") from None
    except FlextuneError as error:  # from an arm's own part
        raise FlextuneError(f"{where}: {error}") from None


def _explain(model: type[Part], error: ValidationError) -> str:
    """The first error as one line: key, what is wrong, the nearest known key."""
    first = min(error.errors(), key=lambda item: item["type"] != "extra_forbidden")
    # Of a union, pydantic also names the member it tried: "literal[...]", "list[str]".
    location = ".".join(str(part) for part in first["loc"] if "[" not in str(part))
    if first["type"] == "extra_forbidden":
        known = _known_keys(model, first["loc"][:-1])
        hint = did_you_mean(str(first["loc"][-1]), known)
        return f"unknown key {location!r}{hint} (known: {', '.join(sorted(known))})"
    given = first.get("input")
    quoted = isinstance(given, str) and repr(given) in first["msg"]
    silent = quoted or isinstance(given, (dict, list)) or first["type"] == "missing"
    shown = "" if silent else f" (given: {json.dumps(given, default=str)})"
    message = first["msg"].removeprefix("Value error, ")
    return f"{location + ': ' if location else ''}{message}{shown}"


def _known_keys(model: type[Part], path: tuple[int | str, ...]) -> list[str]:
    """Field names of the part that ``path`` leads to."""
    current: Any = model
    for key in path:
        if isinstance(key, int) or not hasattr(current, "model_fields"):
            continue
        if key not in current.model_fields:
            continue
        current = _part_of(current.model_fields[key].annotation)
    return list(current.model_fields) if hasattr(current, "model_fields") else []


def _part_of(annotation: Any) -> Any:
    """The ``Part`` inside ``Part``, ``Part | None`` or ``list[Part]``."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _part_of(inner)
        if found is not None:
            return found
    return None
