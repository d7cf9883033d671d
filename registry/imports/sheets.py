"""From a file to lines: which sheet, where its header stands, what a merged cell says of each row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from registry.imports import delimited, workbooks
from registry.imports.columns import BY_NAME, COLUMNS, REQUIRED, TITLES, SheetKind, header_key, is_sensitive
from registry.imports.faults import Fault, FileRefusedError
from registry.imports.workbooks import Cell, Grid

FILE_MAX: Final = 64 << 20
ROWS_MAX: Final = 200_000
_HEADER_WITHIN: Final = 30
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows under a header; `columns` are positions by the column's key."""

    kind: SheetKind
    columns: dict[str, int]
    # Row numbers as the sheet counts them, from 1, and their cells.
    rows: list[tuple[int, list[Cell]]]
    empty: int
    # Whether each row ended where the header does.
    too_long: frozenset[int]
    notes: list[Fault]

    def has(self, *keys: str) -> bool:
        return any(key in self.columns for key in keys)


def read(content: bytes, kind: SheetKind) -> Sheet:
    """The sheet of a kind in a file. Raises `FileRefusedError`."""
    if len(content) > FILE_MAX:
        raise FileRefusedError("file_too_large", maximum_mb=FILE_MAX >> 20)
    if not content.strip():
        raise FileRefusedError("file_empty")
    if content.startswith((b"PK", _OLE)):
        grids = workbooks.grids_of(content, rows_max=ROWS_MAX)
    elif content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        # A web page or XML that calls itself .xls, as some programs write it.
        raise FileRefusedError("file_is_markup")
    else:
        rows: list[list[Cell]] = [list(row) for row in delimited.rows_of(content, rows_max=ROWS_MAX)]
        grids = [Grid("", rows)]
    return _sheet(*_chosen(grids, kind), kind)


def _chosen(grids: Sequence[Grid], kind: SheetKind) -> tuple[Grid, int, dict[str, int]]:
    """The sheet that is called by the kind's name, else the first whose header fits."""
    ordered = sorted(grids, key=lambda grid: grid.name.strip() not in {TITLES[kind], kind})
    nearest: set[str] = set()
    for grid in ordered:
        for position, row in enumerate(grid.rows[:_HEADER_WITHIN]):
            columns = _columns(row, kind)
            if not _missing(columns, kind):
                return grid, position, columns
            if len(columns) > len(nearest):
                nearest = set(columns)
    if len(nearest) >= 2:
        raise FileRefusedError("columns_missing", columns=", ".join(_missing(nearest, kind)))
    raise FileRefusedError("header_not_found")


def _columns(row: Sequence[Cell], kind: SheetKind) -> dict[str, int]:
    columns: dict[str, int] = {}
    for position, cell in enumerate(row):
        column = BY_NAME[kind].get(header_key(cell)) if isinstance(cell, str) else None
        if column is not None:
            columns.setdefault(column.key, position)
    return columns


def _missing(columns: dict[str, int] | set[str], kind: SheetKind) -> list[str]:
    """The names of the first alternative of each group that a header does not satisfy."""
    names = {column.key: column.names[0] for column in COLUMNS[kind]}
    return [
        names[key]
        for group in REQUIRED[kind]
        if not any(all(key in columns for key in keys) for keys in group)
        for key in group[0]
    ]


def _sheet(grid: Grid, header: int, columns: dict[str, int], kind: SheetKind) -> Sheet:
    width = max((at + 1 for at, cell in enumerate(grid.rows[header]) if not _is_blank(cell)), default=0)
    kept: list[tuple[int, list[Cell]]] = []
    too_long: set[int] = set()
    empty = 0
    for position in range(header + 1, len(grid.rows)):
        row = grid.rows[position]
        if all(_is_blank(cell) for cell in row):
            empty += 1
            continue
        if any(not _is_blank(cell) for cell in row[width:]):
            too_long.add(position + 1)
        # One length for all, so that a short row reads as blank cells.
        kept.append((position + 1, [*row[:width], *[None] * (width - len(row))]))
    _fill(grid, header, {row[0] - 1: row[1] for row in kept}, width)
    return Sheet(
        kind, columns, kept, empty, frozenset(too_long), list(_notes(grid.rows[header], kind, header))
    )


def _fill(grid: Grid, header: int, rows: dict[int, list[Cell]], width: int) -> None:
    """Gives what stands in a merged cell to all rows of the merge."""
    budget = len(grid.rows) * max(width, 1)
    for (top, left), (bottom, _) in grid.merges:
        if top <= header or left >= width or top >= len(grid.rows) or left >= len(grid.rows[top]):
            continue
        value = grid.rows[top][left]
        last = min(bottom, len(grid.rows) - 1)
        budget -= last - top + 1
        if budget < 0:
            # Merges of one sheet cannot overlap; these would be a trap.
            raise FileRefusedError("workbook_malformed")
        for position in range(top, last + 1):
            if position in rows and _is_blank(rows[position][left]):
                rows[position][left] = value


def _notes(row: Sequence[Cell], kind: SheetKind, header: int) -> Iterator[Fault]:
    """What of the header is passed over, by the position of the column."""
    seen: set[str] = set()
    for position, cell in enumerate(row, start=1):
        if _is_blank(cell):
            continue
        text = str(cell)
        column = BY_NAME[kind].get(header_key(text))
        if column is None:
            code = "column_sensitive" if is_sensitive(text) else "column_ignored"
            yield Fault(header + 1, None, code, {"position": position})
        elif column.key in seen:
            yield Fault(header + 1, column.key, "column_twice", {"position": position})
        else:
            seen.add(column.key)


def _is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
