"""What law or a hold keeps (PIPL art. 47): it stays, is named, and goes once nothing keeps it."""

import datetime as dt

import pytest
from sqlalchemy import select

from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from privacy import disclosures, erasures, holds
from privacy.disclosures import DisclosureScope
from privacy.models import Disclosure, DisclosureState, ErasureKind, StepState
from recognition.models import DecisionRow
from registry.models import FaceTemplate, LegalBasis, Person, WatchlistEntry, WatchlistSubject
from storage import new_id
from storage.events import EventRow
from storage.media import MediaNotFoundError
from tests.support import resident as world
from tests.support.compound import COMPOUND
from tests.support.resident import NAME, NOON, PLATE

DAY = dt.timedelta(days=1)


@pytest.fixture
def ids(either_database, media):
    return world.build(either_database, media)


def order(database, at=NOON):
    with database.write() as session:
        person = session.get_one(Person, "p1")
        return erasures.order(session, person, ErasureKind.PERSON, at=at, by="u").id


def receipt(database, erasure_id, at=NOON, *, may_know=False):
    with database.read() as session:
        whole = erasures.receipt(session, erasure_id, at, may_know=may_know)
    return {step.place: step for step in whole.steps}, whole


def name_of(database):
    with database.read() as session:
        return session.get_one(Person, "p1").name


def watch(database, basis, **changes):
    fields = {
        "id": new_id(),
        "compound": COMPOUND,
        "subject_kind": WatchlistSubject.PERSON,
        "subject": "p1",
        "legal_basis": basis,
        "document_no": "2026-1",
        "applicant": "a",
        "approver": "b",
        "reason": f"looks for {NAME}",
        "rings": ["entrance"],
        "starts_at": NOON - DAY,
        "ends_at": NOON + 30 * DAY,
    }
    with database.write() as session:
        session.add(WatchlistEntry(**fields | changes))


def test_held_person_is_kept_but_for_the_face_and_goes_when_the_hold_ends(either_database, media, vault, ids):
    with either_database.write() as session:
        hold = holds.apply(
            session,
            COMPOUND,
            holds.HoldSubject.PERSON,
            "p1",
            reason="court",
            document_no=None,
            ends_at=NOON + 10 * DAY,
            applicant="a",
            at=NOON,
        )
        holds.approve(session, COMPOUND, hold.id, approver="b", at=NOON)
    erasure_id = order(either_database)
    erasures.follow_up(either_database, media, vault, NOON)
    assert name_of(either_database) == NAME
    with either_database.read() as session:
        assert session.scalars(select(FaceTemplate).where(FaceTemplate.person == "p1")).all() == []
    steps, whole = receipt(either_database, erasure_id, may_know=True)
    assert (steps["database"].state, steps["database"].reasons) == (StepState.KEPT, ("legal_hold",))
    assert steps["database"].until == NOON + 10 * DAY
    assert whole.completed_at is None, "a terminal has still to forget the face"
    erasures.follow_up(either_database, media, vault, NOON + 9 * DAY)
    assert name_of(either_database) == NAME
    end = NOON + 10 * DAY
    erasures.follow_up(either_database, media, vault, end)
    assert name_of(either_database) == ""
    steps, _ = receipt(either_database, erasure_id, end)
    assert {p: s.state for p, s in steps.items() if p not in {"terminal", "bus"}} == dict.fromkeys(
        ("database", "passages", "media", "keys"), StepState.CONFIRMED
    )


@pytest.mark.parametrize(
    ("basis", "known", "shown"),
    [
        (LegalBasis.POLICE_ORDER, "watchlist", "by_law"),
        (LegalBasis.COURT_ORDER, "watchlist", "by_law"),
        (LegalBasis.OWNERS_RESOLUTION, "owners_resolution", "owners_resolution"),
    ],
)
def test_order_in_force_keeps_and_its_secret_is_kept_too(
    either_database, media, vault, ids, basis, known, shown
):
    watch(either_database, basis, subject=PLATE, subject_kind=WatchlistSubject.PLATE)
    erasure_id = order(either_database)
    erasures.follow_up(either_database, media, vault, NOON)
    assert name_of(either_database) == NAME
    assert receipt(either_database, erasure_id, may_know=True)[0]["database"].reasons == (known,)
    outside = receipt(either_database, erasure_id)[0]["database"]
    assert outside.reasons == (shown,)
    assert (outside.until is None) == (shown == "by_law")
    erasures.follow_up(either_database, media, vault, NOON + 30 * DAY)
    assert name_of(either_database) == ""
    with either_database.read() as session:
        (entry,) = session.scalars(select(WatchlistEntry))
        assert PLATE not in entry.subject
        assert NAME not in entry.reason
        assert entry.document_no == "2026-1", "who ordered what stays on record"


