import datetime as dt
from dataclasses import dataclass

import msgspec
import numpy as np
import pytest
from sqlalchemy import select, update

import recognition.models  # noqa: F401
from bus.messages import DeviceMatch, EventStored, Picture, PlateReading, decode
from recognition.calibration import UncalibratedEngineError, shipped
from recognition.enrolment import RefusedPortrait, embed_portrait
from recognition.models import DecisionRow
from recognition.work.worker import RecognitionWorker
from registry.faces import templates
from registry.faces.consents import give, withdraw
from registry.models import (
    Compound,
    ConsentPurpose,
    GivenBy,
    Household,
    PassKind,
    Person,
    Vehicle,
    VisitorPass,
)
from storage import Base, Database, KeyRing, MediaStore, Vault
from storage.events import EventAmendment, EventRow, OutboxRow
from storage.keys import install_ring
from storage.vault import install_vault

NOW = dt.datetime(2026, 11, 23, 7, 15, tzinfo=dt.UTC)
FACE = ConsentPurpose.FACE_ACCESS


class FixedClock:
    def now(self):
        return NOW


@dataclass
class CountingReader:
    """The real reader, counting how often it is asked."""

    reader: object
    asked: int = 0
    name: str = "counting"
    version: str = "1"

    def read(self, rgb):
        self.asked += 1
        return self.reader.read(rgb)


class World:
    """A compound with one household, a gallery of one portrait, two cars and a guest."""

    def __init__(self, folder, engine, reader):
        self.ring = KeyRing({1: bytes(32)})
        install_ring(self.ring)
        install_vault(Vault.at(folder / "vault.db", self.ring))
        self.database = Database.at(folder / "ringward.db")
        Base.metadata.create_all(self.database.engine)
        self.media = MediaStore(folder / "media", self.ring)
        self.engine, self.reader = engine, CountingReader(reader)
        self.worker = self.new_worker()
        with self.database.write() as session:
            session.add_all([Compound(id="honghua", name="红花"), Compound(id="sifang", name="四方")])
            session.flush()
            session.add(Household(id="h1", compound="honghua"))
            session.flush()
            session.add_all(
                [
                    Person(id="p1", compound="honghua", household="h1", name="甲"),
                    Person(id="p2", compound="honghua", household="h1", name="乙"),
                    Vehicle(id="v1", compound="honghua", plate="云M12345", household="h1"),
                    Vehicle(id="v2", compound="sifang", plate="云M77777"),
                    VisitorPass(
                        id="w1",
                        compound="honghua",
                        kind=PassKind.VISITOR,
                        host_household="h1",
                        plate="京H99999",
                        starts_at=NOW - dt.timedelta(hours=1),
                        ends_at=NOW + dt.timedelta(hours=1),
                    ),
                ]
            )

    def new_worker(self):
        return RecognitionWorker(
            self.database, self.media, self.ring, self.engine, self.reader, clock=FixedClock()
        )

    def enrol(self, person_id, photo):
        embedding = embed_portrait(self.engine, photo)
        with self.database.write() as session:
            person = session.get_one(Person, person_id)
            give(session, person, FACE, wording="…", channel="paper", given_by=GivenBy.SELF, at=NOW)
            templates.enrol(session, person, embedding, media_id=None, at=NOW)

    def event(self, kind="face.captured", *pictures, event_id="e1", role="face", **more):
        stored = [self.media.put(data) for data in pictures]
        return EventStored(
            id=event_id,
            compound="honghua",
            device_id="cam-1",
            type=kind,
            ring="entrance",
            zone="gate-1",
            device_time=NOW,
            at=NOW,
            received_at=NOW,
            lane="lane-1",
            direction="in",
            pictures=tuple(Picture(role, s.media_id, s.size) for s in stored),
            **more,
        )

    def see(self, *args, **more):
        (sighting,) = self.worker.handle(self.event(*args, **more))
        return sighting

    def rows(self, table):
        with self.database.read() as session:
            rows = list(session.scalars(select(table)))
            session.expunge_all()
            return rows


@pytest.fixture
def world(tmp_path, engine, reader):
    world = World(tmp_path, engine, reader)
    yield world
    world.database.close()


