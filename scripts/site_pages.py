"""What mkdocs needs beside the files of docs/: generated pages, and pages that lie elsewhere in the checkout.

The reference is made from the code when the site is built: commands from the command line itself, keys from
the schema of an experiment file, calls from ``flextune.__all__``. Results and benchmarks stay where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

# It lies beside this file, where mkdocs looks too.
import site_reference
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
DOCS = "docs/"
#: Pages and pictures outside docs/, by their place in the checkout, which they keep on the site.
ELSEWHERE = (
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "src/flextune/rosetta/model/README.md",
    "results/**/*.md",
    "results/**/*.svg",
    "benchmarks/results/*.md",
    "benchmarks/results/*.svg",
)
LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[)#])")


def _elsewhere() -> Iterator[str]:
    for pattern in ELSEWHERE:
        for path in sorted(ROOT.glob(pattern)):
            yield path.relative_to(ROOT).as_posix()


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add all results to the navigation, whatever studies and benchmarks there are."""
    pages = [name for name in _elsewhere() if name.endswith(".md")]
    folders = {"Results": "results/", "Measured": "benchmarks/results/"}
    config.nav += [{title: [n for n in pages if n.startswith(folder)]} for title, folder in folders.items()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is generated and what lies elsewhere."""
    for name in _elsewhere():
        files.append(File.generated(config, name, abs_src_path=str(ROOT / name)))
    for name, text in site_reference.pages().items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Mend links between docs/ and the rest of the checkout: on the site, docs/ lies at the top."""
    source = page.file.src_uri
    here = Path(source if source in set(_elsewhere()) else f"{DOCS}{source}")
    return LINK.sub(lambda link: _on_the_site(here, link[1], source), markdown)


def _on_the_site(here: Path, link: str, source: str) -> str:
    """A relative link of the checkout as one of the site."""
    target = (ROOT / here.parent / link).resolve()
    if not target.is_relative_to(ROOT):
        return link
    place = target.relative_to(ROOT).as_posix().removeprefix(DOCS)
    return "../" * source.count("/") + place
