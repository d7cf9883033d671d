"""XLSX and XLS, read without ever building a table larger than was allowed.

The reader behind this lays a sheet out as a full rectangle up to its last cell. One cell
at XFD1048576 would ask for half a terabyte and end the process, so the references of all
cells are read first.
"""

import datetime as dt
import io
import re
import zipfile
from dataclasses import dataclass, field
from typing import Final

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from registry.imports import archives
from registry.imports.faults import FileRefusedError

Cell = str | int | float | bool | dt.date | dt.datetime | dt.time | dt.timedelta | None
Merge = tuple[tuple[int, int], tuple[int, int]]

UNPACKED_MAX: Final = 512 << 20
COLUMNS_MAX: Final = 256
CELLS_MAX: Final = 8_000_000

_WANTED: Final = re.compile(r"(?:xl/.*\.xml|xl/.*\.rels|_rels/\.rels|\[Content_Types\]\.xml)", re.IGNORECASE)
_UNWANTED: Final = re.compile(
    r"xl/(?:media|drawings|charts|embeddings|comments|externalLinks|pivot)", re.IGNORECASE
)
_SHEET: Final = re.compile(r"xl/worksheets/[^/]*\.xml", re.IGNORECASE)
_POSITION: Final = re.compile(rb"""\sr\s*=\s*["']([^"']*)["']""")
_REFERENCE: Final = re.compile(rb"([A-Z]{0,3})([0-9]{0,7})")


@dataclass(slots=True)
class Grid:
    """One sheet as it lies: rows of cells from its first row and column on, and what is merged."""

    name: str
    rows: list[list[Cell]]
    merges: list[Merge] = field(default_factory=list)


def grids_of(content: bytes, *, rows_max: int) -> list[Grid]:
    """The visible sheets of an XLSX or XLS file. Raises `FileRefusedError`."""
    packed = zipfile.is_zipfile(io.BytesIO(content)) or content.startswith(b"PK")
    source = _checked(content, rows_max) if packed else _legacy(content)
    try:
        with CalamineWorkbook.from_filelike(source) as book:
            names = [
                sheet.name
                for sheet in book.sheets_metadata
                if sheet.typ is SheetTypeEnum.WorkSheet and sheet.visible is SheetVisibleEnum.Visible
            ]
            return [_grid(book.get_sheet_by_name(name), rows_max) for name in names]
    except FileRefusedError:
        raise
    except PasswordError as error:
        raise FileRefusedError("file_encrypted") from error
    except (CalamineError, OSError, ValueError) as error:
        raise FileRefusedError("workbook_malformed") from error
    except BaseException as error:
        # The reader is native code; where it gives up it raises what is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise FileRefusedError("workbook_malformed") from error


def _grid(sheet: CalamineSheet, rows_max: int) -> Grid:
    end = sheet.end
    if end is not None:
        _bounded(end[0] + 1, end[1] + 1, rows_max)
    rows: list[list[Cell]] = [list(row) for row in sheet.to_python(skip_empty_area=False)]
    return Grid(sheet.name, rows, list(sheet.merged_cell_ranges or ()))


def _checked(content: bytes, rows_max: int) -> io.BytesIO:
    archive = archives.opened(io.BytesIO(content), total_max=UNPACKED_MAX)
    infos = [member.info for member in archives.members(archive) if member.refused is None]
    names = {info.filename for info in infos}
    if "xl/workbook.xml" not in names:
        raise FileRefusedError("file_unknown")
    wanted = [i for i in infos if _WANTED.fullmatch(i.filename) and not _UNWANTED.match(i.filename)]
    for info in wanted:
        if _SHEET.fullmatch(info.filename):
            _measure(archives.read(archive, info), rows_max)
    return archives.repacked(archive, wanted)


def _measure(sheet: bytes, rows_max: int) -> None:
    """Raises `FileRefusedError` where a cell lies further out than a sheet may reach."""
    if b"\0" in sheet[:100]:
        # Another encoding than UTF-8 would hide its references from this check.
        raise FileRefusedError("workbook_malformed")
    rows, columns = set(), set()
    for position in set(_POSITION.findall(sheet)):
        found = _REFERENCE.fullmatch(position)
        if found is None:
            raise FileRefusedError("workbook_malformed")
        columns.add(found[1])
        rows.add(found[2])
    _bounded(
        max((int(row) for row in rows if row), default=0),
        max((_column_number(column) for column in columns), default=0),
        rows_max,
    )


def _bounded(height: int, width: int, rows_max: int) -> None:
    if height > rows_max:
        raise FileRefusedError("too_many_rows", maximum=rows_max)
    if width > COLUMNS_MAX:
        raise FileRefusedError("too_many_columns", maximum=COLUMNS_MAX)
    if height * width > CELLS_MAX:
        raise FileRefusedError("too_many_cells", maximum=CELLS_MAX)


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _legacy(content: bytes) -> io.BytesIO:
    # 65,536 rows of 256 columns are the most that this format can say.
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise FileRefusedError("file_encrypted")
    return io.BytesIO(content)
