import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from console.accounts import service
from console.accounts.models import Role, SetupLink
from privacy import erasures
from privacy.models import ErasureKind
from registry import lookups
from registry.models import GalleryRevision, Person
from registry.people import finding
from ringward import backup, restore
from ringward.foundation import Foundation
from ringward.keysfile import ForeignKeysError, check_keys
from ringward.manifest import KEYS_FILE, walk
from ringward.restore import NotEmptyError, TooNewError
from storage import anchors, archive, audit, new_id, ringmark
from storage.anchors import AnchorState
from storage.archive import ArchiveError, DamagedError, WrongPassphraseError
from storage.audit import AuditEntry, AuditRow
from storage.backups import BackupRun
from storage.events import OutboxRow
from storage.vault import ShreddedError
from tests.ringward.deployments import PHRASE, Deployments, bytes_below, deployments, everything
from tests.support import resident
from tests.support.clock import NOON
from tests.support.compound import COMPOUND

KINDS = ("sqlite", "postgresql")


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keys that cost nothing to make, and an environment without settings."""
    monkeypatch.setattr(archive, "SCRYPT_N", 2)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("RINGWARD_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def several(tmp_path: Path, clock) -> Iterator[Deployments]:
    with deployments(tmp_path, clock) as made:
        yield made


def where(request: pytest.FixtureRequest, kind: str) -> Iterator[dict[str, str]]:
    if kind == "sqlite":
        yield {}
        return
    with request.getfixturevalue("postgres").empty() as url:
        yield {"database_url": url}


@pytest.fixture(params=KINDS)
def origin(request: pytest.FixtureRequest, several: Deployments) -> Iterator[Foundation]:
    """A deployment with something of everything in it."""
    for there in where(request, request.param):
        ground = several.new("old", **there)
        fill(ground)
        yield ground


@pytest.fixture(params=KINDS)
def target(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Settings of where to restore to: the other database as well as the same."""
    yield from where(request, request.param)


@pytest.fixture
def plain(several: Deployments) -> Foundation:
    ground = several.new("old")
    fill(ground)
    return ground


def fill(ground: Foundation) -> None:
    ringmark.ensure(ground.database, ground.ring, ground.clock.now())
    resident.build(ground.database, ground.media)
    at = ground.clock.now()
    with ground.database.write() as session:
        for number in range(3):
            audit.append(
                session, at, AuditEntry("u-1", "operator", "person.read", "review", f"person:p{number}")
            )
        user = service.create_user(session, "li", Role.OPERATOR, at)
        service.issue_setup_link(session, user, at)
        session.add(OutboxRow(message_id=new_id(), subject="event.honghua", payload=b"\x00carried"))


def dest(several: Deployments) -> Path:
    return several.folder / "backups"


def restored(several: Deployments, made: backup.Made, name: str = "new", **there: object):
    result = restore.restore(
        made.archive,
        made.archive.with_name(KEYS_FILE),
        several.settings(name, **there),
        PHRASE,
        several.clock,
    )
    return result, several.open(several.settings(name, **there))


def test_restored_deployment_answers_as_the_old_one_did(origin, several: Deployments, target) -> None:
    before = everything(origin.database, without=("audit", "backup_runs"))
    assert len(before["people"]) == 4
    pictures = {media_id: origin.media.get(media_id) for media_id in origin.media.list()}
    made = backup.make(origin, dest(several), PHRASE)
    result, new = restored(several, made, **target)
    after = everything(new.database, without=("audit", "backup_runs"))
    for revision in before["gallery_revisions"]:
        revision["revision"] += 1
    assert after == before
    assert {media_id: new.media.get(media_id) for media_id in new.media.list()} == pictures
    assert result.manifest.tables["people"] == 4
    assert result.manifest.pictures == len(pictures) == 3
    assert result.forgotten_again == 0
    day = NOON.date()
    answers = []
    for ground in (origin, new):
        several.enter(ground)
        with ground.database.read() as session:
            answers.append(
                (
                    finding.find_dwellings_of_person(session, "p1", day),
                    finding.list_people_of_dwelling(session, "d1", day),
                    session.scalars(
                        select(Person.id).where(Person.name_key == lookups.name_key(COMPOUND, resident.NAME))
                    ).all(),
                )
            )
    assert answers[0] == answers[1]
    assert answers[0][0][0].dwelling_id == "d1"
    assert answers[0][2] == ["p1"]
    assert "p1" in {occupant.person_id for occupant in answers[0][1]}


