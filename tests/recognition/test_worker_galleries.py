"""A worker forgets whoever was erased without being told, and says which gallery it holds (L-02)."""

import datetime as dt

import numpy as np
import pytest

from bus.messages import EventStored
from privacy import erasures
from privacy.models import ErasureKind, StepState
from recognition.calibration import shipped
from recognition.gallery import REFRESH_S, following
from recognition.work.worker import RecognitionWorker
from registry.faces import galleries, templates
from registry.faces.templates import Embedding
from registry.models import Person
from tests.support import resident
from tests.support.clock import NOON, VirtualClock
from tests.support.compound import COMPOUND

DIMENSION = 4
VERSION = shipped().engine_version
FACE = np.ones(DIMENSION, np.float32)


class Engine:
    """An engine whose templates are made by hand; its thresholds are those of the real one."""

    name, version, dimension, unit = "dlib", VERSION, DIMENSION, True


@pytest.fixture
def world(database, media):
    resident.build(database, media)
    with database.write() as session:
        for person_id in ("p1", "other"):
            if person_id == "other":
                resident.agree(session, "other", bytes(16))
            person = session.get_one(Person, person_id)
            embedding = Embedding("dlib", VERSION, DIMENSION, FACE.astype("<f4").tobytes(), 0.9)
            templates.enrol(session, person, embedding, media_id=None, at=NOON)
    return database


def new_worker(database, media, ring, clock):
    return RecognitionWorker(database, media, ring, Engine(), None, clock=clock)


def passing(event_id="e1"):
    return EventStored(
        id=event_id,
        compound=COMPOUND,
        device_id="cam-1",
        type="face.captured",
        ring="entrance",
        zone="gate",
        device_time=NOON,
        at=NOON,
        received_at=NOON,
    )


def people(worker):
    """Whom a worker holds in memory."""
    return {person for held in worker._faces.keeper._held.values() for person in held.gallery.persons}


def holders(database, at):
    with database.read() as session:
        return {h.worker: h.revision for h in galleries.holders(session, COMPOUND, at)}


def revision(database):
    with database.read() as session:
        return templates.revision(session, COMPOUND)


def test_erased_person_leaves_memory_within_a_refresh_and_without_an_event(world, media, vault, ring):
    clock = VirtualClock(NOON)
    worker = new_worker(world, media, ring, clock)
    worker.handle(passing())
    worker.refresh()
    assert people(worker) == {"p1", "other"}
    with world.write() as session:
        erasure = erasures.order(
            session, session.get_one(Person, "p1"), ErasureKind.FACE, at=clock.now(), by="u"
        ).id
    erasures.follow_up(world, media, vault, clock.now())
    assert gallery_step(world, erasure, worker) is StepState.PENDING
    assert REFRESH_S <= 10
    clock.advance(REFRESH_S)
    worker.refresh()
    assert people(worker) == {"other"}
    erasures.follow_up(world, media, vault, clock.now())
    assert gallery_step(world, erasure, worker) is StepState.CONFIRMED


def gallery_step(database, erasure_id, worker):
    with database.read() as session:
        steps = erasures.receipt(session, erasure_id, NOON).steps
    return next(step.state for step in steps if step.name == worker.name)


def test_worker_is_entered_before_it_reads_its_first_gallery(world, media, ring, monkeypatch):
    clock = VirtualClock(NOON)
    worker = new_worker(world, media, ring, clock)
    seen = []
    read = following.read_anew
    monkeypatch.setattr(
        following, "read_anew", lambda *args: (seen.append(holders(world, NOON)), read(*args))[1]
    )
    worker.handle(passing())
    assert seen == [{worker.name: -1}]
    worker.refresh()
    assert holders(world, NOON) == {worker.name: revision(world)}


def test_worker_that_holds_nothing_is_no_holder(world, media, ring):
    worker = new_worker(world, media, ring, VirtualClock(NOON))
    worker.refresh()
    assert holders(world, NOON) == {}


def test_worker_that_stops_holds_nothing_and_says_so(world, media, ring):
    worker = new_worker(world, media, ring, VirtualClock(NOON))
    worker.handle(passing())
    worker.close()
    assert people(worker) == set()
    assert holders(world, NOON) == {}


def test_gallery_is_read_again_when_a_child_turns_14(world, media, ring):
    clock = VirtualClock(NOON)
    with world.write() as session:
        session.get_one(Person, "other").turns_14_on = (NOON + dt.timedelta(days=1)).date()
    worker = new_worker(world, media, ring, clock)
    worker.handle(passing())

    def children():
        return worker._faces.keeper._held[COMPOUND].gallery.children

    assert children() == {"other"}
    clock.advance(24 * 3600)
    worker.refresh()
    assert children() == set()
