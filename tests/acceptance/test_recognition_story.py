"""Recognition as the people of a compound meet it, told as timelines.

Faces are portraits before the real engine with its shipped calibration where a face matters:
the household, the exclusion, the tie, the child, the late record. Where it is about time and
pictures of one passage they are made of numbers, which say exactly how near is near.
"""

import base64
import importlib.util
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from recognition.calibration import Calibrations
from recognition.engines import DlibEngine
from recognition.enrolment import embed_portrait
from registry.models import Vehicle
from tests.acceptance.deployment import PORTRAITS
from tests.acceptance.recognition_timeline import Story
from tests.support.compound import COMPOUND
from tests.support.passages import STRANGER, Street, picture

STOOD_HERE = "obama.jpg", "obama2.jpg", "obama3.jpg"
SOMEBODY_ELSE = "biden.jpg"


@pytest.fixture(scope="module")
def engine() -> DlibEngine:
    return DlibEngine()


@pytest.fixture
def real(database, media, ring, clock, engine) -> Story:
    return Story(Street(database, media, ring, clock, engine=engine, calibrations=Calibrations()))


@pytest.fixture
def story(database, media, ring, clock) -> Story:
    return Story(Street(database, media, ring, clock))


def portrait(name: str) -> bytes:
    if name == "astronaut.png":
        package = importlib.util.find_spec("skimage")
        assert package is not None
        assert package.submodule_search_locations is not None
        return (Path(package.submodule_search_locations[0]) / "data" / name).read_bytes()
    return (PORTRAITS / name).read_bytes()


def shown(data: bytes, role: str = "face") -> dict[str, Any]:
    return {"images": [{"role": role, "jpeg": base64.b64encode(data).decode()}]}


def face(number: int, quality: int = 90) -> dict[str, Any]:
    return shown(picture(number, quality))


def enrol(story: Story, name: str, *photos: str, **more: Any) -> None:
    """Registers somebody with their photos, as the property office does."""
    street = story.street
    street.lives(name, None, **more)
    for photo in photos:
        embedding = embed_portrait(street.engine, portrait(photo))
        street.enrol(name, np.frombuffer(embedding.vector, "<f4"))


# ── whose face is it ──────────────────────────────────────────────────────────


def test_resident_comes_home_and_the_door_opens_once(real: Story) -> None:
    enrol(real, "ann", *STOOD_HERE[:2])
    real.opens("hall-1", "door-1")
    real.at(1, "hall-1", **shown(portrait(STOOD_HERE[2])))
    real.until(30)
    assert real.heard == [(1.0, "face.identified", "ann"), (1.0, "open", "door-1")]
    (row,) = real.street.decisions()
    assert (row.engine, row.gallery, row.gallery_size, row.frames) == ("dlib", "building:b1", 1, 1)
    assert row.score < row.thresholds["identify"] < row.thresholds["unknown"]
    assert row.thresholds["calibration"].startswith("dlib/")
    assert [one["person_id"] for one in row.candidates] == ["ann"]
    assert row.quality["score"] > 0.5


def test_stranger_at_the_door_is_unknown_and_it_stays_shut(real: Story) -> None:
    enrol(real, "ann", *STOOD_HERE[:2])
    real.opens("hall-1", "door-1")
    real.at(1, "hall-1", **shown(portrait(SOMEBODY_ELSE)))
    real.until(30)
    assert real.heard == [(1.0, "face.unknown", None)]


def test_two_photos_of_one_face_in_two_households_are_a_tie_and_name_nobody(real: Story) -> None:
    enrol(real, "ann", STOOD_HERE[0])
    enrol(real, "ben", STOOD_HERE[0])
    real.opens("hall-1", "door-1")
    real.at(1, "hall-1", **shown(portrait(STOOD_HERE[0])))
    real.until(30)
    assert real.heard == [(1.0, "face.uncertain", None)]
    (row,) = real.street.decisions()
    assert (row.reasons, row.margin) == (["ambiguous"], 0.0)


