"""What is refused before the first request of the work."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from tests.support.decoding import answers
from tests.support.serving import decoded, serving, words

from flextune.config import DecodeConfig
from flextune.errors import FlextuneError
from flextune.generation.server import Served
from flextune.generation.server.checks import check_served
from flextune.generation.server.refusals import rank_flag, refused, serve_command
from flextune.records import Problem

PROBLEMS = [Problem(f"p{number}", "mine", "py", f"def f{number}():\n", "t") for number in range(12)]
GREEDY = DecodeConfig(max_new_tokens=64)
SAMPLED = DecodeConfig(strategy="sample", n=2, max_new_tokens=64)


def ignoring(body: dict[str, Any]) -> str:
    """Whatever the name: the base model."""
    return decoded({**body, "model": "base", "lora": None})


def test_an_adapter_that_acts_is_asked():
    with serving(models=("base", "flex")) as fake:
        found = answers(fake.engine("flex"), PROBLEMS, GREEDY)
    assert len(found) == 12
    assert fake.requests[-1]["model"] == "flex"


@pytest.mark.parametrize("kind", ["vllm", "sglang", "tgi", "openai"])
def test_a_server_that_leaves_an_adapter_out_is_refused(kind: str):
    with serving(models=("base", "flex"), answer=ignoring) as fake, pytest.raises(FlextuneError) as raised:
        answers(fake.engine("flex", kind=kind), PROBLEMS, GREEDY)
    assert "adapter 'flex' changes nothing there: 12 greedy answers are those of 'base'" in str(raised.value)


def test_an_adapter_that_shows_in_one_answer_is_enough():
    def rarely(body: dict[str, Any]) -> str:
        return decoded(body) if body.get("prompt") == PROBLEMS[10].prompt else ignoring(body)

    with serving(models=("base", "flex"), answer=rarely) as fake:
        assert len(answers(fake.engine("flex"), PROBLEMS, GREEDY)) == 12


def test_the_canary_can_be_left_out():
    with serving(models=("base", "flex"), answer=ignoring) as fake:
        assert len(answers(fake.engine("flex", canary=False), PROBLEMS, GREEDY)) == 12
    assert len(fake.requests) == 13


@pytest.mark.slow
def test_llama_cpp_that_leaves_an_adapter_out_is_refused():
    rows = ({"id": 0, "path": "/adapters/flex.gguf", "scale": 1.0},)
    given = {"owner": "llamacpp", "adapters": rows}
    with serving(**given) as fake:
        assert len(answers(fake.engine("flex", kind="llama.cpp", scale=0.5), PROBLEMS, GREEDY)) == 12
        assert fake.requests[-1]["lora"] == [{"id": 0, "scale": 0.5}]
    with serving(answer=ignoring, **given) as fake, pytest.raises(FlextuneError, match="changes nothing"):
        answers(fake.engine("flex", kind="llama.cpp"), PROBLEMS, GREEDY)
    # At scale 0 it is to change nothing.
    with serving(answer=ignoring, **given) as fake:
        assert len(answers(fake.engine("flex", kind="llama.cpp", scale=0.0), PROBLEMS, GREEDY)) == 12


def test_a_server_that_passes_over_the_temperature_is_refused():
    said = r"4 draws at temperature 1\.5 are the same text"
    with (
        serving(answer=lambda body: words(body["prompt"])) as fake,
        pytest.raises(FlextuneError, match=said),
    ):
        answers(fake.engine(), PROBLEMS, SAMPLED)


def test_a_server_that_passes_over_the_seed_is_said(caplog: pytest.LogCaptureFixture):
    count = iter(range(1000))
    with serving(answer=lambda body: words(next(count))) as fake, caplog.at_level(logging.WARNING):
        assert len(answers(fake.engine(), PROBLEMS, SAMPLED)) == 24
    assert "draws another text for the same seed" in caplog.text


def test_a_server_with_one_seed_for_all_is_asked_one_by_one():
    with serving(delay=0.002) as fake:
        answers(fake.engine(kind="transformers"), PROBLEMS[:4], SAMPLED)
    assert fake.most == 1


@pytest.mark.parametrize(
    ("server", "config", "expected"),
    [
        ({"models": ("other", "bas")}, {}, "no model 'base' there (it has: other, bas), did you mean 'bas'?"),
        ({"owner": "vllm"}, {}, "the server is vLLM; set generate.server.kind: vllm (--server-kind vllm)"),
        ({"key": "secret"}, {}, "the server wants an API key; put it into $MY_KEY (HTTP 401)"),
    ],
)
def test_a_wrong_server_is_one_line(server: dict[str, Any], config: dict[str, Any], expected: str):
    with serving(**server) as fake, pytest.raises(FlextuneError) as raised:
        answers(fake.engine(api_key_env="MY_KEY", **config), PROBLEMS, GREEDY)
    assert expected in str(raised.value)
    assert not fake.requests


def test_a_wrong_address_is_one_line():
    with serving() as fake:
        config = fake.config().model_copy(update={"url": fake.url.removesuffix("/v1") + "/nothing"})
        with pytest.raises(FlextuneError, match="HTTP 404; does the URL end in /v1"):
            check_served(Served(config, "base"), [GREEDY])


def test_the_key_comes_from_the_environment_and_is_never_said(monkeypatch: pytest.MonkeyPatch):
    with serving(key="s3cret") as fake:
        monkeypatch.setenv("MY_KEY", "s3cret")
        assert len(answers(fake.engine(api_key_env="MY_KEY"), PROBLEMS, GREEDY)) == 12
        monkeypatch.setenv("MY_KEY", "wr0ng")
        with pytest.raises(FlextuneError, match=r"refuses the API key of \$MY_KEY") as raised:
            answers(fake.engine(api_key_env="MY_KEY"), PROBLEMS, GREEDY)
        assert "wr0ng" not in str(raised.value)
        # A key for another server is not sent to this one.
        monkeypatch.setenv("OPENAI_API_KEY", "s3cret")
        with pytest.raises(FlextuneError, match="wants an API key"):
            answers(fake.engine(), PROBLEMS, GREEDY)
    with (
        serving(refuse=lambda body: (400, "bad request of wr0ng")) as fake,
        pytest.raises(FlextuneError, match=r"bad request of \*\*\*"),
    ):
        answers(fake.engine(api_key_env="MY_KEY"), PROBLEMS, GREEDY)


def adapter(folder: Path, **changes: Any) -> Path:
    folder.mkdir()
    (folder / "adapter_model.safetensors").touch()
    settings = {"peft_type": "LORA", "r": 8, "lora_alpha": 16, "bias": "none", **changes}
    (folder / "adapter_config.json").write_text(json.dumps(settings))
    return folder


def test_a_missing_adapter_comes_with_the_command_that_serves_it(tmp_path: Path):
    folder = adapter(tmp_path / "flex", r=20)
    with serving(owner="vllm") as fake:
        served = Served(fake.config(kind="vllm"), "base", "flex", folder=folder)
        with pytest.raises(FlextuneError) as raised:
            check_served(served, [GREEDY])
        # An adapter that is still to be trained cannot be there.
        check_served(served, [GREEDY], adapter=False)
    assert "no adapter 'flex' there (it has: base)" in str(raised.value)
    assert f"--enable-lora --lora-modules flex={folder} --max-lora-rank 32" in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        ("vllm", {"use_dora": True}, "vLLM does not serve DoRA"),
        ("sglang", {"use_dora": True}, "SGLang does not serve DoRA"),
        ("vllm", {"modules_to_save": ["lm_head"]}, "modules_to_save: lm_head"),
        ("vllm", {"bias": "all"}, "bias: all"),
        ("vllm", {"peft_type": "IA3"}, "vLLM serves LoRA alone, and this is IA3"),
        ("vllm", {"alpha_pattern": {"q_proj": 2}}, "alpha_pattern"),
        ("llama.cpp", {"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ("vllm", {"rank_pattern": {"q_proj": 2}}, "rank_pattern"),
        ("llama.cpp", {"use_rslora": True}, "use_rslora"),
        ("transformers", {}, "transformers serve has no adapters"),
    ],
)
def test_what_a_server_cannot_serve_is_refused_from_the_folder(
    tmp_path: Path, kind: str, changes: dict[str, Any], reason: str
):
    folder = adapter(tmp_path / "flex", **changes)
    with serving(owner="x") as fake:
        with pytest.raises(FlextuneError) as raised:
            check_served(Served(fake.config(kind=kind), "base", "flex", folder=folder), [GREEDY])
        assert reason in str(raised.value)
        assert "merge it (flextune merge)" in str(raised.value)


def test_a_plain_adapter_is_refused_by_no_server_that_has_adapters():
    for kind in ("vllm", "sglang", "llama.cpp", "tgi", "openai"):
        assert refused(kind, {"peft_type": "LORA", "r": 64, "bias": "none", "alpha_pattern": {}}) == []  # type: ignore[arg-type]


def test_the_flag_for_a_rank_is_one_that_vllm_takes():
    assert [rank_flag(rank) for rank in (8, 16, 17, 64, 400)] == [
        "",
        "",
        " --max-lora-rank 32",
        " --max-lora-rank 64",
        " --max-lora-rank 512",
    ]
    assert serve_command("openai", "flex", None) == ""


WINDOW = 60


def narrow(body: dict[str, Any]) -> tuple[int, str] | None:
    """Prompt and answer share a window, counted in letters and words."""
    if len(body["prompt"]) + body["max_tokens"] > WINDOW:
        return 400, f"This model's maximum context length is {WINDOW} tokens."
    return None


@pytest.mark.parametrize("rows", [{}, {"max_model_len": WINDOW}])
def test_a_prompt_that_fills_the_window_is_reported_and_the_rest_goes_on(
    rows: dict[str, Any], caplog: pytest.LogCaptureFixture
):
    lengths = {"short": 5, "tight": WINDOW - 6, "full": WINDOW + 1}
    problems = [Problem(name, "mine", "py", name[0] * length, "t") for name, length in lengths.items()]
    with serving(refuse=narrow, rows=rows) as fake, caplog.at_level(logging.WARNING):
        found = {each.name: each for each in answers(fake.engine(), problems, GREEDY)}
    assert (found["full"].text, found["full"].finish) == ("", "length")
    assert found["short"].text == decoded({"model": "base", "prompt": "s" * 5})
    # Six of the eight words fit; halving finds four of them.
    expected = 6 if rows else 4
    assert found["tight"].text == " ".join(decoded({"model": "base", "prompt": "t" * 54}).split()[:expected])
    assert found["tight"].finish == "length"
    assert "full: the prompt fills the server's window" in caplog.text
