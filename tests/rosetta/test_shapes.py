from __future__ import annotations

import json

import pytest

from flextune.rosetta.shapes import apps_rows, codesearchnet_rows

APPS = {"question", "solutions", "input_output", "difficulty", "url", "starter_code"}
CODESEARCHNET = {
    "repo",
    "path",
    "func_name",
    "original_string",
    "language",
    "code",
    "code_tokens",
    "docstring",
    "docstring_tokens",
    "partition",
    "url",
}


def test_apps_solutions_give_the_outputs_for_the_inputs():
    rows = apps_rows(limit=60)
    for row in rows:
        assert set(row) == APPS
        tests = json.loads(row["input_output"])
        solutions = json.loads(row["solutions"])
        assert len(solutions) == 2
        for code in solutions:
            assert code.startswith(row["starter_code"])
            space: dict = {}
            exec(code, space)
            found = [space[tests["fn_name"]](*given) for given in tests["inputs"]]
            assert found == tests["outputs"]
    assert {row["difficulty"] for row in rows} == {"introductory", "interview", "competition"}


@pytest.mark.parametrize(("language", "full"), [("py", "python"), ("java", "java"), ("js", "javascript")])
def test_codesearchnet_rows_hold_one_function_and_its_description(language, full):
    for row in codesearchnet_rows(language, limit=30):
        assert set(row) == CODESEARCHNET
        assert row["language"] == full
        assert " solve(" in row["code"].partition("\n")[0]
        assert row["code"].count("{") == row["code"].count("}")
        assert row["docstring"] == row["docstring"].strip()
        assert "".join(row["docstring_tokens"]) == row["docstring"].replace(" ", "")
        assert "solve" in row["code_tokens"]
        # The function ends where it does: nothing of the class around it.
        assert not row["code"].startswith(" ")
        assert language == "py" or row["code"].endswith("\n}")


def test_code_tokens_leave_the_description_out():
    for row in codesearchnet_rows("py", limit=30):
        bare = row["code"].replace(f'    """{row["docstring"]}\n    """\n', "")
        assert bare != row["code"]
        assert "".join("".join(row["code_tokens"]).split()) == "".join(bare.split())
