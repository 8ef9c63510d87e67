"""Completions in the layouts of other tools, which judge or show them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from flextune.data.answers import judged_pair
from flextune.errors import FlextuneError
from flextune.files.lines import json_line
from flextune.files.names import file_name
from flextune.files.whole import write_whole
from flextune.records import Completion, Problem

SampleFormat = Literal["evalplus", "multipl-e", "bigcode", "lm-eval"]
FORMATS: tuple[SampleFormat, ...] = get_args(SampleFormat)

#: The answers of each problem, in the benchmark's order, and in the samples' order.
Answers = Sequence[tuple[Problem, Sequence[Completion]]]


def check_format(form: str, problems: Sequence[Problem], *, chat: bool = False) -> SampleFormat:
    """The layout of a name, if it can hold answers to these problems.

    Args:
        form: The name.
        problems: Those that are answered.
        chat: Whether the answers are those of a chat, which follow no prompt.

    Raises:
        FlextuneError: There is no such layout, or its tool does not know such problems or answers.
    """
    if form not in FORMATS:
        raise FlextuneError(f"--format: unknown format {form!r} (known: {', '.join(FORMATS)})")
    wrong = next((problem for problem in problems if not _fits(form, problem)), None)
    if wrong is not None:
        knows = "problems with tests" if form == "multipl-e" else "Python problems of HumanEval and MBPP"
        raise FlextuneError(f"--format {form}: its tool knows {knows} alone (not {wrong.name!r})")
    if chat and form == "multipl-e":
        raise FlextuneError(
            "--format multipl-e: it holds what follows the prompt, and answers of a chat do not; "
            "use another --prompt, or flextune's own format"
        )
    return form


def _fits(form: str, problem: Problem) -> bool:
    if form == "multipl-e":
        return bool(problem.tests)
    return problem.language == "py" and problem.name.lower().startswith(("humaneval/", "mbpp/"))


def write_samples(
    form: SampleFormat, path: Path, answers: Answers, *, decode: Mapping[str, Any] | None = None
) -> None:
    """Write answers for another tool, whole or not at all.

    Args:
        form: Whose layout: ``evalplus`` (JSON lines), ``multipl-e`` (a folder with a file for each problem),
            ``bigcode`` (one JSON list) or ``lm-eval`` (the lines of ``--log_samples``).
        path: The file, or the folder.
        answers: All of them.
        decode: How they were decoded, for layouts that say so.
    """
    _WRITERS[form](path, answers, decode or {})


def _continuation(problem: Problem, completion: Completion) -> str:
    """What follows the prompt.

    Raises:
        FlextuneError: The answer is a whole program, which follows nothing.
    """
    program = _program(problem, completion)
    if not program.startswith(problem.prompt):
        raise FlextuneError(
            f"--format multipl-e: the answer to {problem.name!r}, sample {completion.sample}, is a program "
            "of its own and does not continue the prompt; judge it with flextune judge, "
            "or use --format evalplus"
        )
    return program[len(problem.prompt) :]


def _evalplus(path: Path, answers: Answers, decode: Mapping[str, Any]) -> None:
    """``evalplus.evaluate --samples``: programs under EvalPlus's names."""
    rows = [
        {"task_id": _evalplus_name(problem), "solution": _program(problem, completion)}
        for problem, completions in answers
        for completion in completions
    ]
    write_whole(path, "".join(map(json_line, rows)))


def _program(problem: Problem, completion: Completion) -> str:
    """The program up to its tests."""
    judged, read = judged_pair(problem, completion)
    return judged.prompt + read.text


def _evalplus_name(problem: Problem) -> str:
    number = problem.name.partition("/")[2]
    return f"Mbpp/{number}" if problem.name.lower().startswith("mbpp/") else f"HumanEval/{number}"


def _multipl_e(path: Path, answers: Answers, decode: Mapping[str, Any]) -> None:
    """What MultiPL-E's evaluation reads: ``NAME.json.gz`` with the problem and all its completions."""
    sampled = decode.get("strategy") == "sample"
    path.mkdir(parents=True, exist_ok=True)
    for problem, completions in answers:
        row = {
            "name": problem.name,
            "language": problem.language,
            "temperature": decode.get("temperature", 0.0) if sampled else 0.0,
            "top_p": decode.get("top_p", 1.0) if sampled else 1.0,
            "max_tokens": decode.get("max_new_tokens"),
            "prompt": problem.prompt,
            "tests": problem.tests,
            "completions": [_continuation(problem, completion) for completion in completions],
            "stop_tokens": list(problem.stop),
        }
        file = path / f"{file_name(problem.name)}.json.gz"
        partial = file.with_name(f".{file.name}.partial")
        # Without a time in it, the same answers give the same bytes.
        partial.write_bytes(gzip.compress(json.dumps(row).encode(), mtime=0))
        partial.replace(file)


def _bigcode(path: Path, answers: Answers, decode: Mapping[str, Any]) -> None:
    """``--load_generations_path``: for each problem, in the benchmark's order, its programs."""
    generations = [
        [_program(problem, completion) for completion in completions] for problem, completions in answers
    ]
    write_whole(path, json.dumps(generations, ensure_ascii=False) + "\n")


def _lm_eval(path: Path, answers: Answers, decode: Mapping[str, Any]) -> None:
    """The lines of ``--log_samples``; no metric, for nothing was judged yet."""
    rows = [
        {
            "doc_id": number,
            "doc": {
                "task_id": problem.name,
                "prompt": problem.prompt,
                "canonical_solution": problem.reference,
                "test": problem.tests,
                "entry_point": problem.entry_point,
            },
            "target": problem.tests,
            "arguments": {"gen_args_0": {"arg_0": problem.prompt, "arg_1": _generation(problem, decode)}},
            "resps": [[completion.text for completion in completions]],
            "filtered_resps": [[_program(problem, completion) for completion in completions]],
            "filter": "create_test",
            "metrics": [],
        }
        for number, (problem, completions) in enumerate(answers)
    ]
    write_whole(path, "".join(map(json_line, rows)))


def _generation(problem: Problem, decode: Mapping[str, Any]) -> dict[str, Any]:
    """lm-eval's names of the decoding."""
    sampled = decode.get("strategy") == "sample"
    drawn = {"temperature": decode.get("temperature"), "top_p": decode.get("top_p")} if sampled else {}
    return {
        "until": [stop for stop in problem.stop if stop],
        "max_gen_toks": decode.get("max_new_tokens"),
        "do_sample": sampled,
        **drawn,
    }


_WRITERS: Mapping[SampleFormat, Callable[[Path, Answers, Mapping[str, Any]], None]] = {
    "evalplus": _evalplus,
    "multipl-e": _multipl_e,
    "bigcode": _bigcode,
    "lm-eval": _lm_eval,
}
