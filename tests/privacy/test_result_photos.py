"""The photo of what came of a task: kept as long as its dispatch, gone with it and with whom it was about."""

import pytest
from sqlalchemy import select

from alerts.dispatch.models import Dispatch, DispatchState
from alerts.duty.models import Responder, Team, TeamKind
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from privacy.erasure.forgetting import marks_of
from privacy.erasure.matters import sweep_incidents
from privacy.models import DeletionProof
from privacy.retention import RetentionPolicy, orphans, run
from registry.models import Person
from storage import new_id
from tests.support import keeping
from tests.support import resident as world
from tests.support.compound import COMPOUND
from tests.support.keeping import DAY, NOW

POLICY = RetentionPolicy()
KEPT = POLICY.incidents * DAY
PHOTO = b"\xff\xd8 the yard afterwards"
OTHER = b"\xff\xd8 a bicycle that stands in its place again"


def team(database):
    with database.write() as session:
        session.add(Team(id="t", compound=COMPOUND, name="义警", kind=TeamKind.VOLUNTEER_POLICE))
        session.flush()
        session.add(Responder(id="r", team="t", name="石队员"))


def resolved(database, media, incident, photo):
    """A dispatch of the incident that has ended, with a photo; returns what the photo is called."""
    media_id = media.put(photo).media_id
    task = Dispatch(
        id=new_id(), compound=COMPOUND, incident=incident.id, responder="r", state=DispatchState.RESOLVED,
        offered_at=incident.raised_at, resolved_at=incident.raised_at, note="已处理", media_id=media_id,
    )  # fmt: skip
    keeping.add(database, incident, task)
    return media_id


@pytest.fixture
def settled(either_database):
    keeping.settle_in(either_database)
    team(either_database)
    return either_database


@pytest.fixture
def nights(settled, media):
    """Sweeps in so many nights on end, as the keeper does after all else."""

    def go(count, first=NOW):
        suspected, gone = frozenset(), 0
        for night in range(count):
            one, suspected = orphans.sweep(settled, media, POLICY, first + night * DAY, suspected)
            gone += one
        return gone

    return go


def named(database):
    with database.read() as session:
        return set(session.scalars(select(Dispatch.media_id).where(Dispatch.media_id.is_not(None))))


def test_photo_stays_with_its_dispatch_longer_than_pictures_of_passages(settled, media, nights):
    incident = keeping.incident(NOW - 60 * DAY)
    photo = resolved(settled, media, incident, PHOTO)
    stray = media.put(OTHER).media_id
    assert nights(3) == 1
    assert media.exists(photo)
    assert not media.exists(stray)


def test_photo_goes_when_its_incident_is_over_and_that_is_proved(settled, media, vault, nights):
    old = keeping.incident(NOW - KEPT - DAY)
    young = keeping.incident(NOW - KEPT + DAY)
    # The same device, the same plate: only their time differs.
    gone, kept = resolved(settled, media, old, PHOTO), resolved(settled, media, young, OTHER)
    run(settled, media, vault, POLICY, NOW, sleep=lambda _s: None)
    assert named(settled) == {kept}
    assert media.exists(gone), "one sighting proves nothing"
    assert nights(2, NOW + DAY) == 1
    assert not media.exists(gone)
    assert media.exists(kept)
    with settled.read() as session:
        proofs = select(DeletionProof.count).where(DeletionProof.retention_class == orphans.NAME)
        assert session.scalars(proofs).all() == [1]


def test_photo_that_two_tasks_share_goes_with_the_later_one(settled, media, vault, nights):
    ends = [NOW - KEPT - DAY, NOW - KEPT + 5 * DAY]
    [photo] = {resolved(settled, media, keeping.incident(at), PHOTO) for at in ends}
    run(settled, media, vault, POLICY, NOW, sleep=lambda _s: None)
    assert nights(3, NOW + DAY) == 0
    assert media.exists(photo)


@pytest.mark.parametrize("state", [State.ARRIVED, State.CONFIRMED])
def test_photo_of_an_incident_that_goes_on_stays_whatever_its_age(settled, media, vault, nights, state):
    incident = keeping.incident(NOW - KEPT - 30 * DAY, state)
    photo = resolved(settled, media, incident, PHOTO)
    run(settled, media, vault, POLICY, NOW, sleep=lambda _s: None)
    assert nights(3, NOW + DAY) == 0
    assert media.exists(photo)


def test_photo_goes_with_whom_the_incident_was_about(either_database, media):
    world.build(either_database, media)
    team(either_database)
    about = keeping.incident(world.NOON, State.CLOSED, subject_kind="person", subject="p1")
    other = keeping.incident(world.NOON, State.CLOSED)
    gone = resolved(either_database, media, about, PHOTO)
    kept = resolved(either_database, media, other, OTHER)
    with either_database.write() as session:
        sweep_incidents(session, marks_of(session, session.get_one(Person, "p1")))
    with either_database.read() as session:
        rows = session.execute(select(Incident.id, Dispatch.media_id).join(Dispatch)).all()
    assert {row.id: row.media_id for row in rows} == {about.id: None, other.id: kept}
    suspected = frozenset()
    for night in range(2):
        _, suspected = orphans.sweep(either_database, media, POLICY, NOW + night * DAY, suspected)
    assert not media.exists(gone)
    assert media.exists(kept)
