"""Whole JSON objects that flextune writes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flextune.errors import FlextuneError
from flextune.files.lines import finite
from flextune.files.whole import write_whole


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object; empty if the file is missing.

    Raises:
        FlextuneError: If the file is there and holds anything else.
    """
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise FlextuneError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise FlextuneError(f"{path}: not a JSON object; remove it and run the experiment again")
    return value


def write_object(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON object that is there in full or not at all; a number that is not finite is null."""
    write_whole(path, json.dumps(finite(value), indent=2, allow_nan=False) + "\n")
