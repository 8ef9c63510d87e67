"""Experiment files: YAML in, overrides applied, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from flextune.config.experiment import Experiment
from flextune.config.overrides import assignment, set_key
from flextune.config.strict_yaml import RepeatedKey, load_yaml
from flextune.config.validation import validate
from flextune.errors import FlextuneError

#: Files of data, which YAML may read as a mapping.
_ROWS = {".jsonl", ".parquet", ".csv", ".gz"}
#: What YAML's values are called.
_KINDS: dict[type, str] = {
    list: "a list",
    str: "text",
    int: "a number",
    float: "a number",
    bool: "true or false",
}


def kind_of(value: Any) -> str:
    """What YAML calls a value: ``a list``."""
    return _KINDS.get(type(value), type(value).__name__)


def load_experiment(path: Path, overrides: Iterable[str] = ()) -> Experiment:
    """Read an experiment file and apply ``key.path=value`` overrides (values are YAML).

    Raises:
        FlextuneError: Naming file and key; unknown keys with the nearest known one.
    """
    if path.suffix in _ROWS and path.is_file():
        raise FlextuneError(
            f"{path}: a file of rows; an experiment is a YAML file that names it: train: {{data: {path}}}"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except IsADirectoryError:
        raise FlextuneError(
            f"{path}: a folder without experiment.yaml; give an experiment file, or the folder of a run"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise FlextuneError(f"{path}: cannot read the experiment file ({reason})") from error
    return parse_experiment(text, where=str(path), overrides=overrides)


def parse_experiment(text: str, *, where: str, overrides: Iterable[str] = ()) -> Experiment:
    """As ``load_experiment``, from text; ``where`` names the source in errors."""
    return make_experiment(parse_yaml(text, where=where), where=where, overrides=overrides)


def parse_yaml(text: str, *, where: str) -> Any:
    """What a YAML file holds.

    Args:
        text: The file's.
        where: Names the file in errors.

    Raises:
        FlextuneError: It is not valid YAML, or gives a key twice; with file and line.
    """
    try:
        return load_yaml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = str(getattr(error, "problem", error))
        fault = problem if isinstance(error, RepeatedKey) else f"not valid YAML ({problem})"
        if "'\\t'" in problem:
            fault += "; indent with spaces, not tabs"
        raise FlextuneError(f"{where}{line}: {fault}") from error


def make_experiment(
    raw: Mapping[str, Any], *, where: str = "experiment", overrides: Iterable[str] = ()
) -> Experiment:
    """An experiment from a mapping, with the same overrides and errors as from a file."""
    if raw is None:
        raise FlextuneError(f"{where}: nothing in it; `flextune init` prints an experiment to start from")
    if not isinstance(raw, Mapping):
        raise FlextuneError(
            f"{where}: an experiment is a mapping of keys, as in `name: mine` (found: {kind_of(raw)}); "
            "`flextune init` prints one to start from"
        )
    changed = dict(raw)
    try:
        for override in overrides:
            set_key(changed, *assignment(override))
        return validate(Experiment, changed)
    except FlextuneError as error:
        raise FlextuneError(f"{where}: {error}") from None


def dump_experiment(experiment: Experiment) -> str:
    """The fully resolved YAML: reading it back gives an equal experiment."""
    # JSON mode turns every value into one that YAML writes without tags.
    raw = experiment.model_dump(mode="json")
    return yaml.safe_dump(raw, sort_keys=False, allow_unicode=True, width=100)
