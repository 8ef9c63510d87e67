"""Figures as files of their own: HTML that opens without a network, or pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import plotly.graph_objects as go
from plotly.io import write_images

from flextune.errors import FlextuneError
from flextune.extras import need

PICTURES = ("png", "pdf", "svg")


def check_formats(formats: Sequence[str]) -> tuple[str, ...]:
    """The formats, each once.

    Raises:
        FlextuneError: An unknown one, or a picture where nothing that draws pictures is installed.
    """
    for name in formats:
        if name not in ("html", *PICTURES):
            raise FlextuneError(f"figure format {name!r}: unknown (known: html, {', '.join(PICTURES)})")
        if name in PICTURES:
            need("kaleido", what=f"figure format {name!r}")
    return tuple(dict.fromkeys(formats))


def write_figures(
    figures: Mapping[str, go.Figure], folder: Path, formats: Sequence[str] = ("html",)
) -> Iterator[Path]:
    """Write ``folder/NAME.FORMAT`` for each; pages share one ``plotly.min.js`` beside them.

    Yields:
        Each file once it is there; pictures are drawn together.

    Raises:
        FlextuneError: A file that cannot be written, or no browser to draw pictures with.
    """
    pages, pictures = [], {}
    for name, figure in figures.items():
        # On its own a figure stands on white; the page of a run sets its own colours.
        white = go.Figure(figure).update_layout(template="plotly_white", font={"color": "#222222"})
        for kind in formats:
            file = folder / f"{name}.{kind}"
            if kind == "html":
                pages.append((white, file))
            else:
                pictures[file] = white
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for white, file in pages:
            white.write_html(file, include_plotlyjs="directory")
            yield file
        if pictures:
            _write_pictures(pictures)
            yield from pictures
    except OSError as error:
        raise FlextuneError(f"{error.filename or folder}: cannot be written ({error.strerror})") from None


def _write_pictures(pictures: Mapping[Path, go.Figure]) -> None:
    """All at once: each call starts a browser."""
    try:
        write_images(
            list(pictures.values()),
            list(pictures),
            # Unlike write_image, write_images does not read a figure's own size.
            width=[figure.layout.width for figure in pictures.values()],
            height=[figure.layout.height for figure in pictures.values()],
            scale=[2 if file.suffix == ".png" else 1 for file in pictures],
        )
    # kaleido has no exceptions of its own for a browser that is missing or does not start.
    except (RuntimeError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise FlextuneError(
            f"{next(iter(pictures))}: cannot be drawn ({reason}); it takes Chromium, whose path may stand in "
            "$BROWSER_PATH"
        ) from None
