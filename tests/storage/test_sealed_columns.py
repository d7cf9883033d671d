from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import select, text

import storage.keys
import storage.vault
from bus.deadletters import DeadLetter, record
from registry.models import Compound, Person
from storage import Database, KeyRing, Vault
from storage.keys import install_ring
from storage.vault import install_vault
from tests.support.clock import NOON

NAME, PHONE = "林晓岚", "13800138000"


def write_person(database: Database) -> None:
    with database.write() as session:
        session.add(Compound(id="c1", name="红花苑"))
        session.flush()
        session.add(Person(id="p1", compound="c1", name=NAME, phone=PHONE))


def letter(raw: bytes | None) -> dict:
    return {
        "id": "l1", "source": "mqtt", "reason": "malformed_json", "detail": "", "topic": "t", "compound": None,
        "device_id": None, "received_at": NOON, "size": 1, "raw": raw, "count": 1, "context": {}, "replayed_at": None,
    }  # fmt: skip


def test_names_come_back(either_database: Database) -> None:
    write_person(either_database)
    with either_database.read() as session:
        person = session.scalars(select(Person)).one()
        assert (person.name, person.phone) == (NAME, PHONE)


def test_names_are_not_in_the_file(database: Database, tmp_path: Path) -> None:
    write_person(database)
    with database.write() as session:
        record(session, [letter(b"the bytes of a face")])
    database.close()
    files = [path for path in tmp_path.glob("ringward.db*") if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    # What is not sealed is there: we are looking at the right bytes.
    assert "红花苑".encode() in content
    for secret in (NAME.encode(), PHONE.encode(), b"the bytes of a face"):
        assert secret not in content


def test_same_name_is_sealed_differently_each_time(database: Database) -> None:
    with database.write() as session:
        session.add(Compound(id="c1", name="红花苑"))
        session.flush()
        session.add_all([Person(id=key, compound="c1", name=NAME) for key in ("p1", "p2")])
    with database.read() as session:
        first, second = session.execute(text("SELECT name FROM people ORDER BY id")).scalars()
    assert first != second


def test_absent_stays_absent(either_database: Database) -> None:
    with either_database.write() as session:
        record(session, [letter(None)])
    with either_database.read() as session:
        assert session.scalars(select(DeadLetter)).one().raw is None
        assert session.scalar(text("SELECT raw FROM dead_letters")) is None


def test_altered_bytes_do_not_open(database: Database) -> None:
    write_person(database)
    with database.write() as session:
        session.execute(
            text("UPDATE people SET name = CAST(substr(name, 1, length(name) - 1) || x'00' AS BLOB)")
        )
    with pytest.raises(InvalidTag), database.read() as session:
        _ = session.scalars(select(Person)).one().name


def test_other_ring_does_not_open(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        record(session, [letter(b"raw")])
    install_ring(KeyRing.load(tmp_path / "other" / "ring.key"))
    with pytest.raises(InvalidTag), database.read() as session:
        session.scalars(select(DeadLetter)).one()


def test_other_vault_knows_nobody(database: Database, tmp_path: Path, ring: KeyRing) -> None:
    write_person(database)
    install_vault(Vault.at(tmp_path / "other" / "vault.db", ring))
    with database.read() as session:
        person = session.scalars(select(Person)).one()
        assert (person.name, person.phone) == ("", None)


def test_without_keys_nothing_is_written(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.keys, "_ring", None)
    with pytest.raises(Exception, match="no key ring installed"), database.write() as session:
        record(session, [letter(b"raw")])
    monkeypatch.setattr(storage.vault, "_vault", None)
    with pytest.raises(RuntimeError, match="no vault installed"):
        write_person(database)
