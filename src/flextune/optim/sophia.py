"""Sophia: momentum over curvature, clipped coordinate by coordinate (arXiv:2305.14342).

optimizer = Sophia(factor_groups(model), lr=2e-4)
estimator = GaussNewtonBartlett(optimizer.param_groups)
for batch in batches:
    if optimizer.estimate_due:
        estimator.accumulate(model, batch)
        optimizer.update_hessian(estimator.finish())
    model(**batch).loss.backward()
    optimizer.step()
    optimizer.zero_grad()
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, overload

import torch
from torch import Tensor
from torch.optim import Optimizer

from flextune.optim import state as states
from flextune.optim.groups import Reduce, local
from flextune.optim.options import check_options, check_shapes
from flextune.optim.update import Bundle, Bundles, clipped_ratio, step_foreach, step_single

_logger = logging.getLogger(__name__)


class Sophia(Optimizer):
    """Sophia's update; the curvature comes from outside, through ``update_hessian``.

        m <- beta1 m + (1 - beta1) g                                   every step
        h <- d h + (1 - d) estimate,   d = beta2^(steps since the last one / every)
        w <- (1 - lr weight_decay) w - lr clip(m^ / max(gamma h^, eps), 1)

    ``m^`` and ``h^`` are m and h divided by the weight that their averages hold so far, or with
    ``bias_correction=False`` m and h themselves. Each estimate counts for the steps it stands for; at one
    estimate per ``every`` steps d is beta2, as published. State is float32 (float64 for such parameters).

    LoRA starts at B = 0, where A's gradient and curvature are exactly zero. With h = 0 every coordinate of A
    would be clipped as soon as B has moved: sign descent, for many steps, as h creeps up from zero. So

    - an all-zero estimate says that a tensor had no effect just then, not that it is flat: its average starts
      with the first estimate that is not zero, and is corrected for bias from there;
    - until then the tensor waits: it is not moved, though its momentum runs. With B near 0 a step of A would
      hardly change the model;
    - with ``early_estimates`` the first estimates are due after 1, 3, 7, ... steps, until the distance is
      ``every``: A's curvature grows with the square of B, so the early ones are soon out of date.

    Args:
        params: Tensors, or groups with options of their own.
        lr: Learning rate, the largest move of a coordinate in one step.
        gamma: What part of the Newton step is taken; larger means fewer clipped coordinates. Aim at a win
            rate of 0.1 to 0.5. The authors use 0.05 with Gauss-Newton-Bartlett, 0.01 with Hutchinson.
        betas: Decay of m per step and of h per ``every`` steps.
        eps: What the denominator is at least; coordinates of no or negative curvature take it.
        weight_decay: Decoupled, as in AdamW.
        every: Steps between two estimates.
        bias_correction: Of both averages. A run of 282 steps has 28 estimates, after which an uncorrected h
            is at 25 % of its level.
        early_estimates: See above.
        curvature: A constant h in place of estimates, for a control.
        foreach: Many tensors in each launch; None means yes.

    Raises:
        ValueError: An option out of its range, by its name; complex parameters or sparse gradients; steps
            without any estimate.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-4,
        *,
        gamma: float = 0.05,
        betas: tuple[float, float] = (0.96, 0.99),
        eps: float = 1e-12,
        weight_decay: float = 0.0,
        every: int = 10,
        bias_correction: bool = True,
        early_estimates: bool = True,
        curvature: float | None = None,
        foreach: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "gamma": gamma,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "every": every,
            "bias_correction": bias_correction,
            "early_estimates": early_estimates,
            "curvature": curvature,
            "foreach": foreach,
            # Kept with the groups, so that they are saved and restored with the rest.
            "steps": 0,
            "estimated": -1,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group, which takes the optimizer's count of steps and estimates."""
        check_options({**self.defaults, **param_group})
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        group.update({key: self.param_groups[0][key] for key in ("every", "steps", "estimated")})
        if any(parameter.is_complex() for parameter in group["params"]):
            raise ValueError("Sophia needs real parameters, and one is complex: give it torch.view_as_real")

    @property
    def estimate_due(self) -> bool:
        """Whether the coming step should have a new estimate; never with a constant curvature."""
        group = self.param_groups[0]
        if all(each["curvature"] is not None for each in self.param_groups):
            return False
        steps, last, distance = group["steps"], group["estimated"], group["every"]
        if group["early_estimates"]:
            distance = min(distance, last + 1)
        return bool(last < 0 or steps - last >= distance)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Move every parameter that has a gradient and a curvature."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        self._check_estimates()
        with torch.no_grad():
            for group in self.param_groups:
                take_step = step_single if group["foreach"] is False else step_foreach
                for bundle in self._bundles(group):
                    take_step(bundle, lr=group["lr"], beta1=group["betas"][0], decay=group["weight_decay"])
                group["steps"] += 1
        return loss

    def update_hessian(self, estimate: Sequence[Tensor] | None, *, reduce: Reduce | None = None) -> bool:
        """Take in an estimate of the Hessian's diagonal.

        Args:
            estimate: One tensor for every parameter, in the order of the groups; None (a batch without a
                counted token) changes nothing.
            reduce: Adds up over processes, where each holds shards: all must agree on what is zero.

        Returns:
            Whether it was taken in. One that is not finite (float16 overflowed) is left out, with a
            warning; ``estimate_due`` then stays true.

        Raises:
            ValueError: Not one tensor of the same shape for every parameter.
        """
        if estimate is None:
            return False
        members = list(self._members())
        check_shapes(estimate, [parameter for _, parameter in members])
        shards = [local(part.detach()) for part in estimate]
        sizes = _summed([torch.linalg.vector_norm(part.float(), 1) for part in shards], reduce)
        if not all(map(math.isfinite, sizes)):
            _logger.warning("a curvature estimate is not finite and is left out")
            return False
        first = self.param_groups[0]
        gap = first["every"] if first["estimated"] < 0 else max(1, first["steps"] - first["estimated"])
        for (group, parameter), part, size in zip(members, shards, sizes, strict=True):
            if group["curvature"] is not None:
                continue
            state = states.fill(self.state[parameter], group, parameter)
            if size or state["hessian_weight"]:
                states.average(state, group, part, gap)
        for group in self.param_groups:
            group["estimated"] = group["steps"]
        return True

    def win_rate(self, parameters: Iterable[Tensor] | None = None, *, reduce: Reduce | None = None) -> float:
        """Share of coordinates that the last step did not clip.

        Computed when asked for, from the state that the step left, at about the cost of a step.

        Args:
            parameters: Count these; all without.
            reduce: Adds up over processes, where each holds shards.

        Returns:
            Between 0 and 1; nan where none has moved yet.
        """
        free, total = [], []
        for group, state in self._stepped(parameters):
            if (scalars := states.scale_and_floor(state, group)) is not None:
                ratio = clipped_ratio(*states.moments(state), *scalars)
                free.append((ratio.abs() < 1).sum())
                total.append(torch.full_like(free[-1], ratio.numel()))
        moved = sum(_summed(total, reduce))
        return sum(_summed(free, reduce)) / moved if moved else math.nan

    def hessian_norm(
        self, parameters: Iterable[Tensor] | None = None, *, reduce: Reduce | None = None
    ) -> float:
        """Euclidean norm of h as the update uses it; nan before the first estimate. Arguments as above."""
        squares = []
        for group, state in self._stepped(parameters):
            if weight := state.get("hessian_weight", 0.0):
                norm = torch.linalg.vector_norm(local(state["hessian"]))
                squares.append((norm / weight if group["bias_correction"] else norm).square())
        return math.sqrt(sum(_summed(squares, reduce))) if squares else math.nan

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As torch's, except that momentum and curvature keep their precision.

        torch casts state to its parameter's dtype, which would round float32 averages to bfloat16.
        """
        loaded: dict[str, Any] = {}
        # Hooks run in the order they were added, so this one sees what any other has made of it.
        handle = self.register_load_state_dict_pre_hook(lambda _, final: loaded.update(final))
        try:
            super().load_state_dict(state_dict)
        finally:
            handle.remove()
        saved = (index for group in loaded["param_groups"] for index in group["params"])
        for index, (_, parameter) in zip(saved, self._members(), strict=True):
            values = loaded["state"].get(index, {})
            for key in states.WIDE:
                if key in values:
                    wide = values[key].to(parameter.device, states.wide_dtype(parameter), copy=True)
                    self.state[parameter][key] = wide

    def _members(self) -> Iterator[tuple[dict[str, Any], Tensor]]:
        for group in self.param_groups:
            for parameter in group["params"]:
                yield group, parameter

    def _stepped(
        self, parameters: Iterable[Tensor] | None
    ) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Group and state of those (of all for None) that have taken part in a step."""
        chosen = None if parameters is None else {id(parameter) for parameter in parameters}
        for group, parameter in self._members():
            state = self.state.get(parameter)
            if state and state["step"] and (chosen is None or id(parameter) in chosen):
                yield group, state

    def _bundles(self, group: dict[str, Any]) -> list[Bundle]:
        bundles = Bundles()
        for parameter in group["params"]:
            if parameter.grad is None:
                continue
            if parameter.grad.layout != torch.strided:
                raise ValueError("Sophia needs dense gradients: use sparse=False in the embedding")
            state = states.fill(self.state[parameter], group, parameter)
            state["step"] += 1
            shard = local(parameter)
            bundle = bundles.place(shard)
            momentum, hessian = states.moments(state)
            bundle.momenta.append(momentum)
            bundle.gradients.append(local(parameter.grad))
            scalars = states.scale_and_floor(state, group)
            if scalars is not None:
                bundle.parameters.append(shard)
                bundle.moving.append(momentum)
                if hessian is not None:
                    bundle.hessians.append(hessian)
                bundle.scales.append(scalars[0])
                bundle.floors.append(scalars[1])
        return bundles.all

    def _check_estimates(self) -> None:
        group = self.param_groups[0]
        never = group["estimated"] < 0 and group["steps"] >= group["every"]
        if never and self.estimate_due:
            raise ValueError(
                f"Sophia took {group['steps']} steps without a curvature estimate, so nothing has moved: call"
                " update_hessian whenever estimate_due is true, or set curvature to a constant"
            )


def _summed(values: list[Tensor], reduce: Reduce | None) -> list[float]:
    """Scalars, added up over processes, as numbers: one wait for the device."""
    if not values:
        return []
    stacked = torch.stack([value.to(values[0].device) for value in values])
    if reduce is not None:
        reduce(stacked)
    return [float(value) for value in stacked.tolist()]
