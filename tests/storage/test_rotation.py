import datetime as dt

import pytest
from sqlalchemy import LargeBinary, select, type_coerce, update

import ringward.schema
from alerts.duty.models import Responder, Team, TeamKind
from bus import deadletters
from bus.deadletters import DeadLetter
from registry.models import Consent, ConsentPurpose, FaceTemplate, GivenBy, Person, VisitorPass
from storage import Database, MediaStore, Vault, rotation
from storage.columns import Encrypted, EncryptedText
from storage.rotation import MEDIA, VAULT, KeyUse
from tests.support.clock import NOON
from tests.support.compound import COMPOUND, settle_in

METADATA = ringward.schema.metadata
RAW = b"refused message"


@pytest.fixture
def filled(either_database: Database, vault: Vault, media: MediaStore) -> Database:
    """Something under every kind of seal, all of it made with the ring's first key."""
    settle_in(either_database)
    with either_database.write() as session:
        session.add(Team(id="t-1", compound=COMPOUND, name="义警", kind=TeamKind.VOLUNTEER_POLICE))
        session.flush()
        session.add_all(Responder(id=f"r-{n}", team="t-1", name=f"响应者{n}", active=True) for n in range(7))
        for number in range(5):
            person = Person(id=f"p-{number}", compound=COMPOUND)
            person.name, person.phone = f"住户{number}", f"1001234567{number}"
            session.add(person)
        deadletters.record(session, [deadletters.letter("mqtt", "malformed_json", NOON, raw=RAW)])
    media.put(b"at the gate")
    media.put(b"a face", subject="p-1")
    return either_database


def as_before_the_vault(database: Database, vault: Vault, person_id: str, name: str) -> None:
    """Puts a person's name back under the ring, as the first version sealed it."""
    with database.write() as session:
        session.execute(
            update(Person.__table__)
            .where(Person.__table__.c.id == person_id)
            .values(name=vault.ring.seal(name.encode()))
        )


def by_key(database: Database, vault: Vault, media: MediaStore) -> dict[int, dict[str, int]]:
    return {use.number: dict(use.places) for use in rotation.usage(database, vault, media, METADATA)}


def test_every_column_of_bytes_is_known_to_be_sealed_or_not() -> None:
    # What a rotation does not know of would stay under the old key for ever.
    plain = {"outbox.payload"}
    binary = {
        f"{table.name}.{column.name}"
        for table in METADATA.tables.values()
        for column in table.c
        if isinstance(column.type, LargeBinary | Encrypted | EncryptedText)
    }
    sealed = {column.name for column in rotation.sealed_columns(METADATA)}
    assert sealed == binary - plain
    assert {"people.name", "responders.name", "dead_letters.raw", "import_changes.before"} <= sealed


def test_usage_says_what_each_key_seals(filled: Database, vault: Vault, media: MediaStore) -> None:
    assert by_key(filled, vault, media) == {
        1: {"responders.name": 7, "dead_letters.raw": 1, VAULT: 5, MEDIA: 1}
    }
    vault.ring.rotate()
    (old, new) = rotation.usage(filled, vault, media, METADATA)
    assert new == KeyUse(2, {}, seals=True, finds=False)
    assert (old.seals, old.finds, old.needed) == (False, True, True)


def test_after_resealing_only_the_newest_key_is_used(filled, vault, media) -> None:
    vault.ring.rotate()
    seen: list[tuple[str, int]] = []
    done = rotation.reseal(filled, vault, media, METADATA, batch=3, progress=lambda *at: seen.append(at))
    assert done == {"responders.name": 7, "dead_letters.raw": 1, VAULT: 5, MEDIA: 1}
    assert by_key(filled, vault, media) == {1: {}, 2: done}
    assert [at for at in seen if at[0] == "responders.name"] == [
        ("responders.name", 3),
        ("responders.name", 6),
        ("responders.name", 7),
    ]
    vault._held.clear()
    with filled.read() as session:
        assert set(session.scalars(select(Responder.name))) == {f"响应者{n}" for n in range(7)}
        assert {person.name for person in session.scalars(select(Person))} == {f"住户{n}" for n in range(5)}
        assert session.scalars(select(DeadLetter.raw)).one() == RAW
    assert {media.get(media_id) for media_id in media.list()} == {b"at the gate", b"a face"}
    assert rotation.reseal(filled, vault, media, METADATA) == {}


