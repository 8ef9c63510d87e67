"""The study of optimizers: whether a run compares any, and what it then shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flextune.report.run_data import RunData
from flextune.report.sections import Chart, Fragment, Section, asset
from flextune.statistics.means import Spread
from flextune.studies.base import Study, once_per_run
from flextune.studies.optimizers.causes import causes, notes
from flextune.studies.optimizers.claims import claim_verdicts
from flextune.studies.optimizers.document import optimizers_document
from flextune.studies.optimizers.figures import optimizer_figures
from flextune.studies.optimizers.groups import Group, optimizer_groups
from flextune.studies.optimizers.pairs import Race, pair
from flextune.studies.optimizers.paper import paper
from flextune.studies.optimizers.paper_table import paper_table
from flextune.studies.optimizers.tables import group_tables


class OptimizersStudy(Study):
    """Applies where two arms differ in their ``optimizer`` section and in nothing else but tuned settings."""

    def applies(self, run: RunData) -> bool:
        """Whether arms that train alike have different optimizers."""
        return bool(optimizer_groups(run))

    def sections(self, run: RunData) -> list[Section]:
        """One section: verdicts and causes of each training data, figures, tables, the paper's table."""
        groups = optimizer_groups(run)
        values = {
            "groups": [_group_values(group, run) for group in groups],
            "paper": paper_table(groups),
            "faster": paper().claim("seconds"),
        }
        template = asset("flextune.studies.optimizers", "templates/section.html.j2")
        return [
            Section(
                id="optimizers",
                title="Optimizers",
                order=60,
                charts=tuple(replace(chart, id=f"optimizer-{chart.id}") for chart in _charts(run)),
                fragment=Fragment(template, values),
                style=asset("flextune.studies.optimizers", "templates/section.css"),
            )
        ]

    def summary(self, run: RunData) -> dict[str, Any] | None:
        """Each arm over its reference as ratios, geometric means over seeds; None without a reference.

        ``steps_ratio`` and ``seconds_ratio`` are of the way to the reference's lowest validation loss. A
        ratio is null where it is not known, or where a seed did not get there; one of times also where fewer
        than two seeds were timed.
        """
        ratios = {
            arm.name: _ratios(group, arm.name) for group in optimizer_groups(run) for arm in group.others()
        }
        return ratios or None

    def pictures(self, run: RunData) -> list[Chart]:
        """All figures."""
        return list(_charts(run))

    def documents(self, run: RunData, files: Mapping[str, str]) -> dict[str, str]:
        """``optimizers.md``, with links to the pictures."""
        pictures = [(chart.title, files[chart.id]) for chart in _charts(run) if chart.id in files]
        return {"optimizers.md": optimizers_document(run, optimizer_groups(run), pictures)}

    def arms_drawn(self, run: RunData) -> frozenset[str]:
        """Every arm that is compared."""
        return frozenset(arm.name for group in optimizer_groups(run) for arm in group.arms)


@once_per_run
def _charts(run: RunData) -> tuple[Chart, ...]:
    return tuple(optimizer_figures(optimizer_groups(run)))


def _group_values(group: Group, run: RunData) -> dict[str, Any]:
    return {
        "name": group.name,
        "verdicts": claim_verdicts(group),
        "causes": causes(group),
        "notes": notes(group),
        "tables": group_tables(group, run),
    }


def _ratios(group: Group, name: str) -> dict[str, float | None]:
    assert group.reference is not None
    compared = pair(next(arm for arm in group.arms if arm.name == name), group.reference)
    spreads = {
        "val_loss": compared.loss_ratio,
        "perplexity": compared.perplexity,
        "steps": _if_all_reached(compared.steps_to_loss),
        "seconds": _if_all_reached(compared.seconds_to_loss),
        "seconds_per_step": compared.seconds_per_step,
    }
    return {
        f"{name}_ratio": float(f"{spread.value:.6g}") if spread is not None else None
        for name, spread in spreads.items()
    }


def _if_all_reached(race: Race) -> Spread | None:
    return race.ratio if race.reached == race.of else None
