"""report.html: one self-contained page that opens from a file, without a network."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from flextune.errors import FlextuneError
from flextune.languages import language_name
from flextune.records import OUTCOMES
from flextune.report import context
from flextune.report.findings import findings
from flextune.report.formats import count
from flextune.report.inputs import Run, read_run
from flextune.report.labels import OUTCOME_COLOURS
from flextune.report.programs import programs


def write_page(run: Path) -> Path:
    """Write ``report.html`` into a run directory.

    Args:
        run: ``runs/<experiment>`` with scores.json; everything else is shown where it is there.

    Returns:
        The page's path.

    Raises:
        FlextuneError: If scores.json is missing, a file is damaged, or the page cannot be written.
    """
    text = render(read_run(run))
    page = run / "report.html"
    part = page.with_suffix(".html.part")
    try:
        # A lone surrogate can stand in a name that a file escaped; UTF-8 has no place for it.
        part.write_bytes(text.encode("utf-8", errors="replace"))
        os.replace(part, page)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise FlextuneError(f"{page}: cannot be written ({error.strerror})") from None
    return page


def render(run: Run) -> str:
    """The page's text."""
    charts = context.charts(run)
    shown = programs(run)
    scripts = (_clean(get_plotlyjs()), _clean(_asset("page.js")))
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["count"] = count
    return environment.from_string(_asset("page.html.j2")).render(
        title=run.held.experiment,
        baseline=run.held.baseline,
        arms=run.labels.arms,
        facts=context.facts(run),
        findings=findings(run.held.scores, run.held.comparisons, run.labels),
        score_tables=context.score_tables(run),
        interval_methods=context.interval_methods(run),
        comparisons=context.comparison_rows(run),
        charts=charts,
        optimizers=context.optimizers(run),
        spectrum=context.spectrum_rows(run),
        experiment_text=run.experiment_text,
        wordings={run.labels.wording(where) for where in run.labels.settings},
        trained=language_name(run.labels.trained),
        omitted=shown["omitted"],
        figures_json=_embedded({c.id: c.figure.to_plotly_json() for part in charts.values() for c in part}),
        programs_json=_embedded({**shown, "outcomes": OUTCOMES, "colours": OUTCOME_COLOURS}),
        style=_trusted(_asset("page.css")),
        plotly=_trusted(scripts[0]),
        script=_trusted(scripts[1]),
        script_hashes=[_hash(script) for script in scripts],
    )


def _asset(name: str) -> str:
    return (resources.files("flextune.report") / "templates" / name).read_text(encoding="utf-8")


def _clean(script: str) -> str:
    # HTML reads a carriage return as a newline, and the policy's hash is of what HTML read.
    return script.replace("\r\n", "\n").replace("\r", "\n")


def _trusted(text: str) -> Markup:
    """Text of our own (or plotly's), which the template prints as it is."""
    return Markup(text)


def _embedded(data: Any) -> Markup:
    """JSON that cannot leave its script element: no ``<``, so neither ``</script>`` nor ``<!--``."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return _trusted(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _hash(script: str) -> str:
    """The script's name in the page's policy, which lets no other script run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
