"""Pictures of one passage are one decision: told once, amended once, whoever looks at them."""

import datetime as dt

import msgspec
import pytest
from sqlalchemy import update

from bus.messages import EventStored, Picture
from recognition.work.frames import LIFE
from recognition.work.policy import RecognitionPolicy
from ringward.replay import replay
from storage.events import EventAmendment, EventRow
from tests.support.compound import COMPOUND
from tests.support.passages import STRANGER, FakeEngine, Street, picture


@pytest.fixture
def street(database, media, ring, clock):
    made = Street(database, media, ring, clock)
    made.lives("ann", 500)
    made.lives("ben", 1500, "d2")
    return made


def outcomes(sightings):
    return [(one.outcome, one.person_id, one.amends) for one in sightings]


def test_clear_face_of_a_track_is_told_at_once(street):
    assert outcomes(street.sees(510, track="t1")) == [("identified", "ann", False)]
    assert street.waits(1) == []
    (row,) = street.decisions()
    assert (row.frames, row.device, row.leader, row.amendments) == (1, "gate-1", None, 0)
    assert (row.told_at, row.settles_at) == (row.decided_at, None)


def test_unclear_face_of_a_track_waits_for_more_pictures_and_is_told_once(street):
    assert street.sees(STRANGER, track="t1") == []
    assert street.waits(0.3) == []
    (told,) = street.waits(0.1)
    assert (told.outcome, told.reasons) == ("unknown", ("nobody_near",))
    assert street.waits(5) == []


def test_unclear_face_without_a_track_is_told_at_once(street):
    assert outcomes(street.sees(STRANGER)) == [("unknown", None, False)]


def test_picture_that_makes_it_clear_is_told_before_the_wait_is_over(street):
    assert street.sees(510, track="t1", quality=30) == []
    street.clock.advance(0.2)
    (told,) = street.sees(505, track="t1")
    assert (told.outcome, told.person_id) == ("identified", "ann")
    first, second = street.decisions()
    # In the name of the first picture, at its time.
    assert (told.id, told.event_id, told.at) == (first.sighting_id, first.event_id, first.at)
    assert (second.leader, second.outcome, second.person_id) == (first.sighting_id, "identified", "ann")
    assert street.waits(1) == []


def test_pictures_are_fused_weighted_by_their_quality(street):
    assert street.sees(930, track="t1", quality=50) == []
    street.clock.advance(0.2)
    (told,) = street.sees(400, track="t1", quality=100)
    assert told.person_id == "ann"
    # On both sides of the enrolled face, weights one to two.
    assert told.score == pytest.approx((0.43 - 2 * 0.10) / 3, abs=0.01)
    row = street.decisions()[0]
    assert row.frames == 2
    assert [frame["quality"] for frame in row.evidence["frames"]] == [1.0, 0.5]
    assert row.evidence["mean_score"] == pytest.approx((0.43 + 2 * 0.10) / 3, abs=0.01)


def test_more_pictures_amend_what_was_told_once_and_no_more(street):
    street.sees(930, track="t1", quality=60)
    (first,) = street.waits(0.5)
    assert first.outcome == "uncertain"
    street.clock.advance(0.3)
    (second,) = street.sees(450, track="t1")
    assert (second.id, second.outcome, second.person_id, second.amends) == (
        first.id,
        "identified",
        "ann",
        True,
    )
    # Whatever comes now changes nothing: the screen has changed once already.
    # They drift away from her: taken together they would be uncertain by the last one.
    for face in (1190, 1400):
        street.clock.advance(0.3)
        assert street.sees(face, track="t1", quality=100) == []
    rows = street.decisions()
    assert [row.person_id for row in rows] == ["ann"] * 4
    assert [row.amendments for row in rows] == [1, 0, 0, 0]


def test_more_pictures_that_say_the_same_are_not_told(street):
    street.sees(510, track="t1")
    street.clock.advance(0.5)
    assert street.sees(520, track="t1") == []
    assert {row.amendments for row in street.decisions()} == {0}


def test_nothing_is_amended_long_after_it_was_told(database, media, ring, clock):
    policy = RecognitionPolicy(track_gap=dt.timedelta(seconds=3), amend_within=dt.timedelta(seconds=2))
    street = Street(database, media, ring, clock, policy)
    street.lives("ann", 500)
    street.sees(930, track="t1", quality=60)
    assert [one.outcome for one in street.waits(0.5)] == ["uncertain"]
    street.clock.advance(2.1)
    assert street.sees(500, track="t1") == []
    assert {row.outcome for row in street.decisions()} == {"uncertain"}


