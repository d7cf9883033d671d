"""An export as a file: XLSX, or a ZIP of CSV files; with a mark of who made it, and no formulas."""

import csv
import datetime as dt
import enum
import hashlib
import io
import re
import zipfile
from dataclasses import dataclass
from typing import Final

from registry.exports.tables import Tables
from registry.imports.columns import COLUMNS, TITLES, SheetKind

# What a spreadsheet may take for the beginning of a formula (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
# What XML cannot hold (XML 1.0 §2.2): one such character in one name would be no file at all.
_UNWRITABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Form(enum.StrEnum):
    """How an export is written."""

    XLSX = "xlsx"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Export:
    """A file, its SHA-256 for the audit log, and how many rows each sheet has."""

    content: bytes
    digest: str
    rows: dict[str, int]

    @property
    def detail(self) -> str:
        """For the audit log."""
        counts = " ".join(f"{kind}={count}" for kind, count in self.rows.items())
        return f"sha256={self.digest} {counts}"


def write(tables: Tables, form: Form, mark: str) -> Export:
    """Writes all sheets; `mark` is the first row of each: who made it, when, what for."""
    content = _workbook(tables, mark) if form is Form.XLSX else _archive(tables, mark)
    counts = {str(kind): len(rows) for kind, rows in tables.items()}
    return Export(content, hashlib.sha256(content).hexdigest(), counts)


def safe(value: object) -> str | None:
    """A cell that no spreadsheet calculates; an import takes the apostrophe off again."""
    if value is None:
        return None
    text = _UNWRITABLE.sub("", value.isoformat() if isinstance(value, dt.date) else str(value))
    return f"'{text}" if text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    """A basement's floor is a number and stays one."""
    return text[1:].isascii() and text[1:].isdigit() and text[0] == "-" and len(text) < 4


def _sheet(tables: Tables, kind: SheetKind) -> list[list[str | None]]:
    columns = COLUMNS[kind]
    header: list[str | None] = [column.names[0] for column in columns]
    return [header, *([safe(row.get(column.key)) for column in columns] for row in tables[kind])]


def _workbook(tables: Tables, mark: str) -> bytes:
    # Late: a process that never exports needs no spreadsheets.
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    for kind in tables:
        page = book.create_sheet(TITLES[kind])
        title = WriteOnlyCell(page, value=safe(mark))
        title.font = Font(italic=True, color="808080")
        page.append([title])
        for row in _sheet(tables, kind):
            page.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _archive(tables: Tables, mark: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for kind in tables:
            text = io.StringIO()
            writer = csv.writer(text)
            writer.writerow([safe(mark)])
            writer.writerows(_sheet(tables, kind))
            # With a mark, or Excel takes UTF-8 for the machine's own encoding.
            archive.writestr(f"{kind}.csv", text.getvalue().encode("utf-8-sig"))
    return file.getvalue()
