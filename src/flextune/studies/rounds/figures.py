"""Charts of the rounds: the paper's bars beside ours, and pass@1 over decodings and strengths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flextune.config import DecodeConfig
from flextune.languages import language_name
from flextune.records import Score
from flextune.report.charts.bars import Bar, Series, draw_grouped_bars
from flextune.report.charts.lines import draw_lines
from flextune.report.charts.marks import Band, Line
from flextune.report.labels import lexicon_words
from flextune.report.palette import BASELINE, arm_style
from flextune.report.run_data import RunData
from flextune.report.sections import Chart
from flextune.studies.rounds.claims import DECODING
from flextune.studies.rounds.paper import paper_scores, strengths

#: The end of the name of an arm that decodes another arm's adapter in many ways.
DECODINGS = "-decoding"
#: Top-p is varied at this temperature, as the temperature is at this top-p.
_TEMPERATURE, _TOP_P = 0.8, 0.95


@dataclass(frozen=True, slots=True)
class Point:
    """One measured pass@1, in per cent.

    Attributes:
        x: Where it stands.
        value: pass@1.
        low: Lower end of its interval.
        high: Upper end.
    """

    x: float
    value: float
    low: float
    high: float


def rounds_chart(run: RunData) -> Chart:
    """Figures 1 and 4: pass@1 of each round, the paper's and ours."""
    paper: list[Bar] = []
    ours: dict[str, list[Bar]] = {}
    for row in paper_scores():
        place = f"{_name(row.round, row.arm)} · {language_name(row.language)}"
        measured = [score for score in run.scores if _stands_for(score, row.arm, row.language)]
        if measured:
            paper.append(Bar(place, 100 * row.rate))
        for score in measured:
            point = _point(score, 0.0)
            label = ", ".join(part for part in ("ours", lexicon_words(score.lexicon)) if part)
            if point is not None:
                ours.setdefault(label, []).append(Bar(place, point.value, point.low, point.high))
    series = [Series("paper", BASELINE.colour, tuple(paper))]
    series += [
        Series(label, arm_style(place).colour, tuple(bars), arm_style(place).pattern)
        for place, (label, bars) in enumerate(ours.items())
    ]
    drawn = draw_grouped_bars(series, x="pass@1, %", hover="%{y}<br>%{x:.1f} %")
    return Chart("rounds", "pass@1 by round: the paper's and ours (figures 1 and 4)", drawn)


def _name(number: str, arm: str) -> str:
    """``5``, or of a round's other arms ``5: all-0.01``."""
    own = arm.removeprefix(f"round-{number.lower()}").strip("-")
    return f"{number}: {own}" if own else number


def _stands_for(score: Score, arm: str, language: str) -> bool:
    return (score.arm, score.language, score.decoding) == (arm, language, DECODING)


def decoding_charts(run: RunData) -> list[Chart]:
    """Figures 8 to 11 and 16 to 19: pass@1 over one setting, all else equal; those that the run has."""
    charts = [
        ("temperature", "Temperature (figures 8 and 9; 0 is greedy)", "temperature", _temperature),
        ("top-p", f"Top-p at temperature {_TEMPERATURE:g} (figure 11)", "top-p", _top_p),
        ("beams", "Beams (figures 10, 16 and 18; 1 is greedy)", "beams", _beams),
    ]
    drawn = [
        Chart(f"rounds-{name}", title, draw_lines(lines, x={"title": axis}, y=_PASS_AT_1))
        for name, title, axis, place in charts
        if (lines := list(_lines(run, place)))
    ]
    if lines := list(_strength_lines(run)):
        title = "Strength of the penalty (figures 8 and 19; 0 is LoRA without it)"
        figure = draw_lines(lines, x={"title": "strength"}, y=_PASS_AT_1)
        drawn.append(Chart("rounds-strength", title, figure))
    return drawn


_PASS_AT_1 = {"title": "pass@1, %", "rangemode": "tozero"}


def _temperature(decode: DecodeConfig) -> float | None:
    if decode.strategy == "greedy":
        return 0.0
    return decode.temperature if decode.strategy == "sample" and decode.top_p == _TOP_P else None


def _top_p(decode: DecodeConfig) -> float | None:
    varied = decode.strategy == "sample" and decode.temperature == _TEMPERATURE
    return decode.top_p if varied else None


def _beams(decode: DecodeConfig) -> float | None:
    return {"greedy": 1.0, "beam": float(decode.num_beams)}.get(decode.strategy)


def _lines(run: RunData, place: Callable[[DecodeConfig], float | None]) -> Iterator[Line]:
    """A line for each adapter and setting in which at least two decodings have a place."""
    decodings = {
        (arm.name, decode.label): decode
        for arm in (run.experiment.resolved_arms() if run.experiment else [])
        for decode in arm.decode
    }
    lines: dict[tuple[str, str, str | None], list[Point]] = {}
    roots = {arm.removesuffix(DECODINGS) for arm in run.labels.arms if arm.endswith(DECODINGS)}
    for score in run.scores:
        root = score.arm.removesuffix(DECODINGS)
        decode = decodings.get((score.arm, score.decoding))
        x = place(decode) if decode is not None and root in roots else None
        point = _point(score, x) if x is not None else None
        if point is not None:
            lines.setdefault((root, score.language, score.lexicon), []).append(point)
    yield from _drawn({key: points for key, points in lines.items() if len(points) > 1})


def _strength_lines(run: RunData) -> Iterator[Line]:
    arms = {arm: strength for strength, arm in strengths().items()}
    lines: dict[tuple[str, str, str | None], list[Point]] = {}
    for score in run.scores:
        if score.arm in arms and score.decoding == DECODING:
            point = _point(score, arms[score.arm])
            if point is not None:
                lines.setdefault(("round-5", score.language, score.lexicon), []).append(point)
    yield from _drawn({key: points for key, points in lines.items() if len(points) > 1})


def _drawn(lines: dict[tuple[str, str, str | None], list[Point]]) -> Iterator[Line]:
    for number, ((arm, language, lexicon), points) in enumerate(lines.items()):
        points = sorted(points, key=lambda point: point.x)
        names = (language_name(language), lexicon_words(lexicon))
        yield Line(
            f"{arm}: {', '.join(name for name in names if name)}",
            tuple(point.x for point in points),
            tuple(point.value for point in points),
            arm_style(number).colour,
            dash=arm_style(number).dash,
            hover="%{x:g}: %{y:.1f} %",
            band=Band(tuple(p.low for p in points), tuple(p.high for p in points), 0.12),
            markers=7,
        )


def _point(score: Score, x: float) -> Point | None:
    estimate = next((each for each in score.estimates if each.metric == "pass@1"), None)
    if estimate is None or estimate.value != estimate.value:
        return None
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    return Point(x, 100 * estimate.value, 100 * low, 100 * high)
