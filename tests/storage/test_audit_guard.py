import datetime as dt
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import DBAPIError

from storage import Database, KeyRing, anchors
from storage.anchors import AnchorError, AnchorState
from storage.audit import AuditCheckpoint, AuditEntry, AuditRow, append, cut_off, unguarded, verify
from tests.support.clock import NOON
from tests.support.tampering import unguard

ENTRY = AuditEntry("u-1", "operator", "person.read", "incident", "p-1", "2 fields")
DAY = dt.timedelta(days=1)


@pytest.fixture
def chain(either_database: Database) -> Database:
    """Ten rows, one a day."""
    with either_database.write() as session:
        for number in range(10):
            append(session, NOON + number * DAY, replace(ENTRY, subject=f"p-{number}"))
    return either_database


def seqs(database: Database) -> list[int]:
    with database.read() as session:
        return list(session.scalars(select(AuditRow.seq).order_by(AuditRow.seq)))


def broken_at(database: Database) -> int | None:
    with database.read() as session:
        return verify(session)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'nobody' WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit",
    ],
)
def test_database_refuses_to_change_what_was_recorded(chain: Database, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), chain.write() as session:
        session.execute(text(statement))
    assert len(seqs(chain)) == 10
    assert broken_at(chain) is None


def test_row_cannot_be_replaced_under_its_own_number(database: Database) -> None:
    with database.write() as session:
        append(session, NOON, ENTRY)
    with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
        session.execute(
            text(
                "INSERT OR REPLACE INTO audit SELECT seq, at, 'x', role, action, purpose, subject, detail, "
                "previous_hash, row_hash, compound FROM audit"
            )
        )


def test_whole_table_cannot_be_emptied_at_once(postgres) -> None:
    with postgres.database() as database:
        with database.write() as session:
            append(session, NOON, ENTRY)
        with pytest.raises(DBAPIError, match="append-only"), database.write() as session:
            session.execute(text("TRUNCATE audit"))


def test_orm_is_refused_as_well(chain: Database) -> None:
    for statement in (update(AuditRow).values(actor="x"), delete(AuditRow).where(AuditRow.seq == 10)):
        with pytest.raises(DBAPIError, match="append-only"), chain.write() as session:
            session.execute(statement)


def test_cut_goes_up_to_the_moment_and_the_chain_goes_on(chain: Database) -> None:
    with chain.write() as session:
        assert cut_off(session, NOON + 4 * DAY, NOON + 20 * DAY) == 4
    # Five to ten, and the row that says it.
    assert seqs(chain) == list(range(5, 12))
    assert broken_at(chain) is None
    with chain.write() as session:
        assert append(session, NOON + 21 * DAY, ENTRY).seq == 12
    assert broken_at(chain) is None
    with chain.read() as session:
        said = session.get_one(AuditRow, 11)
        assert (said.action, said.subject, said.detail) == ("audit.cut_off", "audit:4", "4 rows")


def test_cut_in_portions_ends_at_the_same_row(chain: Database) -> None:
    counts = []
    while not counts or counts[-1]:
        with chain.write() as session:
            counts.append(cut_off(session, NOON + 5 * DAY, NOON + 20 * DAY, limit=2))
    assert counts == [2, 2, 1, 0]
    assert seqs(chain)[0] == 6
    assert broken_at(chain) is None


def test_newest_row_stays_however_old_it_is(chain: Database) -> None:
    with chain.write() as session:
        assert cut_off(session, NOON + 100 * DAY, NOON + 100 * DAY) == 9
    assert seqs(chain) == [10, 11]
    assert broken_at(chain) is None


def test_nothing_to_cut_leaves_no_trace(either_database: Database, chain: Database) -> None:
    with chain.write() as session:
        assert cut_off(session, NOON, NOON) == 0
        assert session.scalar(select(func.count()).select_from(AuditCheckpoint)) == 0


def test_clock_set_back_does_not_take_newer_rows_along(either_database: Database) -> None:
    with either_database.write() as session:
        append(session, NOON, ENTRY)
        append(session, NOON + 9 * DAY, ENTRY)
        append(session, NOON, ENTRY)
    with either_database.write() as session:
        assert cut_off(session, NOON + DAY, NOON + 10 * DAY) == 1
    assert seqs(either_database) == [2, 3, 4]


