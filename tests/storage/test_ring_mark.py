import pytest

from storage import Database, KeyRing, migrate, ringmark
from storage.ringmark import ForeignRingError, MarkState
from tests.support.clock import NOON

OTHER = KeyRing({1: b"o" * 32})


def test_first_start_leaves_a_mark_that_only_its_ring_fits(database: Database, ring: KeyRing) -> None:
    assert ringmark.check(database, ring) is MarkState.MISSING
    ringmark.ensure(database, ring, NOON)
    assert ringmark.check(database, ring) is MarkState.HOLDS
    ringmark.ensure(database, ring, NOON)
    with pytest.raises(ForeignRingError, match="another key ring, marked 2026"):
        ringmark.ensure(database, OTHER, NOON)
    # Who was refused has not made it his own.
    assert ringmark.check(database, OTHER) is MarkState.FOREIGN
    assert ringmark.check(database, ring) is MarkState.HOLDS


def test_mark_holds_after_a_rotation_of_the_keys(database: Database) -> None:
    ring = KeyRing({1: b"k" * 32})
    ringmark.ensure(database, ring, NOON)
    ring.rotate()
    assert ringmark.check(database, ring) is MarkState.HOLDS


def test_schema_from_before_marks_is_let_be(tmp_path, ring: KeyRing) -> None:
    database = Database.at(tmp_path / "old.db")
    migrate.upgrade(database, "0021")
    ringmark.ensure(database, ring, NOON)
    migrate.upgrade(database)
    assert ringmark.check(database, ring) is MarkState.MISSING
    database.close()