def test_two_of_one_household_with_one_face_are_let_in_as_its_members(real: Story) -> None:
    """Whoever of them it is, the door is the same."""
    enrol(real, "ann", STOOD_HERE[0], household="h1")
    enrol(real, "ben", STOOD_HERE[0], household="h1")
    real.opens("hall-1", "door-1")
    real.at(1, "hall-1", **shown(portrait(STOOD_HERE[0])))
    real.until(30)
    assert real.heard == [(1.0, "face.household", "h1"), (1.0, "open", "door-1")]


def test_whoever_was_taken_for_a_stranger_is_asked_to_be_nearer_from_then_on(real: Story) -> None:
    enrol(real, "ann", STOOD_HERE[0])
    real.at(1, "hall-1", **shown(portrait(STOOD_HERE[2])))
    assert real.heard == [(1.0, "face.identified", "ann")]
    # An operator has seen that it was somebody else.
    real.street.confused("ann", None)
    camera = real.street.decisions()[0]
    real.street.view("hall-1", threshold_shift=camera.score - camera.thresholds["identify"] + 0.001)
    real.at(20, "hall-1", **shown(portrait(STOOD_HERE[2])))
    real.at(40, "hall-1", **shown(portrait(STOOD_HERE[0])))
    real.until(60)
    assert real.heard[1:] == [(20.0, "face.uncertain", None), (40.0, "face.identified", "ann")]
    assert real.street.decisions()[1].reasons == ["excluded_stranger"]


def test_pair_that_was_confused_is_not_named_though_one_is_nearer(story: Story) -> None:
    story.street.lives("ann", 500)
    story.street.lives("ben", 580)
    story.opens("hall-1", "door-1")
    story.at(1, "hall-1", **face(500))
    story.street.confused("ben", "ann")
    story.at(20, "hall-1", **face(500))
    story.until(40)
    assert story.heard == [
        (1.0, "face.identified", "ann"),
        (1.0, "open", "door-1"),
        (20.0, "face.uncertain", None),
    ]


def test_child_is_never_named_however_near(real: Story) -> None:
    enrol(real, "mum", "astronaut.png", household="h1")
    enrol(real, "kid", SOMEBODY_ELSE, household="h1", under_14=True)
    real.opens("hall-1", "door-1")
    real.at(1, "hall-1", **shown(portrait(SOMEBODY_ELSE)))
    real.at(20, "hall-1", **shown(portrait("astronaut.png")))
    real.until(40)
    assert real.heard == [
        (1.0, "face.uncertain", None),
        (20.0, "face.identified", "mum"),
        (20.0, "open", "door-1"),
    ]
    assert real.street.decisions()[0].reasons == ["under_14"]


def test_late_record_completes_history_names_its_person_and_opens_nothing(real: Story) -> None:
    """A camera that was cut off tells what it saw an hour ago."""
    enrol(real, "ann", *STOOD_HERE[:2])
    real.opens("hall-1", "door-1")
    real.at(3600, "hall-1", **shown(portrait(STOOD_HERE[2])), ago=3500, late=True)
    real.until(3660)
    assert real.heard == [(3600.0, "face.identified", "ann")]
    (row,) = real.street.decisions()
    assert (row.valid_until, (row.decided_at - row.at).total_seconds()) == (None, 3500)


def test_blurred_and_cut_off_faces_are_no_strangers(real: Story) -> None:
    enrol(real, "ann", *STOOD_HERE[:2])
    rgb = cv2.imdecode(np.frombuffer(portrait(STOOD_HERE[2]), np.uint8), cv2.IMREAD_COLOR)
    soft = cv2.GaussianBlur(rgb, (61, 61), 0)
    real.at(1, "gate-1", **shown(cv2.imencode(".jpg", soft)[1].tobytes()))
    real.at(20, "garden-1", **shown(portrait("obama_partial_face.jpg")))
    real.until(40)
    assert real.heard == [(1.0, "face.uncertain", None), (20.0, "face.uncertain", None)]
    assert [row.reasons for row in real.street.decisions()] == [
        ["poor_quality", "blurred"],
        ["poor_quality", "face_cut_off"],
    ]


# ── pictures of one passage ───────────────────────────────────────────────────


