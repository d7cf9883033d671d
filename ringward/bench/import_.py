"""A property office's sheet of a whole street: how long until everybody is in the registry.

Invented people of ten communities, as one XLSX and one CSV file, into SQLite and PostgreSQL;
beside it the same rows written raw, and a writer that stands for ingest.
"""

import csv
import datetime as dt
import io
import itertools
import random
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from openpyxl import Workbook
from sqlalchemy import Table, insert, select, text

from registry.citizen_id import with_check_digit
from registry.imports import jobs
from registry.imports.history import table
from registry.imports.jobs import Order
from registry.imports.models import ImportState
from registry.models import Compound
from ringward import memory, schema
from ringward.bench.postgres import postgres_url
from ringward.bench.report import Report, percentile, report
from ringward.demo import names
from storage import Database, KeyRing, SystemClock, Vault, migrate
from storage.keys import install_ring
from storage.vault import install_vault

COMPOUND: Final = "bench"
_TABLES: Final = ("households", "people", "residences", "credentials")
_COLUMNS: Final = (
    *("人员编号", "姓名", "手机号", "身份证号", "房屋地址", "户号", "与户主关系", "居住类型", "入住日期"),
    *("到期日期", "核实日期", "核实人"),
)
_DWELLINGS: Final = 28_240
_SEED: Final = 7
_BATCH: Final = 2000
_EVERY_S: Final = 0.005

Cells = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheets:
    """The same people twice, and the dwellings that they live in."""

    dwellings: bytes
    xlsx: bytes
    csv: bytes


@dataclass(slots=True)
class _Waits:
    """How long a small commit took, in milliseconds, each."""

    all: list[float] = field(default_factory=list)


def run(*, people: int, database_url: str | None) -> Report:
    """Imports the sheets into each database there is."""
    figures: dict[str, float] = {}
    ceilings: dict[str, float] = {}
    ratios: dict[str, float] = {}
    assert schema.metadata.tables
    memory.settle()
    sheets = invent(people)
    with tempfile.TemporaryDirectory(prefix="ringward-bench-") as folder, postgres_url(database_url) as url:
        root = Path(folder)
        kinds = {"sqlite": f"sqlite:///{root / 'import.db'}"} | ({"postgresql": url} if url else {})
        for kind, address in kinds.items():
            ring = KeyRing.load(root / kind / "ring.key")
            install_ring(ring)
            install_vault(Vault.at(root / kind / "vault.db", ring))
            database = Database(address)
            migrate.upgrade(database)
            measured, raw = _measure(database, sheets)
            database.close()
            figures |= {f"{kind}_{name}": value for name, value in measured.items()}
            figures[f"{kind}_import_rows_per_s"] = people / measured["import_xlsx_s"]
            ceilings[f"{kind}_raw_executemany_s"] = raw
            ratios[f"{kind}_import_over_raw_executemany"] = measured["import_xlsx_s"] / raw
    settings = {"people": people, "dwellings": _DWELLINGS, "xlsx_mb": round(len(sheets.xlsx) / 1e6, 2)}
    return report("import", settings, figures, ceilings, ratios)


def invent(people: int) -> Sheets:
    """People in families, with phones that ring nowhere and id numbers whose check digit holds."""
    chance = random.Random(_SEED)  # noqa: S311 - invented people are no secret
    homes = _homes()
    dwellings: list[Cells] = [("房屋地址", "房屋状态"), *((home, "自住") for home in homes)]
    chance.shuffle(homes)
    rows = list(itertools.islice(_residents(chance, homes), people))
    book = Workbook(write_only=True)
    page = book.create_sheet("人员")
    for row in (_COLUMNS, *rows):
        page.append(row)
    xlsx = io.BytesIO()
    book.save(xlsx)
    return Sheets(_csv(dwellings), xlsx.getvalue(), _csv([_COLUMNS, *rows]))


def _homes() -> list[str]:
    rooms = itertools.product(range(1, 231), (1, 2), range(1, 18), (1, 2, 3, 4))
    return [f"{b}号楼{u}单元{f}{r:02d}室" for b, u, f, r in itertools.islice(rooms, _DWELLINGS)]


