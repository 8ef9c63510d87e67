"""The comparison of optimizers as tables of text, for the page and for optimizers.md."""

from __future__ import annotations

from collections.abc import Callable

from flextune.report import wording
from flextune.report.formats import UNDEFINED
from flextune.report.inputs import Run
from flextune.report.optimizers.groups import FAMILIES, Arm, Group, finite
from flextune.report.optimizers.pairs import Pair, Race, pair
from flextune.report.optimizers.passes import pass_tables
from flextune.report.text_table import Table
from flextune.statistics.means import Spread, mean_over_seeds, number


def group_tables(group: Group, run: Run) -> list[Table]:
    """All tables of one group: settings, tuning, losses, what the logs say, costs, times, pass@1."""
    tuning = tuning_table(group)
    return [
        settings_table(group),
        *([tuning] if tuning else []),
        loss_table(group),
        signal_table(group),
        cost_table(group),
        *([race_table(group)] if group.others() else []),
        *pass_tables(group, run),
    ]


def settings_table(group: Group) -> Table:
    """What each arm trained with."""
    rows = [
        (
            arm.name,
            FAMILIES.get(arm.family, arm.family),
            wording.plain(arm.rate) if arm.rate is not None else UNDEFINED,
            "yes" if arm.tuned else "no",
            str(len(arm.numbers)),
            _options(arm),
        )
        for arm in group.arms
    ]
    header = ("arm", "optimizer", "learning rate", "tuned", "seeds", "options")
    return Table("Arms", header, tuple(rows), _shared(group), words=True)


def tuning_table(group: Group) -> Table | None:
    """What was searched, one row a setting; None where nothing was tuned."""
    rows = []
    for arm in (arm for arm in group.arms if arm.tuned):
        trials = arm.tuned["trials"]
        losses = [finite(trial.get("eval_loss")) for trial in trials]
        for place, (key, best) in enumerate(arm.tuned["settings"].items()):
            tried = sorted({float(trial["settings"][key]) for trial in trials})
            once = (
                "yes" if arm.tuned.get("interior") else "no",
                str(len(trials)),
                str(losses.count(None)),
                number(min((loss for loss in losses if loss is not None), default=None), 4),
            )
            rows.append(
                (
                    arm.name if place == 0 else "",
                    wording.setting_name(key),
                    f"{tried[0]:g} to {tried[-1]:g}",
                    f"{best:g}",
                    *(once if place == 0 else ("",) * 4),
                )
            )
    header = ("arm", "setting", "tried", "best", "interior", "trainings", "diverged", "loss")
    note = (
        "Interior: something worse was tried on both sides of every best value. Loss: of the validation, at "
        "the best values, with one seed that is not among those of the results. All arms may have as many "
        "trainings; a search that has closed in on its best ends sooner."
    )
    return Table("Tuning", header, tuple(rows), note) if rows else None


def loss_table(group: Group) -> Table:
    """Final and lowest validation loss, the difference from the reference, and perplexity."""

    def row(arm: Arm, held: Pair | None) -> tuple[str, ...]:
        return (
            _mean(arm, "final_loss", 4),
            _versus(held, "loss", 4, signed=True),
            _bare(arm, "lowest_loss", 4),
            _mean(arm, "perplexity", 3),
        )

    versus = f"− {group.reference.name}" if group.reference else "difference"
    diverged = [
        f"{arm.name} {lost}" for arm in group.arms if (lost := sum(n.diverged for n in arm.numbers.values()))
    ]
    note = f"Diverged trainings, without a final loss: {', '.join(diverged)}." if diverged else ""
    header = ("arm", "final validation loss", versus, "lowest", "perplexity")
    return _table(group, "Validation loss", header, row, note)


def signal_table(group: Group) -> Table:
    """What the logs say about the steps."""

    def row(arm: Arm, held: Pair | None) -> tuple[str, ...]:
        return (
            _mean(arm, "grad_norm", 3),
            _bare(arm, "last_grad_norm", 3),
            _percent(arm, "win_rate_a"),
            _percent(arm, "win_rate_b"),
            _percent(arm, "estimate_share", bare=True),
        )

    header = ("arm", "gradient norm", "its last", "win rate A, %", "win rate B, %", "estimating, %")
    note = (
        "Gradient norm before clipping; win rate: share of coordinates that were not clipped; estimating: "
        "part of the steps' time. Means over the logged steps."
    )
    return _table(group, "In training", header, row, note)


