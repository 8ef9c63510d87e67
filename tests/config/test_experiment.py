from __future__ import annotations

import pytest

from flextune.config import (
    Experiment,
    PenaltyConfig,
    dump_experiment,
    load_experiment,
    parse_experiment,
    schema,
)
from flextune.errors import FlextuneError

ROUND_5 = """
name: round-5
model: codellama/CodeLlama-7b-hf
adapter: {rank: 8, alpha: 16, dropout: 0.05, targets: mlp}
train: {data: mbpp, epochs: 3, batch_size: 4, learning_rate: 2e-4, lr_scheduler_type: cosine, max_length: 512}
penalty: {kind: fourier, strength: 0.02, cutoff: 0.5, low: 1.0, high: 0.1}
decode: [{strategy: greedy}]
evaluate: [{benchmark: multipl-e, language: java}, {benchmark: humaneval}]
seeds: [0, 1, 2]
arms:
  - {name: baseline, train: null}
  - {name: lora, penalty: null}
  - {name: flex}
  - {name: flex-merged, generate: {export: merged}}
"""


def parse(text: str, *overrides: str) -> Experiment:
    return parse_experiment(text, where="round-5.yaml", overrides=overrides)


def error_of(text: str, *overrides: str) -> str:
    with pytest.raises(FlextuneError) as caught:
        parse(text, *overrides)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_arm_overrides_only_what_it_gives():
    baseline, lora, flex, merged = parse(ROUND_5).resolved_arms()
    assert baseline.train is None
    assert lora.penalty is None
    assert flex.penalty is not None
    assert flex.penalty.strength == 0.02
    assert merged.generate.export == "merged"
    assert merged.adapter == flex.adapter
    assert merged.train == flex.train


def test_the_resolved_file_reads_back_as_the_same_experiment():
    experiment = parse(ROUND_5)
    assert parse(dump_experiment(experiment)) == experiment


def test_an_arm_may_switch_on_a_penalty_the_experiment_does_not_have():
    arm = parse("name: x\narms: [{name: a, penalty: {strength: 0.5}}]").resolved_arms()[0]
    assert arm.penalty is not None
    assert arm.penalty.strength == 0.5


def test_a_preset_stands_for_its_options_and_those_given_beside_it_count():
    literal = parse("name: x", "penalty={preset: paper-literal, strength: 0.1, cutoff: 0.7}").penalty
    assert isinstance(literal, PenaltyConfig)
    assert (literal.norm, literal.strength, literal.cutoff) == ("backward", 0.1, 0.7)
    assert literal == parse("name: x", "penalty={norm: backward, strength: 0.1, cutoff: 0.7}").penalty
    given = parse("name: x", "penalty={preset: paper-literal, norm: ortho}").penalty
    assert given == parse("name: x", "penalty={}").penalty


def test_an_arm_s_preset_replaces_the_form_and_keeps_the_strength():
    text = "name: x\npenalty: {kind: l2, strength: 0.3, cutoff: 0.9, apply: loss}\n"
    (arm,) = parse(f"{text}arms: [{{name: a, penalty: {{preset: paper-literal, low: 0.5}}}}]").resolved_arms()
    assert arm.penalty is not None
    found = arm.penalty.model_dump(exclude_defaults=True)
    assert found == {"strength": 0.3, "apply": "loss", "norm": "backward", "low": 0.5}


def test_a_resolved_file_with_every_control_reads_back_as_the_same_experiment():
    experiment = parse(
        """
name: x
penalty: {preset: paper-literal}
generate: {scale: 0.5}
train: {early_stopping: {patience: 2}, kl: {weight: 1e-1, tokens: all}, replay: {languages: [java]}}
"""
    )
    assert parse(dump_experiment(experiment)) == experiment
    assert experiment.train.kl is not None
    assert experiment.train.kl.weight == 0.1


