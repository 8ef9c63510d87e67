"""Files of a model on the hub, in the hub's local cache."""

from __future__ import annotations

from pathlib import Path

from flextune.config import EMBEDDED_MODEL
from flextune.errors import FlextuneError, did_you_mean, one_line
from flextune.hub import reach_hub
from flextune.models.weight_files import check_weight_files

#: What is fetched of a model's repository.
_FILES = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "*.py", "LICENSE*")


def hub_file(name: str, repository: str, file: str, revision: str | None) -> Path:
    """A file of the hub, in its local cache; without a network the cache has the last word.

    Args:
        name: What the user called the model, for errors.
        repository: Its name on the hub.
        file: The file's path there.
        revision: Branch, tag or commit; None: the newest.

    Raises:
        FlextuneError: No such repository, revision or file, a licence to accept, or no network.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        with reach_hub() as unreachable:
            return Path(hf_hub_download(repository, file, revision=revision))
    except GatedRepoError:
        raise FlextuneError(
            f"model {name!r} is gated: accept its licence on huggingface.co, then run `hf auth login`"
        ) from None
    except LocalEntryNotFoundError as error:
        hint = "" if "/" in name else did_you_mean(name, [EMBEDDED_MODEL])
        remedy = hint or "; give a folder, or try again with a network"
        raise FlextuneError(
            f"model {name!r}: no such folder, and the hub cannot be reached "
            f"({unreachable or one_line(error)}; not in its cache either){remedy}"
        ) from None
    except RevisionNotFoundError:
        raise FlextuneError(
            f"model {name!r}: {repository} has no revision {revision!r}; a branch, a tag or a commit stands"
            " after the @"
        ) from None
    except HFValidationError:
        raise FlextuneError(f"model {name!r} is neither a folder nor a hub id") from None
    except OSError as error:
        reason = one_line(error)
        raise FlextuneError(f"model {name!r}: no such folder, and not on the hub ({reason})") from None


def hub_snapshot(repository: str, commit: str) -> Path:
    """The folder with all files of a model of the hub, in its local cache.

    Raises:
        OSError: They cannot be fetched, and are not all there.
        ValueError: The hub's answer makes no sense.
        FlextuneError: Weights are missing among them.
    """
    from huggingface_hub import snapshot_download

    def fetch(*more: str, local: bool = False) -> Path:
        return Path(
            snapshot_download(
                repository, revision=commit, allow_patterns=[*_FILES, *more], local_files_only=local
            )
        )

    try:
        with reach_hub():
            folder = fetch()
            if not any(folder.glob("*.safetensors")):
                folder = fetch("*.bin")
    except (OSError, ValueError) as error:
        # Without a network huggingface_hub 1 finds nothing in its cache, and 2 not what it cannot count.
        try:
            folder = fetch("*.bin", local=True)
            check_weight_files(str(folder))
        except (OSError, ValueError, FlextuneError):
            raise error from None
    check_weight_files(str(folder))
    return folder
