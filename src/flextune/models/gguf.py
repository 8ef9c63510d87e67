"""Models from a GGUF file: dequantised when loaded, and from then on models like any other.

transformers reads the file. What it leaves behind is mended here: a model that refuses to be saved, one
matrix that the file holds twice, and a single end-of-text token where the model uses several.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from flextune.extras import need

SUFFIX = ".gguf"

#: Tokens that end a text in the families that are shipped as GGUF, where a vocabulary holds them.
_ENDS = (
    "<|endoftext|>",
    "<|im_end|>",
    "<|end_of_text|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end|>",
    "<|return|>",
    "<end_of_turn>",
    "<|endofturn|>",
    "<｜end▁of▁sentence｜>",
    "</s>",
)
#: Cosine of two matrices that are one matrix in two roundings; of different ones it is near 0.
_SAME = 0.98


class GgufName(NamedTuple):
    """Where a GGUF file lies.

    Attributes:
        place: A folder, or a hub id.
        file: Its name there.
    """

    place: str
    file: str

    @property
    def local(self) -> Path | None:
        """The file on this machine; None for one of the hub."""
        return None if ":" in self.spelled else Path(self.spelled).expanduser()

    @property
    def spelled(self) -> str:
        """As a user writes it."""
        return f"{self.place}:{self.file}" if _is_hub_id(self.place) else str(Path(self.place) / self.file)


def is_gguf(name: Path | str) -> bool:
    """Whether a file's name is that of a GGUF file."""
    return str(name).lower().endswith(SUFFIX)


def gguf_name(name: str) -> GgufName | None:
    """``FOLDER/FILE.gguf`` or ``OWNER/REPOSITORY:FILE.gguf``; None for any other name of a model."""
    if not is_gguf(name):
        return None
    repository, colon, file = name.rpartition(":")
    if colon and _is_hub_id(repository):
        return GgufName(repository, file)
    path = Path(name).expanduser()
    return GgufName(str(path.parent), path.name)


def _is_hub_id(place: str) -> bool:
    return place.count("/") == 1 and not place.startswith((".", "/", "~")) and not Path(place).is_dir()


def need_gguf(name: str) -> None:
    """Look for the package that reads the file.

    Raises:
        FlextuneError: It is missing; says the command that adds it.
    """
    need("gguf", what=f"model {name!r}: a GGUF file")


def as_plain_model(model: Any, tokenizer: Any) -> None:
    """Make a model that came from a GGUF file one that can be merged, saved and stopped like any other."""
    model.hf_quantizer, model.is_quantized, model.quantization_method = None, False, None
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    _tie(model)
    declared = model.generation_config.eos_token_id
    declared = declared if isinstance(declared, list) else [declared]
    ends = [*declared, tokenizer.eos_token_id, *_end_tokens(tokenizer)]
    model.generation_config.eos_token_id = list(dict.fromkeys(end for end in ends if end is not None))


def _end_tokens(tokenizer: Any) -> list[int]:
    vocabulary = tokenizer.get_vocab()
    return [vocabulary[text] for text in _ENDS if text in vocabulary]


@contextmanager
def without_bar() -> Iterator[None]:
    """Load without the progress bar of the conversion, which knows no switch."""
    from transformers import modeling_gguf_pytorch_utils as conversion

    shown = conversion.tqdm
    conversion.tqdm = partial(shown, disable=True)
    try:
        yield
    finally:
        conversion.tqdm = shown


def _tie(model: Any) -> None:
    """Let embeddings and head share one matrix where the file holds it twice, rounded in two ways.

    The head's is kept: files hold it with more bits.
    """
    import torch

    embeddings, head = model.get_input_embeddings(), model.get_output_embeddings()
    if head is None or head.weight is embeddings.weight or head.weight.shape != embeddings.weight.shape:
        return
    first, second = (module.weight.detach().flatten().float() for module in (embeddings, head))
    if torch.nn.functional.cosine_similarity(first, second, dim=0) < _SAME:
        return
    model.config.tie_word_embeddings = True
    embeddings.weight = head.weight
    model.tie_weights()