def test_it_goes_on_where_it_was_interrupted(filled, vault, media) -> None:
    vault.ring.rotate()

    def killed() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotation.reseal(filled, vault, media, METADATA, batch=2, pause=killed)
    left = by_key(filled, vault, media)[1]
    assert sum(left.values()) < 14
    rotation.reseal(filled, vault, media, METADATA, batch=2)
    assert by_key(filled, vault, media)[1] == {}


def test_row_that_is_edited_meanwhile_keeps_its_edit(filled, vault, media, monkeypatch) -> None:
    vault.ring.rotate()
    real = rotation._again

    def edited_in_between(*args):
        fresh = real(*args)
        if fresh[0]["of"] == "r-0":
            with filled.write() as session:
                session.get_one(Responder, "r-0").name = "新名字"
        return fresh

    monkeypatch.setattr(rotation, "_again", edited_in_between)
    rotation.reseal(filled, vault, media, METADATA)
    with filled.read() as session:
        assert session.get_one(Responder, "r-0").name == "新名字"
        assert session.get_one(Responder, "r-1").name == "响应者1"


def test_rows_from_before_the_vault_come_under_their_persons_key(filled, vault, media) -> None:
    as_before_the_vault(filled, vault, "p-2", "住户二")
    vault.ring.rotate()
    assert by_key(filled, vault, media)[1]["people.name"] == 1
    rotation.reseal(filled, vault, media, METADATA)
    with filled.read() as session:
        person = session.get_one(Person, "p-2")
        assert (person.name, person.version, person.sealed_name[0]) == ("住户二", 1, 0)
    # And so it can be forgotten.
    vault.shred(["p-2"], NOON)
    with filled.read() as session:
        assert session.get_one(Person, "p-2").name == ""


def test_row_of_a_forgotten_person_becomes_unreadable_on_the_way(filled, vault, media) -> None:
    as_before_the_vault(filled, vault, "p-3", "住户三")
    vault.shred(["p-3"], NOON)
    with filled.read() as session:
        # The ring still opens it: that is why it must not stay.
        assert session.get_one(Person, "p-3").name == "住户三"
    vault.ring.rotate()
    rotation.reseal(filled, vault, media, METADATA)
    with filled.read() as session:
        assert session.get_one(Person, "p-3").name == ""
        stored = session.scalar(
            select(type_coerce(Person.__table__.c.name, LargeBinary)).where(Person.id == "p-3")
        )
        assert "住户三".encode() not in bytes(stored)


def test_template_from_before_the_vault_comes_along(filled, vault, media) -> None:
    with filled.write() as session:
        session.add(
            Consent(
                id="c-1",
                compound=COMPOUND,
                person="p-1",
                purpose=ConsentPurpose.FACE_ACCESS,
                text_hash="0" * 64,
                channel="paper",
                given_by=GivenBy.SELF,
                given_at=NOON,
            )
        )
        session.flush()
        session.add(
            FaceTemplate(
                id="f-1",
                compound=COMPOUND,
                person="p-1",
                consent="c-1",
                engine="dlib",
                engine_version="1",
                dimension=1,
                sealed_embedding=vault.ring.seal(b"\0\0\0\0"),
                created_at=NOON,
            )
        )
        visit = VisitorPass(
            id="v-1",
            compound=COMPOUND,
            kind="visitor",
            state="approved",
            starts_at=NOON,
            ends_at=NOON + dt.timedelta(days=1),
            zones=[],
            uses=0,
        )
        session.add(visit)
    vault.ring.rotate()
    assert rotation.reseal(filled, vault, media, METADATA)["face_templates.embedding"] == 1
    with filled.read() as session:
        template = session.get_one(FaceTemplate, "f-1")
        assert (template.embedding, template.sealed_embedding[0]) == (b"\0\0\0\0", 0)


def test_retired_key_is_one_that_nothing_needs(filled, vault, media) -> None:
    ring = vault.ring
    ring.rotate()
    rotation.reseal(filled, vault, media, METADATA)
    ring.rotate()
    rotation.reseal(filled, vault, media, METADATA)
    needed = {use.number: use.needed for use in rotation.usage(filled, vault, media, METADATA)}
    # The first finds, the third seals.
    assert needed == {1: True, 2: False, 3: True}
    ring.retire(2)
    vault._held.clear()
    with filled.read() as session:
        assert session.get_one(Person, "p-1").name == "住户1"
        assert session.get_one(Responder, "r-1").name == "响应者1"
