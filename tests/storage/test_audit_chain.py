import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from storage import Database
from storage.audit import GENESIS, AuditEntry, append, unguarded, verify
from tests.support.clock import NOON
from tests.support.tampering import unguard
from tests.support.threads import at_once

ENTRY = AuditEntry("u-1", "operator", "person.read", "incident", "p-1", "2 fields")


@pytest.fixture
def chain(either_database: Database) -> Database:
    with either_database.write() as session:
        for number in range(5):
            append(session, NOON + dt.timedelta(seconds=number), replace(ENTRY, subject=f"p-{number}"))
    return either_database


def broken_at(database: Database) -> int | None:
    with database.read() as session:
        return verify(session)


def alter(database: Database, statement: str) -> None:
    with database.read() as session:
        guarded = not unguarded(session)
    if guarded:
        unguard(database)
    with database.write() as session:
        session.execute(text(statement))


def test_empty_chain_holds(either_database: Database) -> None:
    assert broken_at(either_database) is None


def test_good_chain_holds(chain: Database) -> None:
    assert broken_at(chain) is None


def test_rows_are_linked_from_the_first(either_database: Database) -> None:
    with either_database.write() as session:
        first, second = append(session, NOON, ENTRY), append(session, NOON, ENTRY)
        assert (first.seq, second.seq) == (1, 2)
        assert first.previous_hash == GENESIS
        assert second.previous_hash == first.row_hash != second.row_hash


@pytest.mark.parametrize("column", ["actor", "role", "action", "purpose", "subject", "detail"])
def test_altered_field_is_found(chain: Database, column: str) -> None:
    alter(chain, f"UPDATE audit SET {column} = 'other' WHERE seq = 3")
    assert broken_at(chain) == 3


def test_altered_time_is_found(database: Database) -> None:
    with database.write() as session:
        append(session, NOON, ENTRY)
    alter(database, "UPDATE audit SET at = at + 1")
    assert broken_at(database) == 1


@pytest.mark.parametrize(("deleted", "found"), [(1, 2), (3, 4)])
def test_deleted_row_is_found(chain: Database, deleted: int, found: int) -> None:
    alter(chain, f"DELETE FROM audit WHERE seq = {deleted}")
    assert broken_at(chain) == found


def test_deleted_row_is_found_even_when_the_gap_is_closed(chain: Database) -> None:
    alter(chain, "DELETE FROM audit WHERE seq = 3")
    alter(chain, "UPDATE audit SET seq = 3 WHERE seq = 4")
    assert broken_at(chain) == 3


def test_entry_goes_with_its_transaction(either_database: Database) -> None:
    def fail_after_append() -> None:
        with either_database.write() as session:
            append(session, NOON, ENTRY)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_append()
    with either_database.write() as session:
        assert append(session, NOON, ENTRY).seq == 1


@given(st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=8), min_size=2, max_size=2))
def test_text_does_not_move_between_fields_unseen(parts: list[str]) -> None:
    from storage.audit import AuditRow, _hash

    def row(actor: str, role: str) -> AuditRow:
        return AuditRow(
            seq=1,
            at=NOON,
            actor=actor,
            role=role,
            action="a",
            purpose="p",
            subject="s",
            detail="",
            previous_hash=GENESIS,
        )

    joined = "".join(parts)
    assert (_hash(row(*parts)) == _hash(row(joined, ""))) == (parts[1] == "")


def test_many_who_write_at_once_make_one_unbroken_chain(either_database: Database) -> None:
    def write(number: int) -> None:
        for step in range(5):
            with either_database.write() as session:
                append(session, NOON, replace(ENTRY, subject=f"p-{number}-{step}"))

    assert at_once(4, write) == []
    assert broken_at(either_database) is None
    with either_database.read() as session:
        assert session.execute(text("SELECT max(seq) FROM audit")).scalar() == 20
