"""Photos as a ZIP: with consent or not at all, and one bad file stops no other."""

import io
import zipfile
from dataclasses import dataclass, field

import pytest
from import_world import Outcome, furnish, load, order, outcome, people
from sqlalchemy import select

from registry.faces import consents
from registry.faces.models import ConsentPurpose, FaceTemplate, GivenBy
from registry.faces.templates import Embedding, enrol
from registry.imports import jobs, photos
from registry.imports.models import ImportState
from registry.models import Person
from storage import Database
from tests.support.clock import NOON, VirtualClock

HOME = "3号楼2单元1801室"
GOOD = b"\xff\xd8 a face"


@dataclass
class FakeEngine:
    """Sees one face in any photo that does not say otherwise."""

    database: Database
    seen: list[bytes] = field(default_factory=list)

    def __call__(self, person_id: str, photo: bytes) -> str:
        self.seen.append(photo)
        if photo in {b"no_face", b"several_faces", b"not_an_image"}:
            raise photos.PhotoFaultError(photo.decode())
        with self.database.write() as session:
            person = session.get_one(Person, person_id)
            embedding = Embedding("fake", "1", 1, b"\0\0\0\0", 0.9)
            media_id = f"{person_id}{hash(photo)}"[:64]
            return enrol(session, person, embedding, media_id=media_id, at=NOON).id


@pytest.fixture
def agreed(database: Database) -> Database:
    """P1 and P2 have agreed, P3 has not."""
    furnish(database, HOME)
    rows = [(f"P{n}", f"人{n}", "", HOME, "", "业主", "2020-01-05") for n in (1, 2, 3)]
    load(database, "people", people(*rows))
    with database.write() as session:
        for person in session.scalars(select(Person).where(Person.external_id.in_(("P1", "P2")))):
            consents.give(
                session,
                person,
                ConsentPurpose.FACE_ACCESS,
                wording="w",
                channel="counter",
                given_by=GivenBy.SELF,
                at=NOON,
            )
    return database


def packed(files: dict[str, bytes]) -> io.BytesIO:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(name, content)
    archive.seek(0)
    return archive


def send(database: Database, engine: FakeEngine, archive: io.BytesIO, **asked: bool) -> Outcome:
    clock, wanted = VirtualClock(), order(photos.KIND, partly=True, **asked)
    job = jobs.begin(database, wanted, archive.getvalue(), clock.now())
    photos.run(database, job, wanted, archive, clock, engine)
    return outcome(database, job)


def templates(database: Database) -> int:
    with database.read() as session:
        return len(session.scalars(select(FaceTemplate)).all())


def test_good_photos_go_in_and_bad_ones_are_told_by_their_number(agreed: Database) -> None:
    engine = FakeEngine(agreed)
    done = send(
        agreed,
        engine,
        packed(
            {
                "photos/P1.jpg": GOOD,
                "P2_张三.PNG": GOOD,
                "P1.jpeg": b"no_face",
                "P2.jpg": b"several_faces",
                "P2.png": b"not_an_image",
                "P3.jpg": GOOD,
                "P9.jpg": GOOD,
                "list.txt": b"x",
                "../P1.jpg": GOOD,
                "Thumbs.db": b"x",
                "__MACOSX/._P1.jpg": b"x",
            }
        ),
    )
    assert done.told == [
        (3, None, "no_face"),
        (4, None, "several_faces"),
        (5, None, "not_an_image"),
        (6, None, "consent_missing"),
        (7, None, "photo_name"),
        (8, None, "unsupported_type"),
        (9, None, "zip_path"),
    ]
    assert (done.state, done.counts["face_templates"]) == (
        ImportState.APPLIED,
        {"created": 2, "unchanged": 0},
    )
    # Who has not agreed is not even shown to the engine.
    assert len(engine.seen) == 5


def test_a_photo_of_40_mb_is_not_read(agreed: Database) -> None:
    engine = FakeEngine(agreed)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        target.writestr("P1.jpg", bytes(40 << 20))
        target.writestr("P2.jpg", GOOD)
    archive.seek(0)
    done = send(agreed, engine, archive)
    assert (done.told, engine.seen) == ([(1, None, "photo_too_large")], [GOOD])


def test_the_same_photos_again_are_no_second_templates(agreed: Database) -> None:
    archive = packed({"P1.jpg": GOOD})
    send(agreed, FakeEngine(agreed), archive)
    again = send(agreed, FakeEngine(agreed), archive)
    assert (again.counts["face_templates"], templates(agreed)) == ({"created": 0, "unchanged": 1}, 1)


def test_undo_takes_the_templates_away_and_names_their_pictures(agreed: Database) -> None:
    done = send(agreed, FakeEngine(agreed), packed({"P1.jpg": GOOD, "P2.jpg": GOOD}))
    clock = VirtualClock()
    jobs.begin_undo(agreed, done.job, order("undo"), clock)
    undone = jobs.undo(agreed, done.job, order("undo"), clock)
    assert (dict(undone.deleted), len(undone.pictures), templates(agreed)) == ({"face_templates": 2}, 2, 0)


def test_a_dry_run_shows_no_photo_to_the_engine(agreed: Database) -> None:
    engine = FakeEngine(agreed)
    done = send(agreed, engine, packed({"P1.jpg": GOOD, "P3.jpg": GOOD}), dry_run=True)
    assert (done.state, done.codes, engine.seen) == (ImportState.CHECKED, ["consent_missing"], [])


def test_names_in_gbk_are_read(agreed: Database) -> None:
    archive = packed({"P1_AA.jpg": GOOD})
    content = archive.getvalue().replace(b"P1_AA.jpg", b"P1_" + "张".encode("gbk") + b".jpg")
    # The archive says nothing of an encoding, as old Windows programs do.
    done = send(agreed, FakeEngine(agreed), io.BytesIO(content))
    assert done.told == []
    assert [name for _, name in photos.members_of(io.BytesIO(content))] == ["P1_张.jpg"]


@pytest.mark.parametrize(("content", "code"), [(b"no zip", "zip_malformed"), (b"", "zip_malformed")])
def test_what_is_no_archive_ends_the_job(agreed: Database, content: bytes, code: str) -> None:
    done = send(agreed, FakeEngine(agreed), io.BytesIO(content))
    assert (done.state, done.error) == (ImportState.REFUSED, code)