def test_track_that_comes_again_later_is_another(street):
    street.sees(510, track="t1")
    street.clock.advance(3.5)
    assert outcomes(street.sees(1510, track="t1")) == [("identified", "ben", False)]
    # Also of the same person, and the next day.
    street.clock.advance(24 * 3600)
    assert outcomes(street.sees(1510, track="t1")) == [("identified", "ben", False)]
    assert {row.leader for row in street.decisions()} == {None}


def test_track_of_another_device_is_another(street):
    street.sees(510, track="t1")
    assert outcomes(street.sees(510, "gate-out", track="t1")) == [("identified", "ann", False)]


def test_track_that_switches_to_somebody_else_is_not_fused_over_the_break(street):
    street.sees(510, track="t1")
    street.clock.advance(0.3)
    assert outcomes(street.sees(1490, track="t1")) == [("identified", "ben", False)]
    street.clock.advance(0.3)
    # Back at the first: neither changes.
    assert street.sees(505, track="t1") == []
    rows = street.decisions()
    assert [row.person_id for row in rows] == ["ann", "ben", "ann"]
    assert rows[2].leader == rows[0].sighting_id


def test_picture_of_a_track_without_a_face_belongs_to_it(street):
    street.sees(510, track="t1")
    street.clock.advance(0.3)
    assert street.sees(None, track="t1") == []
    first, second = street.decisions()
    assert (second.leader, second.person_id) == (first.sighting_id, "ann")


def test_same_face_at_two_cameras_of_a_lane_is_one_passage(street):
    assert outcomes(street.sees(900)) == [("uncertain", None, False)]
    street.clock.advance(1)
    (told,) = street.sees(700, "gate-2")
    assert (told.outcome, told.person_id, told.amends) == ("identified", "ann", True)
    first, second = street.decisions()
    assert (first.frames, second.leader) == (2, first.sighting_id)


def test_people_who_follow_each_other_closely_are_told_each(street):
    assert outcomes(street.sees(510)) == [("identified", "ann", False)]
    street.clock.advance(0.5)
    assert outcomes(street.sees(1490)) == [("identified", "ben", False)]
    street.clock.advance(0.5)
    # As far from the first as two people are, and too poor to be sure: 0.41.
    assert outcomes(street.sees(920)) == [("uncertain", None, False)]
    assert {row.leader for row in street.decisions()} == {None}


def test_faceless_picture_of_a_lane_joins_nobody(street):
    street.sees(510)
    assert [one.outcome for one in street.sees(None, role="scene")] == ["no_face"]


