from __future__ import annotations

from flextune.config import Experiment
from flextune.records import Score
from flextune.report.labels import Labels, labels
from flextune.report.palette import GREY

EXPERIMENT = {
    "name": "x",
    "train": {"language": "py", "lexicon": "reserved"},
    "evaluate": [{"benchmark": "rosetta", "language": "py"}, {"benchmark": "rosetta", "language": "java"}],
    "arms": [{"name": "z-base"}, {"name": "flex"}, {"name": "never-run"}],
}


def held(arm: str, language: str, lexicon: str | None = "base", benchmark: str = "rosetta") -> Score:
    return Score(arm, benchmark, language, lexicon, "greedy")


def made(*scores: Score) -> Labels:
    return labels(Experiment.model_validate(EXPERIMENT), scores, "z-base")


def trained(*arms: dict[str, object]) -> Experiment:
    """An experiment that teaches Python in the words of pretraining, but for what its arms say."""
    train = {"language": "py", "lexicon": "base"}
    return Experiment.model_validate({"name": "x", "train": train, "arms": list(arms)})


def test_arms_and_settings_come_in_the_experiments_order() -> None:
    found = made(held("flex", "java", "reserved"), held("z-base", "java"), held("flex", "py"))
    assert found.arms == ("z-base", "flex")
    assert [found.name(where) for where in found.settings] == [
        "Python · old words",
        "Java · old words",
        "Java · taught words",
    ]


def test_words_are_called_the_same_in_every_language() -> None:
    found = made(held("flex", "py", "reserved"), held("flex", "java", "reserved"))
    assert [found.wording(where) for where in found.settings] == ["taught words"] * 2


def test_a_setting_has_one_name_in_addresses() -> None:
    found = made(held("flex", "py", "reserved"), held("flex", "py"), held("flex", "c++", None))
    assert [found.anchor(where) for where in found.settings] == ["py-base", "py-reserved", "c"]
    twins = made(held("flex", "c++", None), held("flex", "c#", None))
    assert sorted(twins.anchor(where) for where in twins.settings) == ["c-1", "c-2"]


def test_words_that_no_arm_was_taught_are_not_called_taught() -> None:
    scores = [held("flex", "py", "reserved"), held("flex", "java", "reserved")]
    untaught = labels(trained(), scores, "z-base")
    assert {untaught.wording(where) for where in untaught.settings} == {"reserved words"}
    arm: dict[str, object] = {"name": "flex", "train": {"lexicon": "reserved"}}
    by_arm = labels(trained(arm), scores, "z-base")
    assert {by_arm.wording(where) for where in by_arm.settings} == {"taught words"}


def test_words_of_one_part_of_the_training_data_are_taught() -> None:
    mixed = [{"source": "rosetta", "lexicon": "reserved", "share": 0.5}, {"source": "rosetta", "share": 0.5}]
    found = labels(trained({"name": "z-base"}, {"name": "lora", "train": {"data": mixed}}), (), "z-base")
    assert found.taught


def test_the_trained_language_is_that_of_the_data() -> None:
    assert labels(trained(), (), "z-base").trained == "py"
    java = {"name": "lora", "train": {"data": {"source": "rosetta", "language": "java"}}}
    given = {"name": "x", "train": None, "arms": [{"name": "z-base"}, java]}
    assert labels(Experiment.model_validate(given), (), "z-base").trained == "java"


def test_a_benchmark_is_named_only_beside_another() -> None:
    alone = made(held("flex", "java", None, "multipl-e"))
    assert [alone.name(where) for where in alone.settings] == ["Java"]
    both = made(held("flex", "java", None, "multipl-e"), held("flex", "py", None, "humaneval"))
    assert sorted(both.name(where) for where in both.settings) == ["Java · MultiPL-E", "Python · HumanEval"]


def test_every_arm_has_its_own_colour_and_the_baseline_is_grey() -> None:
    found = made(*(held(arm, "py") for arm in ("z-base", "flex", "b", "c")))
    assert found.colour("z-base") == GREY
    assert len({found.colour(arm) for arm in found.arms}) == 4


def test_an_empty_experiment_file_is_enough() -> None:
    found = labels(None, [held("a", "xx", None, "mine")], "a")
    assert [found.name(where) for where in found.settings] == ["xx"]
