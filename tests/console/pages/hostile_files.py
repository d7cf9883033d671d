"""Whether a file that leaves the house does more than tell: a sheet that reckons, a document that asks."""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from typing import Final

import openpyxl
import pypdf
from hostile import is_formula
from httpx import Response

_NAME: Final = re.compile(r'(?:attachment|inline)(?:; filename="[\w.-]+")?$')


def doing(answer: Response) -> list[str]:
    """What an answer that is a file does beyond telling; also what its headers do."""
    return [*_headers(answer), *_inside(answer.headers.get("content-type", ""), answer.content)]


def _headers(answer: Response) -> Iterator[str]:
    name = answer.headers.get("content-disposition")
    if name is not None and not _NAME.match(name):
        yield f"a name that is none: {name!r}"
    if "rwx" in answer.headers.get("set-cookie", ""):
        yield "a cookie of somebody's own"
    place = answer.headers.get("location", "/")
    if not re.match(r"/(?![/\\])", place) or "\n" in place:
        yield f"sends elsewhere: {place!r}"
    if answer.headers.get("x-content-type-options") != "nosniff":
        yield "a browser may guess what it is"


def _inside(kind: str, content: bytes) -> Iterator[str]:
    if "csv" in kind:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        yield from (f"reckons: {cell!r}" for row in rows for cell in row if is_formula(cell))
    elif "spreadsheetml" in kind:
        book = openpyxl.load_workbook(io.BytesIO(content))
        cells = (
            cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None
        )
        yield from (f"reckons: {c.value!r}" for c in cells if c.data_type == "f" or is_formula(str(c.value)))
    elif "zip" in kind:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                if re.match(r"[/\\]|.*\.\.", name):
                    yield f"a path out of it: {name!r}"
                yield from _inside("csv" if name.endswith(".csv") else "", archive.read(name))
    elif "pdf" in kind:
        reader = pypdf.PdfReader(io.BytesIO(content))
        yield from (
            f"a document that acts: {key}"
            for key in ("/OpenAction", "/AA", "/AcroForm", "/JavaScript")
            if key in reader.trailer["/Root"]
        )
        for page in reader.pages:
            yield from (f"a page that acts: {key}" for key in ("/AA", "/Annots") if page.get(key))
        if reader.attachments:
            yield "a document that carries others"
