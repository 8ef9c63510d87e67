"""Merge an adapter into its base model, audit the result, and keep it only if it is what was trained."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from flextune.audit.merging.companions import companion_faults
from flextune.audit.merging.faults import Fault, weight_faults
from flextune.audit.merging.verdict import MergeAudit
from flextune.audit.merging.weights import NOTHING, WeightAudit, audit_weights
from flextune.errors import FlextuneError
from flextune.files.names import slug
from flextune.files.objects import write_object
from flextune.models.gguf import is_gguf
from flextune.models.load import DType
from flextune.models.merging.adapted import AdaptedFiles, Onto, open_adapted
from flextune.models.merging.checkpoint import open_checkpoint
from flextune.models.merging.companions import onto_text
from flextune.models.merging.folder import appearing, merged_size, write_merged
from flextune.models.merging.gguf_file import open_gguf
from flextune.models.merging.parameters import ModelFiles
from flextune.models.merging.rounding import Rounding
from flextune.progress import Reporter, Silent
from flextune.runner.merging.answers import AnswerOptions, compare_answers
from flextune.runner.merging.base import BaseFolder, find_base
from flextune.runner.merging.probes import trained_of


@dataclass(frozen=True)
class MergeOptions:
    """How an adapter is merged.

    Attributes:
        base: The base model; None: the one that the adapter was made for.
        dtype: Of the merged weights; None: each tensor keeps the base model's.
        onto: What the update is added to: the base model's weights, or those as they are in four bits.
        rounding: Of the changed weights.
        force: Take a base model that the adapter was not made for, and keep a merge that is ``different``.
        answers: Run both models on problems; None: only the weights are audited.
        reporter: Told of the progress.
    """

    base: str | None = None
    dtype: DType | None = None
    onto: Onto = "weights"
    rounding: Rounding = field(default_factory=Rounding)
    force: bool = False
    answers: AnswerOptions | None = None
    reporter: Reporter = field(default_factory=Silent)


@dataclass(frozen=True)
class MergeResult:
    """What came of it.

    Attributes:
        audit: What merging did.
        folder: The merged model; None if it was not to be kept, or was refused.
        refused: Whether it was ``different``, and not forced.
    """

    audit: MergeAudit
    folder: Path | None
    refused: bool = False


def _note(adapter: Path, result: MergeResult, options: MergeOptions) -> MergeResult:
    """Leave an audit in the run that the adapter is from, for its page."""
    trained = trained_of(adapter)
    if trained is not None:
        audit = result.audit
        what = [Path(audit.merged).name] if audit.merged else ["merged", options.onto, options.dtype]
        name = slug("-".join(part for part in what if part and part != "weights"))
        write_object(trained.merges_folder / f"{name}.json", audit.as_row())
    return result


class _RefusedError(Exception):
    """Leaves the folder that is being written, which then vanishes."""


def merge_adapter_folder(adapter: Path, output: Path, options: MergeOptions) -> MergeResult:
    """Write ``output``, a plain transformers model, unless its audit says ``different``.

    The folder appears at once, when it is complete; whatever goes wrong before leaves nothing.

    Raises:
        FlextuneError: Anything a user can mend: adapter, base model, output folder, space on the disk.
    """
    base = find_base(adapter, options.base, force=options.force)
    _check_output(output, base.folder, adapter)
    model = open_adapted(base.name, base.folder, adapter, options.onto)
    _check_space(model, output, options)
    try:
        with appearing(output) as partial:
            _write(model, partial, options)
            audit = replace(_audit(model, partial, options), merged=str(output))
            if audit.verdict == "different" and not options.force:
                raise _RefusedError
    except _RefusedError:
        return MergeResult(replace(audit, merged=""), None, refused=True)
    return _note(adapter, MergeResult(audit, output), options)


def audit_merge(adapter: Path, against: Path | None, options: MergeOptions) -> MergeResult:
    """Audit a merge: one that is made for that and thrown away, or a folder that any tool wrote.

    Args:
        adapter: The adapter.
        against: The merged model; None: merge as the options say.
        options: How.

    Raises:
        FlextuneError: Anything a user can mend.
    """
    base = find_base(adapter, options.base, force=options.force)
    model = open_adapted(base.name, base.folder, adapter, options.onto)
    if against is not None:
        _check_merged(against, base)
        return _note(adapter, MergeResult(_audit(model, against, options), against), options)
    with _thrown_away() as folder:
        _check_space(model, folder, options)
        _write(model, folder, options)
        audit = replace(_audit(model, folder, options), merged="")
        return _note(adapter, MergeResult(audit, None), options)


def _write(model: AdaptedFiles, folder: Path, options: MergeOptions) -> None:
    import torch

    dtype = None if options.dtype is None else getattr(torch, options.dtype)
    with options.reporter.stage("merge", len(model.files.checkpoint.places)) as stage:
        write_merged(model, folder, dtype=dtype, rounding=options.rounding, progress=stage.update)


def _audit(model: AdaptedFiles, merged: Path, options: MergeOptions) -> MergeAudit:
    weights, faults, note = _weights(model, merged, options)
    prompts = [problem.prompt for problem in options.answers.problems] if options.answers else []
    if not is_gguf(merged):
        faults += companion_faults(model.files.checkpoint.folder, model.adapter.path, merged, prompts)
    audit = MergeAudit(
        adapter=str(model.adapter.path),
        base_model=model.name,
        merged=str(merged),
        onto=onto_text(model),
        weights=weights,
        faults=tuple(faults),
        note=note,
    )
    if options.answers is None:
        return audit
    answers = compare_answers(model, merged, options.answers, options.reporter)
    return replace(
        audit,
        tokens=answers.tokens,
        texts=len(options.answers.problems),
        changed_texts=answers.changed,
        comparisons=answers.comparisons,
        pass_at_1=answers.scores,
    )


def _weights(
    model: AdaptedFiles, merged: Path, options: MergeOptions
) -> tuple[WeightAudit, list[Fault], str]:
    """The weights' audit, what is wrong with them, and what has to be known of it."""
    if not is_gguf(merged):
        files = ModelFiles(open_checkpoint(merged), model.skeleton)
        weights = audit_weights(model, files, options.reporter)
        return weights, weight_faults(weights, model, files), ""
    file = open_gguf(merged, model.skeleton)
    if file.quantized:
        kinds = ", ".join(file.quantized)
        return NOTHING, [], f"its weights are quantised ({kinds}): only answers can be compared"
    files = ModelFiles(file, model.skeleton)
    weights = audit_weights(model, files, options.reporter)
    return weights, weight_faults(weights, model, files), ""


def _check_output(output: Path, base: Path, adapter: Path) -> None:
    place = output.expanduser().resolve()
    for folder, what in ((base, "the base model's folder"), (adapter, "the adapter's folder")):
        if place == folder.expanduser().resolve():
            raise FlextuneError(f"{output}: that is {what}; choose another folder for the merged model")


def _check_merged(folder: Path, base: BaseFolder) -> None:
    if is_gguf(folder) and folder.is_file():
        return
    if not (folder / "config.json").is_file():
        raise FlextuneError(f"{folder}: no config.json; it is neither a merged model nor a GGUF file")
    if folder.resolve() == base.folder.resolve():
        raise FlextuneError(f"{folder}: that is the base model itself; give the merged model with --against")


def _check_space(model: AdaptedFiles, output: Path, options: MergeOptions) -> None:
    import torch

    needed = merged_size(model, None if options.dtype is None else getattr(torch, options.dtype))
    place = next(folder for folder in (output, *output.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    if free < needed:
        raise FlextuneError(
            f"{output}: the merged model takes {needed / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free"
            " there; free some space or choose another folder"
        )


@contextmanager
def _thrown_away() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="flextune-merge-"))
    try:
        yield folder
    except OSError as error:
        raise FlextuneError(f"{folder}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
