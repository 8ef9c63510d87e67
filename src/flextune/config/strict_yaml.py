"""YAML in which a key that is given twice is an error, not the last one's value."""

from __future__ import annotations

from typing import Any

import yaml


def load_yaml(text: str) -> Any:
    """What a YAML text holds.

    Raises:
        RepeatedKey: A mapping gives one key twice.
        yaml.YAMLError: It is not valid.
    """
    try:
        return yaml.load(text, Loader=_Loader)
    # What looks like a date or a number and is none; an alias of what it stands in.
    except (ValueError, RecursionError) as error:
        raise yaml.YAMLError(str(error)) from error


class RepeatedKey(yaml.MarkedYAMLError):
    """A mapping that gives one key twice."""


class _Loader(yaml.SafeLoader):
    """Looks at the keys of each mapping."""

    def flatten_mapping(self, node: Any) -> None:
        # Before merge keys (<<) are resolved: what they bring may be overridden.
        lines: dict[Any, int] = {}
        for key, _ in node.value:
            name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else None
            if name in lines and key.value != "<<":
                raise RepeatedKey(
                    problem=f"key {key.value!r} is given twice (first in line {lines[name]})",
                    problem_mark=key.start_mark,
                )
            if name is not None:
                lines[name] = key.start_mark.line + 1
        super().flatten_mapping(node)
