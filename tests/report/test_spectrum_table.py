from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from rich.console import Console
from tests.support.spectrum_rows import module_rows, type_rows

from flextune.report.spectra.tables import NOTE, spectrum_tables, summary


def printed(adapters: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[list[str]]:
    """The lines of each table, 80 columns wide."""
    tables = []
    for table in spectrum_tables(adapters):
        console = Console(width=80)
        with console.capture() as capture:
            console.print(table)
        tables.append([line.rstrip() for line in capture.get().splitlines()])
    return tables


def cells(line: str) -> list[str]:
    return line.split()


def test_each_number_has_a_table_of_every_matrix() -> None:
    share, entropy, stable, effective = printed({"mine": type_rows()})
    assert [table[0].split(":")[0] for table in (share, entropy, stable, effective)] == [
        "High-frequency share, %",
        "Spectral entropy",
        "Stable rank",
        "Effective rank",
    ]
    assert cells(share[3]) == ["up_proj", "A", "50.00", "[40.00,", "60.00]", "[40.00,", "60.00]", "1/32"]
    assert cells(entropy[4]) == ["B", ".5000", "[.4000,", ".6000]", "[.4000,", ".6000]", "1/32"]
    assert [line[9:20].strip() for line in share[3:]] == ["A", "B", "update in", "update out"]


def test_ranks_are_held_against_noise_and_a_permuted_update_keeps_its_own() -> None:
    stable = printed({"mine": type_rows()})[2]
    assert [cells(line)[-6:] for line in stable[3:5]] == [
        ["0.50", "[0.40,", "0.60]", "[0.40,", "0.60]", "3/32"]
    ] * 2
    assert cells(stable[5]) == ["update", "0.50", "same", "[0.40,", "0.60]", "3/32"]
    assert len(stable) == 6


@pytest.mark.parametrize(("value", "mark"), [(0.4, ""), (0.5, ""), (0.6, ""), (0.61, "*"), (0.39, "*")])
def test_a_value_outside_of_its_band_is_marked(value: float, mark: str) -> None:
    share = printed({"mine": type_rows(value=value)})[0]
    assert cells(share[3])[2] == f"{100 * value:.2f}{mark}"


def test_unknown_numbers_are_shown_as_such() -> None:
    share = printed({"mine": type_rows(value=None)})[0]
    assert cells(share[3])[2] == "–"


def test_adapters_stand_side_by_side_in_the_order_given() -> None:
    share = printed({"second": type_rows(value=0.5), "first": type_rows(value=0.7)})[0]
    assert "adapter" in share[1]
    assert cells(share[3])[1:4] == ["A", "second", "50.00"]
    assert cells(share[4])[:2] == ["first", "70.00*"]


def test_a_module_that_one_adapter_lacks_has_the_others_row() -> None:
    share = printed({"one": type_rows("up_proj"), "two": type_rows("q_proj")})[0]
    assert [line.split()[0] for line in share[3::4]] == ["up_proj", "q_proj"]


def test_rows_of_layers_have_their_number_and_no_count() -> None:
    share = printed({"mine": [*module_rows(layer=0), *module_rows(layer=11), *module_rows(layer=None)]})[0]
    assert "outside" not in share[1]
    assert [line[:10].strip() for line in share[3::4]] == ["0 up_proj", "11 up_proj", "up_proj"]


@pytest.mark.parametrize("name", ["mine", "a-rather-long-name-of-an-adapter"])
@pytest.mark.parametrize("kind", ["up_proj", "encoder.block.layer.SelfAttention.q"])
def test_no_line_is_wider_than_80_columns_and_no_number_is_cut(name: str, kind: str) -> None:
    for table in printed({name: type_rows(kind, outside=30), "other": type_rows(kind)}):
        assert max(map(len, table)) <= 80
        assert not any("…" in line for line in table)
        assert sum("/32" in line for line in table) in (8, 6)


def test_note_fits_80_columns() -> None:
    assert max(map(len, NOTE.splitlines())) <= 80


def test_all_numbers_outside_of_their_bands_are_counted_once() -> None:
    # Four spectra, of two numbers with one outside; three matrices, of two ranks with three outside.
    assert summary(type_rows(outside=1)).startswith(
        f"{4 * 2 + 3 * 2 * 3} of {(4 * 2 + 3 * 2) * 32} numbers are"
    )
    assert summary(type_rows(outside=0)).endswith("; chance alone puts about 45 there")
