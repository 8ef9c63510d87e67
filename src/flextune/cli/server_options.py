"""Options for a model that a server has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Optional

import typer

#: The keys of ``generate.server``, and the options that set them.
OPTIONS = {
    "url": "server",
    "kind": "server-kind",
    "endpoint": "endpoint",
    "model": "served-model",
    "adapter": "served-adapter",
    "concurrency": "concurrency",
    "timeout": "request-timeout",
    "retries": "retries",
    "api_key_env": "api-key-env",
}


_PANEL = "A server that has the model"


def _option(name: str, text: str, metavar: str | None = None) -> Any:
    return typer.Option(name, help=text, metavar=metavar, show_default=False, rich_help_panel=_PANEL)


@dataclass(frozen=True)
class ServerOptions:
    """The section ``generate.server`` as options."""

    server: Annotated[
        Optional[str],  # noqa: UP045 - typer reads it at run time
        _option(
            "--server",
            "Ask the server at this base URL (http://host:port/v1) instead of decoding here.",
            "URL",
        ),
    ] = None
    server_kind: Annotated[
        Optional[str],  # noqa: UP045
        _option(
            "--server-kind",
            "Its program: vllm, sglang, llama.cpp, tgi, transformers; openai: any other (default).",
        ),
    ] = None
    endpoint: Annotated[
        Optional[str],  # noqa: UP045
        _option("--endpoint", "What is asked: completions (default) or chat."),
    ] = None
    served_model: Annotated[
        Optional[str],  # noqa: UP045
        _option("--served-model", "The base model's name there (default: MODEL)."),
    ] = None
    served_adapter: Annotated[
        Optional[str],  # noqa: UP045
        _option("--served-adapter", "The adapter's name there (default: that of its folder)."),
    ] = None
    concurrency: Annotated[
        Optional[int],  # noqa: UP045
        _option("--concurrency", "Largest number of requests at once (default: 16)."),
    ] = None
    request_timeout: Annotated[
        Optional[float],  # noqa: UP045
        _option("--request-timeout", "Seconds that a request may take (default: 600)."),
    ] = None
    retries: Annotated[
        Optional[int],  # noqa: UP045
        _option("--retries", "Further tries after a failed request (default: 8)."),
    ] = None
    api_key_env: Annotated[
        Optional[str],  # noqa: UP045
        _option("--api-key-env", "Variable that holds the API key (default: FLEXTUNE_API_KEY).", "NAME"),
    ] = None
    no_canary: Annotated[
        bool, _option("--no-canary", "Ask also for an adapter that changes no greedy answer there.")
    ] = False

    def section(self) -> dict[str, Any] | None:
        """The keys that were given; None where the model is decoded here.

        Raises:
            FlextuneError: An option of a server without ``--server``.
        """
        from flextune.errors import FlextuneError

        given = {key: getattr(self, option.replace("-", "_")) for key, option in OPTIONS.items()}
        given = {key: value for key, value in given.items() if value is not None}
        if self.no_canary:
            given["canary"] = False
        if self.server is None and given:
            key = next(iter(given))
            raise FlextuneError(f"--{OPTIONS.get(key, 'no-canary')} needs --server URL")
        return given or None
