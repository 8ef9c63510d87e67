"""What a request says, and what becomes of its reply, for each kind of server."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.support.decoding import answers
from tests.support.serving import serving

from flextune.config import DecodeConfig, ServerConfig
from flextune.errors import FlextuneError
from flextune.generation.engine import Prompt
from flextune.generation.server import Served
from flextune.generation.server.asks import (
    GarbledReplyError,
    Job,
    Reply,
    body_of,
    completion_of,
    plain_messages,
    reply_of,
)
from flextune.generation.server.kinds import KINDS, check_decode
from flextune.generation.server.posing import check_posed
from flextune.records import Message, Problem

PROBLEM = Problem("p", "mine", "java", "int f() {\n", "t", stop=("\n    }\n", "", "\nclass"))
GREEDY = DecodeConfig(max_new_tokens=20)
SAMPLED = DecodeConfig(
    strategy="sample", temperature=0.7, top_p=0.9, top_k=40, min_p=0.05, repetition_penalty=1.1
)


def served(kind: str = "openai", adapter: str | None = None, scale: float = 1.0, **config: Any) -> Served:
    return Served(ServerConfig(url="http://h/v1", kind=kind, **config), "base", adapter, scale)  # type: ignore[arg-type]


def body(kind: str, decode: DecodeConfig, **given: Any) -> dict[str, Any]:
    return body_of(served(kind, **given), Job(0, PROBLEM, 0, decode, (1 << 63) + 5))


def test_a_greedy_request_has_temperature_0_and_no_seed():
    assert body("openai", GREEDY) == {
        "model": "base",
        "prompt": PROBLEM.prompt,
        "max_tokens": 20,
        "temperature": 0.0,
        "stop": ["\n    }\n", "\nclass"],
    }
    for kind in KINDS:
        assert "seed" not in body(kind, GREEDY)
    assert json.loads(body("transformers", GREEDY)["generation_config"])["do_sample"] is False


def test_a_seed_fits_into_31_bits():
    assert body("openai", SAMPLED.model_copy(update={"top_k": 0}))["seed"] == 5


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("vllm", {"temperature": 0.7, "top_p": 0.9, "top_k": 40, "min_p": 0.05, "repetition_penalty": 1.1}),
        ("sglang", {"temperature": 0.7, "top_p": 0.9, "top_k": 40, "min_p": 0.05, "repetition_penalty": 1.1}),
        ("llama.cpp", {"temperature": 0.7, "top_p": 0.9, "top_k": 40, "min_p": 0.05, "repeat_penalty": 1.1}),
    ],
)
def test_every_setting_is_said_under_the_server_s_name(kind: str, expected: dict[str, Any]):
    sampled = body(kind, SAMPLED)
    assert {key: sampled[key] for key in expected} == expected


def test_defaults_are_said_where_a_server_has_others():
    plain = DecodeConfig(strategy="sample", temperature=0.7, top_p=1.0)
    neutral = {"top_p": 1.0, "top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
    for kind in ("vllm", "sglang"):
        assert {key: body(kind, plain)[key] for key in neutral} == neutral
    assert body("llama.cpp", plain)["top_k"] == 0
    assert body("llama.cpp", plain)["samplers"].index("temperature") < 2
    assert "repeat_last_n" not in body("llama.cpp", plain)
    # TGI refuses a top_p of 1.
    assert "top_p" not in body("tgi", plain)


def test_transformers_gets_its_sampling_as_a_generation_config():
    config = json.loads(body("transformers", SAMPLED)["generation_config"])
    assert config == {
        "do_sample": True,
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 40,
        "min_p": 0.05,
        "repetition_penalty": 1.1,
    }


@pytest.mark.parametrize("kind", list(KINDS))
def test_beams_are_refused_by_name(kind: str):
    with pytest.raises(FlextuneError, match=r"decode\.strategy: beam needs generate\.engine: local"):
        check_decode(KINDS[kind], DecodeConfig(strategy="beam"))  # type: ignore[index]


@pytest.mark.parametrize(("key", "value"), [("top_k", 5), ("min_p", 0.1), ("repetition_penalty", 1.2)])
@pytest.mark.parametrize("kind", list(KINDS))
def test_a_setting_that_a_kind_cannot_take_is_refused_by_name(kind: str, key: str, value: float):
    decode = DecodeConfig(strategy="sample", **{key: value})  # type: ignore[arg-type]
    if kind in ("tgi", "openai"):
        with pytest.raises(FlextuneError, match=rf"decode\.{key}: {value} cannot be asked of .* {kind}"):
            check_decode(KINDS[kind], decode)  # type: ignore[index]
    else:
        check_decode(KINDS[kind], decode)  # type: ignore[index]


def test_settings_that_a_strategy_does_not_read_are_no_reason_to_refuse():
    check_decode(KINDS["openai"], DecodeConfig(top_k=5, min_p=0.1))


def test_a_server_with_few_stops_gets_the_first_and_we_cut_at_the_rest():
    problem = Problem("p", "mine", "py", "x", "t", stop=tuple("abcdef"))
    asked = body_of(served("openai"), Job(0, problem, 0, GREEDY, 0))
    assert asked["stop"] == list("abcd")
    assert body_of(served("vllm"), Job(0, problem, 0, GREEDY, 0))["stop"] == list("abcdef")
    completion = completion_of(served(), Job(0, problem, 0, GREEDY, 0), Reply("12f34", ended=False))
    assert (completion.text, completion.finish) == ("12", "stop")


@pytest.mark.parametrize(
    ("kind", "text", "ended", "expected"),
    [
        # The stop string is there, in whatever tokens it came.
        ("vllm", "  x;\n    }\n  more", True, ("  x;", "stop")),
        # The text ends with a line that a newline would make a stop.
        ("vllm", "  x;\n    }", True, ("  x;", "stop")),
        ("vllm", "  x;\n    }", False, ("  x;\n    }", "length")),
        ("vllm", "  x;", True, ("  x;", "eos")),
        # It cuts at a stop string and does not say so.
        ("llama.cpp", "  x;", True, ("  x;", "stop")),
        ("openai", "  x;", False, ("  x;", "length")),
    ],
)
def test_a_reply_is_cut_and_its_end_named(kind: str, text: str, ended: bool, expected: tuple[str, str]):
    completion = completion_of(served(kind), Job(0, PROBLEM, 3, GREEDY, 0), Reply(text, ended, tokens=7))
    assert (completion.text, completion.finish) == expected
    assert (completion.name, completion.sample, completion.tokens) == ("p", 3, 7)


@pytest.mark.parametrize(
    "response",
    [
        "text",
        None,
        {},
        {"choices": []},
        {"choices": None},
        {"choices": ["x"]},
        {"choices": [{"finish_reason": "stop"}]},
        {"choices": [{"text": 3, "finish_reason": "stop"}]},
        {"choices": [{"text": None, "finish_reason": "stop"}]},
        {"choices": [{"text": "x"}]},
        {"choices": [{"text": "x", "finish_reason": None}]},
        {"choices": [{"text": "x", "finish_reason": "abort"}]},
        {"choices": [{"message": {}, "finish_reason": "stop"}]},
        {"choices": [{"text": "x", "finish_reason": "stop"}], "usage": {"completion_tokens": "many"}},
    ],
)
def test_what_is_no_answer_is_garbled(response: object):
    with pytest.raises(GarbledReplyError):
        reply_of(response)


def test_an_answer_that_only_reasoned_is_empty():
    reply = reply_of({"choices": [{"message": {"content": None}, "finish_reason": "length"}]})
    assert (reply.text, reply.ended) == ("", False)


def test_a_chat_asks_for_what_follows_and_loses_its_fence():
    (message,) = plain_messages(PROBLEM)
    assert message.role == "user"
    assert "Java" in message.content
    assert message.content.endswith(PROBLEM.prompt)
    chat = served(endpoint="chat")
    asked = body_of(chat, Job(0, PROBLEM, 0, GREEDY, 0))
    assert "prompt" not in asked
    for text in ("    return 1;", "```java\n    return 1;\n```", "\n```\n    return 1;\n```\n"):
        completion = completion_of(chat, Job(0, PROBLEM, 0, GREEDY, 0), Reply(text, True))
        assert completion.text == "    return 1;"


def test_a_chat_endpoint_is_asked():
    with serving() as fake:
        (found,) = answers(fake.engine(endpoint="chat"), [PROBLEM], GREEDY)
    assert found.text
    assert fake.answered[-1]["messages"]


def test_llama_cpp_applies_one_adapter_with_its_scale_and_no_other():
    ids = {"flex.gguf": 0, "flex": 0, "other": 1}
    half = body_of(served("llama.cpp", "flex", 0.5), Job(0, PROBLEM, 0, GREEDY, 0), ids)
    assert (half["model"], half["lora"]) == ("base", [{"id": 0, "scale": 0.5}, {"id": 1, "scale": 0.0}])
    base = body_of(served("llama.cpp"), Job(0, PROBLEM, 0, GREEDY, 0), ids)
    assert base["lora"] == [{"id": 0, "scale": 0.0}, {"id": 1, "scale": 0.0}]


def test_sglang_gets_the_adapter_beside_the_model():
    asked = body("sglang", GREEDY, adapter="flex")
    assert (asked["model"], asked["lora_path"]) == ("base", "flex")
    assert body("vllm", GREEDY, adapter="flex")["model"] == "flex"


def test_turns_of_a_prompt_are_asked_as_they_are_and_the_answer_is_kept() -> None:
    chat = served(endpoint="chat")
    prompt = Prompt(messages=(Message("user", "Write f."),), kind="answer")
    job = replace(Job(0, PROBLEM, 0, GREEDY, 0), posed=prompt)
    asked = body_of(chat, job)
    assert asked["messages"] == [{"role": "user", "content": "Write f."}]
    assert "stop" not in asked
    text = "```python\ndef f(): pass\n```"
    completion = completion_of(chat, job, Reply(text, True))
    assert (completion.text, completion.kind) == (text, "answer")


def test_helpers_behind_a_stop_string_are_asked_for_and_kept() -> None:
    problem = Problem("p", "mine", "py", "def f(n):\n", "", ("\ndef",))
    prompt = Prompt(f"# Solved.\n{problem.prompt}", stop=problem.stop, whole=True)
    job = replace(Job(0, problem, 0, GREEDY, 0), posed=prompt)
    asked = body_of(served("vllm"), job)
    assert asked["prompt"] == prompt.text
    assert "stop" not in asked
    helper = "def g(n):\n    return n\n\n"
    completion = completion_of(served(), job, Reply(f"    return g(n)\n\n{helper}print(f(1))\n", True))
    assert completion.text == "    return g(n)\n"
    assert completion.program == f"    return g(n)\n\n{helper}"


@pytest.mark.parametrize(
    ("endpoint", "prompt", "complaint"),
    [
        ("completions", Prompt(messages=(Message("user", "f"),)), "set generate.server.endpoint: chat"),
        ("chat", Prompt("# Solved.\n"), "set generate.server.endpoint: completions"),
        ("completions", Prompt("a", suffix="b"), "no endpoint for infilling"),
        ("completions", Prompt("a", healing=True), "generate.token_healing: needs the model's tokens"),
    ],
)
def test_a_prompt_that_a_server_cannot_be_given_is_refused(
    endpoint: str, prompt: Prompt, complaint: str
) -> None:
    with pytest.raises(FlextuneError, match=complaint):
        check_posed(served(endpoint=endpoint).config, [prompt])
