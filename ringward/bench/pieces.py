"""Event tables in one piece and in many, on PostgreSQL: storing, asking, and letting go.

Beside each figure its ceiling of the same run: PostgreSQL's own INSERT and DELETE of the same rows in a
plain table with the same indices.
"""

import datetime as dt
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, cast

import psycopg
from sqlalchemy import make_url, text

from ingest.rows import event_id
from privacy import retention
from registry.models import Compound
from ringward import schema
from ringward.bench.postgres import postgres_url
from ringward.bench.report import Report, percentile, report
from storage import Database, KeyRing, MediaStore, Vault, migrate, partitions
from storage.columns import EncodedJson
from storage.events import EVENT_COLUMNS, store
from storage.keys import install_ring
from storage.partitions import WEEK, week_of
from storage.vault import install_vault

COMPOUND: Final = "bench"
_BATCH: Final = 500
_ASKED: Final = 200
_SPAN_DAYS: Final = 30
_BODY: Final = EncodedJson('{"pictures":[],"attributes":{"pad":"' + "x" * 300 + '"}}')


class NoPostgresError(RuntimeError):
    """There is no PostgreSQL to measure."""

    def __init__(self) -> None:
        super().__init__("no PostgreSQL: give the address of an empty database")


def run(*, events: int, weeks: int, database_url: str | None = None) -> Report:
    """`events` rows in one week, then as many over `weeks` weeks, then retention of both.

    Raises `NoPostgresError` where there is none.
    """
    assert schema.metadata.tables
    with tempfile.TemporaryDirectory(prefix="ringward-bench-") as folder, postgres_url(database_url) as url:
        if url is None:
            raise NoPostgresError
        ring = KeyRing.load(Path(folder) / "ring.key")
        install_ring(ring)
        vault = Vault.at(Path(folder) / "vault.db", ring)
        install_vault(vault)
        database = Database(url)
        try:
            return _measure(database, MediaStore(Path(folder) / "media", ring), vault, events, weeks)
        finally:
            database.close()
            vault.close()


def _measure(database: Database, media: MediaStore, vault: Vault, events: int, weeks: int) -> Report:
    migrate.upgrade(database)
    with database.read() as session:
        first = next(
            one.start
            for one in partitions.pieces(session.connection())
            if one.is_week and one.start is not None
        )
    partitions.make_ahead(database, first, weeks)
    with database.write() as session:
        session.add(Compound(id=COMPOUND, name=COMPOUND))
    end = first + WEEK * weeks
    after = end + dt.timedelta(days=_SPAN_DAYS)

    narrow, wide = _rows(events, first, 1), _rows(events, first, weeks)
    raw_insert = _raw(database, narrow)
    raw_delete = _timed(lambda: _say(database, "DELETE FROM bench_plain"))
    one = _stored(database, narrow)
    asked_one = _asked(database)
    by_rows = _kept(database, media, vault, after, whole_weeks=False)
    partitions.make_ahead(database, first, weeks)
    many = _stored(database, wide)
    asked_many = _asked(database)
    by_weeks = _kept(database, media, vault, after, whole_weeks=True)
    with database.read() as session:
        left = session.scalar(text("SELECT count(*) FROM events"))
    if left:
        raise RuntimeError(f"{left} events stayed")
    return report(
        "pieces",
        {"events": events, "weeks": weeks, "batch": _BATCH},
        {
            "insert_one_piece_per_s": events / one,
            "insert_many_pieces_per_s": events / many,
            "newest_of_a_device_one_piece_p50_ms": percentile(asked_one, 0.5),
            "newest_of_a_device_many_pieces_p50_ms": percentile(asked_many, 0.5),
            "retention_by_rows_per_s": events / by_rows,
            "retention_by_weeks_per_s": events / by_weeks,
        },
        {"raw_insert_per_s": events / raw_insert, "raw_delete_per_s": events / raw_delete},
        {
            "insert_one_piece_over_raw": raw_insert / one,
            "insert_many_pieces_over_one": one / many,
            "retention_by_rows_over_raw_delete": raw_delete / by_rows,
            "retention_by_weeks_over_raw_delete": raw_delete / by_weeks,
        },
    )


def _rows(events: int, first: dt.datetime, weeks: int) -> list[tuple[Any, ...]]:
    """Events of ten devices, evenly over so many weeks, in the order in which devices send them."""
    span = WEEK * weeks
    return [_row(number, first + span * (number / events)) for number in range(events)]


def _row(number: int, moment: dt.datetime) -> tuple[Any, ...]:
    device, record = f"cam-{number % 10}", str(number)
    values: dict[str, Any] = dict.fromkeys(EVENT_COLUMNS) | {
        "id": event_id(device, record, moment),
        "compound": COMPOUND,
        "device_id": device,
        "record_id": record,
        "type": "face.captured",
        "ring": "entrance",
        "zone": "gate",
        "device_time": moment,
        "corrected_time": moment,
        "received_at": moment,
        "late": 0,
        "marks": EncodedJson("[]"),
        "body": _BODY,
        "content_hash": "0" * 32,
        "resent": 0,
    }
    return tuple(values[name] for name in EVENT_COLUMNS)


def _stored(database: Database, rows: Sequence[tuple[Any, ...]]) -> float:
    def put() -> None:
        for start in range(0, len(rows), _BATCH):
            with database.write() as session:
                store(session, rows[start : start + _BATCH])

    taken = _timed(put)
    partitions.refresh_statistics(database)
    return taken


def _raw(database: Database, rows: Sequence[tuple[Any, ...]]) -> float:
    """The driver alone, with the same batches, into a plain table with the same indices."""
    _say(database, "CREATE TABLE bench_plain (LIKE events_first INCLUDING ALL)")
    address = make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    marks = ", ".join(["%s"] * len(EVENT_COLUMNS))
    statement = f"INSERT INTO bench_plain ({', '.join(EVENT_COLUMNS)}) VALUES ({marks})"  # noqa: S608 - our names
    plain = [tuple(str(one) if isinstance(one, EncodedJson) else one for one in row) for row in rows]

    def put(connection: psycopg.Connection[Any]) -> None:
        for start in range(0, len(plain), _BATCH):
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(cast("Any", statement), plain[start : start + _BATCH])

    with psycopg.connect(address) as connection:
        return _timed(lambda: put(connection))


def _asked(database: Database) -> list[float]:
    """Milliseconds of a question by time, which may lie in any piece."""
    question = text("SELECT id FROM events WHERE device_id = :device ORDER BY corrected_time DESC LIMIT 1")
    taken = []
    with database.read() as session:
        for number in range(_ASKED):
            asked = {"device": f"cam-{number % 10}"}
            taken.append(_timed(lambda asked=asked: session.execute(question, asked).all()) * 1000)  # type: ignore[misc]
    return taken


def _kept(
    database: Database, media: MediaStore, vault: Vault, at: dt.datetime, *, whole_weeks: bool
) -> float:
    policy = retention.RetentionPolicy(
        pictures=_SPAN_DAYS, unknown_faces=_SPAN_DAYS, passages=_SPAN_DAYS, whole_weeks=whole_weeks
    )
    moment = week_of(at) + WEEK
    return _timed(
        lambda: retention.run(database, media, vault, policy, moment, pace=retention.Pace(0.05, 0.0))
    )


def _say(database: Database, statement: str) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql(statement)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
