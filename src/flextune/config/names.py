"""Names that registries give: an experiment file may use whatever is registered when it is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from flextune.languages import canonical
from flextune.registry import BENCHMARKS, TRAINING_SOURCES, Registry

#: What tells a path from a name: a folder in it, or the ending of a file of rows.
PATH_PATTERN = r"/|^~|\.(jsonl|json|parquet)(\.gz)?$"


def is_path(name: str) -> bool:
    """Whether a text is the path of a file or folder, and not a registered name."""
    return re.search(PATH_PATTERN, name) is not None


def _registered(registry: Registry[Any]) -> Callable[[str], str]:
    def check(name: str) -> str:
        if name not in registry:
            raise ValueError(registry.unknown(name))
        return name

    return check


def _listed(registry: Registry[Any]) -> Callable[[dict[str, Any]], None]:
    """Adds the names to the JSON schema, when somebody asks for it: editors complete them."""

    def add(schema: dict[str, Any]) -> None:
        schema["enum"] = list(registry.names())

    return add


BenchmarkName = Annotated[
    str, AfterValidator(_registered(BENCHMARKS)), Field(json_schema_extra=_listed(BENCHMARKS))
]
SourceName = Annotated[
    str, AfterValidator(_registered(TRAINING_SOURCES)), Field(json_schema_extra=_listed(TRAINING_SOURCES))
]
#: A short name, however it is spelled. Which languages there are is for the benchmark or the source to say.
LanguageName = Annotated[str, AfterValidator(canonical)]