def test_an_enrolled_person_is_identified_and_the_decision_explains_itself(world, portrait_bytes):
    world.enrol("p1", portrait_bytes("obama.jpg"))
    sighting = world.see("face.captured", portrait_bytes("obama2.jpg"))
    assert (sighting.outcome, sighting.person_id, sighting.household_id) == ("identified", "p1", "h1")
    assert 0 < sighting.score < 0.45
    assert (sighting.event_id, sighting.lane, sighting.direction, sighting.at) == ("e1", "lane-1", "in", NOW)
    (row,) = world.rows(DecisionRow)
    assert (row.engine, row.engine_version) == ("dlib", world.engine.version)
    assert (row.gallery_size, row.threshold) == (1, shipped().identify_cap)
    assert row.candidates[0]["person_id"] == "p1"
    assert row.quality["size_px"] > 100
    assert row.reasons == ["within_threshold"]
    assert (row.at, row.decided_at) == (NOW, NOW)
    assert row.milliseconds > 0


def test_a_stranger_is_unknown(world, portrait_bytes):
    world.enrol("p1", portrait_bytes("obama.jpg"))
    sighting = world.see("face.captured", portrait_bytes("biden.jpg"))
    assert (sighting.outcome, sighting.person_id, sighting.reasons) == ("unknown", None, ("nobody_near",))


def test_two_of_one_household_are_its_member(world, portrait_bytes):
    photo = portrait_bytes("obama.jpg")
    world.enrol("p1", photo)
    world.enrol("p2", photo)
    sighting = world.see("face.captured", portrait_bytes("obama2.jpg"))
    assert (sighting.outcome, sighting.person_id, sighting.household_id) == ("household", None, "h1")


def test_an_empty_gallery_knows_nobody(world, portrait_bytes):
    assert world.see("face.captured", portrait_bytes("biden.jpg")).reasons == ("empty_gallery",)


def test_another_compound_is_another_gallery(world, portrait_bytes):
    world.enrol("p1", portrait_bytes("obama.jpg"))
    elsewhere = replace_event(world.event("face.captured", portrait_bytes("obama.jpg")), compound="sifang")
    (sighting,) = world.worker.handle(elsewhere)
    assert sighting.reasons == ("empty_gallery",)


def replace_event(event, **changes):
    return msgspec.structs.replace(event, **changes)


def test_an_event_that_comes_again_changes_nothing(world, portrait_bytes):
    event = world.event("face.captured", portrait_bytes("biden.jpg"))
    first = world.worker.handle(event)
    assert world.worker.handle(event) == first
    assert world.new_worker().handle(event) == first
    assert len(world.rows(DecisionRow)) == len(world.rows(OutboxRow)) == 1


def test_the_message_in_the_outbox_is_the_sighting(world, portrait_bytes):
    sighting = world.see("face.captured", portrait_bytes("biden.jpg"))
    (queued,) = world.rows(OutboxRow)
    assert queued.subject == "sighting.honghua.face.unknown"
    assert decode(queued.payload) == sighting
    assert queued.message_id == sighting.id


def tell(world, message, *, amends):
    """Stores what ingest stores of a message, then gives it to the worker."""
    body = msgspec.to_builtins({name: getattr(message, name) for name in ("plate", "match", "pictures")})
    shared = {
        "compound": message.compound, "type": message.type, "received_at": message.received_at,
        "marks": [], "body": body, "content_hash": "", "revision": message.revision,
    }  # fmt: skip
    with world.database.write() as session:
        if amends:
            session.add(EventAmendment(event_id=message.id, **shared))
        else:
            own = {
                name: getattr(message, name) for name in ("id", "device_id", "ring", "zone", "device_time")
            }
            session.add(EventRow(record_id="r", corrected_time=NOW, late=False, **own, **shared))
    (sighting,) = world.worker.handle(replace_event(message, amends=amends))
    return sighting


def test_plate_that_is_read_later_decides_anew_under_the_same_sighting(world):
    first = tell(world, world.event("plate.none", revision=1), amends=False)
    assert (first.outcome, first.amends) == ("no_plate", False)
    read = world.event("plate.recognised", revision=2, plate=PlateReading("云M12345"))
    second = tell(world, read, amends=True)
    assert (second.id, second.outcome, second.vehicle_id, second.amends) == (
        first.id,
        "identified",
        "v1",
        True,
    )
    (row,) = world.rows(DecisionRow)
    assert (row.outcome, row.revision) == ("identified", 2)
    # Both are told: the bus drops a second message of one id.
    assert [one.message_id for one in world.rows(OutboxRow)] == [first.id, f"{first.id}:2"]
    # And told once each, however often they come.
    assert world.worker.handle(replace_event(read, amends=True)) == [replace_event(second, amends=False)]
    assert len(world.rows(OutboxRow)) == 2


