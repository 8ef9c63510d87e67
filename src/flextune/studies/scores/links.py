"""Addresses on the page: a choice of programs, or one problem of them."""

from __future__ import annotations

from urllib.parse import urlencode

from flextune.records import Comparison
from flextune.report.labels import Labels
from flextune.statistics.tally import setting


def programs_link(comparison: Comparison, labels: Labels, show: str) -> str:
    """The programs of one comparison.

    Args:
        comparison: Says which arms, and where.
        labels: Of its run.
        show: ``changed``, ``won`` or ``lost``.
    """
    choice = {"set": labels.anchor(setting(comparison)), "arm": comparison.arm, "show": show}
    if comparison.baseline != labels.baseline:
        choice["against"] = comparison.baseline
    return f"programs?{urlencode(choice)}"
