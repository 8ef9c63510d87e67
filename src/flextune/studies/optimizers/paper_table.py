"""The columns of the paper's table 3, ours below its own."""

from __future__ import annotations

from collections.abc import Sequence

from flextune.report.formats import UNDEFINED, mean_alone, number, spread
from flextune.report.tables import Table
from flextune.statistics.means import mean_over_seeds
from flextune.studies.optimizers.groups import Arm, Group
from flextune.studies.optimizers.pairs import Pair, pair
from flextune.studies.optimizers.paper import paper
from flextune.studies.optimizers.tables import busy_note, timing_note

NO_RATIOS = ("", "", "")
HEADER = ("arm", "validation loss", "ratio", "minutes", "ratio", "MB", "ratio")
NOTE = (
    "Ratios are to AdamW, paired by seed: the paper's to its own, ours to the tuned arm, but an untuned "
    "arm of another optimizer to the untuned AdamW. The paper's is another model (Code Llama 7B) on "
    "other hardware: its levels and ours cannot be compared. Our MB are MiB."
)


def paper_table(groups: Sequence[Group]) -> Table:
    """The paper's rows, then a row for each arm of every group."""
    rows, pairs = _paper_rows(), []
    for group in groups:
        for arm in group.arms:
            other = None if arm is group.reference else group.partner(arm) or group.reference
            compared = pair(arm, other) if other else None
            pairs.append(compared)
            rows.append(_row(arm.name, _means(arm), _ratios(compared) if compared else NO_RATIOS))
    busy = busy_note(groups[0]) if groups else ""
    return Table(paper().title, HEADER, tuple(rows), NOTE + busy + timing_note(pairs))


def _paper_rows() -> list[tuple[str, ...]]:
    reference, others = paper().reference, paper().others
    rows = [_row(reference.name, reference.numbers, NO_RATIOS)]
    for row in others:
        ratios = [f"{ours / theirs:.3f}" for ours, theirs in zip(row.numbers, reference.numbers, strict=True)]
        rows.append(_row(row.name, row.numbers, ratios))
    return rows


def _row(name: str, numbers: Sequence[float | None], ratios: Sequence[str]) -> tuple[str, ...]:
    loss, minutes, memory = numbers
    time = f"{minutes:.3g}" if minutes is not None else UNDEFINED
    return (name, number(loss, 4), ratios[0], time, ratios[1], number(memory, 1), ratios[2])


def _means(arm: Arm) -> tuple[float | None, ...]:
    loss, seconds, memory = (
        mean_over_seeds(arm.values(name)) for name in ("final_loss", "seconds", "memory")
    )
    return (
        loss.value if loss else None,
        seconds.value / 60 if seconds else None,
        memory.value if memory else None,
    )


def _ratios(compared: Pair) -> tuple[str, ...]:
    """The loss's with its interval; the others without, for which the table has no room."""
    return (
        spread(compared.loss_ratio, 3),
        mean_alone(compared.seconds, 3),
        mean_alone(compared.memory, 3),
    )
