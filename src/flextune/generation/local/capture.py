"""A decode step as CUDA graphs: launched from Python, a step of a 7B model is mostly waiting for launches."""

from __future__ import annotations

import logging
from dataclasses import replace

import torch
from torch import Tensor

from flextune.generation.local.slot_loop import Sizes, Step, power_of_two
from flextune.generation.local.slots import SlotCache, SlotModel

_logger = logging.getLogger(__name__)

#: Attention of a captured step looks at a multiple of so many columns: every shape is a graph of its own.
_COLUMNS = 256


def captured_sizes(sizes: Sizes) -> Sizes:
    """Sizes with few different shapes of a step."""
    return replace(sizes, rows=power_of_two, column_step=_COLUMNS)


class CapturedStep:
    """``SlotModel.step`` as graphs, one for each number of rows and columns, captured when first needed.

    Args:
        model: On a CUDA device.
    """

    def __init__(self, model: SlotModel) -> None:
        self._model = model
        self._graphs: dict[tuple[int, int], tuple[torch.cuda.CUDAGraph, Tensor]] = {}
        self._pool = torch.cuda.graph_pool_handle()
        self._inputs: tuple[Tensor, Tensor] | None = None
        self._works = True

    def __call__(self, cache: SlotCache, tokens: Tensor, lengths: Tensor, columns: int) -> Tensor:
        """See ``SlotModel.step``; the logits are valid until the next call."""
        if not self._works:
            return self._model.step(cache, tokens, lengths, columns)
        if self._inputs is None:
            slots = len(cache.place.rows)
            self._inputs = tokens.new_zeros(slots), lengths.new_zeros(slots)
        rows = len(tokens)
        fed = self._inputs[0][:rows], self._inputs[1][:rows]
        for static, new in zip(fed, (tokens, lengths), strict=True):
            static.copy_(new)
        if (rows, columns) not in self._graphs:
            try:
                self._graphs[rows, columns] = self._capture(cache, *fed, columns)
            except RuntimeError as error:
                if isinstance(error, torch.OutOfMemoryError):
                    raise
                self._works = False
                _logger.warning("the decode step cannot be captured (%s); it is slower without", error)
                return self._model.step(cache, tokens, lengths, columns)
        graph, logits = self._graphs[rows, columns]
        graph.replay()
        return logits

    def _capture(
        self, cache: SlotCache, tokens: Tensor, lengths: Tensor, columns: int
    ) -> tuple[torch.cuda.CUDAGraph, Tensor]:
        # The first run chooses kernels and allocates workspaces, which must not happen in a graph.
        # Writing the same token twice changes nothing.
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            self._model.step(cache, tokens, lengths, columns)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            logits = self._model.step(cache, tokens, lengths, columns)
        return graph, logits


def captured_step(model: SlotModel) -> Step:
    """The step of a model: captured on a CUDA device, plain elsewhere."""
    return CapturedStep(model) if model.device.type == "cuda" else model.step
