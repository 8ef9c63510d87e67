"""The section ``generate.server``: a model that another program serves."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from flextune.config.section import Float, Int, Section

ServerKind = Literal["vllm", "sglang", "llama.cpp", "tgi", "transformers", "openai"]
Endpoint = Literal["completions", "chat"]


class ServerConfig(Section):
    """Where the model is served, and under which names."""

    url: str = Field(description="Base URL of the OpenAI-compatible API: http://127.0.0.1:8000/v1.")
    kind: ServerKind = Field(
        "openai", description="The program that serves: it decides what a request may ask. openai: any other."
    )
    endpoint: Endpoint = Field(
        "completions", description="completions continues the prompt; chat sends it as a user's message."
    )
    model: str | None = Field(
        None, min_length=1, description="The base model's name on the server. null: the experiment's model."
    )
    adapter: str | None = Field(
        None,
        min_length=1,
        description="The adapter's name on the server; {key} and {seed} stand for those of its training. "
        "null: the training key, or the name of the folder.",
    )
    canary: bool = Field(
        True, description="Refuse an adapter that changes no greedy answer of the server, before all else."
    )
    concurrency: Int = Field(16, ge=1, le=1024, description="Largest number of requests at once.")
    timeout: Float = Field(600.0, gt=0, description="Seconds that one request may take.")
    retries: Int = Field(
        8, ge=0, description="Tries after a failed one: busy (429), broken (5xx), cut off, garbled or late."
    )
    api_key_env: str = Field(
        "FLEXTUNE_API_KEY",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="Environment variable that holds the API key; the key itself is never stored.",
    )

    @field_validator("url")
    @classmethod
    def _plain(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("a URL begins with http:// or https:// and names a host")
        if parts.username or parts.password or parts.query:
            raise ValueError("a URL is stored: put the API key into the environment (api_key_env)")
        return url.rstrip("/")
