"""Whole weeks of passages on PostgreSQL: dropped with proof when all in them is over, by rows where one is held."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select, text

from ingest.rows import event_id
from privacy.models import DeletionProof, KeptPicture, PassageCount
from privacy.retention import Outcome, RetentionPolicy, run, weeks
from privacy.retention.protection import OPEN_STATES
from storage import Database, MediaStore, Vault
from storage.events import EventRow
from storage.partitions import WEEK, make_ahead, pieces, week_of
from tests.support import keeping
from tests.support.compound import COMPOUND
from tests.support.postgres import Postgres

WEEKS = RetentionPolicy(pictures=30, unknown_faces=30, passages=30, whole_weeks=True)
EXACT = RetentionPolicy(pictures=30, unknown_faces=30, passages=30)
DAY = dt.timedelta(days=1)


@pytest.fixture
def settled(postgres: Postgres, vault: Vault) -> Iterator[Database]:
    with postgres.database() as database:
        keeping.settle_in(database)
        yield database


@pytest.fixture
def monday(settled: Database) -> dt.datetime:
    """The Monday of the second week that there are pieces for."""
    with settled.read() as session:
        weeks = [one for one in pieces(session.connection()) if one.is_week]
        assert weeks[1].start is not None
        return weeks[1].start


def passage(database: Database, moment: dt.datetime, **changes: Any) -> str:
    record = changes.pop("record", "r")
    one = event_id("cam-1", record, moment)
    row = keeping.event(moment)
    row.id, row.record_id = one, record
    for name, value in changes.items():
        setattr(row, name, value)
    keeping.add(database, row)
    return one


def keep(
    database: Database, media: MediaStore, vault: Vault, policy: RetentionPolicy, at: dt.datetime
) -> Outcome:
    return run(database, media, vault, policy, at, sleep=lambda _s: None)


def weeks_of(database: Database) -> set[dt.datetime | None]:
    with database.read() as session:
        return {one.start for one in pieces(session.connection()) if one.is_week}


def events(database: Database) -> set[str]:
    with database.read() as session:
        return set(session.scalars(select(EventRow.id)))


def test_week_waits_until_all_of_it_is_over_and_goes_with_proof(
    settled: Database, media: MediaStore, vault: Vault, monday: dt.datetime
) -> None:
    for day in range(7):
        passage(settled, monday + DAY * day, record=str(day))
    after = passage(settled, monday + WEEK, record="after")
    assert not keep(settled, media, vault, WEEKS, monday + DAY * 36).failed
    assert len(events(settled)) == 8
    outcome = keep(settled, media, vault, WEEKS, monday + DAY * 37 + DAY / 2)
    assert outcome.gone["passages", None] == 7
    assert events(settled) == {after}
    assert monday not in weeks_of(settled)
    with settled.read() as session:
        proof = session.scalars(
            select(DeletionProof).where(DeletionProof.retention_class == "passages")
        ).one()
        assert (proof.compound, proof.count) == (COMPOUND, 7)
        assert session.scalar(select(func.sum(PassageCount.count))) == 7


def test_without_the_setting_rows_go_on_their_day_and_the_empty_week_after_them(
    settled: Database, media: MediaStore, vault: Vault, monday: dt.datetime
) -> None:
    early, late = passage(settled, monday), passage(settled, monday + DAY * 6, record="late")
    keep(settled, media, vault, EXACT, monday + DAY * 33)
    assert events(settled) == {late}
    assert monday in weeks_of(settled)
    keep(settled, media, vault, EXACT, monday + DAY * 38)
    assert early not in events(settled)
    assert events(settled) == set()
    assert monday not in weeks_of(settled)


def test_row_that_came_late_keeps_its_week(
    settled: Database, media: MediaStore, vault: Vault, monday: dt.datetime
) -> None:
    passage(settled, monday)
    late = passage(settled, monday + DAY, record="late", received_at=monday + DAY * 30, late=1)
    keep(settled, media, vault, WEEKS, monday + DAY * 38)
    assert late in events(settled)
    # Two nights after its time the others go one by one.
    keep(settled, media, vault, WEEKS, monday + DAY * 40)
    assert events(settled) == {late}


def test_what_has_to_stay_keeps_its_week_and_the_others_go_by_rows(
    settled: Database, media: MediaStore, vault: Vault, monday: dt.datetime
) -> None:
    held = passage(settled, monday)
    passage(settled, monday + DAY, record="free")
    keeping.add(
        settled, KeptPicture(event=held, compound=COMPOUND, retention_class="elsewhere", since=monday)
    )
    keep(settled, media, vault, WEEKS, monday + DAY * 38)
    assert len(events(settled)) == 2
    keep(settled, media, vault, WEEKS, monday + DAY * 40)
    assert events(settled) == {held}
    assert monday in weeks_of(settled)


def test_evidence_of_an_open_incident_keeps_its_week(
    settled: Database, media: MediaStore, vault: Vault, monday: dt.datetime
) -> None:
    held = passage(settled, monday)
    row = keeping.event(monday)
    row.id = held
    one = keeping.incident(monday, OPEN_STATES[0])
    keeping.add(settled, one)
    keeping.add(settled, keeping.evidence(one, [row]))
    keep(settled, media, vault, WEEKS, monday + DAY * 45)
    assert events(settled) == {held}
    assert monday in weeks_of(settled)


def test_week_to_which_a_row_comes_at_the_last_moment_stays(
    settled: Database, media: MediaStore, vault: Vault, monday: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    passage(settled, monday)
    came: list[str] = []
    look = weeks._look

    def look_and_store(*given: Any) -> Any:
        found = look(*given)
        if not came and found is not None and found.rows:
            came.append(passage(settled, monday + DAY, record="late"))
        return found

    monkeypatch.setattr(weeks, "_look", look_and_store)
    keep(settled, media, vault, WEEKS, monday + DAY * 38)
    assert came[0] in events(settled)
    keep(settled, media, vault, WEEKS, monday + DAY * 39 - DAY / 2)
    assert events(settled) == set()


def test_first_and_rest_are_never_dropped(
    settled: Database, media: MediaStore, vault: Vault, monday: dt.datetime
) -> None:
    later = monday + WEEK * 60
    make_ahead(settled, later)
    keep(settled, media, vault, WEEKS, later)
    with settled.read() as session:
        names = {one.name for one in pieces(session.connection())}
        assert {"events_first", "events_rest", f"events_w{week_of(later):%Y%m%d}"} <= names
        assert session.scalar(text("SELECT count(*) FROM events")) == 0
    assert min(one for one in weeks_of(settled) if one is not None) >= later - WEEK * 6