def test_amendment_that_shows_nothing_new_to_look_at_changes_nothing(world, portrait_bytes):
    seen = world.event("face.captured", portrait_bytes("biden.jpg"), revision=1)
    first = tell(world, seen, amends=False)
    second = tell(world, replace_event(seen, revision=2, attributes={"zones": ["yard"]}), amends=True)
    third = tell(world, replace_event(seen, revision=3, pictures=()), amends=True)
    assert second.id == third.id == first.id
    assert not second.amends
    assert not third.amends
    assert len(world.rows(OutboxRow)) == 1


def test_new_picture_is_looked_at_together_with_those_before(world, portrait_bytes):
    world.enrol("p1", portrait_bytes("obama.jpg"))
    seen = world.event("face.captured", portrait_bytes("obama2.jpg"), revision=1)
    tell(world, world.event("face.captured", b"no picture at all", revision=1), amends=False)
    (scene,) = world.event("face.captured", b"still none", role="scene").pictures
    second = tell(world, replace_event(seen, revision=2, pictures=(*seen.pictures, scene)), amends=True)
    assert (second.outcome, second.person_id) == ("identified", "p1")
    # Here the face is only in what was shown before.
    third = tell(
        world, replace_event(seen, revision=3, pictures=(scene,), match=DeviceMatch("x")), amends=True
    )
    assert (third.outcome, third.person_id) == ("identified", "p1")


def test_amendment_that_overtook_its_event_is_decided_once(world):
    read = world.event("plate.recognised", revision=2, plate=PlateReading("云M12345"))
    first = world.event("plate.none", revision=1)
    with world.database.write() as session:
        session.add(
            EventRow(
                id="e1", compound="honghua", device_id="cam-1", record_id="r", type="plate.none",
                ring="entrance", zone="gate-1", device_time=NOW, corrected_time=NOW, received_at=NOW,
                late=False, marks=[], body={"plate": None, "match": None, "pictures": []},
                content_hash="", revision=1,
            )
        )  # fmt: skip
    tell(world, read, amends=True)
    (late,) = world.worker.handle(first)
    assert late.outcome == "identified"
    assert len(world.rows(OutboxRow)) == 1


def test_of_two_workers_that_decide_at_once_the_first_wins(world, portrait_bytes, monkeypatch):
    event = world.event("face.captured", portrait_bytes("biden.jpg"))
    slow, fast = world.new_worker(), world.new_worker()
    (first,) = fast.handle(event)
    # The slow one asked before the fast one had stored, and has since enrolled somebody.
    world.enrol("p1", portrait_bytes("biden.jpg"))
    monkeypatch.setattr(slow, "_stored", lambda *_: None)
    assert slow.handle(event) == [first]
    assert len(world.rows(DecisionRow)) == len(world.rows(OutboxRow)) == 1


def test_the_gallery_follows_enrolment_and_withdrawal(world, portrait_bytes):
    photo = portrait_bytes("obama.jpg")
    assert world.see("face.captured", photo, event_id="a").outcome == "unknown"
    world.enrol("p1", photo)
    assert world.see("face.captured", photo, event_id="b").outcome == "identified"
    with world.database.write() as session:
        withdraw(session, session.get_one(Person, "p1"), FACE, at=NOW)
    assert world.see("face.captured", photo, event_id="c").outcome == "unknown"


def test_a_child_is_not_named(world, portrait_bytes):
    world.enrol("p1", portrait_bytes("obama.jpg"))
    with world.database.write() as session:
        session.execute(update(Person).values(under_14=True))
        templates.bump_revision(session, "honghua")
    sighting = world.see("face.captured", portrait_bytes("obama2.jpg"))
    assert (sighting.outcome, sighting.reasons) == ("uncertain", ("under_14",))


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"junk", "not_an_image"), (b"", "empty_picture"), (b"GIF89a....", "unsupported_type")],
)
def test_a_broken_picture_is_a_sighting_with_its_reason(world, data, reason):
    sighting = world.see("face.captured", data)
    assert (sighting.outcome, sighting.reasons, sighting.score) == ("no_usable_picture", (reason,), None)
    assert world.see("plate.recognised", data, event_id="e2", role="scene").reasons == (reason,)


