"""A sweep as tables and sentences, for the page and for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flextune.report.formats import UNDEFINED, count, interval, number, p_value, percent, points
from flextune.report.tables import Table
from flextune.search.base import words
from flextune.statistics.decision import SIGNIFICANT, detectable

Found = Mapping[str, Any]

WAYS_NOTE = (
    "Chosen on one half: judged on problems that no search saw. Cross-fitted: the same over many splits,"
    " both ways round, for the weights of the search. Naive best: the highest score of all on the problems"
    " that chose it, which is what choosing makes of chance too."
)


def sweep_tables(found: Found) -> list[Table]:
    """The ways to report the best, and every configuration."""
    return [_ways(found), _configurations(found)]


def sentences(found: Found) -> Iterator[str]:
    """What was chosen, what it is worth, what chance gives, and what could have been shown."""
    honest = found["honest"]
    chosen, reporting = words(found["chosen"]["settings"]), found["halves"][1]
    yield (
        f"Chosen: {chosen} (configuration {found['chosen']['number']}), by {_objective(found)}. On"
        f" {count(reporting, 'problem')} that had no hand in it: {points(honest['difference'])} points"
        f" {interval(honest['low'], honest['high'], signed=True)} against the baseline, {_verdict(honest)}."
    )
    naive, tested = found.get("naive"), found.get("max_t")
    if naive is not None:
        gain = naive["rate"] - naive["baseline_rate"]
        by_chance = ""
        if tested is not None:
            by_chance = (
                f" If no configuration differed from the baseline, the best of them would gain"
                f" {points(tested['expected_best'])} points on average, and once in twenty more than"
                f" {points(tested['largest_by_chance'])}."
            )
        yield (
            f"The naive best of {count(len(naive['scores']), 'configuration')} passes"
            f" {percent(naive['rate'])} % ({points(gain)} points).{by_chance}"
        )
    if tested is not None:
        shown = sum(p < SIGNIFICANT for p in tested["p_values"])
        yield (
            f"Tested all at once on all problems (max-T), {count(shown, 'configuration')} of"
            f" {len(tested['p_values'])} differ{'s' if shown == 1 else ''} from the baseline."
        )
    yield _power(found)
    left = found.get("left_out")
    if left:
        yield f"Left out, with too many unknown verdicts: {', '.join(map(str, left))}."


def _power(found: Found) -> str:
    could = [f"the report {points(found['honest'].get('detectable'))}"]
    fitted, tested = found.get("cross_fit"), found.get("max_t")
    if fitted is not None and fitted["low"] is not None:
        could.append(f"cross-fitting {points(detectable(fitted['low'], fitted['high']))}")
    if tested is not None:
        could.append(f"the test of all at once {points(tested['detectable'])}")
    return f"Smallest gain that four of five such sweeps would show, in points: {', '.join(could)}."


def _ways(found: Found) -> Table:
    honest, naive, fitted = found["honest"], found.get("naive"), found.get("cross_fit")
    seeds = honest["trainings"][0]
    rows = [
        (
            f"chosen on one half ({found['halves'][0]}), reported on the other"
            + (f", {count(seeds, 'new training')}" if seeds else ""),
            percent(honest["rate"]),
            percent(honest["baseline_rate"]),
            _gain(honest),
            p_value(honest["adjusted_p"]),
            _verdict(honest),
        )
    ]
    if fitted is not None and naive is not None:
        rows.append(
            (
                f"cross-fitted over {fitted['splits']} splits",
                percent(fitted["rate"]),
                percent(naive["baseline_rate"]),
                _gain(fitted),
                p_value(fitted["p_value"]),
                "these weights" if seeds else "",
            )
        )
    if naive is not None:
        place = naive["numbers"].index(naive["number"])
        tested = found.get("max_t")
        rows.append(
            (
                f"naive best ({naive['number']})",
                percent(naive["rate"]),
                percent(naive["baseline_rate"]),
                points(naive["rate"] - naive["baseline_rate"]),
                p_value(tested["p_values"][place]) if tested is not None else UNDEFINED,
                "adjusted (max-T)" if tested is not None else "no test",
            )
        )
    header = ("the best", "pass@1, %", "baseline, %", "difference", "p", "verdict")
    return Table("What the best is worth", header, tuple(rows), WAYS_NOTE, align="lrrrrl")


def _gain(report: Mapping[str, Any]) -> str:
    span = interval(report["low"], report["high"], signed=True)
    return f"{points(report['difference'])} {span}".rstrip()


def _configurations(found: Found) -> Table:
    """Every configuration, the best first; those without a value last."""
    lowest = found["objective"] == "eval_loss"
    adjusted = _adjusted(found)
    overall = (
        dict(zip(found["naive"]["numbers"], found["naive"]["scores"], strict=True))
        if "naive" in found
        else {}
    )

    def order(row: Mapping[str, Any]) -> tuple[bool, float, int]:
        value = row["value"]
        return (row["state"] != "done", 0.0 if value is None else value if lowest else -value, row["number"])

    rows = [
        (
            str(row["number"]),
            words(row["settings"]),
            row["state"],
            number(row["value"], 4) if lowest else percent(row["value"]),
            percent(overall.get(row["number"])),
            p_value(adjusted.get(row["number"])),
        )
        for row in sorted(found["trials"], key=order)
    ]
    header = ("nr", "settings", "state", _objective(found), "all problems, %", "p (max-T)")
    return Table("Configurations", header, tuple(rows), align="rllrrr")


def _adjusted(found: Found) -> dict[int, float]:
    if "max_t" not in found:
        return {}
    return dict(zip(found["naive"]["numbers"], found["max_t"]["p_values"], strict=True))


def _objective(found: Found) -> str:
    if found["objective"] == "eval_loss":
        return "validation loss"
    return f"pass@1, % ({found['halves'][0]} problems)"


def _verdict(honest: Mapping[str, Any]) -> str:
    return (
        f"{honest['verdict']} (these weights)" if honest["subject"] == "weights" else str(honest["verdict"])
    )