def _residents(chance: random.Random, homes: list[str]) -> Iterator[Cells]:
    number = 0
    for family in itertools.count():
        # Where there are more families than dwellings, some share one.
        home = homes[family % len(homes)]
        surname = names.surname(chance)
        for place in range(chance.choice((1, 2, 3, 3, 4, 5))):
            number += 1
            born = dt.date(1940, 1, 1) + dt.timedelta(days=37 * (number // 900) % 24_000)
            yield (
                f"P{number:06d}",
                surname + names.given_name(chance),
                f"100{number:08d}",
                with_check_digit(f"530502{born:%Y%m%d}{number % 900:03d}"),
                home,
                f"H{family:06d}",
                ("户主", "配偶", "子")[min(place, 2)],
                "业主" if place == 0 else "家属",
                "2020-01-05",
                "",
                "2026-03-01",
                "网格员01",
            )


def _csv(rows: Sequence[Cells]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode("utf-8-sig")


def _measure(database: Database, sheets: Sheets) -> tuple[dict[str, float], float]:
    with database.write() as session:
        session.add(Compound(id=COMPOUND, name=COMPOUND))
        session.connection().execute(text("CREATE TABLE bench_probe (n INTEGER)"))
    figures: dict[str, float] = {}
    figures["import_dwellings_s"], _ = _import(database, "dwellings", sheets.dwellings)
    figures["dry_run_xlsx_s"], _ = _import(database, "people", sheets.xlsx, dry_run=True)
    figures["import_xlsx_s"], job = _import(database, "people", sheets.xlsx)
    figures["import_same_again_xlsx_s"], _ = _import(database, "people", sheets.xlsx)
    kept = _read(database)
    figures["undo_s"] = _undo(database, job)
    raw = _raw(database, kept)
    for name in reversed(_TABLES):
        with database.write() as session:
            session.connection().execute(table(name).delete())
    with _writer(database) as waits:
        figures["import_csv_s"], _ = _import(database, "people", sheets.csv)
    figures["write_beside_import_p50_ms"] = percentile(waits.all, 0.5)
    figures["write_beside_import_p99_ms"] = percentile(waits.all, 0.99)
    figures["write_beside_import_max_ms"] = max(waits.all)
    return figures, raw


def _import(database: Database, kind: str, content: bytes, *, dry_run: bool = False) -> tuple[float, str]:
    clock = SystemClock()
    order = Order(COMPOUND, kind, "bench", "administrator", dry_run=dry_run)
    started = time.perf_counter()
    job = jobs.begin(database, order, content, clock.now())
    state = jobs.run(database, job, order, content, clock)
    if state not in {ImportState.APPLIED, ImportState.CHECKED}:
        raise RuntimeError(f"the import of {kind} ended as {state}")
    return time.perf_counter() - started, job


def _undo(database: Database, job: str) -> float:
    clock, order = SystemClock(), Order(COMPOUND, "undo", "bench", "administrator")
    started = time.perf_counter()
    jobs.begin_undo(database, job, order, clock)
    jobs.undo(database, job, order, clock)
    return time.perf_counter() - started


def _read(database: Database) -> dict[str, list[dict[str, Any]]]:
    with database.read() as session:
        return {
            name: [dict(row) for row in session.connection().execute(select(table(name))).mappings()]
            for name in _TABLES
        }


def _raw(database: Database, kept: dict[str, list[dict[str, Any]]]) -> float:
    """Seconds to write the same rows, sealed already, with nothing else around it."""
    started = time.perf_counter()
    for name, rows in kept.items():
        target: Table = table(name)
        for start in range(0, len(rows), _BATCH):
            with database.write() as session:
                session.connection().execute(insert(target), rows[start : start + _BATCH])
    return time.perf_counter() - started


@contextmanager
def _writer(database: Database) -> Iterator[_Waits]:
    """Commits a row two hundred times a second, as ingest does on a busy morning."""
    waits, over = _Waits(), threading.Event()

    def write() -> None:
        while not over.is_set():
            started = time.perf_counter()
            with database.write() as session:
                session.connection().execute(text("INSERT INTO bench_probe (n) VALUES (1)"))
            waits.all.append((time.perf_counter() - started) * 1000)
            over.wait(_EVERY_S)

    thread = threading.Thread(target=write, name="bench-writer")
    thread.start()
    try:
        yield waits
    finally:
        over.set()
        thread.join()