def test_a_cut_jpeg_is_truncated(world, portrait_bytes):
    sighting = world.see("face.captured", portrait_bytes("obama.jpg")[:20_000])
    assert sighting.reasons == ("truncated_picture",)


def test_no_picture_or_a_lost_one_is_no_usable_picture(world):
    assert world.see().reasons == ("no_picture",)
    event = replace_event(world.event(event_id="e2"), pictures=(Picture("face", "0" * 64, 10),))
    (sighting,) = world.worker.handle(event)
    assert (sighting.outcome, sighting.reasons) == ("no_usable_picture", ("picture_missing",))


def test_a_picture_altered_on_disk_is_unreadable(world, portrait_bytes, tmp_path):
    event = world.event("face.captured", portrait_bytes("obama.jpg"))
    (file,) = [path for path in (tmp_path / "media").rglob("*") if path.is_file()]
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    (sighting,) = world.worker.handle(event)
    assert sighting.reasons == ("picture_unreadable",)


def test_a_picture_without_a_face_says_so(world, jpeg):
    nothing = jpeg(np.full((300, 300, 3), 120, np.uint8))
    sighting = world.see("face.captured", nothing, role="scene")
    assert (sighting.outcome, sighting.reasons) == ("no_face", ("face_not_found",))
    # The device has seen one in what it sends as a face, and it is no use to us.
    sighting = world.see("face.captured", nothing, event_id="e2")
    assert (sighting.outcome, sighting.reasons) == ("no_usable_face", ("face_not_found",))


def test_a_good_picture_beside_a_broken_one_is_used(world, portrait_bytes):
    world.enrol("p1", portrait_bytes("obama.jpg"))
    sighting = world.see("face.captured", b"junk", portrait_bytes("obama2.jpg"))
    assert (sighting.outcome, sighting.reasons) == ("identified", ("within_threshold", "not_an_image"))


def test_a_poor_face_is_uncertain(world, portrait_bytes):
    world.enrol("p1", portrait_bytes("obama.jpg"))
    sighting = world.see("face.captured", portrait_bytes("obama_partial_face.jpg"))
    assert (sighting.outcome, sighting.reasons) == ("uncertain", ("poor_quality", "face_cut_off"))


def test_the_terminals_own_match_is_evidence_and_no_identity(world, portrait_bytes):
    match = DeviceMatch(person_ref="p1", score=0.99, liveness=True)
    world.enrol("p1", portrait_bytes("obama.jpg"))
    sighting = world.see("face.identified", portrait_bytes("biden.jpg"), match=match)
    assert (sighting.outcome, sighting.person_id) == ("unknown", None)
    assert "device_match_not_trusted" in sighting.reasons
    (row,) = world.rows(DecisionRow)
    assert row.evidence["device_match"] == {"person_ref": "p1", "score": 0.99, "liveness": True}


def test_a_face_the_terminal_calls_dead_names_nobody(world, portrait_bytes):
    world.enrol("p1", portrait_bytes("obama.jpg"))
    sighting = world.see("face.captured", portrait_bytes("obama.jpg"), match=DeviceMatch(liveness=False))
    assert (sighting.outcome, sighting.reasons) == ("uncertain", ("not_live",))


def test_a_plate_in_a_scene_is_read_and_found_in_the_register(world, plate_scene, jpeg):
    sighting = world.see("plate.recognised", jpeg(plate_scene("云M12345")), role="scene")
    assert (sighting.subject_kind, sighting.outcome, sighting.plate) == ("plate", "identified", "云M12345")
    assert (sighting.vehicle_id, sighting.household_id) == ("v1", "h1")
    assert sighting.score > 0.8
    (row,) = world.rows(DecisionRow)
    assert (row.engine, row.gallery_size) == ("counting", 2)
    assert row.evidence["own_reads"][0]["colour"] == "blue"


def test_the_devices_text_decides_and_keeps_its_confidence(world):
    told = PlateReading(text="云 M·12345", confidence=0.71)
    sighting = world.see("plate.recognised", plate=told)
    assert (sighting.outcome, sighting.vehicle_id, sighting.score) == ("identified", "v1", 0.71)
    assert world.rows(DecisionRow)[0].engine == "device"
    told = PlateReading(text="云M99999")
    assert world.see("plate.recognised", plate=told, event_id="e2").score is None


