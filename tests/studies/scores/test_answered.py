from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from flextune.records import as_row
from flextune.report.run_data import read_run
from flextune.runs.run import Run
from flextune.studies.scores.answered import program_facts


def test_programs_tokens_speed_and_cut_answers_are_counted_once(small_run: Path) -> None:
    run = Run(small_run)
    generated = run.generated("baseline-py-base--")
    cut = [replace(c, finish="length") for c in generated.completions().values()]
    generated.completions_file.write_text("".join(json.dumps(as_row(c)) + "\n" for c in cut))
    programs = 6 * 6 * (1 + 3 * 3)
    (fact,) = program_facts(read_run(small_run))
    assert fact == ("Generated", f"{programs} programs; {40 * programs:,} tokens; 6 cut at the token limit")
    for seconds in (2.0, 6.0):
        run.note_work({"stage": "generate", "tokens": 4_000, "seconds": seconds})
    ((_, words),) = program_facts(read_run(small_run))
    assert ", 1,000 tokens a second; " in words


def test_a_run_without_its_programs_has_no_such_fact(small_run: Path) -> None:
    run = read_run(small_run)
    kept = replace(run, scores=tuple(replace(score, generations={}) for score in run.scores))
    assert program_facts(kept) == []
