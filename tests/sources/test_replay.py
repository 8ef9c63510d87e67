from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from flextune.config import ReplayConfig, TrainConfig
from flextune.errors import FlextuneError
from flextune.records import Example
from flextune.rosetta.examples import is_held_out, lessons
from flextune.rosetta.wording import variants
from flextune.sources.loading import load_examples

#: How a Rosetta prompt of each language begins.
BEGINNINGS = {"py": "def ", "java": "import ", "js": "/"}


def rosetta(**replay: Any) -> tuple[list[Example], list[Example]]:
    chosen = ReplayConfig(**replay) if replay else None
    train = TrainConfig(
        data="rosetta", lexicon="reserved", format="docstring", limit=200, validation_size=20, replay=chosen
    )
    return load_examples(train, None)


def languages(examples: list[Example]) -> Counter[str]:
    return Counter(
        next(name for name, start in BEGINNINGS.items() if example.prompt.startswith(start))
        for example in examples
    )


def test_share_of_the_examples_is_in_other_languages_and_their_number_stays() -> None:
    assert languages(rosetta()[0]) == {"py": 200}
    assert languages(rosetta(share=0.05, languages=["java"])[0]) == {"py": 190, "java": 10}
    assert languages(rosetta(share=0.1, languages=["java", "js"])[0]) == {"py": 180, "java": 10, "js": 10}
    assert languages(rosetta(share=0.015, languages=["js", "java"])[0]) == {"py": 197, "js": 2, "java": 1}
    assert languages(rosetta(share=0.0001, languages=["java"])[0]) == {"py": 199, "java": 1}


def test_examples_of_the_language_itself_and_of_the_validation_are_the_same() -> None:
    without, with_replay = rosetta(), rosetta(share=0.05, languages=["java"])
    assert with_replay[0][:190] == without[0][:190]
    assert with_replay[1] == without[1]


def test_same_settings_give_the_same_examples() -> None:
    assert rosetta(languages=["java", "js"]) == rosetta(languages=["java", "js"])


def test_replayed_programs_are_training_programs_in_words_that_the_model_knows() -> None:
    replayed = rosetta(share=0.2, languages=["java"])[0][160:]
    drawn = list(lessons("base", 1, 40))
    for example, lesson in zip(replayed, drawn, strict=True):
        assert not is_held_out(lesson.composition)
        assert lesson.description in variants(lesson.composition, "base")
        assert lesson.description in example.prompt


def test_mbpp_is_replayed_with_rosetta(real_data: Path) -> None:
    plain = load_examples(TrainConfig(limit=100), real_data)
    train = TrainConfig(limit=100, replay=ReplayConfig(share=0.05, languages=["java"]))
    replayed = load_examples(train, real_data)
    assert replayed[0][:95] == plain[0][:95]
    assert languages(replayed[0][95:]) == {"java": 5}
    assert replayed[1] == plain[1]


@pytest.mark.parametrize(
    ("replay", "message"),
    [
        ({"languages": ["jva"]}, r"train\.replay\.languages: rosetta: unknown language 'jva', did you mean"),
        ({"share": 0.999, "languages": ["js"]}, r"train\.replay\.share 0\.999 of 200 examples leaves none"),
    ],
)
def test_what_cannot_be_replayed_is_named_by_its_key(replay: dict[str, Any], message: str) -> None:
    with pytest.raises(FlextuneError, match=message):
        rosetta(**replay)
