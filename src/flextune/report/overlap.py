"""What training data shares with evaluation problems, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from flextune.languages import language_name
from flextune.report.formats import count
from flextune.report.labels import benchmark_title, source_title

if TYPE_CHECKING:
    from flextune.sources.overlap import Overlap

#: Near copies that a document lists.
LISTED = 100


def summary(found: Overlap) -> str:
    """One line: how many problems have a near copy, of how many, among how many examples."""
    short = f"; {count(found.short, 'part')} (prompts and solutions) too short to compare"
    touched = len(found.touched)
    return (
        f"{touched} of {count(found.problems, 'problem')} {'has' if touched == 1 else 'have'} a near copy"
        f" (share of {found.threshold:.0%} or more) among {count(found.examples, 'training example')}"
        f"{short if found.short else ''}"
    )


#: How such a document begins.
TITLE = "# Overlap: "


def markdown(found: Overlap, data: Sequence[str], benchmarks: Sequence[str]) -> str:
    """A document: what was compared, a row for each language, and the near copies."""
    return "\n".join([*_head(found, data, benchmarks), *_languages(found), *_copies(found)]) + "\n"


def _head(found: Overlap, data: Sequence[str], benchmarks: Sequence[str]) -> Iterator[str]:
    ours = ", ".join(map(source_title, data))
    theirs = ", ".join(map(benchmark_title, benchmarks))
    yield from (f"{TITLE}{ours} against {theirs}", "", f"{summary(found)}.", "")
    yield (
        "A share is the part of a problem's runs of five tokens (of its prompt, or its reference solution)"
        " that one training example has too. Runs that many problems of a benchmark share do not count."
    )
    yield ""


def _languages(found: Overlap) -> Iterator[str]:
    if not found.copies:
        return
    counts = Counter((copy.benchmark, copy.language, copy.part) for copy in found.copies)
    yield from ("| benchmark | language | prompts | solutions |", "|---|---|---:|---:|")
    for benchmark, language in dict.fromkeys((key[0], key[1]) for key in sorted(counts)):
        prompts, solutions = (counts[benchmark, language, part] for part in ("prompt", "solution"))
        title, name = benchmark_title(benchmark), language_name(language)
        yield f"| {title} | {name} | {prompts} | {solutions} |"
    yield ""


def _copies(found: Overlap) -> Iterator[str]:
    if not found.copies:
        return
    yield from (
        "| share | problem | language | part | training example | examples |",
        "|---:|---|---|---|---|---:|",
    )
    for copy in found.copies[:LISTED]:
        yield (
            f"| {copy.share:.0%} | {copy.problem} | {language_name(copy.language)} | {copy.part} |"
            f" {copy.example} | {copy.examples} |"
        )
    if len(found.copies) > LISTED:
        yield f"\n{len(found.copies) - LISTED} more are left out."
