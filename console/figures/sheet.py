"""A table as a file that a spreadsheet opens."""

import codecs
import csv
import io
from collections.abc import Iterable

from console.figures.document import Table
from registry.exports.files import safe


def sheet(table: Table) -> bytes:
    """CSV with a byte order mark, without which Excel misreads UTF-8; no cell is a formula."""
    text = io.StringIO()
    _write(text, [table])
    return codecs.BOM_UTF8 + text.getvalue().encode()


def sheets(tables: Iterable[Table]) -> bytes:
    """All tables beneath each other, each under its title."""
    text = io.StringIO()
    _write(text, tables, titled=True)
    return codecs.BOM_UTF8 + text.getvalue().encode()


def _write(text: io.StringIO, tables: Iterable[Table], *, titled: bool = False) -> None:
    writer = csv.writer(text)
    for number, table in enumerate(tables):
        if titled:
            if number:
                writer.writerow([])
            writer.writerow([safe(table.title)])
        writer.writerow([safe(head) for head in table.heads])
        writer.writerows([safe(cell) for cell in row] for row in table.rows)
