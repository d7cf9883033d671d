import datetime as dt
import json

import pytest
from sqlalchemy.orm import Session

from bus.messages import EventStored, PlateReading
from recognition.decisions import PlateText
from recognition.models import DecisionRow
from recognition.plates import PlateCharacter, PlateRead
from recognition.work.plate_path import KnownPlate, PlatePath
from recognition.work.plate_reads import (
    PlateReads,
    as_evidence,
    beside,
    from_evidence,
    text_of,
    together,
    told_by,
)
from registry.models import Compound
from registry.plates import PlateClass
from storage import Base, Database
from storage.events import EventRow

NOW = dt.datetime(2026, 11, 28, 8, 0, tzinfo=dt.UTC)
GAP = dt.timedelta(seconds=3)
CORNERS = ((0.0, 0.0), (9.0, 0.0), (9.0, 3.0), (0.0, 3.0))
KNOWN = {"云M12345": KnownPlate("v1", "h1"), "云M1234S": KnownPlate("v2", "h2")}


def own(text: str, *, rivals: str = "", last: float = 0.99) -> PlateRead:
    others = [None] * (len(text) - len(rivals)) + list(rivals)
    chances = [0.99] * (len(text) - 1) + [last]
    told = tuple(PlateCharacter(*one) for one in zip(text, chances, others, strict=True))
    return PlateRead(text, 0.95, CORNERS, "blue", False, PlateClass.ORDINARY, told)


def event(**more) -> EventStored:
    facts = {
        "id": "e1",
        "compound": "honghua",
        "device_id": "cam-1",
        "type": "plate.recognised",
        "ring": "entrance",
        "zone": "gate-1",
        "device_time": NOW,
        "at": NOW,
        "received_at": NOW,
    }
    return EventStored(**(facts | more))


def test_a_reading_survives_being_kept_with_its_decision():
    reads = (own("云M12345", rivals="S"), own("川R35770"))
    kept = json.loads(json.dumps({"own_reads": [as_evidence(read) for read in reads]}))
    assert from_evidence(kept) == PlateReads((), tuple(map(text_of, reads)))
    assert from_evidence({}) == PlateReads()
    device = {"device_read": {"text": "云M12345", "confidence": None, "characters": [0.9] * 7}}
    assert from_evidence(device).stated[0].characters[6] == ("5", 0.9, None)


def test_behind_an_unread_character_stands_what_it_may_be():
    read = PlateRead(
        "?M12345",
        0.8,
        CORNERS,
        None,
        False,
        PlateClass.UNKNOWN,
        tuple(PlateCharacter(c, 0.1 if c == "川" else 0.99, None) for c in "川M12345"),
    )
    assert text_of(read).characters[0] == ("?", 0.1, "川")


@pytest.mark.parametrize("scores", [None, "0.9", [0.9] * 6, [0.9] * 6 + [2], [0.9] * 6 + ["x"]])
def test_scores_that_do_not_fit_the_text_are_left_aside(scores):
    told = told_by(event(plate=PlateReading("云M12345", 0.9), attributes={"character_scores": scores}))
    assert told == PlateText("云M12345", 0.9)
    assert told_by(event(plate=PlateReading("_无_"))) is None


def test_a_track_is_one_vehicle_and_a_lane_may_be_another():
    here = PlateReads((), (PlateText("云M12345", 0.9),))
    misread, stranger = PlateText("云M1234?", 0.5), PlateText("川K99999", 0.9)
    look_alike = PlateText("云M1234S", 0.9)
    others = PlateReads((), (misread, stranger, look_alike))
    assert together(here, [(True, others)], KNOWN).own == (*here.own, misread, stranger, look_alike)
    assert together(here, [(False, others)], KNOWN).own == (*here.own, misread)


def test_readings_of_one_track_decide_together():
    path = PlatePath(None, None)
    told = event(plate=PlateReading("云M1234?", 0.4), track="t1")
    assert path.look(told, KNOWN).outcome == "uncertain"
    earlier = PlateReads((PlateText("云M12345", 0.9), PlateText("云M12345", 0.9)))
    finding = path.look(told, KNOWN, [(True, earlier)])
    assert (finding.outcome, finding.vehicle_id, finding.frames) == ("identified", "v1", 3)
    # What is kept is what this event said: those beside it have their own decisions.
    assert finding.evidence == {"device_read": {"text": "云M1234?", "confidence": 0.4}}


@pytest.fixture
def session(tmp_path):
    database = Database.at(tmp_path / "ringward.db")
    Base.metadata.create_all(database.engine)
    with database.write() as session:
        session.add(Compound(id="honghua", name="红花"))
        session.flush()
        yield session
    database.close()


def decided(
    session: Session, number: int, text: str, *, seconds: float, track=None, lane=None, device="cam-1"
):
    at = NOW + dt.timedelta(seconds=seconds)
    session.add(
        EventRow(
            id=f"e{number}",
            compound="honghua",
            device_id=device,
            record_id=str(number),
            type="plate.recognised",
            zone="gate-1",
            ring="entrance",
            lane=lane,
            device_time=at,
            corrected_time=at,
            received_at=at,
            late=False,
            marks=[],
            body={"track": track},
            content_hash="",
        )
    )
    session.add(
        DecisionRow(
            sighting_id=f"s{number}",
            event_id=f"e{number}",
            compound="honghua",
            subject_kind="plate",
            outcome="unknown",
            candidates=[],
            reasons=[],
            evidence={"own_reads": [as_evidence(own(text))]},
            milliseconds=1,
            at=at,
            decided_at=at,
            device=device,
        )
    )
    session.flush()


def test_beside_an_event_are_those_of_its_track_or_lane_within_seconds(session):
    decided(session, 2, "云M00002", seconds=-2, track="t1", lane="l1")
    decided(session, 3, "云M00003", seconds=2, track="t2", lane="l1")
    decided(session, 4, "云M00004", seconds=-4, track="t1", lane="l1")
    decided(session, 5, "云M00005", seconds=1, track="t1", lane="l2", device="cam-2")

    def texts(**more):
        return [
            (tracked, read.text)
            for tracked, reads in beside(session, event(**more), GAP)
            for read in reads.own
        ]

    assert texts(track="t1", lane="l1") == [(True, "云M00002")]
    assert texts(lane="l1") == [(False, "云M00002"), (False, "云M00003")]
    assert texts() == []
    assert texts(id="e2", track="t1") == []