def test_whoever_stands_there_for_long_is_looked_at_anew(street):
    street.sees(510, track="t1")
    told = []
    for _ in range(int(LIFE.total_seconds()) // 2 + 1):
        street.clock.advance(2)
        told += street.sees(510, track="t1")
    assert outcomes(told) == [("identified", "ann", False)]


def test_another_worker_looks_at_the_stored_pictures_again(street):
    street.sees(930, track="t1", quality=60)
    street.clock.advance(0.1)
    other = street.new_worker(engine := FakeEngine())
    (told,) = street.sees(400, track="t1", worker=other)
    assert (told.outcome, told.person_id) == ("identified", "ann")
    assert street.decisions()[0].frames == 2
    assert engine.looks == 2
    # And from then on it remembers both.
    street.clock.advance(0.1)
    street.sees(410, track="t1", worker=other)
    assert engine.looks == 3


def test_either_of_two_workers_settles_and_it_is_told_once(street):
    street.sees(STRANGER, track="t1")
    street.clock.advance(1)
    other = street.new_worker()
    assert [one.outcome for one in other.settle()] == ["unknown"]
    assert street.worker.settle() == []
    assert len(street.told()) == 1


def test_worker_that_dies_before_it_settles_loses_nothing(street):
    """What waits lies in the database: the next worker tells it."""
    street.sees(STRANGER, track="t1")
    street.worker.close()
    street.clock.advance(1)
    street.worker = street.new_worker()
    assert outcomes(street.waits(0)) == [("unknown", None, False)]


def test_backlog_waits_for_nothing_more(street):
    """A picture that has waited for longer than the settling time is told with what there is."""
    message = street.passes(STRANGER, track="t1")
    street.clock.advance(5)
    street.worker.handle(message)
    assert [one.outcome for one in street.told()] == ["unknown"]


def test_event_of_a_track_that_comes_again_is_not_told_again(street):
    message = street.passes(STRANGER, track="t1")
    assert street.worker.handle(message) == []
    assert street.worker.handle(message) == []
    street.clock.advance(1)
    (told,) = street.worker.settle()
    assert street.worker.handle(message) == [told]
    assert len(street.told()) == 1


def test_pictures_written_down_at_once_by_two_workers_are_one_passage(street, monkeypatch):
    """The other worker writes while this one looks: it looks again, with what is there then."""
    first, second = street.passes(930, track="t1", quality=60), None
    other = street.new_worker(FakeEngine())
    look = street.engine.detect

    def slowly(*args):
        nonlocal second
        if second is None:
            second = street.passes(940, track="t1")
            other.handle(second)
        return look(*args)

    monkeypatch.setattr(street.engine, "detect", slowly)
    street.worker.handle(first)
    rows = street.decisions()
    assert len({row.leader or row.sighting_id for row in rows}) == 1
    assert {(row.outcome, row.frames) for row in rows} == {("uncertain", 2)}
    assert len(street.waits(1)) == 1


def test_pictures_that_come_in_another_order_are_one_passage(street):
    later = street.passes(420, track="t1")
    earlier = street.passes(930, track="t1", quality=60, ago=1)
    street.worker.handle(later)
    assert outcomes(street.told()) == [("identified", "ann", False)]
    street.worker.handle(earlier)
    assert street.told() == []
    assert [row.person_id for row in street.decisions()] == ["ann", "ann"]


def test_late_pictures_change_nothing_that_was_told(street):
    assert outcomes(street.sees(900)) == [("uncertain", None, False)]
    assert street.sees(700, late=True) == []
    assert {row.outcome for row in street.decisions()} == {"uncertain"}


def test_what_waits_is_not_in_a_replay(street):
    street.sees(STRANGER, track="t1")
    street.sees(510, "hall-1")
    since = street.clock.now() - dt.timedelta(minutes=1)

    def replayed():
        messages = replay(street.database, "honghua", since)
        return [one.outcome for one in messages if not isinstance(one, EventStored)]

    assert replayed() == ["identified"]
    street.waits(1)
    street.sees(STRANGER, track="t1")
    assert sorted(replayed()) == ["identified", "unknown"]


def amended(street, message, face, quality=100):
    """More becomes known of an event: a further picture, under its own id; what was told of it."""
    stored = street.media.put(picture(face, quality))
    more = msgspec.structs.replace(
        message, pictures=(Picture("face", stored.media_id, stored.size),), amends=True, revision=2
    )
    body = {"pictures": msgspec.to_builtins(more.pictures), "plate": None, "match": None}
    with street.database.write() as session:
        session.execute(update(EventRow).where(EventRow.id == message.id).values(revision=1))
        session.add(
            EventAmendment(
                event_id=message.id, compound=COMPOUND, type=message.type, marks=[], body=body,
                received_at=street.clock.now(), content_hash="", revision=2,
            )
        )  # fmt: skip
    street.worker.handle(more)
    return street.told()


def test_event_that_is_told_of_again_decides_anew_for_its_whole_passage(street):
    first = street.passes(930, track="t1", quality=60)
    street.worker.handle(first)
    street.clock.advance(0.1)
    second = street.passes(940, track="t1", quality=60)
    street.worker.handle(second)
    (told,) = street.waits(1)
    assert told.outcome == "uncertain"
    # Of the first, in whose name it is told.
    (again,) = amended(street, first, 450)
    assert (again.id, again.outcome, again.person_id, again.amends) == (told.id, "identified", "ann", True)
    assert [row.person_id for row in street.decisions()] == ["ann", "ann"]


def test_event_of_a_passage_that_is_told_of_again_amends_what_was_told_in_the_name_of_the_first(street):
    first = street.passes(930, track="t1", quality=60)
    street.worker.handle(first)
    street.clock.advance(0.1)
    second = street.passes(940, track="t1", quality=60)
    street.worker.handle(second)
    (told,) = street.waits(1)
    (again,) = amended(street, second, 450)
    assert (again.id, again.event_id, again.person_id, again.amends) == (told.id, first.id, "ann", True)
    rows = street.decisions()
    assert [(row.person_id, row.leader) for row in rows] == [("ann", None), ("ann", told.id)]


def test_event_that_is_told_of_again_while_it_waits_is_told_once(street):
    first = street.passes(930, track="t1", quality=60)
    street.worker.handle(first)
    (told,) = amended(street, first, 450)
    assert (told.outcome, told.person_id, told.amends) == ("identified", "ann", False)
    assert street.waits(1) == []
