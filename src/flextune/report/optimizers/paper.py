"""The columns of the paper's table 3, ours beside its own."""

from __future__ import annotations

from collections.abc import Sequence

from flextune.report.formats import UNDEFINED
from flextune.report.optimizers.groups import Arm, Group
from flextune.report.optimizers.pairs import Pair, pair
from flextune.report.text_table import Table
from flextune.statistics.means import mean_over_seeds, number

#: Table 3 of the paper (arXiv:2604.06253): validation loss, minutes, MB.
ADAMW, SOPHIA = (1.2437, 40.3, 3670.9), (1.1504, 41.3, 3684.7)
NO_RATIOS = ("", "", "")


def paper_table(groups: Sequence[Group]) -> Table:
    """The columns of the paper's table 3, ours below its own."""
    ratios = tuple(f"{second / first:.3f}" for first, second in zip(ADAMW, SOPHIA, strict=True))
    rows = [_row("the paper's AdamW", ADAMW, NO_RATIOS), _row("the paper's Sophia", SOPHIA, ratios)]
    for group in groups:
        for arm in group.arms:
            other = None if arm is group.reference else group.partner(arm) or group.reference
            rows.append(_row(arm.name, _means(arm), _ratios(pair(arm, other)) if other else NO_RATIOS))
    note = (
        "Ratios are to AdamW, paired by seed: the paper's to its own, ours to the tuned arm, but an untuned "
        "arm of another optimizer to the untuned AdamW. The paper's is another model (Code Llama 7B) on "
        "other hardware: its levels and ours cannot be compared. Our MB are MiB."
    )
    header = ("arm", "validation loss", "ratio", "minutes", "ratio", "MB", "ratio")
    return Table("Table 3 of the paper", header, tuple(rows), note)


def _row(name: str, numbers: Sequence[float | None], ratios: Sequence[str]) -> tuple[str, ...]:
    loss, minutes, memory = numbers
    shown = f"{minutes:.3g}" if minutes is not None else UNDEFINED
    return (name, number(loss, 4), ratios[0], shown, ratios[1], number(memory, 1), ratios[2])


def _means(arm: Arm) -> tuple[float | None, ...]:
    loss, seconds, memory = (
        mean_over_seeds(arm.values(name)) for name in ("final_loss", "seconds", "memory")
    )
    return (
        loss.value if loss else None,
        seconds.value / 60 if seconds else None,
        memory.value if memory else None,
    )


def _ratios(held: Pair) -> tuple[str, ...]:
    """The loss's with its interval; the others without, for which the table has no room."""
    loss = held.loss_ratio.text(3) if held.loss_ratio else UNDEFINED
    return (loss, *(number(spread.value if spread else None, 3) for spread in (held.seconds, held.memory)))
