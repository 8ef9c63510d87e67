from __future__ import annotations

from typing import Any

import pytest

from flextune.report.settings_text import training_data


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("rosetta", "Rosetta, Python, taught words"),
        ("mbpp", "MBPP, Python"),
        ({"source": "rosetta", "lexicon": "base"}, "Rosetta, Python, old words"),
        ({"source": "rosetta", "languages": ["py", "java"]}, "Rosetta, Python and Java, taught words"),
        ({"path": "mine.jsonl", "language": "java"}, "mine.jsonl, Java"),
        (
            [{"source": "rosetta", "share": 0.75}, {"source": "rosetta", "lexicon": "base", "share": 0.25}],
            "75 % Rosetta, Python, taught words + 25 % Rosetta, Python, old words",
        ),
        (["mbpp", {"path": "mine.jsonl", "share": 0.3}], "MBPP, Python + 30 % mine.jsonl, Python"),
    ],
)
def test_training_data_is_named_with_its_share_languages_and_words(data: Any, text: str) -> None:
    assert training_data({"data": data, "language": "py", "lexicon": "reserved"}) == text
