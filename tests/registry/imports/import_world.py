"""Sheets as offices send them, and a compound to read them into."""

import csv
import io
from dataclasses import dataclass
from typing import Any

import openpyxl
from sqlalchemy import func, select

from registry.imports import jobs
from registry.imports.models import ImportChange, ImportFault, ImportJob, ImportState
from registry.models import Compound
from storage import Database
from tests.support.clock import VirtualClock

COMPOUND = "honghua"
PEOPLE = ("人员编号", "姓名", "联系电话", "房屋地址", "与户主关系", "居住类型", "入住日期", "到期日期")
ID_NUMBER = "11010519491231002X"


@dataclass(frozen=True)
class Outcome:
    """How an import ended."""

    job: str
    state: ImportState
    counts: dict[str, Any]
    faults: int
    error: str | None
    # (row, column, code) of each, warnings too.
    told: list[tuple[int, str | None, str]]

    @property
    def codes(self) -> list[str]:
        return [code for _, _, code in self.told]

    def of(self, table: str) -> tuple[int, int, int]:
        """Created, updated, unchanged."""
        counts = self.counts.get(table, {})
        return counts.get("created", 0), counts.get("updated", 0), counts.get("unchanged", 0)


def sheet(*rows: tuple[object, ...], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """A CSV file."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def people(*rows: tuple[object, ...]) -> bytes:
    """A sheet of people under the usual columns; short rows end in blanks."""
    return sheet(PEOPLE, *[(*row, *[""] * (len(PEOPLE) - len(row))) for row in rows])


def book(*rows: tuple[object, ...], merges: tuple[str, ...] = (), title: str = "Sheet1") -> bytes:
    """An XLSX file."""
    workbook = openpyxl.Workbook()
    page = workbook.active
    page.title = title
    for row in rows:
        page.append(row)
    for merge in merges:
        page.merge_cells(merge)
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


def order(kind: str, **asked: Any) -> jobs.Order:
    return jobs.Order(COMPOUND, kind, "manager", "property_manager", **asked)


def load(
    database: Database, kind: str, content: bytes, clock: VirtualClock | None = None, **asked: Any
) -> Outcome:
    """Imports a file and says what came of it."""
    clock = clock or VirtualClock()
    wanted = order(kind, **asked)
    job = jobs.begin(database, wanted, content, clock.now())
    jobs.run(database, job, wanted, content, clock)
    return outcome(database, job)


def outcome(database: Database, job: str) -> Outcome:
    with database.read() as session:
        row = session.get_one(ImportJob, job)
        faults = session.scalars(
            select(ImportFault).where(ImportFault.job == job).order_by(ImportFault.row, ImportFault.id)
        ).all()
        told = [(fault.row, fault.column, fault.code) for fault in faults]
        return Outcome(job, ImportState(row.state), row.counts, row.faults, row.error, told)


def furnish(database: Database, *addresses: str) -> None:
    """A compound with some dwellings."""
    with database.write() as session:
        session.add(Compound(id=COMPOUND, name="红花"))
    if addresses:
        made = load(database, "dwellings", sheet(("房屋地址", "房屋状态"), *[(a, "自住") for a in addresses]))
        assert made.state == ImportState.APPLIED, made


def count(database: Database, model: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def records(database: Database) -> int:
    """How many changes are remembered."""
    return count(database, ImportChange)
