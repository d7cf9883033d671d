"""What cannot be compared says why, and what is too old is not fetched."""

import base64
import dataclasses
import datetime as dt

import pytest
from sqlalchemy import update

from recognition.models import DecisionRow
from recognition.work.policy import RecognitionPolicy
from tests.support.passages import STRANGER, FakeEngine, Street, picture


@pytest.fixture
def street(database, media, ring, clock):
    made = Street(database, media, ring, clock)
    made.lives("ann", 500)
    return made


@pytest.mark.parametrize(
    ("quality", "outcome", "reasons"),
    [
        (90, "identified", ("within_threshold",)),
        (30, "uncertain", ("poor_quality", "blurred")),
        (10, "no_usable_face", ("face_too_small",)),
    ],
)
def test_poor_face_is_never_unknown(street, quality, outcome, reasons):
    (sighting,) = street.sees(500, quality=quality)
    assert (sighting.outcome, sighting.reasons) == (outcome, reasons)
    (row,) = street.decisions()
    assert row.quality["score"] == quality / 100
    assert row.engine == "fake"
    (sighting,) = street.sees(STRANGER, quality=quality, device="garden-1")
    assert sighting.outcome == {"identified": "unknown"}.get(outcome, outcome)


def test_usable_picture_beside_a_better_looking_one_that_is_not_is_compared(street):
    """A face that is cut off may be as sharp as a portrait."""

    class Cut(FakeEngine):
        def detect(self, image, view=None):
            (face,) = super().detect(image)
            if face.quality.score > 0.9:
                report = dataclasses.replace(face.quality, reasons=("face_cut_off",))
                return [dataclasses.replace(face, quality=report)]
            return [face]

    worker = street.new_worker(Cut())
    (sighting,) = street.sees(None, pictures=(picture(500, 99), picture(500, 70)), worker=worker)
    assert (sighting.outcome, sighting.person_id) == ("identified", "ann")


def test_part_of_the_frame_is_looked_at_and_a_crop_of_it_whole(street):
    """Beside a scene the face is cut out of it; alone it is the frame."""
    street.view("gate-1", region=[0.0, 0.0, 0.5, 0.5])
    seen = []

    class Watching(FakeEngine):
        def detect(self, image, view=None):
            seen.append(view.region)
            return super().detect(image)

    worker = street.new_worker(Watching())
    street.sees(500, worker=worker)
    street.clock.advance(10)
    images = [{"role": role, "jpeg": _base64(picture(None))} for role in ("face", "scene")]
    street.sees(None, images=images, worker=worker)
    assert seen == [(0.0, 0.0, 0.5, 0.5), None, (0.0, 0.0, 0.5, 0.5)]


def _base64(data):
    return base64.b64encode(data).decode()


def test_picture_past_its_time_is_told_as_unprocessed_and_not_looked_at(street):
    message = street.passes(500)
    street.clock.advance(street.policy.ttl.total_seconds() + 1)
    (sighting,) = street.worker.handle(message)
    assert (sighting.outcome, sighting.reasons, sighting.person_id) == ("unprocessed", ("past_ttl",), None)
    assert street.engine.looks == 0
    assert street.told() == [sighting]


def test_plate_past_its_time_is_unprocessed_too(street):
    message = street.passes(None, kind="plate.recognised", pictures=(), plate={"text": "云M12345"})
    street.clock.advance(street.policy.ttl.total_seconds() + 1)
    (sighting,) = street.worker.handle(message)
    assert (sighting.subject_kind, sighting.outcome) == ("plate", "unprocessed")


def test_picture_at_its_last_moment_and_a_late_one_are_looked_at(street):
    message, late = street.passes(500), street.passes(500, "hall-1", late=True)
    street.clock.advance(street.policy.ttl.total_seconds())
    assert [one.outcome for one in street.worker.handle(message)] == ["identified"]
    street.clock.advance(3600)
    assert [one.outcome for one in street.worker.handle(late)] == ["identified"]


def test_event_that_kills_is_given_up_with_its_reason_and_a_decision_stays(street):
    message = street.passes(500)
    (sighting,) = street.worker.give_up(message, "engine_crashed")
    assert (sighting.outcome, sighting.reasons) == ("no_usable_picture", ("engine_crashed",))
    assert street.worker.give_up(message, "engine_crashed") == [sighting]
    assert street.worker.handle(message) == [sighting]
    assert street.told() == [sighting]
    other = street.passes(500, "hall-1")
    (seen,) = street.worker.handle(other)
    assert street.worker.give_up(other, "engine_crashed") == [seen]
    assert street.told() == [seen]
    assert street.worker.give_up(street.passes(None, "door-1", kind="door.opened"), "x") == []


def test_decisions_of_before_are_told_in_their_own_name(street):
    """Rows from before passages were kept have no time of telling."""
    message = street.passes(500)
    (sighting,) = street.worker.handle(message)
    with street.database.write() as session:
        session.execute(update(DecisionRow).values(told_at=None, settles_at=None))
    assert street.worker.handle(message) == [sighting]
    assert street.worker.settle() == []


@pytest.mark.parametrize("workers", [1, 2])
def test_passage_is_one_on_either_database(either_database, media, ring, clock, workers):
    policy = RecognitionPolicy(settle=dt.timedelta(seconds=1))
    street = Street(either_database, media, ring, clock, policy)
    street.lives("ann", 500)
    others = [street.worker, *(street.new_worker(FakeEngine()) for _ in range(workers - 1))]
    for number, face in enumerate((930, 940, 935)):
        assert street.sees(face, track="t1", quality=60, worker=others[number % workers]) == []
        clock.advance(0.2)
    clock.advance(1)
    told = [one for worker in others for one in worker.settle()]
    assert [(one.outcome, one.id) for one in told] == [("uncertain", street.decisions()[0].sighting_id)]
    assert {row.frames for row in street.decisions()} == {3}
    clock.advance(0.1)
    (amended,) = street.sees(400, track="t1", quality=100, worker=others[-1])
    assert (amended.amends, amended.person_id) == (True, "ann")