@pytest.mark.parametrize(
    ("told", "opinion"), [("云M12345", "second_opinion_agrees"), ("云M12349", "second_opinion_differs")]
)
def test_our_reading_beside_the_devices_is_a_second_opinion(world, plate_scene, jpeg, told, opinion):
    picture = jpeg(plate_scene("云M12345"))
    sighting = world.see("plate.recognised", picture, role="scene", plate=PlateReading(text=told))
    assert sighting.plate == told
    assert opinion in sighting.reasons
    assert world.rows(DecisionRow)[0].evidence["own_reads"][0]["text"] == "云M12345"


def test_a_near_plate_is_uncertain_and_a_far_one_unknown(world):
    near = world.see("plate.recognised", plate=PlateReading(text="川M12345"))
    assert (near.outcome, near.vehicle_id, near.reasons) == ("uncertain", None, ("near_match",))
    assert world.rows(DecisionRow)[0].candidates == [{"plate": "云M12345", "cost": 0.7}]
    far = world.see("plate.recognised", plate=PlateReading(text="云M77777"), event_id="e2")
    assert (far.outcome, far.reasons) == ("unknown", ("not_registered",))


def test_a_guests_plate_is_known_while_the_pass_lasts(world):
    told = PlateReading(text="京H99999")
    sighting = world.see("plate.recognised", plate=told)
    assert (sighting.outcome, sighting.vehicle_id, sighting.household_id) == ("identified", None, "h1")
    assert sighting.reasons == ("visitor_pass",)
    later = replace_event(
        world.event("plate.recognised", plate=told, event_id="e2"), at=NOW + dt.timedelta(hours=2)
    )
    (sighting,) = world.worker.handle(later)
    assert sighting.outcome == "unknown"


def test_an_emergency_vehicle_is_marked(world):
    sighting = world.see("plate.recognised", plate=PlateReading(text="云M1234警"))
    assert sighting.reasons == ("not_registered", "always_allowed")


@pytest.mark.parametrize(
    ("kind", "told", "outcome"),
    [
        ("plate.none", None, "no_plate"),
        ("plate.recognised", PlateReading(text="_无_"), "no_plate"),
        ("plate.recognised", None, "no_usable_picture"),
    ],
)
def test_no_plate_is_told_from_not_having_looked(world, kind, told, outcome):
    assert world.see(kind, plate=told).outcome == outcome


def test_a_scene_without_a_plate_is_no_plate(world, jpeg):
    sighting = world.see("plate.recognised", jpeg(np.full((360, 640, 3), 90, np.uint8)), role="scene")
    assert (sighting.outcome, sighting.plate) == ("no_plate", None)


def test_a_text_longer_than_any_plate_is_kept_short(world):
    sighting = world.see("plate.recognised", plate=PlateReading(text="A" * 500))
    assert (sighting.outcome, sighting.plate) == ("uncertain", "A" * 16)


@pytest.mark.parametrize("kind", ["door.opened", "access.granted", "barrier.opened"])
def test_other_events_are_left_alone(world, kind, portrait_bytes):
    assert world.worker.handle(world.event(kind, portrait_bytes("biden.jpg"))) == []
    assert world.rows(DecisionRow) == []


def test_a_late_event_makes_a_late_sighting(world, portrait_bytes):
    assert world.see("face.captured", portrait_bytes("biden.jpg"), late=True).late


def test_an_engine_without_a_curve_stops_the_worker_at_its_start(world):
    class Unmeasured:
        name, version, metric, dimension = "other", "1", "l2", 4

    world.engine = Unmeasured()
    with pytest.raises(UncalibratedEngineError):
        world.new_worker()


@pytest.mark.parametrize(
    ("name", "reasons"),
    [("obama_partial_face.jpg", ("face_cut_off",)), ("junk", ("not_an_image",)), ("grey", ("no_face",))],
)
def test_a_portrait_that_would_make_a_poor_template_is_refused(engine, portrait_bytes, jpeg, name, reasons):
    if name == "grey":
        data = jpeg(np.full((200, 200, 3), 120, np.uint8))
    else:
        data = b"junk" if name == "junk" else portrait_bytes(name)
    refused = embed_portrait(engine, data)
    assert isinstance(refused, RefusedPortrait)
    assert refused.reasons == reasons
