from __future__ import annotations

import random
from collections import Counter

import pytest

from flextune.errors import FlextuneError
from flextune.rosetta.building import build, render
from flextune.rosetta.composition import Composition
from flextune.rosetta.compositions import parse, singles, skeleton
from flextune.rosetta.operations import OPERATIONS, Kind, Undefined
from flextune.rosetta.splits import FILE, SPLITS, compositions, evaluation_set, known_split


def fresh_input(kind: Kind, rng: random.Random):
    """Inputs drawn in another way than the generator draws its own."""
    word = lambda: "".join(rng.choice("abeeiosstu") for _ in range(rng.randint(1, 6)))  # noqa: E731
    if kind == "int":
        return rng.choice([rng.randint(0, 40), rng.randint(1, 500)])
    if kind == "ints":
        low, high = rng.choice([(-9, 20), (0, 9), (1, 30)])
        return [rng.randint(low, high) for _ in range(rng.randint(0, 8))]
    if kind == "text":
        pieces = [
            rng.choice([word(), word().capitalize(), word() + rng.choice("0123456789")]) for _ in range(4)
        ]
        return " ".join(pieces[: rng.randint(1, 4)])
    if kind == "words":
        few = [word() for _ in range(4)]
        return [rng.choice([*few, word()]) for _ in range(rng.randint(0, 6))]
    return {word(): rng.randint(0, 9) for _ in range(rng.randint(1, 6))}


def result(program: Composition, value: object) -> str:
    try:
        found = program(value)
    except Undefined:
        return "undefined"
    return repr(sorted(found.items()) if isinstance(found, dict) else found)


@pytest.fixture(scope="module")
def behaviours() -> dict[str, dict[tuple, str]]:
    """Split -> results on 200 new inputs -> a program that gives them."""
    rng = random.Random(99)
    inputs = {
        kind: [fresh_input(kind, rng) for _ in range(200)]
        for kind in ("int", "ints", "text", "words", "counts")
    }

    def of(program: Composition) -> tuple:
        return (program.takes, program.gives, *(result(program, value) for value in inputs[program.takes]))

    groups = {split: compositions(split) for split in SPLITS} | {"singles": tuple(singles())}
    return {name: {of(program): program.name for program in programs} for name, programs in groups.items()}


def test_there_are_60_operations_and_5000_problems_of_which_half_are_stateful():
    problems = [program for split in SPLITS for program in compositions(split)]
    assert len(OPERATIONS) >= 60
    assert len({program.name for program in problems}) == len(problems) >= 5000
    assert sum(program.stateful for program in problems) >= len(problems) / 2
    evaluated = [exercise.composition for exercise in evaluation_set()]
    assert len({program.name for program in evaluated}) == len(evaluated) >= 300
    assert sum(program.stateful for program in evaluated) >= len(evaluated) / 2


def test_no_combination_of_operations_is_in_two_splits():
    seen: dict[tuple[str, ...], str] = {}
    for split in SPLITS:
        for program in compositions(split, 2):
            assert seen.setdefault(skeleton(program), split) == split, program.name


def test_no_longer_program_contains_a_combination_of_another_split():
    shapes = {split: {skeleton(program) for program in compositions(split, 2)} for split in SPLITS}
    for split in ("pretraining", "fine-tuning"):
        for program in compositions(split, 3):
            first, second, third = skeleton(program)
            assert {(first, second), (second, third)} <= shapes[split], program.name


@pytest.mark.slow
def test_no_held_out_behaviour_is_seen_in_training(behaviours):
    held_out = behaviours["evaluation"]
    for seen in ("pretraining", "fine-tuning", "singles"):
        shared = [(held_out[key], behaviours[seen][key]) for key in held_out.keys() & behaviours[seen].keys()]
        assert shared == []


@pytest.mark.slow
def test_no_fine_tuning_behaviour_is_seen_in_pretraining(behaviours):
    shared = behaviours["fine-tuning"].keys() & behaviours["pretraining"].keys()
    assert {behaviours["fine-tuning"][key] for key in shared} == set()


def test_the_evaluation_set_is_held_out():
    held_out = {program.name for program in compositions("evaluation")}
    assert {exercise.composition.name for exercise in evaluation_set()} <= held_out


def test_every_operation_of_the_evaluation_set_is_trained_in_both_splits():
    evaluated = {name for exercise in evaluation_set() for name in skeleton(exercise.composition)}
    assert len(evaluated) >= 100
    for split in ("pretraining", "fine-tuning"):
        trained = {name for program in compositions(split, 2) for name in skeleton(program)}
        assert evaluated <= trained


def test_the_first_forty_problems_ask_for_every_kind_of_result_alike():
    kinds = Counter(exercise.composition.gives for exercise in evaluation_set()[:40])
    assert kinds == {"int": 8, "ints": 8, "text": 8, "words": 8, "counts": 8}


@pytest.mark.slow
def test_building_gives_the_packaged_file():
    assert render(build()) == FILE.read_text(encoding="utf-8")


def test_a_name_is_parsed_to_the_composition_of_that_name():
    assert parse("keep_above_3__total").name == "keep_above_3__total"
    assert parse("keep_above_3__total")([1, 4, 5]) == 9


def test_unknown_steps_and_splits_are_named():
    with pytest.raises(FlextuneError, match=r"unknown step 'keep_above_99'"):
        parse("keep_above_99__total")
    with pytest.raises(FlextuneError, match=r"unknown split 'test'.*evaluation"):
        known_split("test")
