from __future__ import annotations

import json
from pathlib import Path

from tests.support.command_line import Call

import flextune as ft

TASK = "Return the sum of every third element of the list, but skip the ones that are negative or odd."


def test_near_copies_are_named_and_no_file_is_replaced(flextune: Call, tmp_path: Path) -> None:
    rows = [{"prompt": TASK, "completion": "pass"}, {"prompt": "q", "completion": "r"}]
    mine, problems, report = (tmp_path / name for name in ("mine.jsonl", "problems.jsonl", "report.md"))
    mine.write_text("".join(json.dumps(row) + "\n" for row in rows))
    own = {"name": "p", "language": "js", "prompt": TASK, "tests": "t", "stop_tokens": []}
    problems.write_text(json.dumps(own) + "\n")
    (copy,) = ft.overlap(str(mine), str(problems)).copies
    assert (copy.problem, copy.language, copy.example, copy.share) == ("p", "js", "mine.jsonl:1", 1.0)

    request = ("overlap", str(mine), "--benchmark", str(problems))
    said = flextune(*request, "-o", str(report))
    assert said.code == 0, said.err
    assert said.out.startswith("1 of 1 problem has a near copy")
    assert "100%  problems js p: prompt in mine.jsonl:1\n" in said.out
    assert "| 100% | p | JavaScript | prompt | mine.jsonl:1 | 1 |" in report.read_text()
    assert flextune(*request, "--json").json["problems_with_a_copy"] == 1
    assert "is no overlap report" in flextune(*request, "-o", str(mine)).complaint
    assert "unknown benchmark 'humanevl'" in flextune("overlap", "mbpp", "--benchmark", "humanevl").complaint