def cost_table(group: Group) -> Table:
    """Time and memory."""

    def row(arm: Arm, held: Pair | None) -> tuple[str, ...]:
        return (
            _mean(arm, "seconds", 1),
            _versus(held, "seconds_per_step", 3),
            _mean(arm, "memory", 0),
            _versus(held, "memory", 3),
        )

    header = ("arm", "seconds", "per step, ratio", "peak MiB", "ratio")
    note = "Seconds of training, estimates included and validation not."
    return _table(group, "Cost", header, row, note)


def race_table(group: Group) -> Table:
    """The way to the reference's lowest validation loss."""

    def row(arm: Arm, held: Pair | None) -> tuple[str, ...]:
        return (*_race(held, "steps_to_loss"), *_race(held, "seconds_to_loss"))

    assert group.reference is not None
    header = ("arm", "steps, ratio", "reached", "seconds, ratio", "reached")
    note = (
        "A seed that never reached it is no part of a ratio. Between two validations the loss is taken to "
        "fall on a straight line. All run their schedule to its end: a training planned to be shorter would "
        "lower its rate sooner, and might get there sooner."
    )
    title = f"Steps and seconds to the lowest validation loss of {group.reference.name} with the same seed"
    return _table(group, title, header, row, note)


def _table(
    group: Group,
    title: str,
    header: tuple[str, ...],
    row: Callable[[Arm, Pair | None], tuple[str, ...]],
    note: str,
) -> Table:
    """A row for each arm, from the arm and its comparison with the reference."""
    reference = group.reference
    pairs = [pair(arm, reference) if reference and arm is not reference else None for arm in group.arms]
    rows = [(arm.name, *row(arm, held)) for arm, held in zip(group.arms, pairs, strict=True)]
    return Table(title, header, tuple(rows), note)


def _options(arm: Arm) -> str:
    """What is worth telling of the optimizer: its dial, its averages, and whatever is not the default."""
    held = arm.optimizer
    told = {"gamma", "every", "betas", *wording.optimizer_options(held)} - {"name", "estimator"}
    shown = {key: value for key, value in held.items() if key in told}
    return wording.pairs(
        shown | {"betas": " / ".join(map(wording.plain, held["betas"]))} if "betas" in held else shown
    )


def _shared(group: Group) -> str:
    """The numbers of the recipe that all arms of a group have."""
    trains = [arm.settings["train"] for arm in group.arms]
    names = ["max_steps", "batch_size", "accumulation", "schedule", "warmup", "weight_decay", "clip"]
    if not trains[0].get("max_steps"):
        names[0] = "epochs"
    held = {key: trains[0].get(key) for key in names if len({train.get(key) for train in trains}) == 1}
    sizes = {key: group.arms[0].settings.get(key) for key in ("examples", "validation")}
    return f"All: {wording.pairs({**held, **sizes})}."


def _race(held: Pair | None, name: str) -> tuple[str, str]:
    if held is None:
        return "", ""
    found: Race = getattr(held, name)
    return _text(found.ratio, 3), f"{found.reached} of {found.of}" if found.of else UNDEFINED


def _versus(held: Pair | None, name: str, digits: int, *, signed: bool = False) -> str:
    """One of ``Pair``'s numbers; nothing for the reference, which has no pair."""
    return "" if held is None else _text(getattr(held, name), digits, signed=signed)


def _mean(arm: Arm, name: str, digits: int) -> str:
    return _text(mean_over_seeds(arm.values(name)), digits)


def _bare(arm: Arm, name: str, digits: int) -> str:
    """A mean without its interval, where the table has no room for it."""
    found = mean_over_seeds(arm.values(name))
    return number(found.value if found else None, digits)


def _percent(arm: Arm, name: str, *, bare: bool = False) -> str:
    found = mean_over_seeds(100 * value for value in arm.values(name))
    return number(found.value if found else None, 1) if bare else _text(found, 1)


def _text(spread: Spread | None, digits: int, *, signed: bool = False) -> str:
    return spread.text(digits, signed=signed) if spread is not None else UNDEFINED