def test_a_learning_rate_without_a_dot_is_a_number():
    assert parse(ROUND_5).train.learning_rate == 2e-4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: x\ntrian: {}", "unknown key 'trian', did you mean 'train'?"),
        ("name: x\ntrain: {epohcs: 2}", "unknown key 'train.epohcs', did you mean 'epochs'?"),
        (
            "name: x\narms: [{name: a, train: {epohcs: 2}}]",
            "unknown key 'arms.a.train.epohcs', did you mean 'epochs'?",
        ),
        ("name: x\nevaluate: [{langage: py}]", "unknown key 'evaluate.0.langage', did you mean 'language'?"),
        ("name: x\ntrain: {epochs: -1}", "train.epochs"),
        ("name: x\nseeds: [1, 1]", "seeds: '1' is given twice"),
        ("name: x\ndecode: [{}, {max_new_tokens: 9}]", "decode: 'greedy' is given twice"),
        ("name: x\nevaluate: [{}, {limit: 5}]", "evaluate: 'rosetta py base' is given twice"),
        ("name: x\narms: [{name: a}, {name: a}]", "arms: 'a' is given twice"),
        ("name: x\ndecode: [{n: 4}]", "n: 4 needs strategy: sample"),
        ("name: x\npenalty: {length: bins}", "unknown key 'penalty.length'; here it is called 'cutoff_of'"),
        ("name: x\npenalty: {low: 1.5}", "penalty.low: Input should be less than or equal to 1"),
        ("name: x\npenalty: {high: -0.1}", "penalty.high: Input should be greater than or equal to 0"),
        ("name: x\npenalty: {cutoff: 0}", "penalty.cutoff: Input should be greater than 0"),
        ("name: x\npenalty: {strength: -1}", "penalty.strength: Input should be greater than or equal"),
        ("name: x\npenalty: {strength: .inf}", "penalty.strength: Input should be a finite number"),
        ("name: x\npenalty: {kind: wavelet}", "penalty.kind: Input should be 'fourier', 'reversed'"),
        ("name: x\npenalty: {apply: later}", "penalty.apply: Input should be 'loss', 'gradient'"),
        ("name: x\npenalty: {preset: paper}", "penalty.preset: Input should be 'default' or 'paper-literal'"),
        ("name: x\npenalty: {preset: [paper]}", "penalty.preset"),
        ("name: x\npenalty: {kind: update, flatten: rank}", "penalty.flatten: has no meaning for kind"),
        ("name: x\npenalty: {kind: update, target: A}", "penalty.target: has no meaning for kind"),
        ("name: x\npenalty: {kind: update, onesided: false}", "penalty.onesided: has no meaning for kind"),
        (
            "name: x\npenalty: {onesided: false}\narms: [{name: a, penalty: {kind: update}}]",
            "arms.a.penalty.onesided: has no meaning for kind update, which knows true alone",
        ),
        ("name: x\ngenerate: {scale: 1.5}", "generate.scale: Input should be less than or equal to 1"),
        ("name: x\ngenerate: {scale: -0.5}", "generate.scale: Input should be greater than or equal to 0"),
        (
            "name: x\ngenerate: {rounding: stochastic}",
            "generate.rounding: stochastic needs generate.dtype (bfloat16 or float16)",
        ),
        (
            "name: x\ngenerate: {rounding: stochastic}\n"
            "arms: [{name: a, generate: {dtype: bfloat16}}, {name: b}]",
            "arms.b: generate.rounding: stochastic needs generate.dtype",
        ),
        (
            "name: x\ntune: {settings: {generate.scale: 2}}",
            "tune: generate.scale changes no training, so no validation loss can choose it",
        ),
        ("name: x\ngenerate: {stops: never}", "generate.stops: Input should be 'benchmark' or 'program'"),
        ("name: x\ntrain: {kl: {weight: 0}}", "train.kl.weight: Input should be greater than 0"),
        ("name: x\ntrain: {kl: {wieght: 1}}", "unknown key 'train.kl.wieght', did you mean 'weight'?"),
        ("name: x\ntrain: {replay: {languages: [js], share: 1}}", "train.replay.share: Input should be less"),
        ("name: x\ntrain: {replay: {languages: []}}", "train.replay.languages"),
        ("name: x\ntrain: {replay: {share: 0.1}}", "train.replay.languages: Field required"),
        ("name: x\ntrain: {replay: {languages: [js, js]}}", "train.replay.languages: 'js' is given twice"),
        ("name: x\ntrain: {replay: {languages: [py]}}", "train: replay.languages: 'py' is the language of"),
        ("name: x\ntrain: {early_stopping: {patience: 0}}", "train.early_stopping.patience"),
        (
            "name: x\ntrain: {early_stopping: {}, validation_size: 0}",
            "early_stopping: needs a validation loss",
        ),
        ("name: ../x", "name"),
        ("- a\n- b", "an experiment is a mapping"),
        ("a: [", "not valid YAML"),
    ],
)
def test_an_error_names_file_and_key(text: str, expected: str):
    message = error_of(text)
    assert message.startswith("round-5.yaml")
    assert expected in message


