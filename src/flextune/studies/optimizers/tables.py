"""The comparison of optimizers as tables of text, for the page and for optimizers.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flextune.report import settings_text
from flextune.report.formats import UNDEFINED, mean_alone, number, spread
from flextune.report.run_data import RunData
from flextune.report.tables import Table
from flextune.statistics.means import mean_over_seeds
from flextune.studies.optimizers.families import family
from flextune.studies.optimizers.groups import Arm, Group
from flextune.studies.optimizers.pairs import TIMED_SEEDS, Pair, Race, pair
from flextune.studies.optimizers.pass_at_1 import pass_tables
from flextune.studies.optimizers.training_numbers import finite

Cells = tuple[str, ...]
#: What else of the section ``train`` is told where all arms have it.
RECIPE = (
    "batch_size",
    "gradient_accumulation_steps",
    "lr_scheduler_type",
    "warmup_steps",
    "weight_decay",
    "max_grad_norm",
)
TIMING_NOTE = (
    f" A ratio of times takes {TIMED_SEEDS} seeds or more: a single training's time depends on what else the "
    "machine was doing."
)


def group_tables(group: Group, run: RunData) -> list[Table]:
    """All tables of one group: settings, tuning, losses, what the logs say, costs, times, pass@1."""
    tuning = tuning_table(group, run)
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
            family(arm.family).label,
            settings_text.plain(arm.learning_rate) if arm.learning_rate is not None else UNDEFINED,
            "yes" if arm.tuned else "no",
            str(len(arm.numbers)),
            _options(arm, group),
        )
        for arm in group.arms
    ]
    header = ("arm", "optimizer", "learning rate", "tuned", "seeds", "options")
    return Table("Arms", header, tuple(rows), _shared(group), align="l" * len(header))


def tuning_table(group: Group, run: RunData) -> Table | None:
    """What was searched, one row a setting; None where nothing was tuned."""
    rows = [row for arm in group.arms if arm.tuned for row in _tuning_rows(arm)]
    header = ("arm", "setting", "tried", "best", "interior", "trainings", "diverged", "loss")
    note = (
        "Interior: something worse was tried on both sides of every best value. Loss: of the validation, at "
        "the best values, with one seed that is not among those of the results. All arms may have as many "
        "trainings; a search that has closed in on its best ends sooner. What is not in this table was tuned "
        f"for no arm. {_tuned_on(group, run)}"
    )
    return Table("Tuning", header, tuple(rows), note) if rows else None


def _tuned_on(group: Group, run: RunData) -> str:
    """Which validation examples the tuning saw."""
    given = group.arms[0].settings.get("validation") or 0
    tune = run.experiment.tune if run.experiment is not None else None
    first = given if tune is None or tune.validation_size is None else min(given, tune.validation_size)
    which = f"the first {first} of the {given}" if first < given else f"the same {given}"
    return f"The tuning saw {which} validation examples by which the results are measured."


def _tuning_rows(arm: Arm) -> Iterable[Cells]:
    trials = arm.tuned["trials"]
    losses = [finite(trial.get("eval_loss")) for trial in trials]
    of_the_arm = (
        "yes" if arm.tuned.get("interior") else "no",
        str(len(trials)),
        str(losses.count(None)),
        number(min((loss for loss in losses if loss is not None), default=None), 4),
    )
    for place, (key, best) in enumerate(arm.tuned["settings"].items()):
        tried = sorted({float(trial["settings"][key]) for trial in trials})
        yield (
            arm.name if place == 0 else "",
            settings_text.setting_name(key),
            f"{tried[0]:g} to {tried[-1]:g}",
            f"{best:g}",
            *(of_the_arm if place == 0 else ("",) * len(of_the_arm)),
        )


def loss_table(group: Group) -> Table:
    """Final and lowest validation loss, the difference from the reference, and perplexity."""

    def row(arm: Arm, compared: Pair | None) -> Cells:
        return (
            _mean(arm, "final_loss", 4),
            _versus(compared, "loss", 4, signed=True),
            _bare(arm, "lowest_loss", 4),
            _mean(arm, "perplexity", 3),
        )

    versus = f"− {group.reference.name}" if group.reference else "difference"
    diverged = [
        f"{arm.name} {lost}" for arm in group.arms if (lost := sum(n.diverged for n in arm.numbers.values()))
    ]
    note = f"Diverged trainings, without a final loss: {', '.join(diverged)}. " if diverged else ""
    note += "Intervals over seeds, for these validation examples: of other examples they say nothing."
    header = ("arm", "final validation loss", versus, "lowest", "perplexity")
    return _table(group, "Validation loss", header, row, note)


def signal_table(group: Group) -> Table:
    """What the logs say about the steps."""

    def row(arm: Arm, compared: Pair | None) -> Cells:
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

    def row(arm: Arm, compared: Pair | None) -> Cells:
        return (
            _mean(arm, "seconds", 1),
            _versus(compared, "seconds_per_step", 3),
            _mean(arm, "memory", 0),
            _versus(compared, "memory", 3),
        )

    header = ("arm", group.clock, "per step, ratio", "peak MiB", "ratio")
    note = "Seconds of training, estimates included and validation not." + busy_note(group)
    note += timing_note(_pairs(group))
    return _table(group, "Cost", header, row, note)


def race_table(group: Group) -> Table:
    """The way to the reference's lowest validation loss."""

    def row(arm: Arm, compared: Pair | None) -> Cells:
        return (*_race(compared, "steps_to_loss"), *_race(compared, "seconds_to_loss"))

    assert group.reference is not None
    header = ("arm", "steps, ratio", "reached", f"{group.clock}, ratio", "reached")
    shorter = [arm.name for arm in group.arms if group.is_shorter(arm)]
    note = (
        "A seed that never reached it is no part of a ratio. Between two validations the loss is taken to "
        "fall on a straight line. All run their schedule to its end: a training planned to be shorter "
    )
    note += (
        f"lowers its rate sooner, and may get there sooner ({', '.join(shorter)})."
        if shorter
        else "would lower its rate sooner, and might get there sooner."
    )
    if any(compared.seconds_to_loss.too_few for compared in _pairs(group) if compared):
        note += TIMING_NOTE
    title = f"Steps and seconds to the lowest validation loss of {group.reference.name} with the same seed"
    return _table(group, title, header, row, note)


