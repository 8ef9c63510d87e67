"""The connection to a server: requests in, replies out, with every failure in one line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flextune.config import ServerConfig
from flextune.errors import FlextuneError, one_line
from flextune.extras import need
from flextune.generation.server.asks import GarbledReplyError, Reply, reply_of
from flextune.generation.server.retrying import Patience, passes, patiently

if TYPE_CHECKING:
    from openai import AsyncOpenAI

#: Seconds in which a server must take a connection, and answer what costs it nothing.
_CONNECT, _LISTS = 10.0, 30.0
_HASTY = Patience(2, first=0.1, longest_told=0.1)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PATHS = {"completions": "/completions", "chat": "/chat/completions"}
#: What servers say of a prompt, or a prompt and its answer, that their context cannot hold.
_TOO_LONG = ("context length", "context size", "max_new_tokens", "maximum context", "too long", "max_tokens")


class TooLongError(Exception):
    """The prompt with its answer is longer than the model's window there."""


class Client:
    """One server, for one event loop.

    Args:
        config: Where it is.
        patience: How often a request is tried again; None: as the configuration says.

    Raises:
        FlextuneError: The package openai is missing.
    """

    def __init__(self, config: ServerConfig, patience: Patience | None = None) -> None:
        need("openai", what="generate.engine: server")
        self.config = config
        self._patience = patience or Patience(config.retries)
        self._key = os.environ.get(config.api_key_env, "")
        self._client: AsyncOpenAI | None = None

    async def __aenter__(self) -> Client:
        import openai

        address = urlsplit(self.config.url)
        http_client = openai.DefaultAsyncHttpxClient(
            # A proxy cannot reach the loopback interface of this machine.
            trust_env=address.hostname not in _LOOPBACK,
            # Reading the certificates takes longer than a request, and plain HTTP has none.
            verify=address.scheme == "https",
            follow_redirects=False,
            limits=_limits(self.config),
        )
        others: Any = {"OpenAI-Organization": openai.Omit(), "OpenAI-Project": openai.Omit()}
        self._client = openai.AsyncOpenAI(
            # Without a key some servers ask for none; the client insists on a text.
            api_key=self._key or "none",
            base_url=self.config.url,
            max_retries=0,
            timeout=openai.Timeout(self.config.timeout, connect=_CONNECT),
            # Organization and project of the environment are for another server.
            default_headers=others,
            http_client=http_client,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()

    async def models(self, *, needed: bool = True) -> list[Mapping[str, Any]]:
        """The rows of the server's list of models.

        Args:
            needed: False: a server that cannot list them (transformers serve without a hub cache) has none.

        Raises:
            FlextuneError: Nobody answers there, or no such API.
        """
        response = await self._get("/models", without=None if needed else {"data": []})
        rows = response.get("data") if isinstance(response, Mapping) else None
        if not isinstance(rows, list):
            raise FlextuneError(f"{self.config.url}: no list of models there; does the URL end in /v1?")
        return [row for row in rows if isinstance(row, Mapping)]

    async def llama_cpp_adapters(self) -> list[Mapping[str, Any]]:
        """The adapters that a llama.cpp server has loaded: id, path and scale."""
        address = urlsplit(self.config.url)
        rows = await self._get(f"{address.scheme}://{address.netloc}/lora-adapters")
        return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []

    async def complete(self, body: Mapping[str, Any], what: str, *, patient: bool = True) -> Reply:
        """One answer.

        Args:
            body: Of the request.
            what: Names it in messages.
            patient: Whether a failed request is tried again for as long as the configuration says; else
                only as often as one stale connection needs.

        Raises:
            TooLongError: The model's window cannot hold it.
            FlextuneError: It failed for good.
        """
        patience = self._patience if patient else _HASTY

        async def send() -> Reply:
            path = _PATHS[self.config.endpoint]
            return reply_of(await self._open.post(path, cast_to=object, body=dict(body)))

        try:
            return await patiently(send, patience)
        except Exception as error:
            if _is_too_long(error):
                raise TooLongError from None
            raise self._failure(error, what, patience.retries) from None

    @property
    def _open(self) -> AsyncOpenAI:
        assert self._client is not None
        return self._client

    async def _get(self, path: str, *, without: Any = None) -> Any:
        """What lies at a path, or ``without`` where the server has nothing there."""
        import openai

        try:
            timeout = openai.Timeout(_LISTS, connect=_CONNECT)
            return await self._open.get(path, cast_to=object, options={"timeout": timeout})
        except Exception as error:
            status = getattr(error, "status_code", None)
            if without is not None and (status == 404 or (status or 0) >= 500):
                return without
            raise self._failure(error, path.rpartition("/")[2], 0) from None

    def _failure(self, error: Exception, what: str, retries: int) -> Exception:
        """One line for what went wrong; an error that is no server's fault as it is."""
        import openai

        url, tries = self.config.url, f" after {retries + 1} tries" if retries and passes(error) else ""
        if isinstance(error, openai.APITimeoutError):
            seconds = f"{self.config.timeout:g} s"
            return FlextuneError(
                f"{url}: {what}: no answer in {seconds}{tries}; raise generate.server.timeout, "
                "or lower generate.server.concurrency"
            )
        if isinstance(error, openai.APIStatusError):
            return FlextuneError(f"{url}: {what}: {self._status(error, what, tries)}")
        if isinstance(error, openai.APIConnectionError):
            reason = one_line(error.__cause__ or error)
            return FlextuneError(
                f"{url}: {what}: no connection{tries} ({reason}); is the server running, and the URL right?"
            )
        if isinstance(error, (GarbledReplyError, ValueError)):
            reason = one_line(error) if isinstance(error, GarbledReplyError) else "not JSON"
            return FlextuneError(f"{url}: {what}: a garbled reply{tries} ({reason})")
        return error

    def _status(self, error: Any, what: str, tries: str) -> str:
        status = error.status_code
        if status in (401, 403):
            variable = f"${self.config.api_key_env}"
            asked = (
                f"refuses the API key of {variable}"
                if self._key
                else f"wants an API key; put it into {variable}"
            )
            return f"the server {asked} (HTTP {status})"
        said = _said(error)
        # Some servers repeat the key that they refuse.
        said = said.replace(self._key, "***") if self._key else said
        # Nothing about the model: the path itself is unknown.
        hint = "; does the URL end in /v1?" if status == 404 and what == "models" else ""
        return f"HTTP {status}{tries}{f' ({said})' if said else ''}{hint}"


def _limits(config: ServerConfig) -> Any:
    """As many connections as requests: the client's own limit is lower than some concurrencies."""
    import openai

    limits = openai.DEFAULT_CONNECTION_LIMITS
    return type(limits)(max_connections=config.concurrency + 1, max_keepalive_connections=config.concurrency)


def _said(error: Any) -> str:
    """What the server says of an error, in a line of 200 characters at most."""
    body: Any = error.body
    for key in ("error", "message", "detail"):
        if isinstance(body, Mapping) and key in body:
            body = body[key]
    text = body if isinstance(body, str) else str(body) if body else ""
    text = " ".join(text.split())
    # A page of a proxy says nothing.
    return "" if text.startswith("<") else text[:200]


def _is_too_long(error: Exception) -> bool:
    import openai

    refused = isinstance(error, openai.APIStatusError) and error.status_code in (400, 413, 422)
    return refused and any(words in _said(error).lower() for words in _TOO_LONG)