def test_restored_audit_log_goes_on(plain, several: Deployments, target) -> None:
    _, new = restored(several, backup.make(plain, dest(several), PHRASE), **target)
    with new.database.read() as session:
        assert audit.verify(session) is None
        assert audit.unguarded(session) == frozenset()
        last = session.scalars(select(AuditRow).order_by(AuditRow.seq.desc()).limit(1)).one()
        assert (last.seq, last.action) == (4, "backup.restored")
    assert anchors.check(new.database, new.settings.anchor_file, new.ring) is AnchorState.HOLDS


def test_counters_go_on_behind_the_restored_rows(plain, several: Deployments, target) -> None:
    _, new = restored(several, backup.make(plain, dest(several), PHRASE), **target)
    with new.database.write() as session:
        session.add(OutboxRow(message_id=new_id(), subject="event.honghua", payload=b""))
    with new.database.read() as session:
        assert len(set(session.scalars(select(OutboxRow.seq)))) == 2


def test_what_was_true_of_the_old_machine_only_is_not_restored(plain, several: Deployments) -> None:
    made = backup.make(plain, dest(several), PHRASE)
    _, new = restored(several, made)
    with new.database.read() as session:
        assert session.scalars(select(SetupLink)).all() == []
    assert new.settings.bus_secret_file.exists() == plain.settings.bus_secret_file.exists()


def test_changes_after_the_snapshot_are_not_in_it_and_do_not_wait(origin, several, monkeypatch) -> None:
    real = backup.dump.dump

    def with_a_writer(connection, metadata):
        for frame in real(connection, metadata):
            if frame[:2] == ["table", "people"]:
                with origin.database.write() as session:
                    session.add(Person(id="late", compound="honghua"))
            yield frame

    monkeypatch.setattr(backup.dump, "dump", with_a_writer)
    made = backup.make(origin, dest(several), PHRASE)
    assert made.manifest.tables["people"] == 4
    with origin.database.read() as session:
        assert session.get(Person, "late") is not None


def test_picture_that_is_deleted_meanwhile_is_noted(plain, several: Deployments, monkeypatch) -> None:
    first = next(iter(plain.media.list()))
    real = type(plain.media).list

    def deleting(media):
        for media_id in list(real(media)):
            media.delete(first)
            yield media_id

    with monkeypatch.context() as patch:
        patch.setattr(type(plain.media), "list", deleting)
        made = backup.make(plain, dest(several), PHRASE)
    assert (made.manifest.pictures, made.manifest.gone) == (2, 1)


def test_nothing_in_the_archive_can_be_read_and_no_key_is_in_it(plain, several: Deployments) -> None:
    made = backup.make(plain, dest(several), PHRASE)
    ring = plain.settings.key_file.read_text().split()[1]
    content = made.archive.read_bytes()
    for trace in resident.TRACES.values():
        assert trace not in content
    # Nor inside, once it is opened: keys go into a file of their own.
    held = bytearray()
    walk(made.archive, PHRASE, row=lambda frame: held.extend(repr(frame).encode()))
    assert b"101" in held
    assert ring.encode() not in held
    for what in ("id number", "visitor's phone"):
        assert resident.TRACES[what] not in held
    assert b"subject_keys" not in held


def test_archive_is_for_its_owner_only_and_said_to_be_verified(plain, several: Deployments) -> None:
    made = backup.make(plain, dest(several), PHRASE, label="nas")
    assert sorted(path.name for path in dest(several).iterdir()) == [KEYS_FILE, made.archive.name]
    assert {path.stat().st_mode & 0o777 for path in dest(several).iterdir()} == {0o600}
    assert made.manifest.sha256 == hashlib.sha256(made.archive.read_bytes()).hexdigest()
    with plain.database.read() as session:
        run = session.scalars(select(BackupRun)).one()
        assert (run.label, run.size, run.archive_hash) == ("nas", made.size, made.manifest.sha256)
        assert run.verified_at == run.keys_copied_at == plain.clock.now()
        # A path may say who runs the machine.
        assert str(several.folder) not in run.destination
    (found,) = backup.found_at(plain, dest(several))
    assert (found.path, found.sha256) == (made.archive, made.manifest.sha256)


