"""Files of rows whatever their format: JSON lines, a JSON list, parquet, or a folder of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from flextune.errors import FlextuneError, one_line
from flextune.extras import need
from flextune.files.lenient import Skipped, read_values
from flextune.files.rows import Row, json_kind, read_rows

PARQUET = ".parquet"
#: How the name of a file of rows ends.
ENDINGS = (".jsonl", ".jsonl.gz", ".json", ".json.gz", PARQUET)


def tables_in(path: Path) -> list[Path]:
    """The files that a path stands for: itself, or those in the folder, by name.

    Raises:
        FlextuneError: There is no such file or folder, or the folder has no file of rows.
    """
    path = path.expanduser()
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise FlextuneError(f"{path}: no such file or folder")
    files = sorted(file for file in path.iterdir() if file.name.endswith(ENDINGS))
    if not files:
        raise FlextuneError(f"{path}: no file of rows in it (names that end in {', '.join(ENDINGS)})")
    return files


def read_table(path: Path) -> Iterator[Row]:
    """Rows of one file, read as they are asked for.

    The name tells the format: ``.parquet``, ``.json`` (a list), and JSON lines else; ``.gz`` is unpacked.

    Raises:
        FlextuneError: As ``read_rows``; at the row that is no object; parquet without the package that reads
            it, or damaged.
    """
    if path.suffix == PARQUET:
        return _read_parquet(path)
    return _read_json(path) if ".json" in (path.suffix, Path(path.stem).suffix) else read_rows(path)


def _read_json(path: Path) -> Iterator[Row]:
    for item in read_values(path):
        if isinstance(item, Skipped):
            raise FlextuneError(str(item))
        if not isinstance(item.value, dict):
            raise FlextuneError(f"{item.where}: a row is a JSON object (found: {json_kind(item.value)})")
        yield Row(item.where, item.value)


def _read_parquet(path: Path) -> Iterator[Row]:
    need("pyarrow", what=path.name)
    import pyarrow
    from pyarrow.parquet import ParquetFile

    number = 0
    try:
        with ParquetFile(path) as file:
            for batch in file.iter_batches():
                for fields in batch.to_pylist():
                    number += 1
                    yield Row(f"{path.name}:{number}", fields)
    except OSError as error:
        raise FlextuneError(f"{path}: cannot be read ({one_line(error)})") from error
    except pyarrow.ArrowException as error:
        raise FlextuneError(f"{path}: not a parquet file, or damaged ({one_line(error)})") from error
