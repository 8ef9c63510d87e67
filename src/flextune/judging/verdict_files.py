"""Files of verdicts that a user names: our own, and what other tools wrote instead."""

from __future__ import annotations

import json
from pathlib import Path

from flextune.errors import FlextuneError
from flextune.files.lines import numbered_records, read_lines
from flextune.judging.evalplus_results import evalplus_verdicts
from flextune.judging.inspect_results import inspect_verdicts, is_inspect
from flextune.judging.lm_eval_results import is_lm_eval, lm_eval_verdicts
from flextune.records import Verdict


def read_verdicts(file: Path) -> list[tuple[int, Verdict]]:
    """The verdicts of a file, each with its line or its place.

    Read are our own lines, EvalPlus's and BigCodeBench's ``eval_results.json``, lm-evaluation-harness's
    ``samples_TASK_DATE.jsonl`` and inspect's JSON logs.

    Raises:
        FlextuneError: It holds something else.
    """
    if file.suffix == ".eval":
        raise FlextuneError(f"{file}: a packed log; write it as JSON first (inspect log convert --to json)")
    if file.suffix == ".json":
        value = _json(file)
        if is_inspect(value):
            return inspect_verdicts(file, value)
        return list(enumerate(evalplus_verdicts(file), start=1))
    if _first_is_lm_eval(file):
        return lm_eval_verdicts(file, read_lines(file))
    try:
        return numbered_records(file, Verdict)
    except FlextuneError as error:
        # What the reader advises is for files that flextune makes again; this one is the user's.
        fault = str(error).partition(";")[0]
        raise FlextuneError(f"{fault}; give a file of verdicts, as flextune judge -o writes it") from None


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
