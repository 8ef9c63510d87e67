"""LiveCodeBench (arXiv:2403.07974): contests' problems in Python, by input and output or by calls."""

from __future__ import annotations

import base64
import binascii
import json
import pickletools
import zlib
from typing import Any

from flextune.data.apps import STOPS, calls_of
from flextune.errors import FlextuneError
from flextune.files.rows import Row, json_kind
from flextune.records import Case, Problem

#: Packed tests that unpack to more are refused.
_LARGEST = 2**29
# All that a pickled text needs; nothing of it can name a class or call anything.
_HARMLESS = {
    "PROTO", "FRAME", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "STOP",
    "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
}  # fmt: skip

# fmt: off
_MODULES = (
    "string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random", "statistics",
    "itertools", "functools", "operator", "io", "sys", "json",
)
# fmt: on
# What the authors' evaluator imports before every program; many solutions rely on it.
PREAMBLE = "".join(
    (
        *(f"from {name} import *\n" for name in (*_MODULES, "builtins", "typing")),
        *(f"import {name}\n" for name in _MODULES),
        "sys.setrecursionlimit(50000)\n",
    )
)


def is_row(row: Row) -> bool:
    """Whether a row is one of the code generation scenario."""
    return "question_id" in row.fields and "public_test_cases" in row.fields


def problem(row: Row) -> Problem:
    """One task as a problem: the public and the private tests.

    Raises:
        FlextuneError: For a missing field, or tests that are not what they should be.
    """
    name = row.identifier("question_id")
    tests = [*_tests(row, "public_test_cases"), *_tests(row, "private_test_cases")]
    if not tests:
        raise FlextuneError(f"{row.where}: no test cases in it")
    kinds = {test["testtype"] for test in tests}
    if len(kinds) > 1 or not kinds <= {"stdin", "functional"}:
        found = ", ".join(sorted(map(str, kinds)))
        raise FlextuneError(
            f'{row.where}: "testtype" must be stdin or functional in all tests (found: {found})'
        )
    function = _function(row) if kinds == {"functional"} else None
    question = row.text("question_content").replace('"""', "'''")
    starter = row.optional_text("starter_code") or ""
    raw = "r" if "\\" in question + starter else ""
    return Problem(
        name=name,
        benchmark="livecodebench",
        language="py",
        prompt=f'{PREAMBLE}{raw}"""\n{question}\n{starter}\n"""\n',
        tests=_calls(row, tests, function) if function else "",
        stop=STOPS,
        original=name,
        entry_point=function,
        cases=() if function else tuple(Case(test["input"], test["output"]) for test in tests),
    )


def _tests(row: Row, key: str) -> list[dict[str, Any]]:
    """The tests of a field: a list, JSON as text, or packed JSON."""
    value = row.fields.get(key) or []
    if isinstance(value, str):
        text = value if value.lstrip()[:1] in ("[", "") else _unpacked(row, key, value)
        try:
            value = json.loads(text) if text.strip() else []
        except (ValueError, RecursionError):
            raise FlextuneError(f'{row.where}: field "{key}" cannot be read as JSON') from None
    if not isinstance(value, list):
        raise FlextuneError(f'{row.where}: field "{key}" must be a list of tests (found: {json_kind(value)})')
    for position, test in enumerate(value):
        texts = isinstance(test, dict) and all(isinstance(test.get(k), str) for k in ("input", "output"))
        if not texts or "testtype" not in test:
            raise FlextuneError(
                f'{row.where}: {key}[{position}] must have "testtype" and the texts "input" and "output"'
            )
    return value


def _unpacked(row: Row, key: str, packed: str) -> str:
    """The text in base64 of a compressed pickle, which is taken apart and never run."""
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(base64.b64decode(packed, validate=True), _LARGEST)
        if len(data) == _LARGEST:
            raise FlextuneError(f'{row.where}: field "{key}" unpacks to more than {_LARGEST >> 20} MiB')
        found = [(code.name, value) for code, value, _ in pickletools.genops(data)]
    except (binascii.Error, zlib.error, ValueError, EOFError):
        raise FlextuneError(
            f'{row.where}: field "{key}" is neither JSON nor the packed form of LiveCodeBench'
        ) from None
    texts = [value for name, value in found if "UNICODE" in name]
    if not {name for name, _ in found} <= _HARMLESS or len(texts) != 1:
        raise FlextuneError(
            f'{row.where}: field "{key}" is a pickle of something else than a text; such are not read, '
            "because a pickle can run code"
        )
    return str(texts[0])


def _function(row: Row) -> str:
    metadata = row.fields.get("metadata") or {}
    if isinstance(metadata, str):
        try:
            metadata = json.loads(metadata)
        except (ValueError, RecursionError):
            metadata = {}
    name = metadata.get("func_name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or not name.isidentifier():
        raise FlextuneError(
            f'{row.where}: functional tests need the function\'s name in "metadata" (func_name)'
        )
    return name


def _calls(row: Row, tests: list[dict[str, Any]], function: str) -> str:
    """Tests that call the function: a line of JSON for each argument."""
    inputs, outputs = [], []
    for position, test in enumerate(tests):
        try:
            inputs.append([json.loads(line) for line in test["input"].split("\n") if line.strip()])
            outputs.append(json.loads(test["output"]))
        except (ValueError, RecursionError):
            raise FlextuneError(f"{row.where}: functional test {position} is not written in JSON") from None
    return calls_of(inputs, outputs, function, first=False)
