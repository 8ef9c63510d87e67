"""Devices by the names that an experiment gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flextune.errors import FlextuneError
from flextune.launch import launched

if TYPE_CHECKING:
    import torch


def resolve_device(device: str) -> torch.device:
    """The torch device for ``auto``, ``cpu``, ``cuda`` or ``cuda:<n>``.

    Of several processes on a machine, each gets a GPU of its own.

    Raises:
        FlextuneError: The device does not exist here.
    """
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    launch = launched()
    if device == "cuda" and launch.world > 1:
        device = f"cuda:{launch.local_rank}"
    try:
        place = torch.device(device)
    except RuntimeError:
        raise FlextuneError(f"device {device!r} is none: use auto, cpu, cuda or cuda:<n>") from None
    if place.type == "cuda":
        if not torch.cuda.is_available():
            raise FlextuneError(f"device {device!r}: this machine offers no CUDA device; use cpu or auto")
        if (place.index or 0) >= torch.cuda.device_count():
            more = "; start as many processes on a machine as it has GPUs" if launch.world > 1 else ""
            raise FlextuneError(
                f"device {device!r}: there are only {torch.cuda.device_count()} CUDA devices{more}"
            )
    return place
