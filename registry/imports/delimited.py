"""CSV as Excel and old programs of property offices write it, whatever encoding and delimiter."""

import codecs
import csv
import io
from typing import Final

from registry.imports.faults import FileRefusedError

_DELIMITERS: Final = ",;\t，"
_SAMPLE_LINES: Final = 40
_LONGEST_FIELD: Final = 10_000


def rows_of(content: bytes, *, rows_max: int) -> list[list[str]]:
    """All rows, in a table's shape as they come. Raises `FileRefusedError`."""
    text = decode(content)
    delimiter = _delimiter(text)
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if len(rows) >= rows_max:
                raise FileRefusedError("too_many_rows", maximum=rows_max)
            rows.append(row)
    except csv.Error as error:
        raise FileRefusedError("csv_malformed", row=len(rows) + 1) from error
    return rows


def decode(content: bytes) -> str:
    """UTF-8 with and without its mark, UTF-16, GB18030 (which holds GBK). Raises `FileRefusedError`."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return _decoded(content, encoding)
    if b"\0" in content[:1000]:
        # UTF-16 without its mark: delimiters and digits have their zero byte behind or before them.
        sample = content[:1000]
        little = sample[1::2].count(0) >= sample[0::2].count(0)
        return _decoded(content, "utf-16-le" if little else "utf-16-be")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded(content, "gb18030")


def _decoded(content: bytes, encoding: str) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise FileRefusedError("encoding_unknown") from error
    if "\0" in text[:1000]:
        raise FileRefusedError("file_unknown")
    return text


def _delimiter(text: str) -> str:
    """The character that cuts the first lines into the most alike rows of more than one cell."""
    lines = [line for line in text[:200_000].splitlines()[:_SAMPLE_LINES] if line.strip()]
    best, most = ",", 0
    for candidate in _DELIMITERS:
        counts = [_outside_quotes(line, candidate) for line in lines]
        used = [count for count in counts if count]
        # A title has none; a comma in an address makes one line differ from the others.
        agreed = max((used.count(count) * count for count in set(used)), default=0)
        if agreed > most:
            best, most = candidate, agreed
    return best


def _outside_quotes(line: str, character: str) -> int:
    return sum(part.count(character) for part in line.split('"')[0::2])
