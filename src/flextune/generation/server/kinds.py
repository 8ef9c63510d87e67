"""What the programs that serve models take in a request, as far as it is not the same for all."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flextune.config import DecodeConfig, ServerKind
from flextune.errors import FlextuneError

#: Samplers of llama.cpp in transformers' order: its own applies the temperature last.
_LLAMA_CPP_ORDER = ["penalties", "temperature", "top_k", "top_p", "min_p"]
#: llama.cpp's cache of prompts gives a request what was computed under another adapter, or another scale.
LLAMA_CPP_CACHE = {"cache_prompt": False}
#: Tokens that llama.cpp looks back for a repetition: more than a context has.
_LLAMA_CPP_WINDOW = 1 << 17


@dataclass(frozen=True)
class Kind:
    """A program that serves models.

    Attributes:
        name: As in ``generate.server.kind``.
        shown: Its name in messages.
        owners: What its list of models says in ``owned_by``.
        sampling: The decoding as keys of a request.
        takes: Settings of ``decode`` beyond temperature and top_p that it takes.
        stops: Stop strings that a request may have; None: any number.
        keeps_stops: Whether the stop string ends its text, so that we see it.
        lists_models: Whether its list of models holds every name that it answers to.
        lists_adapters: Whether adapters are in that list.
        shared_seed: Whether one seed is set for all its requests, so that they must come one by one.
    """

    name: ServerKind
    shown: str
    owners: frozenset[str]
    sampling: Callable[[DecodeConfig], dict[str, Any]]
    takes: frozenset[str] = frozenset()
    stops: int | None = None
    keeps_stops: bool = False
    lists_models: bool = True
    lists_adapters: bool = True
    shared_seed: bool = False


def _plain(decode: DecodeConfig) -> dict[str, Any]:
    if decode.strategy == "greedy":
        return {"temperature": 0.0}
    # TGI refuses a top_p of 1, which says nothing.
    nucleus = {} if decode.top_p == 1 else {"top_p": decode.top_p}
    return {"temperature": decode.temperature, **nucleus}


def _full(decode: DecodeConfig) -> dict[str, Any]:
    """Every setting, said: vLLM has defaults of its own, from the model's ``generation_config.json``."""
    sampled = decode.strategy == "sample"
    return {
        "temperature": decode.temperature if sampled else 0.0,
        "top_p": decode.top_p if sampled else 1.0,
        "top_k": decode.top_k if sampled and decode.top_k else -1,
        "min_p": decode.min_p if sampled else 0.0,
        "repetition_penalty": decode.repetition_penalty,
    }


def _vllm(decode: DecodeConfig) -> dict[str, Any]:
    return {**_full(decode), "include_stop_str_in_output": True}


def _sglang(decode: DecodeConfig) -> dict[str, Any]:
    return {**_full(decode), "no_stop_trim": True}


def _llama_cpp(decode: DecodeConfig) -> dict[str, Any]:
    row = _full(decode)
    penalty = row.pop("repetition_penalty")
    window = {} if penalty == 1 else {"repeat_last_n": _LLAMA_CPP_WINDOW}
    row |= {"top_k": max(0, row["top_k"]), "repeat_penalty": penalty, **window}
    return {**row, "samplers": _LLAMA_CPP_ORDER, **LLAMA_CPP_CACHE}


def _transformers(decode: DecodeConfig) -> dict[str, Any]:
    """It samples only if its generation config says so; of a request it reads temperature and top_p alone."""
    sampled = decode.strategy == "sample"
    config: dict[str, Any] = {"do_sample": sampled, "repetition_penalty": decode.repetition_penalty}
    if sampled:
        config |= {"temperature": decode.temperature, "top_p": decode.top_p, "top_k": decode.top_k}
        config |= {"min_p": decode.min_p} if decode.min_p else {}
    return {"generation_config": json.dumps(config)}


_EVERY = frozenset({"top_k", "min_p", "repetition_penalty"})

KINDS: Mapping[ServerKind, Kind] = {
    kind.name: kind
    for kind in (
        Kind("vllm", "vLLM", frozenset({"vllm"}), _vllm, _EVERY, keeps_stops=True),
        Kind(
            "sglang",
            "SGLang",
            frozenset({"sglang"}),
            _sglang,
            _EVERY,
            keeps_stops=True,
            lists_adapters=False,
        ),
        Kind(
            "llama.cpp",
            "llama.cpp",
            frozenset({"llamacpp"}),
            _llama_cpp,
            _EVERY,
            lists_adapters=False,
        ),
        Kind(
            "tgi",
            "TGI",
            frozenset(),
            _plain,
            stops=4,
            lists_models=False,
            lists_adapters=False,
        ),
        Kind(
            "transformers",
            "transformers serve",
            frozenset(),
            _transformers,
            _EVERY,
            keeps_stops=True,
            lists_models=False,
            lists_adapters=False,
            shared_seed=True,
        ),
        Kind("openai", "an OpenAI-compatible server", frozenset(), _plain, stops=4),
    )
}


def kind_of_owner(owner: str) -> Kind | None:
    """The program whose list of models says this in ``owned_by``."""
    return next((kind for kind in KINDS.values() if owner.lower() in kind.owners), None)


def check_decode(kind: Kind, decode: DecodeConfig) -> None:
    """Refuse a way of decoding that the server cannot be asked for.

    Raises:
        FlextuneError: Names the setting.
    """
    if decode.strategy == "beam":
        raise FlextuneError(
            "decode.strategy: beam needs generate.engine: local; an OpenAI-compatible request has no beams"
        )
    sampled = decode.strategy == "sample"
    neutral = {"top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0}
    for key, default in neutral.items():
        value = getattr(decode, key)
        read = sampled or key == "repetition_penalty"
        if read and value != default and key not in kind.takes:
            known = ", ".join(other.name for other in KINDS.values() if key in other.takes)
            raise FlextuneError(
                f"decode.{key}: {value:g} cannot be asked of a server of kind {kind.name} "
                f"(kinds that take it: {known}); set generate.server.kind, or leave it out"
            )


def sent_stops(kind: Kind, stops: Sequence[str]) -> list[str]:
    """The stop strings that a request names: all that the server takes. The rest is cut here."""
    return [stop for stop in stops if stop][: kind.stops]