@pytest.mark.parametrize("subject", ["p1", PLATE])
def test_asked_for_by_a_document_it_is_kept_until_that_is_delivered(
    either_database, media, vault, ids, subject
):
    with either_database.write() as session:
        asked = disclosures.request(
            session,
            COMPOUND,
            DisclosureScope.PERSON if subject == "p1" else DisclosureScope.PLATE,
            subject,
            requester_org="派出所",
            document_no="2026-9",
            reason=f"about {NAME}",
            from_at=NOON - DAY,
            to_at=NOON,
            applicant="a",
            at=NOON,
        )
    erasure_id = order(either_database)
    erasures.follow_up(either_database, media, vault, NOON)
    assert name_of(either_database) == NAME
    assert receipt(either_database, erasure_id)[0]["database"].reasons == ("by_law",)
    with either_database.write() as session:
        session.get_one(Disclosure, asked.id).state = DisclosureState.DELIVERED
    erasures.follow_up(either_database, media, vault, NOON + DAY)
    assert name_of(either_database) == ""
    with either_database.read() as session:
        row = session.get_one(Disclosure, asked.id)
        assert (row.document_no, row.reason) == ("2026-9", "about ▇▇")
        assert row.scope["id"] in {"p1", None}


def test_request_that_nobody_decides_keeps_nothing_for_ever(either_database, media, vault, ids):
    with either_database.write() as session:
        disclosures.request(
            session,
            COMPOUND,
            DisclosureScope.PERSON,
            "p1",
            requester_org="o",
            document_no="1",
            reason="r",
            from_at=NOON - DAY,
            to_at=NOON,
            applicant="a",
            at=NOON,
        )
    order(either_database)
    erasures.follow_up(either_database, media, vault, NOON + disclosures.DELIVERABLE)
    assert name_of(either_database) == ""


def test_own_report_of_a_lost_car_keeps_nothing_and_is_lifted(either_database, media, vault, ids):
    watch(either_database, LegalBasis.OWNERS_REPORT, subject=PLATE, subject_kind=WatchlistSubject.PLATE)
    order(either_database)
    assert name_of(either_database) == ""
    with either_database.read() as session:
        entry = session.scalars(select(WatchlistEntry)).one()
        assert (entry.lifted_at, entry.lifted_by) == (NOON, "u")


def test_open_incident_about_the_person_keeps_until_it_is_closed(either_database, media, vault, ids):
    open_one = world.incident(State.CONFIRMED, subject_kind="person", subject="p1")
    with either_database.write() as session:
        session.add(open_one)
    erasure_id = order(either_database)
    erasures.follow_up(either_database, media, vault, NOON)
    assert receipt(either_database, erasure_id)[0]["database"].reasons == ("open_incident",)
    assert name_of(either_database) == NAME
    with either_database.write() as session:
        session.get_one(Incident, open_one.id).state = State.CLOSED
    erasures.follow_up(either_database, media, vault, NOON + DAY)
    assert name_of(either_database) == ""
    with either_database.read() as session:
        assert session.get_one(Incident, open_one.id).subject is None


def test_evidence_of_somebody_elses_incident_stays_until_that_is_over(either_database, media, vault, ids):
    """A passage of the erased person may be what an incident about another stands on."""
    others = world.incident(State.RAISED, kind="person.unknown_passed")
    with either_database.write() as session:
        session.add(others)
        session.flush()
        session.add(world.proof(others.id, ids["face"], ids["card"], ids["beside"]))
    erasure_id = order(either_database)
    erasures.follow_up(either_database, media, vault, NOON)
    steps, _ = receipt(either_database, erasure_id)
    assert (steps["passages"].state, steps["passages"].reasons) == (StepState.KEPT, ("open_incident",))
    assert steps["keys"].state is StepState.CONFIRMED, "nothing of the registry is needed for it"
    assert name_of(either_database) == ""
    assert media.get(ids["passage"]) == world.PASSAGE
    with either_database.write() as session:
        assert session.get_one(EventRow, ids["card"]).body["credential"]["ref"] is not None
        assert session.get_one(EventRow, ids["plate"]).marks == ["erased"]
        session.get_one(Incident, others.id).state = State.FALSE_ALARM
    erasures.follow_up(either_database, media, vault, NOON + DAY)
    with either_database.read() as session:
        for name in ("face", "card"):
            assert session.get_one(EventRow, ids[name]).marks == ["erased"]
        assert session.get_one(EventRow, ids["card"]).body["credential"]["ref"] is None
        assert session.get_one(EventRow, ids["beside"]).marks == []
        for decision in session.scalars(select(DecisionRow)):
            assert decision.person_id != "p1"
            assert "p1" not in {c.get("person_id") for c in decision.candidates}
    with pytest.raises(MediaNotFoundError):
        media.get(ids["passage"])
    steps, _ = receipt(either_database, erasure_id)
    assert (steps["passages"].state, steps["media"].state) == (StepState.CONFIRMED, StepState.CONFIRMED)
    assert steps["passages"].counts == {"events": 3}
