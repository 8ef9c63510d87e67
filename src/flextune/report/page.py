"""A page: one self-contained HTML file that opens without a network, made of sections."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import jinja2
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from flextune.report.formats import count
from flextune.report.palette import DARK
from flextune.report.sections import Fragment, Section, asset

#: The page's own scripts, in the order in which they run.
SCRIPTS = ("page/inks.js", "page/charts.js", "page/tables.js", "page/print.js")
#: What a section without a fragment of its own looks like.
_PLAIN = Fragment('{% from "macros.html.j2" import plain %}{{ plain(section) }}')


def render(title: str, sections: Sequence[Section]) -> str:
    """The page's text.

    Args:
        title: The heading.
        sections: In any order; theirs is ``Section.order``.

    Raises:
        ValueError: Two sections or two charts with the same id.
    """
    ordered = sorted(sections, key=lambda section: section.order)
    charts = [chart for section in ordered for chart in section.charts]
    _check_ids(section.id for section in ordered)
    _check_ids(chart.id for chart in charts)
    environment = _environment()
    scripts = [
        _clean(get_plotlyjs()),
        _clean("\n".join([*map(_template, SCRIPTS), *(s.script for s in ordered if s.script)])),
    ]
    return environment.get_template("page.html.j2").render(
        title=title,
        headline=[line for section in ordered for line in section.headline],
        sections=[(section, _body(section, environment)) for section in ordered],
        inks_json=_embedded(DARK),
        figures_json=_embedded({chart.id: chart.figure.to_plotly_json() for chart in charts}),
        data_json={section.id: _embedded(section.data) for section in ordered if section.data},
        style=_trusted("\n".join([_template("page.css"), *(s.style for s in ordered if s.style)])),
        scripts=[_trusted(script) for script in scripts],
        script_hashes=[_hash(script) for script in scripts],
    )


def _check_ids(ids: Any) -> None:
    twice = [name for name, times in Counter(ids).items() if times > 1]
    if twice:
        raise ValueError(f"on a page twice: {', '.join(twice)}")


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_template),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = count
    return environment


def _body(section: Section, environment: jinja2.Environment) -> Markup:
    fragment = section.fragment or _PLAIN
    template = environment.from_string(fragment.template)
    return _trusted(template.render(section=section, **fragment.values))


def _template(name: str) -> str:
    return asset("flextune.report", f"templates/{name}")


def _clean(script: str) -> str:
    # HTML reads a carriage return as a newline, and the policy's hash is of what HTML read.
    return script.replace("\r\n", "\n").replace("\r", "\n")


def _trusted(text: str) -> Markup:
    """Text that the template prints as it is: our own, plotly's, or rendered with escaping already."""
    return Markup(text)


def _embedded(data: Any) -> Markup:
    """JSON that cannot leave its script element: no ``<``, so neither ``</script>`` nor ``<!--``."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return _trusted(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _hash(script: str) -> str:
    """The script's name in the page's policy, which lets no other script run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
