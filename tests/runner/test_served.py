"""Models that a server has, in plans, runs and files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.serving import serving
from tests.support.small_experiment import small_experiment

from flextune.config import parse_experiment
from flextune.errors import FlextuneError
from flextune.records import Problem
from flextune.runner.execute import RunOptions, run_experiment
from flextune.runner.plan import Sources, make_plan
from flextune.runner.work import Generation

SOURCES = Sources(
    model=lambda name: f"sha256:{name}",
    adapter=lambda folder: f"a:{folder}",
    problems=lambda part: [Problem("p", "rosetta", part.language, "p", "t")],
    examples=lambda train: ([], []),
)
SERVED = """
name: x
model: base
train: null
evaluate: [{language: py}]
generate: {engine: server, server: {url: "http://h:1/v1", kind: vllm, adapter: flex}}
"""


def generations(*overrides: str, text: str = SERVED) -> list[Generation]:
    plan = make_plan(parse_experiment(text, where="x.yaml", overrides=overrides), SOURCES)
    return [evaluation.generation for evaluation in plan.evaluations]


def key(*overrides: str) -> str:
    return generations(*overrides)[0].key


@pytest.mark.parametrize(
    "change",
    [
        "generate.server.url=https://other:99/v1",
        "generate.server.concurrency=99",
        "generate.server.timeout=1",
        "generate.server.retries=0",
        "generate.server.canary=false",
        "generate.server.api_key_env=OTHER",
        "generate.server.model=base",
        "dtype=bfloat16",
    ],
)
def test_where_a_server_listens_and_how_it_is_asked_is_no_part_of_the_key(change: str):
    assert key(change) == key()


@pytest.mark.parametrize(
    "change",
    [
        "generate.server.kind=sglang",
        "generate.server.model=other",
        "generate.server.adapter=other",
        "generate.server.adapter=null",
        "generate.server.endpoint=chat",
        "generate.adapter=/folder",
        "generate.engine=local",
        "decode=[{max_new_tokens: 5}]",
    ],
)
def test_what_decides_the_texts_is_part_of_the_key(change: str):
    assert key(change) != key()


def test_the_key_s_file_names_the_server_s_models_and_not_its_address():
    row = generations()[0].row()
    assert row["engine"] == "server"
    assert row["served"] == {"kind": "vllm", "model": "base", "adapter": "flex"}
    assert row["dtype"] is None
    assert "h:1" not in json.dumps(row)


TRAINED = """
name: x
train: {data: rosetta}
evaluate: [{language: py}]
seeds: [0, 1]
generate: {engine: server, server: {url: "http://h:1/v1"}}
arms: [{name: baseline, train: null}, {name: lora}]
"""


def test_trained_adapters_are_served_under_their_keys():
    found = generations(text=TRAINED)
    names = [(one.form.served.model, one.form.served.adapter) for one in found if one.form.served]
    keys = [one.form.training for one in found[1:]]
    assert names == [("rosetta", None), *(("rosetta", key) for key in keys)]
    assert len(set(keys)) == 2


def test_names_may_hold_seed_and_key():
    found = generations("generate.server.adapter=flex-{seed}", text=TRAINED)
    assert [one.form.served.adapter for one in found if one.form.served] == [None, "flex-0", "flex-1"]


@pytest.mark.parametrize("overrides", [(), ("seeds=[0]",)])
def test_one_name_for_two_models_is_refused(overrides: tuple[str, ...]):
    with pytest.raises(
        FlextuneError, match=r"arm lora: .* 'flex' would stand for two adapters; write \{key\}"
    ):
        generations("generate.server.adapter=flex", *overrides, text=TRAINED)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("generate.server=null", "generate: engine: server needs a server"),
        ("generate.server.url=localhost:8000", "generate.server.url: a URL begins with http://"),
        ("generate.server.url=http://me:pw@h/v1", "put the API key into the environment"),
        ("generate.server.kind=ollama", "generate.server.kind: Input should be 'vllm'"),
        ("generate.scale=0.5", "scale: 0.5 needs engine: local, or server.kind: llama.cpp"),
        ("generate.export=merged", "export: merged needs engine: local"),
        ("generate.onto=nf4", "onto: nf4 needs engine: local"),
        ("generate.server.api_key=secret", "unknown key 'generate.server.api_key'"),
    ],
)
def test_what_a_server_cannot_do_is_refused_by_name(change: str, complaint: str):
    with pytest.raises(FlextuneError) as raised:
        generations(change)
    assert complaint in str(raised.value)


def test_a_server_without_its_engine_is_no_silence():
    text = SERVED.replace("engine: server, ", "")
    with pytest.raises(FlextuneError, match="say engine: server to use it"):
        generations(text=text)


def test_llama_cpp_takes_a_scale():
    served = generations("generate.server.kind=llama.cpp", "generate.scale=0.5")[0].form.served
    assert served is not None
    assert served.scale == 0.5
    assert key("generate.server.kind=llama.cpp", "generate.scale=0.5") != key(
        "generate.server.kind=llama.cpp"
    )


@pytest.mark.slow
@pytest.mark.usefixtures("sandboxed")
def test_a_run_trains_all_ends_with_what_to_serve_and_goes_on_once_it_is_served(
    model_folder: Path, tmp_path: Path
):
    served = "generate={engine: server, server: {url: URL, kind: vllm, model: base}}"
    arms = "arms=[{name: baseline, train: null}, {name: lora, penalty: null}, {name: fourier}]"
    folder = tmp_path / "small"
    with serving(owner="vllm") as fake:
        experiment = small_experiment(model_folder, served.replace("URL", fake.url), arms)
        with pytest.raises(
            FlextuneError, match=r"no adapter .*vllm serve MODEL --enable-lora --lora-modules"
        ):
            run_experiment(experiment, folder, RunOptions())
        trained = {path.parent.name: path for path in folder.glob("trained/*/adapter")}
        assert len(trained) == 2
        assert not fake.requests
    weights = [path / "adapter_model.safetensors" for path in trained.values()]
    times = [path.stat().st_mtime_ns for path in weights]
    with serving(owner="vllm", models=("base", *trained)) as fake:
        experiment = small_experiment(model_folder, served.replace("URL", fake.url), arms)
        result = run_experiment(experiment, folder, RunOptions())
        assert {body["model"] for body in fake.requests} == {"base", *trained}
    assert {score.arm for score in result.scores} == {"baseline", "lora", "fourier"}
    assert [path.stat().st_mtime_ns for path in weights] == times
