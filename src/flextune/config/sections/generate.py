"""The section ``generate``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from flextune.config.section import Float, Section
from flextune.config.sections.server import ServerConfig


class GenerateConfig(Section):
    """Which form of the model answers the benchmarks; nothing in it changes a training."""

    export: Literal["adapter", "merged"] = Field(
        "adapter", description="Whether the adapter stays apart from the weights or is merged into them."
    )
    scale: Float = Field(
        1.0, ge=0, le=1, description="What the trained update is multiplied by (0: the base model)."
    )
    spectral_norm: Float | None = Field(
        None,
        gt=0,
        description="Largest singular value that the trained update of a module keeps; larger ones are cut "
        "to it. null: all are kept.",
    )
    dtype: Literal["float32", "bfloat16", "float16"] | None = Field(
        None,
        description="All weights are rounded to this type; the model computes in its own. null: no rounding.",
    )
    onto: Literal["weights", "nf4", "fp4"] = Field(
        "weights", description="What the update is added to: the base's weights, or those through four bits."
    )
    rounding: Literal["nearest", "stochastic"] = Field("nearest", description="How weights are rounded.")
    fault: Literal["none", "alpha-twice", "half-the-layers", "another-base", "dropout-on"] = Field(
        "none", description="A mistake of merging tools, made on purpose to measure what it costs."
    )
    prompt: str = Field(
        "completion",
        min_length=1,
        description="How problems are posed: completion, chat, few-shot, chain-of-thought, infilling, "
        "translation, ..., or a template file of your own.",
    )
    token_healing: bool = Field(
        False,
        description="Take back the prompt's last tokens where longer ones begin with their text, and choose "
        "among all tokens that do.",
    )
    stops: Literal["benchmark", "program"] = Field(
        "benchmark",
        description="Where a completion ends. program: helpers that follow are kept too, and both ends are "
        "judged and shown.",
    )
    adapter: str | None = Field(
        None,
        description="Folder of a PEFT adapter that was trained elsewhere; it needs train: null. null: none.",
    )
    engine: Literal["local", "server"] = Field(
        "local", description="Decode in this process, or ask a server that has the model."
    )
    server: ServerConfig | None = Field(None, description="The server of engine: server. null: none.")

    @model_validator(mode="after")
    def _of_the_engine(self) -> GenerateConfig:
        if self.engine == "server":
            if self.server is None:
                raise ValueError("engine: server needs a server: {url: http://127.0.0.1:8000/v1, ...}")
            self._check_served()
        elif self.server is not None and "engine" not in self.model_fields_set:
            raise ValueError("a server is given: say engine: server to use it (or engine: local not to)")
        return self

    def _check_served(self) -> None:
        """A server has weights of its own: what would change them here cannot be asked of it."""
        for key in ("export", "spectral_norm", "dtype", "onto", "rounding", "fault"):
            if (value := getattr(self, key)) != type(self).model_fields[key].default:
                raise ValueError(
                    f"{key}: {value} needs engine: local; a server answers with the weights that it was given"
                )
        if self.scale != 1 and self.server is not None and self.server.kind != "llama.cpp":
            raise ValueError(
                f"scale: {self.scale:g} needs engine: local, or server.kind: llama.cpp; "
                "other servers apply an adapter as a whole"
            )