def test_track_is_decided_at_the_deadline_with_what_there_is_and_amended_once(story: Story) -> None:
    story.street.lives("ann", 500)
    story.opens("gate-1", "barrier")
    story.at(1.0, "gate-1", track="t", **face(930, 60))
    story.at(1.2, "gate-1", track="t", **face(935, 60))
    story.at(1.8, "gate-1", track="t", **face(400, 100))
    story.at(2.0, "gate-1", track="t", **face(420, 100))
    story.at(2.2, "gate-1", track="t", **face(940, 100))
    story.until(60)
    assert story.heard == [
        (1.4, "face.uncertain", None),
        (1.8, "face.identified amended", "ann"),
        (1.8, "open", "barrier"),
    ]
    rows = story.street.decisions()
    assert [row.leader for row in rows] == [None, *[rows[0].sighting_id] * 4]
    assert {(row.person_id, row.frames) for row in rows} == {("ann", 3)}


def test_passage_that_becomes_certain_too_late_opens_nothing(story: Story) -> None:
    story.street.lives("ann", 500)
    story.opens("gate-1", "barrier")
    story.at(1.0, "gate-1", track="t", **face(930, 60))
    story.at(3.0, "gate-1", track="t", **face(935, 60))
    story.at(4.5, "gate-1", track="t", **face(400, 100))
    story.until(60)
    assert story.heard == [(1.4, "face.uncertain", None), (4.5, "face.identified amended", "ann")]


def test_stranger_who_turns_out_to_be_a_resident_raises_no_alarm(story: Story) -> None:
    """The rule asks after a quarter of a minute; by then more pictures have said who it was."""
    story.street.lives("ann", 500)
    story.at(1.0, "gate-1", track="t", **face(1200, 55))
    story.at(1.5, "barrier", "door.opened")
    story.at(2.0, "gate-1", track="t", **face(700, 100))
    story.until(60)
    assert story.heard == [(1.4, "face.unknown", None), (2.0, "face.identified amended", "ann")]


def test_stranger_who_passes_is_one_alarm_however_many_pictures_there_are(story: Story) -> None:
    story.street.lives("ann", 500)
    for number in range(5):
        story.at(1.0 + number / 5, "gate-1", track="t", **face(STRANGER + number))
    story.at(2.5, "barrier", "door.opened")
    story.until(60)
    assert story.heard == [(1.4, "face.unknown", None), (16.0, "person.unknown_passed", None)]


def test_two_who_follow_each_other_closely_are_two(story: Story) -> None:
    story.street.lives("ann", 500)
    story.street.lives("ben", 1500, "d2")
    story.at(1.0, "gate-1", **face(510))
    story.at(1.3, "gate-1", **face(1510))
    story.at(1.6, "gate-2", **face(505))
    story.until(30)
    assert story.heard == [(1.0, "face.identified", "ann"), (1.3, "face.identified", "ben")]


# ── time ──────────────────────────────────────────────────────────────────────


def test_decision_that_comes_too_late_opens_nothing_and_an_old_picture_is_not_looked_at(story: Story) -> None:
    """Recognition was down for a while: whoever stood there has gone."""
    with story.street.database.write() as session:
        session.add(Vehicle(id="car", compound=COMPOUND, plate="云M12345"))
    story.street.lives("ann", 500)
    story.opens("gate-1", "barrier")
    story.blind = True
    story.at(1.0, "gate-1", **face(510))
    story.at(118.0, "gate-1", **face(510))
    story.at(118.0, "gate-1", "plate.recognised", plate={"text": "云M12345"})
    story.until(122.0)
    story.blind = False
    story.at(125.0, "gate-1", **face(510))
    story.until(180)
    assert story.heard == [
        (122.1, "face.unprocessed", None),
        (122.1, "face.identified", "ann"),
        (122.1, "plate.identified", "car"),
        (125.0, "face.identified", "ann"),
        (125.0, "open", "barrier"),
    ]


def test_worker_that_dies_while_a_track_waits_loses_nothing(story: Story) -> None:
    story.street.lives("ann", 500)
    story.at(1.0, "gate-1", track="t", **face(STRANGER))
    story.street.worker = story.street.new_worker()
    story.until(30)
    assert story.heard == [(1.4, "face.unknown", None)]
