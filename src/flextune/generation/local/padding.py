"""Which prompts may share a batch, so that an answer is the one that the prompt gets alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from flextune.generation.local.cache import forward_parameters, state_name

if TYPE_CHECKING:
    from transformers import PreTrainedModel

#: ``any``: prompts of all lengths, padded; ``equal``: prompts of one length; ``none``: one prompt at a time.
Sharing = Literal["any", "equal", "none"]

#: Models that get no positions and need none: ALiBi counts from the mask, Mamba's states skip what it hides.
_WITHOUT_POSITIONS = frozenset({"bloom", "mpt", "mamba", "mamba2", "falcon_mamba"})
#: Models with a mask and positions whose recurrent states take in the padding all the same.
_RECURRENT = frozenset({"minimax", "recurrent_gemma"})


def sharing(model: PreTrainedModel) -> Sharing:
    """Which prompts can be decoded together without changing an answer.

    A model hides padding with a mask and counts positions from the first token of the text. One whose forward
    has no parameter for either cannot; of the others, a table names those that were measured to fail.
    """
    model_type = model.config.model_type
    parameters = forward_parameters(model)
    # RWKV alone. With more rows than one it adds the states of each row to all (transformers 5.23).
    if state_name(model) == "state":
        return "none"
    if model_type in _RECURRENT or "attention_mask" not in parameters:
        return "equal"
    return "any" if "position_ids" in parameters or model_type in _WITHOUT_POSITIONS else "equal"
