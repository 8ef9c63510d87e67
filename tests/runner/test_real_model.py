"""The whole path with a real code model, on eight problems of a real benchmark."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import flextune as ft

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.fixture(scope="module")
def real_model() -> Path:
    """A folder of transformers or a GGUF file."""
    path = Path(os.environ.get("FLEXTUNE_REAL_MODEL") or "nothing")
    if not path.exists():
        pytest.skip("no real code model; set FLEXTUNE_REAL_MODEL to a model folder or a GGUF file")
    return path


@pytest.mark.parametrize("language", ["py", "java"])
def test_it_solves_some_of_eight_problems_and_all_are_judged(
    real_model: Path, real_data: Path, sandboxed: None, tmp_path: Path, language: str
) -> None:
    benchmark = "humaneval" if language == "py" else "multipl-e"
    run = ft.evaluate(
        str(real_model),
        benchmark=benchmark,
        languages=language,
        limit=8,
        decode={"max_new_tokens": 320, "batch_size": 8},
        runs=tmp_path,
        data_dir=real_data,
    )
    (judged,) = run.judgings()
    verdicts = judged.known_verdicts().values()
    assert len(verdicts) == 8
    assert any(verdict.passed for verdict in verdicts)
    completions = run.generated(judged.settings()["generation"]).completions().values()
    assert all(completion.text.strip() and completion.tokens for completion in completions)