def test_erased_person_cannot_be_read_from_an_older_backup(plain, several: Deployments, target) -> None:
    made = backup.make(plain, dest(several), PHRASE)
    several.clock.advance(3600)
    with plain.database.write() as session:
        erasures.order(
            session, session.get_one(Person, "p1"), ErasureKind.PERSON, at=several.clock.now(), by="u"
        )
    erasures.follow_up(plain.database, plain.media, plain.vault, several.clock.now())
    several.clock.advance(60)
    # The archive stays as it is; the keys beside it are replaced.
    before = made.archive.read_bytes()
    backup.make_keys_only(plain, dest(several), PHRASE)
    assert made.archive.read_bytes() == before

    result, new = restored(several, made, **target)
    assert result.forgotten_again == 1
    with new.database.read() as session:
        person = session.get_one(Person, "p1")
        assert (person.name, person.phone, person.id_number) == ("", None, None)
        assert person.erased_at is not None
        assert session.get_one(Person, "mate").name == "某某"
    with pytest.raises(ShreddedError):
        new.vault.seal("p1", "name", b"again")
    # Pictures of passages are sealed with the ring, and go all the same.
    readable = {new.media.get(media_id) for media_id in new.media.list()}
    assert readable == {resident.CROWD}
    new.database.close()
    new.vault.close()
    for path, content in bytes_below(new.settings.data_dir):
        for what in ("name", "phone", "id number", "card", "plate", "vector", "portrait"):
            assert resident.TRACES[what] not in content, (path, what)


def test_backup_confirms_to_an_erasure_that_it_forgot(plain, several: Deployments) -> None:
    backup.make(plain, dest(several), PHRASE, label="nas")
    several.clock.advance(60)
    with plain.database.write() as session:
        erasure = erasures.order(
            session, session.get_one(Person, "p1"), ErasureKind.PERSON, at=several.clock.now(), by="u"
        ).id
    erasures.follow_up(plain.database, plain.media, plain.vault, several.clock.now())

    def state() -> str:
        with plain.database.read() as session:
            steps = erasures.receipt(session, erasure, several.clock.now()).steps
        return next(step.state for step in steps if step.place == "backup")

    assert state() == "pending"
    several.clock.advance(60)
    backup.make(plain, dest(several), PHRASE, label="nas")
    erasures.follow_up(plain.database, plain.media, plain.vault, several.clock.now())
    assert state() == "confirmed"


@pytest.mark.parametrize("cut", [10, 2000, -1, -17])
def test_truncated_archive_restores_nothing(plain, several: Deployments, cut: int) -> None:
    made = backup.make(plain, dest(several), PHRASE)
    made.archive.write_bytes(made.archive.read_bytes()[:cut])
    with pytest.raises(DamagedError):
        restored(several, made)
    assert not (several.folder / "new").exists()
    assert not (several.folder / "new.restoring").exists()


def test_altered_archive_and_wrong_passphrase_restore_nothing(plain, several: Deployments) -> None:
    made = backup.make(plain, dest(several), PHRASE)
    keys = made.archive.with_name(KEYS_FILE)
    with pytest.raises(WrongPassphraseError):
        restore.restore(made.archive, keys, several.settings("new"), "another", several.clock)
    content = bytearray(made.archive.read_bytes())
    content[-40] ^= 1
    made.archive.write_bytes(content)
    with pytest.raises(DamagedError):
        restored(several, made)
    assert not (several.folder / "new").exists()


