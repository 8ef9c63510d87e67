"""What the models of an experiment are called on a server."""

from __future__ import annotations

from pathlib import Path

from flextune.config import Experiment
from flextune.errors import FlextuneError
from flextune.generation.server.served import Served
from flextune.models.names import without_revision
from flextune.runs import layout


def served_model(arm: Experiment) -> str | None:
    """The base model's name on the arm's server; None where the arm decodes here."""
    generate = arm.generate
    if generate.engine != "server" or generate.server is None:
        return None
    # A server lists the name alone.
    return generate.server.model or without_revision(arm.model)[0]


class ServedNames:
    """Names of the adapters of an experiment; remembers them, so that none stands for two."""

    def __init__(self) -> None:
        self._adapters: dict[tuple[str, str], tuple[str | None, Path | None]] = {}

    def of(self, arm: Experiment, training: str | None, folder: Path | None, seed: int) -> Served | None:
        """An arm's model as its server has it; None where the arm decodes here.

        Args:
            arm: An arm of the experiment.
            training: Key of the arm's training with this seed.
            folder: Of an adapter that was trained elsewhere.
            seed: Of the training.

        Raises:
            FlextuneError: One name would stand for two adapters.
        """
        model, server = served_model(arm), arm.generate.server
        if model is None or server is None:
            return None
        name = _adapter_name(server.adapter, training, folder, seed)
        if name is None:
            return Served(server, model)
        own = (training, folder)
        if self._adapters.setdefault((server.url, name), own) != own:
            raise FlextuneError(
                f"arm {arm.name}: generate.server.adapter: {name!r} would stand for two adapters; write "
                "{key} or {seed} into it, or set it in the one arm that has it"
            )
        return Served(server, model, name, arm.generate.scale, folder)


def _adapter_name(given: str | None, training: str | None, folder: Path | None, seed: int) -> str | None:
    """None for the base model."""
    if training is not None:
        return (given or "{key}").replace("{key}", training).replace("{seed}", str(seed))
    if given is not None and ("{key}" in given or "{seed}" in given):
        given = None
    if given is None and folder is not None:
        return folder.parent.name if folder.name == layout.ADAPTER else folder.name
    return given
