"""Load a causal language model with its tokenizer, and say exactly which model it is."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flextune.config import EMBEDDED_MODEL
from flextune.errors import FlextuneError, one_line
from flextune.hub import reach_hub
from flextune.models.adapter_folder import CONFIG as ADAPTER_CONFIG
from flextune.models.adapter_folder import open_adapter
from flextune.models.devices import resolve_device
from flextune.models.gguf import GgufName, as_plain_model, gguf_name, need_gguf, without_bar
from flextune.models.hub_files import hub_file, hub_snapshot
from flextune.models.names import is_local, without_revision
from flextune.models.quantization import quantized_loading, refuse_quantizing_twice, settle
from flextune.rosetta import model_folder

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

DType = Literal["float32", "bfloat16", "float16"]
Quantization = Literal["nf4", "fp4", "int8"]

#: Code of a model runs in the sandbox alone; that of its repository would run here.
_OWN_CODE = (
    "it needs Python code from its own repository, which is not run; take a model that transformers knows,"
    " or a server that has it (--server, generate.engine: server)"
)
_WEIGHT_SUFFIXES = frozenset({".safetensors", ".bin"})
_IDENTITY_SUFFIXES = _WEIGHT_SUFFIXES | {".json", ".model", ".txt"}
_WHOLE_FILE_BYTES = 256 * 2**20
_SAMPLES, _SAMPLE_BYTES = 256, 64 * 2**10


@dataclass(frozen=True)
class LoadedModel:
    """A model ready for use: in evaluation mode, on its device, no parameter trainable.

    Attributes:
        model: The causal language model, or a ``PeftModel`` around it.
        tokenizer: Its tokenizer; a padding token is always set.
        name: What the user called it.
        identity: What it is: ``name@commit`` from the hub, ``sha256:...`` of the files otherwise.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    name: str
    identity: str

    @property
    def commit(self) -> str | None:
        """Its commit on the hub; None for a model of this machine."""
        return without_revision(self.identity)[1]


def load_model(
    name: str,
    *,
    dtype: DType = "float32",
    device: str = "auto",
    quantization: Quantization | None = None,
) -> LoadedModel:
    """Load a model and its tokenizer.

    Args:
        name: ``rosetta`` (the embedded model), a folder in Hugging Face format, a hub id, or a GGUF file
            (``FILE.gguf``, ``OWNER/REPOSITORY:FILE.gguf``). One of the hub may end in ``@REVISION``.
        dtype: Type of the weights.
        device: ``cpu``, ``cuda``, ``cuda:1``, or ``auto``: CUDA where there is one.
        quantization: Keep the linear layers' weights in so many bits; None: as they are.

    Raises:
        FlextuneError: No such model, missing or damaged files, no such device, or no bitsandbytes.
    """
    place = resolve_device(device)
    source, identity, revision = _locate(name)
    tokenizer = _load_tokenizer(name, source, revision)
    if quantization is None:
        model = _load_weights(name, source, revision, dtype, {}).to(place)
    else:
        import torch

        refuse_quantizing_twice(name, model_config(name), quantization)
        loading = quantized_loading(quantization, getattr(torch, dtype), place)
        model = _load_weights(name, source, revision, dtype, loading)
        settle(model)
    if gguf_name(source):
        as_plain_model(model, tokenizer)
    model.eval().requires_grad_(False)
    return LoadedModel(model, tokenizer, name, identity)


def model_identity(name: str) -> str:
    """What ``load_model(name)`` would load, found without reading weights into torch.

    A folder is known by its content, not by its path. Weight files above 256 MiB enter with their size
    and 256 evenly spaced samples of 64 KiB: any further training changes those too.

    Raises:
        FlextuneError: No such model.
    """
    return _locate(name)[1]


def model_config(name: str) -> Any:
    """The transformers configuration of a model, read without its weights.

    Raises:
        FlextuneError: No such model, or a damaged file.
    """
    from transformers import AutoConfig

    source, _, revision = _locate(name)
    place, options = _arguments(source, revision)
    return _read(name, lambda: AutoConfig.from_pretrained(place, **options))


