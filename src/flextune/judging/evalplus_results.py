"""What EvalPlus and BigCodeBench found: their ``eval_results.json`` as verdicts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flextune.errors import FlextuneError
from flextune.records import Outcome, Verdict

#: How a result says what came of each set of tests; null where one was not run.
_STATUSES = ("base_status", "plus_status", "status")
_OUTCOMES: dict[str, Outcome] = {"pass": "passed", "timeout": "timeout"}


def evalplus_verdicts(file: Path) -> list[Verdict]:
    """A verdict for each sample of each task, in the file's order.

    Raises:
        FlextuneError: The file holds something else.
    """
    try:
        value = json.loads(file.read_bytes())
    except OSError as error:
        raise FlextuneError(f"{file}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        value = None
    tasks = value.get("eval") if isinstance(value, dict) else None
    if not isinstance(tasks, dict):
        raise FlextuneError(
            f"{file}: neither verdicts (JSON lines) nor EvalPlus's eval_results.json; give a file of"
            " flextune judge -o"
        )
    verdicts = []
    for name, results in tasks.items():
        if not isinstance(results, list):
            raise FlextuneError(f"{file}: results of an older EvalPlus are not read ({name})")
        for sample, result in enumerate(results):
            verdicts.append(Verdict(name, sample, _outcome(file, name, result), "run", language="py"))
    return verdicts


def _outcome(file: Path, name: str, result: Any) -> Outcome:
    fields = result if isinstance(result, dict) else {}
    statuses = [fields[key] for key in _STATUSES if isinstance(fields.get(key), str)]
    if not statuses:
        raise FlextuneError(f"{file}: a result of {name} has no status")
    worst = next((status for status in statuses if status != "pass"), "pass")
    return _OUTCOMES.get(worst, "wrong_answer")
