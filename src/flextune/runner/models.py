"""Models in memory: one base model at a time, in the forms that the evaluations want."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from flextune.extras import need
from flextune.progress import Reporter, Silent
from flextune.records import Example
from flextune.runner.work import BaseModel, Form, Start
from flextune.runs.run import Run

if TYPE_CHECKING:
    from flextune.generation.engine import Engine
    from flextune.models.load import LoadedModel


class ModelStore:
    """Loads models when something first needs them; of base models it keeps the last one.

    Args:
        run: Where adapters that were trained here lie.
        reporter: Told of each base model before it is loaded.
    """

    def __init__(self, run: Run | None = None, reporter: Reporter | None = None) -> None:
        self._run = run
        self._reporter = reporter or Silent()
        self._identities: dict[str, str] = {}
        self._held: tuple[BaseModel, LoadedModel] | None = None
        #: Parameters of every base model that was loaded, by name.
        self.parameters: dict[str, int] = {}

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
            self._reporter.note(f"loading model {model.name} in {model.dtype}")
            loaded = load_model(
                model.name,
                dtype=model.dtype,
                device=model.device,
                quantization=model.quantization,
            )
            for start in model.merged:
                loaded = self._merged(loaded, start)
            self._held = (model, loaded)
            self.parameters[model.name] = loaded.model.num_parameters()
        return self._held[1]

    def start_folder(self, start: Start) -> Path:
        """Folder of an adapter that a training begins with."""
        if start.folder is not None:
            return start.folder
        assert self._run is not None
        return self._run.trained(str(start.training)).adapter

    def _merged(self, loaded: LoadedModel, start: Start) -> LoadedModel:
        from flextune.models.merging.memory import merge_adapter

        return merge_adapter(loaded, self.start_folder(start))

    def form(self, form: Form) -> LoadedModel:
        """A form of a model in memory."""
        from flextune.models.merging.served import serve

        if (folder := self._whole(form)) is not None:
            return serve(self._loaded(folder, form.model), None, form.serving.of_base())
        return serve(self.base(form.model), self._folder(form), form.serving)

    def _whole(self, form: Form) -> Path | None:
        """Folder of a model all of whose weights were trained here; None for an adapter and a base model."""
        if form.training is None or self._run is None or not self._run.trained(form.training).is_whole:
            return None
        return self._run.trained(form.training).model

    def _loaded(self, folder: Path, model: BaseModel) -> LoadedModel:
        from flextune.models.load import load_model

        loaded = load_model(str(folder), dtype=model.dtype, device=model.device)
        # Under its own name the embedded model is decoded as it always is.
        return replace(loaded, name=model.name)

    def engine(self, form: Form) -> Engine:
        """What answers for a form of a model: this process, or the server that has it."""
        if form.served is not None:
            from flextune.generation.server import ServerEngine

            return ServerEngine(replace(form.served, folder=self._folder(form)))
        from flextune.generation.local import LocalEngine

        return LocalEngine(self.form(form))

    def _folder(self, form: Form) -> Path | None:
        if form.training is None:
            return form.folder
        assert self._run is not None
        return self._run.trained(form.training).adapter


def written_examples(model: str, examples: list[Example]) -> list[Example]:
    """Examples whose conversations are written out by a model's chat template; the model is not loaded.

    Raises:
        FlextuneError: As ``flextune.models.chat.written_out``; or no such model.
    """
    if not any(example.messages for example in examples):
        return examples
    need("torch", "transformers")
    from flextune.models.chat import written_out
    from flextune.models.load import load_tokenizer

    return written_out(load_tokenizer(model), examples, model)