def busy_note(group: Group) -> str:
    """Why seconds are the processor's; empty where they are the clock's."""
    if group.core_share is None:
        return ""
    return (
        f" The machine was busy with other work: a training had {100 * group.core_share:.0f} % of a core. So"
        " these are the seconds that it spent on a processor, which other work changes far less."
    )


def timing_note(pairs: Iterable[Pair | None]) -> str:
    """Why a ratio of times is missing; empty where none is."""
    return TIMING_NOTE if any(compared.too_few_timed for compared in pairs if compared) else ""


def _table(
    group: Group,
    title: str,
    header: tuple[str, ...],
    row: Callable[[Arm, Pair | None], Cells],
    note: str,
) -> Table:
    """A row for each arm, from the arm and its comparison with the reference."""
    rows = [(arm.name, *row(arm, compared)) for arm, compared in zip(group.arms, _pairs(group), strict=True)]
    return Table(title, header, tuple(rows), note)


def _pairs(group: Group) -> list[Pair | None]:
    """Each arm with the reference; None for the reference itself, and where there is none."""
    reference = group.reference
    return [pair(arm, reference) if reference and arm is not reference else None for arm in group.arms]


def _options(arm: Arm, group: Group) -> str:
    """What is worth telling of the optimizer: its dial, its averages, and whatever is not the default."""
    section = arm.optimizer
    names = {"gamma", "every", "betas", *settings_text.optimizer_options(section)} - {"name", "estimator"}
    options = {key: value for key, value in section.items() if key in names}
    if "betas" in options:
        options["betas"] = " / ".join(map(settings_text.plain, section["betas"]))
    steps = {"steps": arm.steps} if group.is_shorter(arm) else {}
    return settings_text.pairs({**steps, **options})


def _shared(group: Group) -> str:
    """The numbers of the recipe that all arms of a group have."""
    trains = [arm.settings["train"] for arm in group.arms]
    names = ["max_steps" if trains[0].get("max_steps") else "epochs", *RECIPE]
    shared = {key: trains[0].get(key) for key in names if len({train.get(key) for train in trains}) == 1}
    sizes = {key: group.arms[0].settings.get(key) for key in ("examples", "validation")}
    longest = {} if "max_steps" in shared or group.reference is None else {"max_steps": group.reference.steps}
    where = " where nothing else is said" if longest else ""
    return f"All: {settings_text.pairs({**longest, **shared, **sizes})}{where}."


def _race(compared: Pair | None, name: str) -> tuple[str, str]:
    if compared is None:
        return "", ""
    race: Race = getattr(compared, name)
    return spread(race.ratio, 3), f"{race.reached} of {race.of}" if race.of else UNDEFINED


def _versus(compared: Pair | None, name: str, digits: int, *, signed: bool = False) -> str:
    """One of ``Pair``'s numbers; nothing for the reference, which has no pair."""
    return "" if compared is None else spread(getattr(compared, name), digits, signed=signed)


def _mean(arm: Arm, name: str, digits: int) -> str:
    return spread(mean_over_seeds(arm.values(name)), digits)


def _bare(arm: Arm, name: str, digits: int) -> str:
    """A mean without its interval, where the table has no room for it."""
    return mean_alone(mean_over_seeds(arm.values(name)), digits)


def _percent(arm: Arm, name: str, *, bare: bool = False) -> str:
    mean = mean_over_seeds(100 * value for value in arm.values(name))
    return mean_alone(mean, 1) if bare else spread(mean, 1)
