"""The colours and patterns of every figure, for a light ground and for a dark one.

Three rules, held by tests: a colour has a contrast of 3:1 at least with its ground; no arm has the colour of
an outcome; two outcomes differ in pattern or in lightness, so that they can be told apart in grey print and
with every common colour blindness.
"""

from __future__ import annotations

from dataclasses import dataclass

from flextune.records import Outcome

#: The grounds that figures stand on.
PAPER = "#ffffff"
DARK_PAPER = "#14171b"


@dataclass(frozen=True, slots=True)
class Ink:
    """A colour.

    Attributes:
        light: On a light ground; figures are drawn with it.
        dark: What the page puts in its place on a dark ground.
    """

    light: str
    dark: str


@dataclass(frozen=True, slots=True)
class Style:
    """What tells an arm, or an outcome, from others.

    Attributes:
        ink: Its colour.
        pattern: Of its areas: one of plotly's shapes, empty for none.
        dash: Of its lines.
    """

    ink: Ink
    pattern: str = ""
    dash: str = "solid"

    @property
    def colour(self) -> str:
        """On a light ground."""
        return self.ink.light


#: Of the baseline.
BASELINE = Style(Ink("#6b7280", "#9aa3b0"))
GREY = BASELINE.colour
ARM_INKS = (
    Ink("#1f6fd0", "#4c93f5"),
    Ink("#c95a00", "#ff9d42"),
    Ink("#5b21b6", "#8a5cf6"),
    Ink("#0c97a0", "#67e3ec"),
    Ink("#96175f", "#b04d8c"),
    Ink("#4f5300", "#e3e05c"),
    Ink("#10265e", "#187574"),
    Ink("#41370d", "#ecfdcc"),
)
ARM_COLOURS = tuple(ink.light for ink in ARM_INKS)
#: Beyond the colours, arms have them again with the next pattern and the next dash.
_ROUNDS = (
    ("", "solid"),
    ("/", "dash"),
    ("x", "dot"),
    (".", "dashdot"),
    ("-", "longdash"),
    ("|", "longdashdot"),
)

OUTCOME_STYLES: dict[Outcome, Style] = {
    "passed": Style(Ink("#1f8a4c", "#3fb871")),
    "wrong_answer": Style(Ink("#e0604e", "#ff8f7d"), "/"),
    "exception": Style(Ink("#a3261f", "#d9534a"), "x"),
    "compile_error": Style(Ink("#5c0f14", "#b04446"), "-"),
    "timeout": Style(Ink("#8f8b84", "#c2bcb0"), "."),
    "memory_limit": Style(Ink("#5f5b54", "#948d80"), "\\"),
    "output_limit": Style(Ink("#4a4640", "#7d776b"), "|"),
    "ended_early": Style(Ink("#2b2824", "#6e685d"), "+"),
    "toolchain_missing": Style(Ink("#8a8478", "#b3ab9c"), "-"),
    "library_missing": Style(Ink("#8a8478", "#b3ab9c"), "\\"),
    "strict_unsupported": Style(Ink("#8a8478", "#b3ab9c"), "|"),
    "sandbox_fault": Style(Ink("#8a8478", "#b3ab9c"), "x"),
}

#: Of axes, intervals and lines of reference; figures also read outside of the page, which sets its own.
AXES = Ink("#666666", "#a7afba")

#: Colour on a light ground to the one on a dark ground.
DARK = {
    PAPER: DARK_PAPER,
    **{ink.light: ink.dark for ink in (AXES, BASELINE.ink, *ARM_INKS)},
    **{style.ink.light: style.ink.dark for style in OUTCOME_STYLES.values()},
}


def arm_style(place: int) -> Style:
    """The style of the arm at this place, the baseline not counted."""
    turn, colour = divmod(place, len(ARM_INKS))
    pattern, dash = _ROUNDS[turn % len(_ROUNDS)]
    return Style(ARM_INKS[colour], pattern, dash)
