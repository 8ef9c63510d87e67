"""Names that registries give: an experiment file may use whatever is registered when it is read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from flextune.languages import canonical
from flextune.registry import BENCHMARKS, TRAINING_SOURCES, Registry

#: What a run or an arm may be called, and how that is said.
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._+-]*$"
A_NAME = "letters, digits and . _ + - only, and a letter or digit first"

#: What tells a path from a name: a folder in it, or the ending of a file of rows.
PATH_PATTERN = r"/|^~|\.(jsonl|json|parquet)(\.gz)?$"


def is_name(text: str) -> bool:
    """Whether a run or an arm may be called so."""
    return re.fullmatch(NAME_PATTERN, text) is not None


def is_path(name: str) -> bool:
    """Whether a text is the path of a file or folder, and not a registered name."""
    return re.search(PATH_PATTERN, name) is not None


def _registered(registry: Registry[Any]) -> Callable[[str], str]:
    def check(name: str) -> str:
        if name not in registry:
            raise ValueError(registry.unknown(name))
        return name

    return check


def _data(name: str) -> str:
    if name in TRAINING_SOURCES or is_path(name):
        return name
    raise ValueError(
        f"{TRAINING_SOURCES.unknown(name)}; a file of your own ends in .jsonl, .json or .parquet, and a"
        " dataset of the hub is given as hub: OWNER/NAME"
    )


def _benchmark(name: str) -> str:
    if name in BENCHMARKS or is_path(name):
        return name
    raise ValueError(f"{BENCHMARKS.unknown(name)}; a file of your own problems ends in .jsonl or .json")


def _listed(registry: Registry[Any]) -> Callable[[dict[str, Any]], None]:
    """Adds the names to the JSON schema, when somebody asks for it: editors complete them."""

    def add(schema: dict[str, Any]) -> None:
        schema["enum"] = list(registry.names())

    return add


def _listed_or_path(registry: Registry[Any]) -> Callable[[dict[str, Any]], None]:
    """As ``_listed``, where a path may stand in a name's place."""

    def add(schema: dict[str, Any]) -> None:
        schema["anyOf"] = [{"enum": list(registry.names())}, {"pattern": PATH_PATTERN}]

    return add


#: A registered benchmark, or a file of a user's own problems.
BenchmarkName = Annotated[
    str, AfterValidator(_benchmark), Field(json_schema_extra=_listed_or_path(BENCHMARKS))
]
SourceName = Annotated[
    str, AfterValidator(_registered(TRAINING_SOURCES)), Field(json_schema_extra=_listed(TRAINING_SOURCES))
]
#: A registered source of training data, or the path of a user's own rows.
DataName = Annotated[str, AfterValidator(_data), Field(json_schema_extra=_listed_or_path(TRAINING_SOURCES))]
#: A short name, however it is spelled. Which languages there are is for the benchmark or the source to say.
LanguageName = Annotated[str, AfterValidator(canonical)]
