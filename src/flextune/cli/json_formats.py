"""What ``--json`` prints, command by command: one JSON value; ``flextune schema COMMAND`` prints its schema.

A number that is not known is null, and no field is ever left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, create_model


class _Row(BaseModel):
    """An object with exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class Open(BaseModel):
    """An object with these fields, and others that depend on what was asked."""

    model_config = ConfigDict(extra="allow")


@cache
def row(record: type, more: tuple[tuple[str, Any], ...] = ()) -> Any:
    """The JSON object of a dataclass, with other fields behind its own."""
    hints = get_type_hints(record)
    own = {field.name: _json_type(hints[field.name]) for field in fields(record)}
    return _object(record.__name__, **own, **dict(more))


def _json_type(kind: Any) -> Any:
    """A field's type as it comes out of JSON: dataclasses are objects, a float may be null."""
    if kind is float:
        return float | None
    if isinstance(kind, type) and is_dataclass(kind):
        return row(kind)
    origin: Any = get_origin(kind)
    if origin is Literal:
        return kind
    inner = tuple(map(_json_type, get_args(kind)))
    if origin in (Union, UnionType):
        return Union[inner]  # noqa: UP007 - made from values
    if origin is tuple:
        return _list(inner[0]) if len(inner) == 2 and inner[1] is ... else tuple.__class_getitem__(inner)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(inner[1])
    if origin is list:
        return _list(inner[0])
    if isinstance(kind, type) and kind not in (str, int, bool, NoneType):
        # Paths are text.
        return str
    return kind


def _list(kind: Any) -> Any:
    return list[kind]


def _mapping(kind: Any) -> Any:
    """Text to a kind of value."""
    return dict[str, kind]


def _object(title: str, /, base: Any = _Row, **kinds: Any) -> Any:
    named: Any = {key: (kind, ...) for key, kind in kinds.items()}
    return create_model(title, __base__=base, **named)


def _scores() -> Any:
    from flextune.records import Comparison, Score

    kinds = {"format": int, "experiment": str, "baseline": str}
    return _object("Scores", **kinds, scores=_list(row(Score)), comparisons=_list(row(Comparison)))


def _plan() -> Any:
    from flextune.runner.outline import Outline

    return row(Outline)


def _judge() -> Any:
    from flextune.judging.scoring import LanguageScore
    from flextune.records import Verdict

    # Beside these stands the count of each outcome, under its name.
    return _object(
        "Judged",
        Open,
        total=int,
        passed=int,
        unknown=int,
        languages=dict[str, dict[str, int]],
        scores=_list(row(LanguageScore, (("known", int),))),
        missing=dict[str, list[str]],
        skipped=_list(_object("Skipped", where=str, reason=str)),
        not_passed=_list(row(Verdict)),
    )


def _score() -> Any:
    from flextune.judging.scoring import LanguageScore

    return _list(row(LanguageScore, (("known", int),)))


def _check_problems() -> Any:
    fields = {"language": str, "reference": str, "message": str, "empty": str, "mutants": int, "killed": int}
    return _mapping(_object("Check", **fields, survivors=list[str]))


def _compare() -> Any:
    from flextune.records import Comparison

    texts, counts = (
        {"path": str, "benchmark": str, "model": str},
        {"passed": int, "known": int, "problems": int},
    )
    side = _object("Side", **texts, languages=list[str], **counts)
    return row(Comparison, (("a", side), ("b", side)))


def _overlap() -> Any:
    from flextune.sources.overlap import Overlap

    return row(Overlap, (("problems_with_a_copy", int),))


def _sweep_plan() -> Any:
    from flextune.sweeps.outline import SweepOutline

    return row(SweepOutline)


def _power() -> Any:
    from flextune.statistics.power import Power

    return row(Power)


def _merge() -> Any:
    ends = {"folder": str | None, "refused": bool}
    reasons = list[dict[str, str]]
    return _object(
        "Merged", Open, verdict=str, exit_code=int, reasons=reasons, weights=dict[str, Any], **ends
    )


def _spectrum() -> Any:
    return _object("Spectra", draws=int, seed=int, adapters=list[dict[str, Any]])


def _runs() -> Any:
    counts = {"trained": int, "judged": int}
    words = {"name": str, "folder": str, "date": str | None, "models": list[str]}
    ends = {"scored": bool, "baseline": str | None, "problem": str | None}
    return _list(_object("RunRow", **words, **counts, **ends))


def _show() -> Any:
    number = float | None
    numbers = {"loss": number, "seconds": number, "pass_at_1": _mapping(_list(number))}
    training = _object("TrainingRow", folder=str, state=str, seed=int | None, steps=int, **numbers)
    texts = dict.fromkeys(("benchmark", "language", "lexicon", "training"), str | None)
    evaluation = _object("EvaluationRow", folder=str, **texts, seed=int | None, judged=int, passed=int)
    lists = {"models": list[str], "arms": list[str], "seeds": list[int]}
    parts = {"trainings": _list(training), "evaluations": _list(evaluation)}
    return _object("Shown", name=str, folder=str, **lists, scored=bool, page=str | None, **parts)


def _clean() -> Any:
    piece = _object("Piece", run=str, folder=str, reason=str, bytes=int)
    return _object("Cleaned", removed=bool, pieces=_list(piece))


def _doctor() -> Any:
    return _list(_object("Found", what=str, found=bool, version=str | None, hint=str))


def _sources() -> Any:
    return _list(_object("Source", name=str, title=str, languages=list[str]))


#: Command to what makes the type of its JSON.
FORMATS: dict[str, Callable[[], Any]] = {
    "run": _scores,
    "run --plan": _plan,
    "quickstart": _scores,
    "quickstart --plan": _plan,
    "reproduce": _scores,
    "reproduce --plan": _plan,
    "sweep": lambda: dict[str, Any],
    "sweep --plan": _sweep_plan,
    "tune": lambda: dict[str, Any],
    "tune --plan": _sweep_plan,
    "train": lambda: list[str],
    "generate": lambda: _object("Generated", completions=int, file=str),
    "judge": _judge,
    "judge --explain": lambda: list[dict[str, Any]],
    "check-problems": _check_problems,
    "eval": _scores,
    "score": _score,
    "compare": _compare,
    "overlap": _overlap,
    "power": _power,
    "merge": _merge,
    "spectrum": _spectrum,
    "rosetta card": lambda: dict[str, Any],
    "runs": _runs,
    "show": _show,
    "clean": _clean,
    "doctor": _doctor,
    "list benchmarks": _sources,
    "list data": _sources,
    "list languages": lambda: _list(
        _object("Language", name=str, title=str, spellings=list[str], judged=str)
    ),
    "list models": lambda: _list(_object("Model", name=str, title=str, gib=float)),
    "list prompts": lambda: _list(_object("Prompt", name=str, title=str, answer=str, revision=str)),
}


def adapter(command: str) -> TypeAdapter[Any]:
    """What checks the JSON of a command.

    Raises:
        FlextuneError: No such command prints JSON.
    """
    from flextune.errors import FlextuneError, did_you_mean

    if command not in FORMATS:
        hint = did_you_mean(command, FORMATS)
        raise FlextuneError(f"no command {command!r} prints JSON{hint} (known: {', '.join(FORMATS)})")
    return TypeAdapter(FORMATS[command]())
