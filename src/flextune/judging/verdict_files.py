"""Files of verdicts that a user names: our own, and what other tools wrote instead."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flextune.errors import FlextuneError
from flextune.files.lines import numbered_records, torn_line
from flextune.files.rows import json_kind
from flextune.judging.evalplus_results import evalplus_verdicts
from flextune.judging.inspect_results import inspect_verdicts, is_inspect
from flextune.judging.lm_eval_results import is_lm_eval, lm_eval_verdicts
from flextune.records import OUTCOMES, UNKNOWN_OUTCOMES, Verdict

#: What tells a sample or its verdict from all others of a file: language, name and sample.
Identity = tuple[str, str, int]

VERDICTS = "verdicts.jsonl"
#: Evaluations of a run that an error names.
EVALUATIONS_SHOWN = 8
_WANTED = "give a file of verdicts, as flextune judge -o writes it, or a folder runs/NAME/judged/KEY"


@dataclass(frozen=True, slots=True)
class Origin:
    """What an evaluation's folder says about it; empty where it does not.

    Attributes:
        model: With its adapter.
        benchmark: With its wording.
        language: Short name.
    """

    model: str = ""
    benchmark: str = ""
    language: str = ""


def identity(verdict: Verdict) -> Identity:
    """What tells a verdict from all others of a file."""
    return verdict.language, verdict.name, verdict.sample


def verdict_file(path: Path) -> Path:
    """The file of verdicts that a user named: itself, or by the folder that it lies in.

    Raises:
        FlextuneError: There is none; of a run, the message names its evaluations.
    """
    file = path / VERDICTS if path.is_dir() else path
    if file.is_file():
        return file
    if evaluations := _evaluations(path):
        raise FlextuneError(f"{path}: a run; give one of its evaluations: {_listed(evaluations)}")
    what = f"no {VERDICTS} in this folder" if path.is_dir() else "no such verdict file"
    raise FlextuneError(f"{path}: {what}; {_WANTED}")


def latest_verdicts(file: Path) -> dict[Identity, Verdict]:
    """The verdicts of a file by what they are about. One that says nothing about its program may be followed
    by another.

    Raises:
        FlextuneError: It holds something else, nothing, an unknown outcome, or a second verdict on a sample.
    """
    latest: dict[Identity, Verdict] = {}
    lines: dict[Identity, int] = {}
    for number, verdict in read_verdicts(file):
        _check_types(verdict, f"{file}:{number}")
        key = identity(verdict)
        place = f"{verdict.name}, sample {verdict.sample}"
        if verdict.outcome not in OUTCOMES:
            known = ", ".join(OUTCOMES)
            raise FlextuneError(
                f"{file}:{number}: unknown outcome {verdict.outcome!r} ({place}; known: {known})"
            )
        if key in latest and latest[key].outcome not in UNKNOWN_OUTCOMES:
            raise FlextuneError(
                f"{file}:{number}: a second verdict on {place} (the first is in line {lines[key]}); "
                "remove one, or number the samples"
            )
        latest[key], lines[key] = verdict, number
    if not latest:
        raise FlextuneError(f"{file}: no verdicts in it")
    return latest


def _check_types(verdict: Verdict, where: str) -> None:
    """Refuse a line whose fields would tell no two verdicts apart as they should."""
    for name, kind, words in (("name", str, "text"), ("language", str, "text"), ("sample", int, "a number")):
        value = getattr(verdict, name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise FlextuneError(f'{where}: field "{name}" must be {words} (found: {json_kind(value)})')


def origin(folder: Path) -> Origin:
    """What was evaluated in an evaluation's folder."""
    generation = _object(folder / "key.json").get("generation")
    row = _object(folder.parent.parent / "generated" / str(generation) / "key.json") if generation else {}
    part = row.get("evaluate") or {}
    model = [row.get("model"), row.get("training") or row.get("adapter"), row.get("export")]
    # The base model has no adapter that could be merged.
    names = [str(name) for name in (model if model[1] else model[:1]) if name and name != "adapter"]
    lexicon = part.get("lexicon") if part.get("benchmark") == "rosetta" else None
    benchmark = " ".join(str(name) for name in (part.get("benchmark"), lexicon) if name)
    return Origin("+".join(names), benchmark, str(part.get("language") or ""))


def read_verdicts(file: Path) -> list[tuple[int, Verdict]]:
    """The verdicts of a file, each with its line or its place.

    Read are our own lines, EvalPlus's and BigCodeBench's ``eval_results.json``, lm-evaluation-harness's
    ``samples_TASK_DATE.jsonl`` and inspect's JSON logs.

    Raises:
        FlextuneError: It holds something else, or breaks off.
    """
    if file.suffix == ".eval":
        raise FlextuneError(f"{file}: a packed log; write it as JSON first (inspect log convert --to json)")
    if file.suffix == ".json":
        value = _json(file)
        if is_inspect(value):
            return inspect_verdicts(file, value)
        _refuse_scores(file, value)
        return list(enumerate(evalplus_verdicts(file), start=1))
    if number := torn_line(file):
        raise FlextuneError(
            f"{file}:{number}: breaks off in mid-line, so that more may be missing; let what wrote it end"
        )
    if _first_is_lm_eval(file):
        return lm_eval_verdicts(
            file, [row for _, row in numbered_records(file, dict[str, Any], unended=True)]
        )
    try:
        return numbered_records(file, Verdict, unended=True)
    except FlextuneError as error:
        # What the reader advises is for files that flextune makes again; this one is the user's.
        fault = str(error).partition(";")[0]
        raise FlextuneError(f"{fault}; {_WANTED}") from None


def _json(file: Path) -> object:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _first_is_lm_eval(file: Path) -> bool:
    """Told by the first line: lines of verdicts and of samples have no field in common."""
    try:
        with file.open("rb") as lines:
            row = json.loads(lines.readline())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(row, dict) and is_lm_eval(row)


def _refuse_scores(file: Path, value: object) -> None:
    """Return unless a file is the scores of a run: what was judged for them lies beside it."""
    if not isinstance(value, dict) or not {"scores", "comparisons"} <= value.keys():
        return
    evaluations = _evaluations(file.parent)
    remedy = f"give one of its evaluations: {_listed(evaluations)}" if evaluations else _WANTED
    raise FlextuneError(f"{file}: the scores of a run, not verdicts; {remedy}")


def _evaluations(run: Path) -> list[Path]:
    """The folders of a run that hold verdicts; none of a folder that is no run."""
    return [file.parent for file in sorted(run.glob(f"judged/*/{VERDICTS}"))]


def _listed(folders: Sequence[Path]) -> str:
    named = [_described(folder) for folder in folders[:EVALUATIONS_SHOWN]]
    more = len(folders) - EVALUATIONS_SHOWN
    return ", ".join(named) + (f", and {more} more" if more > 0 else "")


def _described(folder: Path) -> str:
    found = origin(folder)
    words = " ".join(filter(None, (found.model, found.benchmark, found.language)))
    return f"{folder} ({words})" if words else str(folder)


def _object(file: Path) -> dict[str, Any]:
    value = _json(file)
    return value if isinstance(value, dict) else {}