def test_row_missing_after_the_checkpoint_is_found(chain: Database) -> None:
    with chain.write() as session:
        cut_off(session, NOON + 4 * DAY, NOON + 20 * DAY)
    unguard(chain)
    with chain.write() as session:
        session.execute(text("DELETE FROM audit WHERE seq = 5"))
    assert broken_at(chain) == 6
    with chain.write() as session:
        session.execute(text("DELETE FROM audit"))
    assert broken_at(chain) == 5


def test_checkpoint_cannot_be_changed_nor_taken_away(chain: Database) -> None:
    with chain.write() as session:
        cut_off(session, NOON + 4 * DAY, NOON + 20 * DAY)
    for statement in ("UPDATE audit_checkpoints SET through_seq = 9", "DELETE FROM audit_checkpoints"):
        with pytest.raises(DBAPIError, match="append-only"), chain.write() as session:
            session.execute(text(statement))


def test_guards_that_are_gone_are_named(either_database: Database) -> None:
    with either_database.read() as session:
        assert unguarded(session) == frozenset()
    unguard(either_database)
    with either_database.read() as session:
        assert unguarded(session) == {"audit_no_update", "audit_no_delete", "audit_no_replace"}


@pytest.fixture
def anchor(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "audit.anchor"


def test_end_that_was_cut_off_is_noticed(chain: Database, ring: KeyRing, anchor: Path) -> None:
    assert anchors.check(chain, anchor, ring) is AnchorState.MISSING
    written = anchors.write(chain, anchor, ring, NOON)
    assert written.seq == 10
    assert stat.S_IMODE(anchor.stat().st_mode) == 0o600
    assert anchors.check(chain, anchor, ring) is AnchorState.HOLDS
    unguard(chain)
    with chain.write() as session:
        session.execute(text("DELETE FROM audit WHERE seq >= 9"))
    # The chain alone cannot tell.
    assert broken_at(chain) is None
    assert anchors.check(chain, anchor, ring) is AnchorState.CUT


def test_end_that_was_written_anew_is_noticed(chain: Database, ring: KeyRing, anchor: Path) -> None:
    anchors.write(chain, anchor, ring, NOON)
    unguard(chain)
    with chain.write() as session:
        session.execute(text("DELETE FROM audit WHERE seq = 10"))
    with chain.write() as session:
        append(session, NOON + 9 * DAY, replace(ENTRY, actor="nobody"))
        append(session, NOON + 9 * DAY, ENTRY)
    assert broken_at(chain) is None
    assert anchors.check(chain, anchor, ring) is AnchorState.CUT


def test_anchor_that_does_not_hold_is_not_written_over(chain: Database, ring: KeyRing, anchor: Path) -> None:
    anchors.write(chain, anchor, ring, NOON)
    before = anchor.read_bytes()
    unguard(chain)
    with chain.write() as session:
        session.execute(text("DELETE FROM audit WHERE seq = 10"))
    with pytest.raises(AnchorError):
        anchors.write(chain, anchor, ring, NOON)
    assert anchor.read_bytes() == before


@pytest.mark.parametrize(
    "content", ["", "{}", '{"seq":2,"row_hash":"x","at":"2026-11-23T04:00:00Z","seal":"y"}']
)
def test_anchor_of_anybodys_making_is_none(chain, ring, anchor, content: str) -> None:
    anchor.write_text(content)
    assert anchors.check(chain, anchor, ring) is AnchorState.FORGED
    with pytest.raises(AnchorError):
        anchors.write(chain, anchor, ring, NOON)


def test_anchor_moves_on_with_the_log_and_holds_after_a_lawful_cut(chain, ring, anchor) -> None:
    anchors.write(chain, anchor, ring, NOON)
    with chain.write() as session:
        append(session, NOON + 30 * DAY, ENTRY)
    with chain.write() as session:
        cut_off(session, NOON + 25 * DAY, NOON + 31 * DAY)
    # The anchored row, the tenth, is the checkpoint's now.
    assert anchors.check(chain, anchor, ring) is AnchorState.HOLDS
    with chain.write() as session:
        append(session, NOON + 60 * DAY, ENTRY)
    with chain.write() as session:
        cut_off(session, NOON + 50 * DAY, NOON + 61 * DAY)
    assert anchors.check(chain, anchor, ring) is AnchorState.HOLDS
    assert anchors.write(chain, anchor, ring, NOON).seq == 14


def test_empty_log_has_no_anchor(either_database: Database, ring: KeyRing, anchor: Path) -> None:
    assert anchors.write(either_database, anchor, ring, NOON) is None
    assert not anchor.exists()