def test_overrides_reach_into_sections_lists_and_arms_by_name():
    experiment = parse(
        ROUND_5, "train.epochs=1", "decode.0.strategy=beam", "arms.flex.penalty.strength=0.5", "seeds=[7]"
    )
    assert experiment.train.epochs == 1
    assert experiment.decode[0].strategy == "beam"
    flex = experiment.resolved_arms()[2].penalty
    assert flex is not None
    assert flex.strength == 0.5
    assert experiment.seeds == [7]


def test_an_override_can_switch_the_penalty_off_and_on():
    assert parse(ROUND_5, "penalty=null").penalty is None
    switched = parse("name: x", "penalty.strength=0.3").penalty
    assert switched is not None
    assert switched.strength == 0.3


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("epochs", "key.path=value"),
        ("train.epohcs=1", "did you mean 'epochs'"),
        ("name.x=1", "has no keys of its own"),
        ("arms.nobody.train=null", "no item 'nobody'"),
    ],
)
def test_a_wrong_override_is_an_error(override: str, expected: str):
    assert expected in error_of(ROUND_5, override)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(FlextuneError, match=r"nothing\.yaml: cannot read the experiment file"):
        load_experiment(tmp_path / "nothing.yaml")


def test_the_schema_knows_every_section():
    assert set(schema()["properties"]) == set(Experiment.model_fields)
    assert schema()["additionalProperties"] is False


def test_the_schema_knows_the_keys_of_an_arm_and_asks_for_none_but_its_name():
    document = schema()
    arm = document["$defs"]["ArmConfig"]
    assert set(arm["properties"]) == (set(Experiment.model_fields) - {"arms", "seeds", "contrasts", "sweep"})
    assert arm["required"] == ["name"]
    assert arm["additionalProperties"] is False
    replay = document["$defs"]["ReplayConfig in an arm"]
    assert "required" not in replay
    assert set(replay["properties"]) == {"share", "languages"}


def test_every_key_has_a_description():
    sections = schema()["$defs"]
    silent = [
        f"{name}.{key}"
        for name, section in sections.items()
        for key, value in section.get("properties", {}).items()
        if "description" not in value and key not in ("name", "kind")
    ]
    assert silent == []


ARM = "name: x\ntrain: {kl: {weight: 0.5}, early_stopping: {patience: 9}}\narms: [{name: a, %s}]"


def only_arm(settings: str) -> Experiment:
    (arm,) = parse(ARM % settings).resolved_arms()
    return arm


def test_an_arm_is_merged_into_the_experiment_at_every_depth():
    arm = only_arm("train: {kl: {tokens: all}, early_stopping: {}, replay: {languages: [js]}}")
    assert arm.train is not None
    assert arm.train.kl is not None
    assert (arm.train.kl.weight, arm.train.kl.tokens) == (0.5, "all")
    assert arm.train.early_stopping is not None
    assert arm.train.early_stopping.patience == 9
    assert arm.train.replay is not None
    assert arm.train.replay.share == 0.05


