"""Models in memory: one base model at a time, in the forms that the evaluations want."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flextune.extras import need
from flextune.runner.plan import BaseModel, Form
from flextune.runs.run import Run

if TYPE_CHECKING:
    from flextune.models.load import LoadedModel


class ModelStore:
    """Loads models when something first needs them; of base models it keeps the last one.

    Args:
        run: Where adapters that were trained here lie.
    """

    def __init__(self, run: Run | None = None) -> None:
        self._run = run
        self._identities: dict[str, str] = {}
        self._held: tuple[BaseModel, LoadedModel] | None = None

    def identity(self, name: str) -> str:
        """What a model is, found once and without loading it."""
        if name not in self._identities:
            need("torch", "transformers", "peft")
            from flextune.models.load import model_identity

            self._identities[name] = model_identity(name)
        return self._identities[name]

    def base(self, model: BaseModel) -> LoadedModel:
        """A base model in memory; the one before it is let go."""
        if self._held is None or self._held[0] != model:
            from flextune.models.load import load_model

            self._held = None
            loaded = load_model(
                model.name,
                dtype=model.dtype,
                device=model.device,
                quantization=model.quantization,
            )
            self._held = (model, loaded)
        return self._held[1]

    def form(self, form: Form) -> LoadedModel:
        """A form of a model in memory."""
        folder = self._folder(form)
        base = self.base(form.model)
        from flextune.models.merging.served import serve

        return serve(base, folder, form.serving)

    def _folder(self, form: Form) -> Path | None:
        if form.training is None:
            return form.folder
        assert self._run is not None
        return self._run.trained(form.training).adapter
