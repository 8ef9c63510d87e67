"""The arms of an experiment: named variations of it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from flextune.config.names import NAME_PATTERN
from flextune.config.section import Float, Section

Ratio = Annotated[Float, Field(gt=1)]

#: What an arm cannot set.
NOT_OF_AN_ARM = ("name", "arms", "seeds", "tune", "match", "contrasts", "sweep")


class ArmConfig(Section):
    """A named variation: every other key of the experiment may stand here, and is merged deeply into it.

    ``train: null`` is the base model itself.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str = Field(pattern=NAME_PATTERN, description="Names the arm in tables and folders.")
    tune: dict[str, Ratio] | None = Field(
        default_factory=dict,
        description="Settings to tune for this arm, too, beyond the experiment's. null: it is not tuned.",
    )

    match: str | None = Field(
        None,
        description="A setting, penalty.strength for one, that is searched until the arm's update has the"
        " norm of the arm that the section `match` names.",
    )

    @property
    def settings(self) -> dict[str, Any]:
        """The keys that it sets; ``adapter: PATH`` says that an adapter is ready and nothing is trained."""
        given = dict(self.model_extra or {})
        if isinstance(given.get("adapter"), str):
            served = given.get("generate")
            folder = {"adapter": given.pop("adapter")}
            given = {"train": None, **given, "generate": {**(served or {}), **folder}}
        return given

    def with_settings(self, settings: dict[str, Any]) -> ArmConfig:
        """The arm with other keys set, and with nothing to tune or match."""
        return ArmConfig.model_validate({**settings, "name": self.name, "tune": None})
