"""Which base model an adapter is for, and whether a given one is that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flextune.config import EMBEDDED_MODEL
from flextune.errors import FlextuneError
from flextune.files.objects import read_object
from flextune.models.adapter_folder import AdapterFolder, usable_adapter
from flextune.models.load import model_files, model_identity
from flextune.models.names import without_revision
from flextune.rosetta import model_folder
from flextune.runner.starts import refuse_merged_base
from flextune.runs import layout


@dataclass(frozen=True)
class BaseFolder:
    """A base model on this machine.

    Attributes:
        name: What it is called.
        folder: Where its files lie.
    """

    name: str
    folder: Path


def find_base(adapter: Path, given: str | None, *, force: bool = False) -> BaseFolder:
    """The base model that an adapter is merged into.

    Args:
        adapter: The adapter's folder.
        given: A model's name; None: the one that the adapter was made for.
        force: Take a given model whatever the adapter says.

    Raises:
        FlextuneError: The adapter names no model, or the given one is another, or another revision of it.
    """
    opened = usable_adapter(adapter)
    made_for = _made_for(opened)
    name = given or made_for
    if name is None:
        raise FlextuneError(f"{adapter}: its adapter_config.json names no base model; give it with --base")
    if given is not None and made_for is not None and not force:
        _refuse_other_name(opened, given, made_for)
    revision = opened.config.get("revision")
    revision = revision if isinstance(revision, str) and revision else None
    # The commit of one repository is none of a mirror's.
    same = without_revision(name)[0] == made_for
    folder = _files(name, revision if same else None, given, opened)
    if not force:
        refuse_merged_base(opened.path)
        _refuse_other_content(opened, name, folder)
        _refuse_other_revision(opened, folder, revision)
    return BaseFolder(name, folder)


def _made_for(adapter: AdapterFolder) -> str | None:
    name = adapter.base_model
    # An adapter of the embedded model names the folder that it had where it was trained.
    return EMBEDDED_MODEL if name and Path(name).parts[-2:] == model_folder().parts[-2:] else name


def _files(name: str, revision: str | None, given: str | None, adapter: AdapterFolder) -> Path:
    try:
        return model_files(name, revision)
    except FlextuneError as error:
        if given is not None:
            raise
        raise FlextuneError(
            f"{adapter.path} was made for {name}: {error}; give its base model with --base"
        ) from error


def _refuse_other_name(adapter: AdapterFolder, given: str, made_for: str) -> None:
    """Two names mean one model if they end alike: a hub id and the folder it was saved in."""
    if _last(given) != _last(made_for):
        raise FlextuneError(
            f"{adapter.path} was made for {made_for}, not for {given}: merged into another base model it"
            " gives a model that nobody trained; give the right --base (--force takes this one)"
        )


def _last(name: str) -> str:
    path = Path(without_revision(name)[0]).expanduser()
    parts = path.parts
    # A snapshot in the hub's cache: models--org--name/snapshots/<commit>.
    cached = next((part for part in parts if part.startswith("models--")), None)
    return (cached.rpartition("--")[2] if cached else path.name).lower()


def _refuse_other_content(adapter: AdapterFolder, name: str, folder: Path) -> None:
    """A training here wrote down what its base model was."""
    trained_on = read_object(adapter.path.parent / layout.KEY).get("identity")
    if not isinstance(trained_on, str):
        return
    found = model_identity(str(folder))
    if trained_on.startswith("sha256:") and trained_on != found:
        raise FlextuneError(
            f"{name} is another model than the one that {adapter.path} was trained on ({found}, not"
            f" {trained_on}): its files have changed since; restore them (--force takes them as they are)"
        )


def _refuse_other_revision(adapter: AdapterFolder, folder: Path, revision: str | None) -> None:
    """A folder of the hub's cache is named after its commit."""
    commit = folder.name if folder.parent.name == "snapshots" else None
    wanted = revision if revision and _is_commit(revision) else None
    if commit and wanted and commit != wanted:
        raise FlextuneError(
            f"{adapter.path} was made for revision {wanted} of {adapter.base_model}, not {commit}; fetch that"
            f" revision (--force takes this one)"
        )


def _is_commit(text: str) -> bool:
    return len(text) == 40 and all(letter in "0123456789abcdef" for letter in text)
