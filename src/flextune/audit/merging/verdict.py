"""What an audit decides, by stated thresholds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from flextune.audit.merging.faults import Fault
from flextune.audit.merging.tokens import TokenAudit
from flextune.audit.merging.weights import WeightAudit
from flextune.records import Comparison

Verdict = Literal["equivalent", "drifted", "different"]

#: Exit codes of the command.
EXIT_CODES: dict[Verdict, int] = {"equivalent": 0, "drifted": 3, "different": 4}


@dataclass(frozen=True)
class Thresholds:
    """Where ``drifted`` and ``different`` begin; a merge beyond none of them is ``equivalent``.

    Attributes:
        kl_drifted: Mean KL divergence per token, in nats.
        kl_different: The same.
        top1_drifted: Share of tokens with the same likeliest token, below which.
        top1_different: The same.
        lost_drifted: KL as a part of what the adapter itself does, above which.
        lost_different: The same.
        p_different: Exact McNemar test of pass@1, below which.
    """

    kl_drifted: float = 0.001
    kl_different: float = 0.05
    top1_drifted: float = 0.99
    top1_different: float = 0.95
    lost_drifted: float = 0.01
    lost_different: float = 0.25
    p_different: float = 0.05


#: Below this KL divergence two models are the same but for the order of sums in float32.
SAME_KL = 1e-7


@dataclass(frozen=True)
class MergeAudit:
    """What merging did to a model.

    Attributes:
        adapter: Its folder.
        base_model: The base model's name.
        merged: The merged model's folder; empty for one that was not kept.
        onto: What the update was taken to be added to.
        weights: Every parameter.
        faults: What is wrong, by name.
        tokens: The next-token distributions; None where no model was run.
        texts: Greedy texts that were compared; None where none were decoded.
        changed_texts: Names of those that differ.
        comparisons: pass@1, merged against unmerged, a row for each benchmark and language that was judged.
        pass_at_1: pass@1 of both, (unmerged, merged), alike.
        note: What has to be known of the audit.
        thresholds: What the verdict goes by.
    """

    adapter: str
    base_model: str
    merged: str
    onto: str
    weights: WeightAudit
    faults: tuple[Fault, ...]
    tokens: TokenAudit | None = None
    texts: int | None = None
    changed_texts: tuple[str, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    pass_at_1: tuple[tuple[float, float], ...] = ()
    note: str = ""
    thresholds: Thresholds = field(default_factory=Thresholds)

    @property
    def verdict(self) -> Verdict:
        """The gravest of the reasons; ``equivalent`` without one."""
        gravities = [gravity for gravity, _ in self.reasons]
        return "different" if "different" in gravities else "drifted" if gravities else "equivalent"

    @property
    def exit_code(self) -> int:
        """Of the command."""
        return EXIT_CODES[self.verdict]

    @property
    def reasons(self) -> list[tuple[Verdict, str]]:
        """Why it is not equivalent."""
        found: list[tuple[Verdict, str]] = [
            ("different" if fault.grave else "drifted", f"{fault.name}: {fault.words}")
            for fault in self.faults
        ]
        return [*found, *self._of_tokens(), *self._of_programs()]

    def _of_tokens(self) -> Sequence[tuple[Verdict, str]]:
        if self.tokens is None:
            return []
        limits, tokens = self.thresholds, self.tokens
        small = tokens.kl <= SAME_KL or math.isnan(tokens.lost)
        rows = [
            _above(tokens.kl, limits.kl_drifted, limits.kl_different, "mean KL per token {:.2g}"),
            _above(
                1 - tokens.top1,
                1 - limits.top1_drifted,
                1 - limits.top1_different,
                "another likeliest token at {:.1%} of the tokens",
            ),
            None
            if small
            else _above(
                tokens.lost,
                limits.lost_drifted,
                limits.lost_different,
                "KL is {:.1%} of what the adapter itself changes",
            ),
        ]
        return [row for row in rows if row]

    def _of_programs(self) -> Sequence[tuple[Verdict, str]]:
        limit = self.thresholds.p_different
        return [
            (
                "different",
                f"pass@1 on {test.benchmark} {test.language} {100 * test.difference:+.1f} points,"
                f" {test.method} p = {test.p_value:.2g} (different below {limit:g})",
            )
            for test in self.comparisons
            if test.p_value is not None and test.p_value < limit
        ]

    def as_row(self) -> dict[str, Any]:
        """One JSON object."""
        rows = asdict(self)
        weights = {
            "error": self.weights.error,
            "unmoved": self.weights.unmoved,
            "scale": self.weights.scale,
            "right_scale": self.weights.right_scale,
        }
        rows["weights"] = {**weights, **rows["weights"]}
        if self.tokens is not None:
            rows["tokens"] = {**rows["tokens"], "lost": self.tokens.lost}
        reasons = [{"verdict": verdict, "words": words} for verdict, words in self.reasons]
        return {"verdict": self.verdict, "exit_code": self.exit_code, "reasons": reasons, **rows}


def _above(value: float, drifted: float, different: float, words: str) -> tuple[Verdict, str] | None:
    if value > different:
        return "different", f"{words.format(value)} (different above {different:.3g})"
    if value > drifted:
        return "drifted", f"{words.format(value)} (drifted above {drifted:.3g})"
    return None