def test_restore_that_fails_half_way_leaves_nothing(plain, several, request, monkeypatch) -> None:
    made = backup.make(plain, dest(several), PHRASE)

    def failing(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with (
        request.getfixturevalue("postgres").empty() as url,
        request.getfixturevalue("s3").bucket() as (_, box),
    ):
        there = {
            "database_url": url,
            "media_url": f"s3://{box.name}/x",
            "media_endpoint": request.getfixturevalue("s3").endpoint,
            "media_key_id": "a",
            "media_key_secret": "b",
        }
        with monkeypatch.context() as patch:
            patch.setattr(restore, "_settle", failing)
            with pytest.raises(OSError, match="No space"):
                restored(several, made, **there)
        assert not (several.folder / "new").exists()
        assert not (several.folder / "new.restoring").exists()
        assert box.objects() == {}
        # And so the next attempt finds an empty place again.
        result, new = restored(several, made, **there)
        assert result.manifest.pictures == len(box.objects()) == 3
        new.database.close()


def test_only_an_empty_place_is_restored_into(plain, several: Deployments, postgres) -> None:
    made = backup.make(plain, dest(several), PHRASE)
    (several.folder / "taken").mkdir()
    (several.folder / "taken" / "file").write_text("mine")
    with pytest.raises(NotEmptyError):
        restored(several, made, "taken")
    assert (several.folder / "taken" / "file").read_text() == "mine"
    with postgres.database() as database:
        with database.write() as session:
            session.execute(text("INSERT INTO compounds (id, name, time_zone) VALUES ('mine', 'x', 'UTC')"))
        with pytest.raises(NotEmptyError):
            restored(several, made, database_url=database.url)
        with database.read() as session:
            assert session.scalar(text("SELECT count(*) FROM compounds")) == 1
    (several.folder / "empty").mkdir()
    restored(several, made, "empty")


def test_archive_of_a_newer_version_is_refused(plain, several: Deployments, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(backup.dump, "revision_of", lambda _: "9999")
        made = backup.make(plain, dest(several), PHRASE)
    with pytest.raises(TooNewError, match="9999"):
        restored(several, made)


def test_archive_of_the_first_keys_opens_after_a_rotation(plain, several: Deployments) -> None:
    made = backup.make(plain, dest(several), PHRASE)
    plain.ring.rotate()
    plain.vault.rewrap()
    backup.make_keys_only(plain, dest(several), PHRASE)
    _, new = restored(several, made)
    assert new.ring.numbers == (1, 2)
    with new.database.read() as session:
        assert session.get_one(Person, "mate").name == "某某"


def test_gallery_is_to_be_read_anew(plain, several: Deployments) -> None:
    with plain.database.read() as session:
        before = session.scalars(select(GalleryRevision.revision)).one()
    _, new = restored(several, backup.make(plain, dest(several), PHRASE))
    with new.database.read() as session:
        assert session.scalars(select(GalleryRevision.revision)).one() == before + 1


def test_keys_of_another_deployment_are_not_replaced(plain, several: Deployments) -> None:
    backup.make(plain, dest(several), PHRASE)
    keys = (dest(several) / KEYS_FILE).read_bytes()
    several.clock.advance(60)
    other = several.new("other")
    with pytest.raises(ForeignKeysError, match="another deployment"):
        backup.make(other, dest(several), PHRASE)
    with pytest.raises(ForeignKeysError, match="another passphrase"):
        backup.make_keys_only(several.enter(plain), dest(several), "other phrase")
    assert (dest(several) / KEYS_FILE).read_bytes() == keys
    assert len(list(dest(several).iterdir())) == 2


def test_former_keys_are_overwritten_on_the_disk(plain, several: Deployments) -> None:
    backup.make_keys_only(plain, dest(several), PHRASE)
    former = several.folder / "former"
    # Another name for the same blocks shows what becomes of them.
    former.hardlink_to(dest(several) / KEYS_FILE)
    several.clock.advance(60)
    backup.make_keys_only(plain, dest(several), PHRASE)
    assert set(former.read_bytes()) == {0}
    assert check_keys(dest(several) / KEYS_FILE, PHRASE).taken_at == several.clock.now()


@pytest.mark.parametrize("step", ["dump", "pictures", "verify", "keys"])
def test_backup_that_fails_leaves_no_file_that_looks_like_one(plain, several, monkeypatch, step: str) -> None:
    def failing(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        match step:
            case "dump":
                patch.setattr(backup.dump, "dump", failing)
            case "pictures":
                patch.setattr(type(plain.media), "sealed", failing)
            case "verify":
                patch.setattr(backup, "walk", failing)
            case "keys":
                patch.setattr(backup, "copy_keys", failing)
        with pytest.raises(OSError, match="No space"):
            backup.make(plain, dest(several), PHRASE)
    assert [path.name for path in dest(several).iterdir()] == []
    with plain.database.read() as session:
        assert session.scalars(select(BackupRun)).all() == []


KILLED = """
import os, signal, sys
from pathlib import Path
from ringward import backup
from ringward.foundation import lay
from ringward.settings import Settings
from storage import archive
archive.SCRYPT_N = 2
ground = lay(Settings(data_dir=Path(sys.argv[1])))
def progress(what, count):
    if what == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGKILL)
backup.make(ground, Path(sys.argv[2]), "phrase", progress=progress)
"""


@pytest.mark.parametrize("step", ["people", "pictures", "verify events"])
def test_killed_backup_leaves_no_file_that_looks_like_one(plain, several: Deployments, step: str) -> None:
    root = Path(__file__).parents[2]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(plain.settings.data_dir), str(dest(several)), step],
        check=False,
        cwd=several.folder,
        env=os.environ | {"PYTHONPATH": str(root)},
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL
    left = [path.name for path in dest(several).iterdir()]
    assert len(left) == 1
    assert left[0].endswith(".rwb.part")
    assert backup.found_at(plain, dest(several)) == []
    # The next one clears it away.
    made = backup.make(plain, dest(several), PHRASE)
    assert sorted(path.name for path in dest(several).iterdir()) == [KEYS_FILE, made.archive.name]


def test_two_backups_into_one_folder_do_not_mix(plain, several: Deployments, monkeypatch) -> None:
    real = backup.dump.dump

    def another(connection, metadata):
        with pytest.raises(BlockingIOError):
            backup.make(plain, dest(several), PHRASE)
        return real(connection, metadata)

    monkeypatch.setattr(backup.dump, "dump", another)
    backup.make(plain, dest(several), PHRASE)
    with pytest.raises(FileExistsError):
        backup.make(plain, dest(several), PHRASE)


def test_pictures_of_a_bucket_go_in_as_well(several: Deployments, s3) -> None:
    with s3.bucket() as (_, box):
        there = {
            "media_url": f"s3://{box.name}/x",
            "media_endpoint": s3.endpoint,
            "media_key_id": "a",
            "media_key_secret": "b",
        }
        ground = several.new("old", **there)
        fill(ground)
        made = backup.make(ground, dest(several), PHRASE)
        assert made.manifest.pictures == len(box.objects()) == 3
        # And come back into a directory.
        _, new = restored(several, made)
        assert {new.media.get(media_id) for media_id in new.media.list()} >= {
            resident.PHOTO,
            resident.PASSAGE,
        }


def test_backup_of_a_vault_in_postgresql(several: Deployments, postgres) -> None:
    with postgres.empty() as vault_url, postgres.empty() as elsewhere:
        ground = several.new("old", vault_url=vault_url)
        fill(ground)
        made = backup.make(ground, dest(several), PHRASE)
        result, new = restored(several, made, vault_url=elsewhere)
        assert result.keys.keys == sum(new.vault.wrapped_by().values()) > 4
        with new.database.read() as session:
            assert session.get_one(Person, "mate").name == "某某"
        with pytest.raises(NotEmptyError):
            restored(several, made, "third", vault_url=elsewhere)
        assert sum(new.vault.wrapped_by().values()) == result.keys.keys


def test_archive_without_its_keys_is_said_to_be_so(plain, several: Deployments) -> None:
    made = backup.make(plain, dest(several), PHRASE)
    (dest(several) / KEYS_FILE).unlink()
    with pytest.raises(FileNotFoundError):
        restored(several, made)
    shutil.copy(made.archive, dest(several) / KEYS_FILE)
    with pytest.raises(ArchiveError, match="kind"):
        restored(several, made)


def test_keys_of_another_deployment_restore_nothing(plain, several: Deployments) -> None:
    made = backup.make(plain, dest(several), PHRASE)
    other = several.new("other")
    backup.make_keys_only(other, several.folder / "elsewhere", PHRASE)
    shutil.copy(several.folder / "elsewhere" / KEYS_FILE, dest(several) / KEYS_FILE)
    with pytest.raises(DamagedError, match="not those of this backup"):
        restored(several, made)
    assert not (several.folder / "new").exists()