@pytest.mark.parametrize(
    ("settings", "key", "value"),
    [
        ("model: other", "model", "other"),
        ("dtype: bfloat16", "dtype", "bfloat16"),
        ("device: cpu", "device", "cpu"),
        ("judge: {cpu_seconds: 3}", "judge", {"cpu_seconds": 3.0}),
        ("generate: {export: merged, scale: 0.5}", "generate", {"export": "merged", "scale": 0.5}),
        ("decode: [{strategy: beam}]", "decode", [{"strategy": "beam"}]),
        ("evaluate: [{language: js}]", "evaluate", [{"language": "js"}]),
        ("train: {kl: null}", "train", {"early_stopping": {"patience": 9}}),
        ("train: null", "train", None),
    ],
)
def test_an_arm_reaches_every_section(settings: str, key: str, value: object):
    given = only_arm(settings).model_dump(exclude_defaults=True)
    assert given.get(key) == value


@pytest.mark.parametrize("key", ["arms: []", "seeds: [3]"])
def test_what_an_arm_cannot_set_is_named(key: str):
    assert f"unknown key 'arms.a.{key.split(':')[0]}'" in error_of(f"name: x\narms: [{{name: a, {key}}}]")


def test_the_command_line_merges_as_arms_do():
    merged = parse("name: x\ntrain: {kl: {weight: 0.5}}", "train.kl={tokens: all}").train
    assert merged is not None
    assert merged.kl is not None
    assert (merged.kl.weight, merged.kl.tokens) == (0.5, "all")


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("name: x\nseeds: [0]\nseeds: [1]", "seeds", ":3"),
        ("name: x\nadapter: {rank: 4,\n  rank: 8}", "rank", ":3"),
        ("name: x\narms:\n- {name: a, penalty: {strength: 1, strength: 2}}", "strength", ":3"),
    ],
)
def test_a_key_that_is_given_twice_is_an_error_with_its_line(text: str, key: str, line: str):
    message = error_of(text)
    assert message.startswith(f"round-5.yaml{line}: key '{key}' is given twice")


def test_what_a_yaml_merge_key_brings_may_be_overridden():
    text = "name: x\ntrain: &base {epochs: 2}\narms: [{name: a, train: {<<: *base, epochs: 5}}]"
    (arm,) = parse(text).resolved_arms()
    assert arm.train is not None
    assert arm.train.epochs == 5


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("train: {clip: 1}", "max_grad_norm"),
        ("train: {accumulation: 2}", "gradient_accumulation_steps"),
        ("train: {per_device_train_batch_size: 2}", "batch_size"),
        ("train: {schedule: linear}", "lr_scheduler_type"),
        ("adapter: {lora_alpha: 4}", "alpha"),
        ("adapter: {target_modules: [q]}", "targets"),
        ("adapter: {scale: 0.5}", "generate.scale"),
        ("decode: [{samples: 4}]", "n"),
        ("decode: [{beams: 4}]", "num_beams"),
        ("judge: {memory_mb: 64}", "memory_mib"),
        ("torch_dtype: float16", "dtype"),
    ],
)
def test_an_old_or_foreign_name_is_answered_with_the_right_one(text: str, right: str):
    assert f"; here it is called '{right}'" in error_of(f"name: x\n{text}")


@pytest.mark.parametrize("seed", [-1, 2**32, 2**64])
@pytest.mark.parametrize("key", ["seeds: [%s]", "tune: {seed: %s}", "penalty: {seed: %s}"])
def test_a_seed_that_no_generator_takes_is_refused(key: str, seed: int):
    assert "Input should be" in error_of("name: x\n" + key % seed)


def test_true_is_no_number():
    assert "adapter.rank: Input should be a valid integer, not true" in error_of(
        "name: x\nadapter: {rank: true}"
    )
    assert "adapter.dropout: Input should be a valid number" in error_of("name: x\nadapter: {dropout: yes}")


