from __future__ import annotations

from typing import Any

import pytest

from flextune.config import DataPart, dump_experiment, parse_experiment, schema
from flextune.errors import FlextuneError


def parsed(data: str, arms: str = "[]") -> Any:
    return parse_experiment(f"name: x\ntrain: {{data: {data}}}\narms: {arms}", where="x")


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ("rosetta", ["rosetta"]),
        ("mine.jsonl", ["mine.jsonl"]),
        ("folder/of/rows", ["rows"]),
        ("{hub: owner/name}", ["owner/name"]),
        ("[mbpp, {path: a.parquet, share: 0.2}]", ["mbpp", "a.parquet"]),
    ],
)
def test_data_is_a_name_a_path_a_part_or_several(data: str, names: list[str]) -> None:
    experiment = parsed(data)
    assert [part.name for part in experiment.train.parts] == names
    assert parse_experiment(dump_experiment(experiment), where="x") == experiment


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("mbp", "x: train.data: unknown training source 'mbp', did you mean 'mbpp'?"),
        ("{source: rosetta2}", "x: train.data.source: unknown training source 'rosetta2'"),
        ("{path: a, columsn: {}}", "x: unknown key 'train.data.columsn', did you mean 'columns'?"),
        ("{path: a, hub: b/c}", "x: train.data: give one of source, path and hub (found: path and hub)"),
        ("{share: 0.5}", "x: train.data: give one of source, path and hub (found: none)"),
        ("{hub: name}", "x: train.data.hub: "),
        ("{source: mbpp, split: test}", "x: train.data: config and split are of hub datasets"),
        ("[mbpp, {path: a, share: 2}]", "x: train.data.1.share: Input should be less than or equal to 1"),
        ("{path: a, share: 0.5}", "x: train: data: a share is of a mixture, and there is one part"),
        ("[{path: a, share: 0.5}, {path: b, share: 0.2}]", "x: train: data: the shares add up to 0.7; "),
        ("[mbpp, {path: a, share: 0.6}, {path: b, share: 0.4}]", "x: train: data: the shares add up to 1; "),
        ("{source: rosetta, languages: [py, Python]}", "x: train.data.languages: 'py' is given twice"),
        ("{source: rosetta, languages: [py, js], language: py}", "x: train.data: give language or languages"),
        ("{path: a, columns: {promt: q}}", "x: train.data.columns.promt: Input should be 'prompt'"),
        ("[]", "x: train.data: List should have at least 1 item"),
    ],
)  # fmt: skip
def test_mistakes_are_named_by_their_key(data: str, message: str) -> None:
    with pytest.raises(FlextuneError) as caught:
        parsed(data)
    assert str(caught.value).startswith(message)


def test_an_arm_with_data_from_elsewhere_keeps_nothing_of_the_other() -> None:
    arms = "[{name: a, train: {data: {limit: 3}}}, {name: b, train: {data: {source: mbpp}}}]"
    first, second = parsed("{source: apps, difficulty: [interview]}", arms).resolved_arms()
    assert first.train.data == DataPart(source="apps", difficulty=["interview"], limit=3)
    assert second.train.data == DataPart(source="mbpp")


@pytest.mark.parametrize("generate", ["", ", generate: {export: merged}"])
def test_an_arm_of_a_ready_adapter_trains_nothing(generate: str) -> None:
    experiment = parsed("mbpp", f"[{{name: mine, adapter: some/folder{generate}}}, {{name: lora}}]")
    mine, lora = experiment.resolved_arms()
    assert (mine.train, mine.generate.adapter) == (None, "some/folder")
    assert mine.generate.export == ("merged" if generate else "adapter")
    assert lora.generate.adapter is None
    assert parse_experiment(dump_experiment(experiment), where="x").resolved_arms() == [mine, lora]
    adapter = schema()["$defs"]["ArmConfig"]["properties"]["adapter"]["anyOf"]
    assert {"string"} == {form["type"] for form in adapter if "type" in form}
