"""Prompts that a server can be given."""

from __future__ import annotations

from collections.abc import Iterable

from flextune.config import ServerConfig
from flextune.errors import FlextuneError
from flextune.generation.engine import Prompt


def check_posed(config: ServerConfig, prompts: Iterable[Prompt]) -> None:
    """Refuse prompts that a server cannot be given.

    Args:
        config: The server.
        prompts: Those of a template; none where every problem is posed as it is.

    Raises:
        FlextuneError: Turns for the endpoint that continues, a text for the one that answers, a gap to fill,
            or tokens to take back.
    """
    for prompt in prompts:
        if prompt.suffix is not None:
            raise FlextuneError(
                "generate.prompt: servers have no endpoint for infilling in common; use engine: local"
            )
        if prompt.healing:
            raise FlextuneError("generate.token_healing: needs the model's tokens; use engine: local")
        if prompt.messages and config.endpoint != "chat":
            raise FlextuneError("generate.prompt: it asks in turns; set generate.server.endpoint: chat")
        if not prompt.messages and config.endpoint == "chat":
            raise FlextuneError(
                "generate.prompt: it is continued; set generate.server.endpoint: completions, "
                "or use a prompt that asks in turns (chat)"
            )