def test_an_arm_s_estimator_keeps_its_gamma_through_the_resolved_file():
    text = "name: x\noptimizer: {name: sophia}\narms: [{name: a, optimizer: {estimator: hutchinson}}]"
    again = parse(dump_experiment(parse(text)))
    assert again == parse(text)
    assert again.resolved_arms()[0].optimizer.options()["gamma"] == 0.01


@pytest.mark.parametrize(
    "text",
    ["model: 2001-13-45", "model: 0x_", "arms: [{name: a, penalty: {kind: [x]}}]", "optimizer: {name: []}"],
)
def test_what_yaml_or_a_kind_cannot_be_is_one_line(text: str):
    assert error_of(f"name: x\n{text}")


@pytest.mark.parametrize("override", ["arms.²=1", "model=2001-13-45", ".=1"])
def test_an_odd_override_is_one_line(override: str):
    assert "{key}" not in error_of(ROUND_5, override)


def test_an_override_of_an_item_is_merged_into_it():
    (decode,) = parse("name: x\ndecode: [{strategy: sample, n: 5}]", "decode.0={temperature: 0.5}").decode
    assert (decode.strategy, decode.n, decode.temperature) == ("sample", 5, 0.5)


def test_tuning_has_room_for_its_trainings():
    assert "most: 3 is less than trainings: 9" in error_of("name: x\ntune: {trainings: 9, most: 3}")


ARMS = ("baseline", "lora", "flex", "flex-merged")


def named(text: str) -> list[tuple[str, str]]:
    experiment = parse(f"{ROUND_5}contrasts: {text}\n")
    assert parse(dump_experiment(experiment)) == experiment
    return experiment.contrasts.named_pairs([arm.name for arm in experiment.arms])


def test_contrasts_are_pairs_a_reference_or_an_arm_with_its_controls() -> None:
    assert named("[[flex, lora], [flex, flex-merged]]") == [("flex", "lora"), ("flex", "flex-merged")]
    assert named("lora") == [("baseline", "lora"), ("flex", "lora"), ("flex-merged", "lora")]
    assert named("{controls: {flex: [lora, flex-merged]}}") == [("flex", "lora"), ("flex", "flex-merged")]
    assert named("{margin: 1}") == named("null") == []


@pytest.mark.parametrize(
    ("contrasts", "complaint"),
    [
        ("[[flex, lroa]]", "contrasts.pairs.0: no arm 'lroa', did you mean 'lora'? (arms: baseline, lora,"),
        ("nobody", "contrasts.reference: no arm 'nobody'"),
        ("{controls: {flx: [lora]}}", "contrasts.controls.flx: no arm 'flx', did you mean 'flex'?"),
        ("[[lora, lora]]", "contrasts.pairs.0: 'lora' is compared with itself"),
        ("[[flex, lora], [lora, flex]]", "contrasts.pairs.1: 'lora' and 'flex' are compared twice"),
        ("[flex, lora]", "contrasts: a list of pairs is wanted: [[fourier, lora], [fourier, l2]]"),
        ("[[flex, lora, baseline]]", "contrasts.pairs.0: List should have at most 2 items"),
        (
            "{pairs: [[flex, lora]], where: [{language: go}]}",
            "contrasts.where.0: the experiment does not evaluate",
        ),
        ("{margin: 0}", "contrasts.margin: Input should be greater than 0"),
        ("{pair: [[flex, lora]]}", "unknown key 'contrasts.pair', did you mean 'pairs'?"),
    ],
)
def test_contrasts_that_cannot_be_are_one_line(contrasts: str, complaint: str) -> None:
    assert complaint in error_of(f"{ROUND_5}contrasts: {contrasts}\n")


def test_an_arm_has_no_contrasts_of_its_own() -> None:
    assert "unknown key 'arms.lora.contrasts'" in error_of(ROUND_5, "arms.lora.contrasts=flex")
