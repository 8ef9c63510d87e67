"""What is looked at before the first request: whether the server has what is asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from flextune.config import DecodeConfig
from flextune.errors import FlextuneError, did_you_mean
from flextune.generation.server.client import Client
from flextune.generation.server.kinds import KINDS, check_decode, kind_of_owner
from flextune.generation.server.pool import apart
from flextune.generation.server.refusals import check_folder, serve_command
from flextune.generation.server.served import Served


@dataclass(frozen=True)
class There:
    """What a server has.

    Attributes:
        window: Tokens of prompt and answer; None where it does not say.
        adapters: llama.cpp's: ids by name.
    """

    window: int | None = None
    adapters: Mapping[str, int] = field(default_factory=dict)


def check_served(served: Served, decodes: Sequence[DecodeConfig], *, adapter: bool = True) -> None:
    """Refuse before any work what a server cannot do, and find out whether it is there.

    Args:
        served: The model.
        decodes: All ways of decoding that will be asked for.
        adapter: False where the adapter is still to be trained, so that no server can have it.

    Raises:
        FlextuneError: As ``check_decode``, ``check_folder`` and ``look``.
    """
    for decode in decodes:
        check_decode(KINDS[served.config.kind], decode)
    if served.folder is not None:
        check_folder(served.config.kind, served.folder)

    async def there() -> There:
        async with Client(served.config) as client:
            return await look(client, served, adapter=adapter)

    apart(there)


async def look(client: Client, served: Served, *, adapter: bool = True) -> There:
    """Whether a server answers, is of the kind that is said, and has the model and the adapter.

    Args:
        client: Open.
        served: The model.
        adapter: False looks for the base model alone: the adapter is still to be trained.

    Raises:
        FlextuneError: One line for what is wrong.
    """
    config, kind = served.config, KINDS[served.config.kind]
    rows = await client.models(needed=kind.lists_models)
    for owner in {str(row.get("owned_by", "")) for row in rows}:
        real = kind_of_owner(owner)
        if real is not None and real is not kind:
            raise FlextuneError(
                f"{config.url}: the server is {real.shown}; set generate.server.kind: {real.name} "
                f"(--server-kind {real.name}), not {kind.name}"
            )
    names = [str(row.get("id")) for row in rows]
    if kind.lists_models and served.model not in names:
        raise FlextuneError(f"{config.url}: {_missing('model', served.model, names)}")
    adapters = await _llama_cpp_adapters(client) if kind.name == "llama.cpp" else {}
    if adapter and served.adapter is not None:
        listed = adapters if kind.name == "llama.cpp" else names if kind.lists_adapters else None
        if listed is not None and served.adapter not in listed:
            command = serve_command(kind.name, served.adapter, served.folder)
            raise FlextuneError(
                f"{config.url}: {_missing('adapter', served.adapter, list(listed))}"
                f"{f'; start it with: {command}' if command else ''}"
            )
    return There(_window(rows, served), adapters)


async def _llama_cpp_adapters(client: Client) -> dict[str, int]:
    """Ids by file name, with its ending and without, and by the id itself."""
    adapters: dict[str, int] = {}
    for row in await client.llama_cpp_adapters():
        number, path = int(row["id"]), PurePath(str(row.get("path", "")))
        for name in (path.name, path.stem, str(number)):
            if name:
                adapters.setdefault(name, number)
    return adapters


def _missing(what: str, name: str, there: list[str]) -> str:
    known = ", ".join(there) if there else "none"
    return f"no {what} {name!r} there (it has: {known}){did_you_mean(name, there)}"


def _window(rows: list[Mapping[str, Any]], served: Served) -> int | None:
    for row in rows:
        if row.get("id") == served.model:
            meta = row.get("meta")
            window = row.get("max_model_len") or (meta.get("n_ctx") if isinstance(meta, Mapping) else None)
            return int(window) if window else None
    return None
