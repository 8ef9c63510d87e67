"""What every optimizer of the section ``optimizer`` is."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from flextune.config.section import Float, Section

Decay = Annotated[Float, Field(ge=0, lt=1)]
Betas = tuple[Decay, Decay]


class OptimizerConfig(Section):
    """What moves the adapter; ``train`` has the learning rate, its schedule, weight decay and clipping.

    A subclass is one optimizer; ``flextune.registry.OPTIMIZERS.register(name, subclass)`` makes it known.

    Attributes:
        label: What tables and figures call it.
        package: Import name of a package that it needs, to be looked for before anything is done.
    """

    label: ClassVar[str]
    package: ClassVar[str | None] = None

    name: str

    def options(self) -> dict[str, Any]:
        """The name and every option that is used, as JSON."""
        return self.model_dump(mode="json", exclude_none=True)

    def given(self) -> dict[str, Any]:
        """The name unless it is adamw, and the options that differ from the defaults of the name."""
        defaults = {**self._defaults().options(), "name": "adamw"}
        return {key: value for key, value in self.options().items() if value != defaults.get(key)}

    def _defaults(self) -> OptimizerConfig:
        return type(self).model_validate({"name": self.name})

    def training_arguments(self) -> dict[str, Any]:
        """What it sets among ``transformers.TrainingArguments``."""
        return {}

    def trainer_arguments(self, learning_rate: float) -> dict[str, Any]:
        """What it hands to ``FlexTrainer``: ``optimizer_cls_and_kwargs``, or ``sophia`` and ``estimator``."""
        return {}