def model_skeleton(model: Any) -> Any:
    """A model without weights, on the meta device: its modules, and the shapes of their parameters.

    Args:
        model: A name as for ``load_model``, or a transformers configuration.

    Raises:
        FlextuneError: No such model, or one that transformers cannot build.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    name = model if isinstance(model, str) else model.model_type

    def build() -> Any:
        config = model
        if isinstance(model, str):
            source, _, revision = _locate(model)
            place, options = _arguments(source, revision)
            config = AutoConfig.from_pretrained(place, **options)
            config.name_or_path = source
        with torch.device("meta"):
            return AutoModelForCausalLM.from_config(config)

    return _read(name, build)


def load_tokenizer(name: str) -> PreTrainedTokenizerBase:
    """A model's tokenizer, without the model; ``load_model`` also sets a padding token.

    Raises:
        FlextuneError: No such model, or a damaged file.
    """
    source, _, revision = _locate(name)
    tokenizer: PreTrainedTokenizerBase = _load_tokenizer(name, source, revision)
    return tokenizer


def model_files(name: str, revision: str | None = None) -> Path:
    """The folder that holds all files of a model; those of a hub id are fetched into the hub's cache.

    Args:
        name: As for ``load_model``.
        revision: Branch, tag or commit of a hub id that names none itself; None: the hub's newest.

    Raises:
        FlextuneError: No such model.
    """
    pinned = without_revision(name)[1] is not None or revision is None or is_local(name)
    source, _, commit = _locate(name if pinned else f"{name}@{revision}")
    if commit is None:
        return Path(source)
    try:
        return hub_snapshot(source, commit)
    except (OSError, ValueError) as error:
        raise FlextuneError(f"model {name!r}: its files cannot be fetched ({one_line(error)})") from error


def _locate(name: str) -> tuple[str, str, str | None]:
    """Where a model lies: source for ``from_pretrained``, identity, commit on the hub."""
    repository, asked = without_revision(name)
    if asked == "":
        raise FlextuneError(f"model {name!r}: no revision after the @; leave it out for the newest")
    if not repository:
        raise FlextuneError(f"model {name!r}: no name before the @; give rosetta, a folder, or a hub id")
    if asked is not None and is_local(repository):
        raise FlextuneError(
            f"model {name!r}: {repository} is on this machine, and only the hub has revisions; leave the"
            f" @{asked} out"
        )
    if (gguf := gguf_name(repository)) is not None:
        return _locate_gguf(name, gguf, asked)
    folder = model_folder() if name == EMBEDDED_MODEL else Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise FlextuneError(f"model {name!r}: no config.json in {folder}; {_what_instead(folder)}")
        return str(folder), _fingerprint(folder), None
    if name == EMBEDDED_MODEL:
        raise FlextuneError(
            f"the embedded model is missing from this installation ({folder}); reinstall flextune"
        )
    if is_local(name) or repository.count("/") > 1:
        raise FlextuneError(f"model {name!r}: no such folder")
    # The cache lays files out as snapshots/<commit>/config.json.
    commit = hub_file(name, repository, "config.json", asked).parent.name
    return repository, f"{repository}@{commit}", commit


def _locate_gguf(name: str, gguf: GgufName, asked: str | None) -> tuple[str, str, str | None]:
    """The same for a GGUF file; one of the hub is fetched, since only its content says what it is."""
    need_gguf(name)
    path, commit = gguf.local, None
    if path is None:
        path = hub_file(name, gguf.place, gguf.file, asked)
        # The cache lays files out as snapshots/<commit>/<name in the repository>.
        commit = path.parents[gguf.file.count("/")].name
    if not path.is_file():
        raise FlextuneError(f"model {name!r}: no such file{_nearest_gguf(path)}")
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise FlextuneError(f"model {name!r}: {path.name} is not a GGUF file")
    if commit is not None:
        return str(path), f"{gguf.spelled}@{commit}", None
    digest = hashlib.sha256()
    _digest_file(digest, path)
    return str(path), f"sha256:{digest.hexdigest()[:32]}", None


def _nearest_gguf(path: Path) -> str:
    """The GGUF files that are in the folder instead, if any."""
    there = sorted(file.name for file in path.parent.glob("*.gguf")) if path.parent.is_dir() else []
    return f" (there are {', '.join(there[:4])})" if there else ""


def _arguments(source: str, revision: str | None) -> tuple[str, dict[str, Any]]:
    """What ``from_pretrained`` gets for a source of ``_locate``."""
    gguf = gguf_name(source)
    # Without an answer transformers asks whether to run a repository's code, in the middle of a run.
    options: dict[str, Any] = {"trust_remote_code": False}
    if gguf is None:
        return source, {**options, "revision": revision}
    return gguf.place, {**options, "gguf_file": gguf.file}


def _what_instead(folder: Path) -> str:
    """What a folder that is no model is, and how to give it."""
    if not (folder / ADAPTER_CONFIG).is_file():
        return "it is not a model folder"
    base = open_adapter(folder).base_model or "MODEL"
    return (
        f"it is an adapter: give it with its base model, as {base}+{folder} to a command, or in a file as"
        f" model: {base} with an arm {{name: mine, adapter: {folder}}}"
    )


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in _IDENTITY_SUFFIXES:
            digest.update(f"{path.name}\0{path.stat().st_size}\0".encode())
            _digest_file(digest, path)
    return f"sha256:{digest.hexdigest()[:32]}"


def _digest_file(digest: Any, path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= _WHOLE_FILE_BYTES:
            while block := file.read(2**20):
                digest.update(block)
            return
        for sample in range(_SAMPLES):
            file.seek(sample * (size - _SAMPLE_BYTES) // (_SAMPLES - 1))
            digest.update(file.read(_SAMPLE_BYTES))


def _hub_for(name: str) -> AbstractContextManager[object]:
    """For reading a model that may lie on the hub; a folder and a file need no network."""
    local = gguf_name(name) is not None or is_local(name)
    return contextlib.nullcontext() if local else reach_hub()


def _load_weights(name: str, source: str, revision: str | None, dtype: DType, loading: dict[str, Any]) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    place, options = _arguments(source, revision)
    with _no_progress_bar():
        model, report = _read(
            name,
            lambda: AutoModelForCausalLM.from_pretrained(
                place, dtype=getattr(torch, dtype), output_loading_info=True, **options, **loading
            ),
        )
    # transformers fills what a checkpoint lacks with random numbers and only warns.
    if report["missing_keys"]:
        lacking = sorted(report["missing_keys"])
        raise FlextuneError(
            f"model {name!r}: its weight files lack {len(lacking)} tensors, first {lacking[0]}; "
            "fetch the model again"
        )
    return model


@contextlib.contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Only the command line writes to the terminal."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        with without_bar():
            yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _load_tokenizer(name: str, source: str, revision: str | None) -> Any:
    from transformers import AutoTokenizer

    place, options = _arguments(source, revision)
    try:
        with _no_progress_bar(), _hub_for(source):
            tokenizer = AutoTokenizer.from_pretrained(place, **options)
    except json.JSONDecodeError as error:
        raise FlextuneError(
            f"model {name!r}: a file of its tokenizer is damaged ({error}); fetch it again"
        ) from error
    except Exception as error:  # the tokenizers package raises bare Exceptions
        reason = one_line(error)
        if gguf_name(source):
            raise FlextuneError(
                f"model {name!r}: the GGUF file cannot be read, perhaps cut off: {reason}"
            ) from error
        if _needs_own_code(error):
            reason = _OWN_CODE
        elif "backend tokenizer" in reason:
            reason = (
                "there is no tokenizer.json, nor another file that can be converted to one"
                " (tokenizer.model needs sentencepiece or tiktoken)"
            )
        raise FlextuneError(f"model {name!r}: its tokenizer cannot be built: {reason}") from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _needs_own_code(error: BaseException) -> bool:
    """Whether transformers refused what only code in the model's repository could do."""
    return "trust_remote_code" in str(error) or "custom code" in str(error)


def _read(name: str, load: Callable[[], Any]) -> Any:
    """Run a ``from_pretrained`` and turn its failures into one line."""
    from safetensors import SafetensorError

    try:
        with _hub_for(name):
            return load()
    except SafetensorError as error:
        raise FlextuneError(f"model {name!r}: a weight file is damaged ({error}); fetch it again") from None
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError) as error:
        reason = _OWN_CODE if _needs_own_code(error) else one_line(error)
        remedy = "; fetch the model again, with its weights" if "no file named" in reason else ""
        raise FlextuneError(f"model {name!r} cannot be loaded: {reason}{remedy}") from error
