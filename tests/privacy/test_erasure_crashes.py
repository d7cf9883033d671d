"""An erasure that dies anywhere is finished by the next follow-up, and a restore forgets again."""

import contextlib
import datetime as dt
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from privacy import erasures
from privacy.models import Erasure, ErasureKind, StepState
from recognition.models import DecisionRow
from registry.faces import consents, templates
from registry.models import Person, VisitorPass
from storage import Database, MediaStore, Vault, new_id
from storage.events import EventRow
from storage.media import MediaNotFoundError
from tests.support import resident as world
from tests.support.compound import COMPOUND
from tests.support.resident import FACE, NOON

LATER = NOON + dt.timedelta(seconds=5)


class KilledError(BaseException):
    """Stands for kill -9: nothing catches it."""


class Fuse:
    """Lets some calls through and then kills whoever calls."""

    def __init__(self, calls):
        self.left = calls

    def __call__(self):
        if self.left == 0:
            raise KilledError
        self.left -= 1


def order(database, kind=ErasureKind.PERSON):
    with database.write() as session:
        return erasures.order(session, session.get_one(Person, "p1"), kind, at=NOON, by="u").id


def left_of(database, media, ids):
    """What there still is of the person, by place."""
    with database.read() as session:
        rows = session.scalars(select(EventRow.body).where(EventRow.compound == COMPOUND)).all()
        decided = session.scalars(select(DecisionRow.candidates)).all()
    found = {
        name for name, trace in (("card", world.CARD), ("plate", world.PLATE)) if trace in str(rows).upper()
    }
    found |= {"candidate"} if "'p1'" in str(decided) else set()
    try:
        media.get(ids["passage"])
        found.add("picture")
    except MediaNotFoundError:
        pass
    return found


def pending(database, erasure_id):
    with database.read() as session:
        steps = erasures.receipt(session, erasure_id, LATER).steps
    return {step.place for step in steps if step.state is StepState.PENDING}


@pytest.mark.parametrize("after", range(10))
def test_killed_after_any_transaction_it_goes_on_from_there(
    either_database, media, vault, monkeypatch, after
):
    ids = world.build(either_database, media)
    erasure_id = order(either_database)
    fuse = Fuse(after)
    with monkeypatch.context() as patched:
        write, shred, delete = either_database.write, vault.shred, media.delete
        patched.setattr(either_database, "write", lambda: (fuse(), write())[1])
        patched.setattr(vault, "shred", lambda *a: (fuse(), shred(*a))[1])
        patched.setattr(media, "delete", lambda *a: (fuse(), delete(*a))[1])
        with pytest.raises(KilledError):
            erasures.follow_up(either_database, media, vault, LATER)
    erasures.follow_up(either_database, media, vault, LATER)
    assert left_of(either_database, media, ids) == set()
    assert "p1" in {subject for _, subject, _ in vault.shredded()}
    assert pending(either_database, erasure_id) == {"terminal"}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kills=st.lists(st.integers(0, 12), max_size=4))
def test_however_often_it_is_killed_the_end_is_the_same(tmp_path_factory, migrated_file, vault, kills):
    folder = tmp_path_factory.mktemp("killed")
    shutil.copy(migrated_file, folder / "ringward.db")
    database, media = Database.at(folder / "ringward.db"), MediaStore(folder / "media", vault.ring)
    own = Vault.at(folder / "vault.db", vault.ring)
    import storage.vault

    storage.vault.install_vault(own)
    try:
        ids = world.build(database, media)
        erasure_id = order(database)
        write, shred = database.write, own.shred
        for kill in kills:
            fuse = Fuse(kill)
            database.write = lambda fuse=fuse: (fuse(), write())[1]
            own.shred = lambda *a, fuse=fuse: (fuse(), shred(*a))[1]
            with contextlib.suppress(KilledError):
                erasures.follow_up(database, media, own, LATER)
        database.write, own.shred = write, shred
        erasures.follow_up(database, media, own, LATER)
        assert left_of(database, media, ids) == set()
        assert pending(database, erasure_id) == {"terminal"}
    finally:
        storage.vault.install_vault(vault)
        own.close()
        database.close()


def test_one_that_cannot_be_finished_does_not_keep_the_others(database, media, vault, monkeypatch):
    world.build(database, media)
    with database.write() as session:
        ids = [
            erasures.order(session, session.get_one(Person, p), ErasureKind.PERSON, at=NOON, by="u").id
            for p in ("p1", "mate")
        ]
    shred = vault.shred

    def faulty(subjects, at):
        if "p1" in subjects:
            raise OSError
        return shred(subjects, at)

    monkeypatch.setattr(vault, "shred", faulty)
    assert erasures.follow_up(database, media, vault, LATER) > 0
    assert "keys" in pending(database, ids[0])
    assert pending(database, ids[1]) == set()


# ── after a restore ───────────────────────────────────────────────────────────


def backup(database, media_root, folder):
    """What an archive holds: the database and the media, without the vault."""
    raw = database.engine.raw_connection()
    raw.cursor().execute(f"VACUUM INTO '{folder / 'old.db'}'")
    raw.close()
    shutil.copytree(media_root, folder / "media")


@pytest.fixture
def restored(database, media, vault, tmp_path, tmp_path_factory):
    """Makes a backup, lets something happen, and restores into an empty folder."""
    opened = []

    def restore(happens):
        folder = tmp_path_factory.mktemp("restored")
        backup(database, tmp_path / "media", folder)
        happens()
        erasures.follow_up(database, media, vault, LATER)
        old = Database.at(folder / "old.db")
        opened.append(old)
        return old, MediaStore(folder / "media", vault.ring)

    yield restore
    for old in opened:
        old.close()


def test_restored_backup_forgets_whoever_was_erased_since(database, media, vault, restored):
    ids = world.build(database, media)
    old, old_media = restored(lambda: order(database))
    with old.read() as session:
        person = session.get_one(Person, "p1")
        assert (person.erased_at, person.name, person.phone) == (None, "", None), "its key is gone"
    assert left_of(old, old_media, ids) == {"card", "plate", "candidate", "picture"}
    assert erasures.forget_again(old, old_media, vault, LATER) == 1
    assert left_of(old, old_media, ids) == set()
    with old.read() as session:
        assert session.get_one(Person, "p1").erased_at == LATER
        assert session.scalars(select(VisitorPass)).all() == []
        assert session.scalars(select(Erasure.ordered_by)).all() == ["restore"]
        assert session.get_one(Person, "mate").name == "某某"
    assert erasures.forget_again(old, old_media, vault, LATER) == 0


def test_restored_backup_forgets_a_withdrawn_face_and_keeps_its_person(database, media, vault, restored):
    world.build(database, media)
    old, old_media = restored(lambda: order(database, ErasureKind.FACE))
    assert erasures.forget_again(old, old_media, vault, LATER) == 1
    with old.read() as session:
        assert session.get_one(Person, "p1").name == world.NAME
        assert consents.active(session, "p1", FACE) is None
        assert {e.person_id for e in templates.gallery(session, COMPOUND, "e", "1")} == {"mate"}
    assert erasures.forget_again(old, old_media, vault, LATER) == 0


def test_restored_pass_whose_key_is_gone_goes_and_nobody_else(database, media, vault, restored):
    world.build(database, media)
    old, old_media = restored(lambda: vault.shred(["pass1", new_id()], NOON))
    assert erasures.forget_again(old, old_media, vault, LATER) == 0
    with old.read() as session:
        assert session.scalars(select(VisitorPass)).all() == []
        assert session.get_one(Person, "p1").name == world.NAME
