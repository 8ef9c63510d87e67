from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from tests.support.html_reader import Reader

from flextune.errors import FlextuneError
from flextune.report.run_data import RunData, read_run
from flextune.studies import writing
from flextune.studies.writing import write_report

pytestmark = pytest.mark.slow

HOSTILE = (
    "</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> ]]> & \u2028 \ud800 \x00 {{ 7*7 }}"
)
MAX_BYTES = 8_000_000


@pytest.fixture(scope="module")
def page(finished_run: Path) -> Reader:
    return Reader(write_report(finished_run).page.read_text(encoding="utf-8"))


def test_the_page_is_one_file_of_bounded_size(finished_run: Path) -> None:
    written = write_report(finished_run).page
    assert written == finished_run / "report.html"
    assert 1_000_000 < written.stat().st_size < MAX_BYTES
    assert not list(finished_run.glob("*.part*"))


def test_nothing_is_loaded_from_anywhere(page: Reader) -> None:
    addresses = [
        value
        for _, attrs in page.tags
        for name, value in attrs.items()
        if name in ("src", "href", "data", "action") and not (value or "").startswith("#")
    ]
    assert addresses == []
    assert "link" not in {tag for tag, _ in page.tags}


def test_the_policy_lets_exactly_our_two_scripts_run(page: Reader) -> None:
    (policy,) = [a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a]
    assert policy is not None
    assert "default-src 'none'" in policy
    plain = [text for text in page.scripts if not text.startswith(("{", "["))]
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in plain]
    assert re.findall(r"'sha256-([^']+)'", policy) == hashes
    assert len(hashes) == 2
    assert "script-src 'unsafe" not in policy


def test_the_page_tells_what_was_run_and_found(page: Reader) -> None:
    for expected in (
        "quickstart",
        "Python, taught words",
        "torch 2.13.0",
        "flextune quickstart",
        "rank 8, alpha 16",
        "18 comparisons",
        "a processor, 2 cores, 8 GiB of memory, no GPU",
        "Old words: descriptions in the words of pretraining;",
        "Taught words: words that were taught in Python only;",
        "taught words: no arm passed any of 40 problems",
    ):
        assert expected in page.text, expected


def test_numbers_on_the_page_are_those_of_the_scores_file(page: Reader, finished_run: Path) -> None:
    held = json.loads((finished_run / "scores.json").read_text())
    for score in held["scores"]:
        found = score["estimates"][0]
        shown = f"{100 * found['value']:.1f} [{100 * found['low']:.1f}, {100 * found['high']:.1f}]"
        assert shown in page.text
    for comparison in held["comparisons"]:
        assert all(name in page.text for name in (*comparison["won"], *comparison["lost"]))


def test_every_figure_has_a_place_and_data(page: Reader) -> None:
    places = [attrs["data-figure"] for _, attrs in page.tags if "data-figure" in attrs]
    assert places == [
        "scores",
        "plane",
        "retention",
        "transfer",
        "wins",
        "outcomes",
        "losses",
        "penalty",
        "spectrum-A",
        "spectrum-B",
    ]
    figures = page.json("figures-data")
    assert all(figures[place]["data"] for place in places)  # type: ignore[index]


def test_all_programs_travel_inside_the_page(page: Reader) -> None:
    data = page.json("programs-data")
    assert data["arms"] == ["baseline", "lora", "flex", "flex-merged"]
    assert sum(len(problem[-1]) for one in data["sets"] for problem in one["problems"]) == 6 * 40 * 10


def damage(path: Path, field: str) -> None:
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0][field] = HOSTILE
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_hostile_text_stays_text_everywhere(small_run: Path) -> None:
    clean = Reader(write_report(small_run).page.read_text(encoding="utf-8"))
    for file, field in (("completions", "text"), ("problems", "prompt")):
        damage(small_run / "generated" / "flex-py-base-0" / f"{file}.jsonl", field)
    damage(small_run / "judged" / "flex-py-base-0" / "verdicts.jsonl", "message")
    for name in ("scores.json", "environment.json"):
        text = (small_run / name).read_text()
        for innocent in ("sum_divisible_03", "flextune quickstart", "lora"):
            text = text.replace(json.dumps(innocent), json.dumps(innocent + HOSTILE))
        (small_run / name).write_text(text)
    experiment = yaml.safe_load((small_run / "experiment.yaml").read_text())
    # YAML has no lone surrogate and no null character.
    experiment["model"] = HOSTILE.replace("\ud800", "").replace("\x00", "")
    (small_run / "experiment.yaml").write_text(yaml.safe_dump(experiment))
    hostile = Reader(write_report(small_run).page.read_text(encoding="utf-8"))
    kinds = ("script", "img", "style", "meta", "iframe", "svg")
    for kind in kinds:
        assert [t for t, _ in hostile.tags].count(kind) == [t for t, _ in clean.tags].count(kind), kind
    assert not [name for _, attrs in hostile.tags for name in attrs if name.startswith("on")]
    assert HOSTILE in hostile.json("programs-data")["pool"]
    assert "49" not in "".join(re.findall(r"\{\{ .{1,4} \}\}", hostile.text))
    assert "{{ 7*7 }}" in hostile.text


def test_a_run_with_scores_alone_has_a_page(small_run: Path) -> None:
    for folder in ("trained", "generated", "judged"):
        shutil.rmtree(small_run / folder)
    for name in ("experiment.yaml", "environment.json"):
        (small_run / name).unlink()
    page = Reader(write_report(small_run).page.read_text(encoding="utf-8"))
    places = [attrs["data-figure"] for _, attrs in page.tags if "data-figure" in attrs]
    assert places == ["scores", "wins", "outcomes"]
    assert "Spectrum of the adapter" not in page.text


def test_a_run_without_a_spectrum_still_has_its_losses(small_run: Path) -> None:
    for path in small_run.glob("trained/*/spectrum.json"):
        path.unlink()
    page = Reader(write_report(small_run).page.read_text(encoding="utf-8"))
    places = [attrs["data-figure"] for _, attrs in page.tags if "data-figure" in attrs]
    assert places == ["scores", "plane", "retention", "transfer", "wins", "outcomes", "losses", "penalty"]


def test_the_same_run_gives_the_same_page(small_run: Path) -> None:
    first = write_report(small_run).page.read_bytes()
    assert write_report(small_run).page.read_bytes() == first


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FlextuneError, match=r"scores\.json"):
        write_report(tmp_path)


def test_a_page_that_cannot_be_written_is_one_line(small_run: Path) -> None:
    (small_run / "report.html").mkdir()
    with pytest.raises(FlextuneError, match=r"report\.html: cannot be written"):
        write_report(small_run)


def test_a_run_is_read_once_for_page_documents_and_summaries(
    small_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []

    def counted(folder: Path) -> RunData:
        reads.append(folder)
        return read_run(folder)

    monkeypatch.setattr(writing, "read_run", counted)
    write_report(small_run)
    assert reads == [small_run]
