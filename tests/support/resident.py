"""One resident with something of everything, a housemate, and a neighbour whom nothing may happen to."""

import datetime as dt

from alerts.absences import CareAbsence
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Evidence, Incident, Transition
from bus import deadletters
from devices import enrolments
from privacy.models import RequestKind, RequestState, SubjectRequest
from recognition.models import DecisionRow, FaceExclusion
from registry.faces import consents, templates
from registry.faces.templates import Embedding
from registry.lookups import credential_key, identify
from registry.models import (
    AuthorisedDriver,
    Building,
    ConsentPurpose,
    Credential,
    CredentialKind,
    CredentialStatus,
    Dwelling,
    DwellingState,
    GivenBy,
    Household,
    ImportChange,
    ImportJob,
    ImportState,
    Organisation,
    OrganisationKind,
    PassKind,
    PassUse,
    Person,
    Residence,
    ResidenceKind,
    StaffLink,
    Unit,
    Vehicle,
    VisitorPass,
)
from storage import new_id
from storage.events import EventRow
from tests.support.compound import COMPOUND, settle_in

NOON = dt.datetime(2026, 11, 23, 4, 0, tzinfo=dt.UTC)
FACE = ConsentPurpose.FACE_ACCESS

NAME, PHONE, ID_NUMBER = "欧阳测试", "10012345678", "11010519491231002X"
CARD, PLATE, SHARED_PLATE = "C0FFEE778899", "云M12345", "云M54321"
VISITOR_PHONE = "10087654321"
VECTOR = bytes(range(100, 228))
PHOTO, PASSAGE, CROWD = b"\xff\xd8 the enrolled portrait", b"\xff\xd8 the passage", b"\xff\xd8 a crowd"
# What must be nowhere afterwards, as bytes of the files.
TRACES = {
    "name": NAME.encode(),
    "phone": PHONE.encode(),
    "id number": ID_NUMBER.encode(),
    "card": CARD.encode(),
    "plate": PLATE.encode(),
    "visitor's phone": VISITOR_PHONE.encode(),
    "vector": VECTOR,
    "portrait": PHOTO,
    "passage": PASSAGE,
}


def event(body, *, minutes=0, kind="face.captured"):
    at = NOON - dt.timedelta(minutes=minutes)
    return EventRow(
        id=new_id(),
        compound=COMPOUND,
        device_id="cam-1",
        record_id=new_id(),
        type=kind,
        ring="entrance",
        zone="gate",
        lane="gate-in",
        direction="in",
        device_time=at,
        corrected_time=at,
        received_at=at,
        late=False,
        marks=[],
        body={"credential": None, "plate": None, "match": None, "pictures": [], "attributes": {}} | body,
        content_hash="0" * 32,
    )


def decision(event_id, **changes):
    fields = {
        "sighting_id": new_id(),
        "event_id": event_id,
        "compound": COMPOUND,
        "subject_kind": "face",
        "outcome": "identified",
        "candidates": [],
        "reasons": [],
        "evidence": {},
        "milliseconds": 1,
        "at": NOON,
        "decided_at": NOON,
    }
    return DecisionRow(**fields | changes)


def exclusion(exclusion_id, **changes):
    fields = {"id": exclusion_id, "compound": COMPOUND, "sighting_id": None, "made_by": "u", "made_at": NOON}
    return FaceExclusion(**fields | changes)


def incident(state=State.CLOSED, **changes):
    fields = {
        "id": new_id(),
        "compound": COMPOUND,
        "rule": "R-E09",
        "kind": "watchlist.hit",
        "ring": "entrance",
        "zone": "gate",
        "device_id": "cam-1",
        "severity": 2,
        "state": state,
        "version": 1,
        "happened_at": NOON,
        "raised_at": NOON,
        "last_signal_at": NOON,
        "signal_count": 1,
        "reason": "watchlist_hit",
        "reason_args": {},
    }
    return Incident(**fields | changes)


def proof(incident_id, *event_ids):
    return Evidence(
        signal_id=new_id(),
        incident=incident_id,
        rule="R-E09",
        severity=2,
        at=NOON,
        event_ids=list(event_ids),
        sighting_ids=[],
    )


def person(session, person_id, name, **changes):
    row = Person(id=person_id, compound=COMPOUND, **changes)
    identify(row, name=name)
    session.add(row)
    session.flush()
    return row


def agree(session, person_id, vector=VECTOR, photo=None, media=None):
    """Consent to face access with a template and its portrait."""
    row = session.get_one(Person, person_id)
    consent = consents.give(
        session, row, FACE, wording="I agree.", channel="counter", given_by=GivenBy.SELF, at=NOON
    )
    stored = media.put(photo, subject=consent.id).media_id if photo else None
    return templates.enrol(
        session, row, Embedding("e", "1", len(vector) // 4, vector, 0.9), media_id=stored, at=NOON
    )


def build(database, media):
    """The compound; what the tests refer to, by name."""
    settle_in(database)
    ids = {}
    with database.write() as session:
        session.add(Building(id="bld", compound=COMPOUND, zone="b1", name="1", x=0, y=0, width=1, height=1))
        session.add(Organisation(id="shop", compound=COMPOUND, name="小卖部", kind=OrganisationKind.SHOP))
        session.flush()
        session.add(Unit(id="u1", compound=COMPOUND, building="bld", name="1"))
        session.flush()
        session.add(
            Dwelling(
                id="d1", compound=COMPOUND, unit="u1", floor=1, room_no="101", state=DwellingState.OCCUPIED
            )
        )
        session.flush()
        session.add(Household(id="h1", compound=COMPOUND, dwelling="d1", head_person_id="p1"))
        session.flush()
        own = Person(id="p1", compound=COMPOUND, household="h1", external_id="A-17")
        identify(own, name=NAME, phone=PHONE, id_number=ID_NUMBER)
        session.add(own)
        session.flush()
        person(session, "mate", "某某", household="h1")
        person(session, "child", "某小", household="h1", under_14=True, guardian="p1")
        person(session, "other", "邻居")
        session.add_all(
            [
                Residence(
                    id="r1",
                    compound=COMPOUND,
                    person="p1",
                    dwelling="d1",
                    kind=ResidenceKind.TENANT,
                    since=dt.date(2026, 1, 1),
                ),
                StaffLink(
                    id="s1",
                    compound=COMPOUND,
                    organisation="shop",
                    person="p1",
                    since=dt.date(2026, 1, 1),
                ),
                Vehicle(id="v1", compound=COMPOUND, plate=PLATE, owner="p1"),
                Vehicle(id="v3", compound=COMPOUND, plate="云M33333", owner="other"),
                Vehicle(id="v2", compound=COMPOUND, plate=SHARED_PLATE, owner="p1", household="h1"),
                VisitorPass(
                    id="pass1",
                    compound=COMPOUND,
                    kind=PassKind.VISITOR,
                    host_person="p1",
                    starts_at=NOON,
                    ends_at=NOON + dt.timedelta(days=1),
                ),
                ImportJob(
                    id="job",
                    compound=COMPOUND,
                    kind="people",
                    content_hash="0" * 64,
                    actor="u",
                    dry_run=False,
                    partly=False,
                    state=ImportState.APPLIED,
                    started_at=NOON,
                ),
                SubjectRequest(
                    id="req",
                    compound=COMPOUND,
                    person="p1",
                    kind=RequestKind.CORRECTION,
                    state=RequestState.DONE,
                    received_at=NOON,
                    due_at=NOON,
                    received_by="u",
                    detail={"new": NAME},
                ),
            ]
        )
        session.flush()
        from storage.vault import seal_for

        session.get_one(VisitorPass, "pass1").sealed_phone = seal_for("pass1", "phone", VISITOR_PHONE)
        session.add_all(
            [
                PassUse(id="use1", compound=COMPOUND, visitor_pass="pass1", at=NOON),
                AuthorisedDriver(
                    id="a1", compound=COMPOUND, vehicle="v1", person="other", since=dt.date(2026, 1, 1)
                ),
                AuthorisedDriver(
                    id="a3", compound=COMPOUND, vehicle="v3", person="p1", since=dt.date(2026, 1, 1)
                ),
                AuthorisedDriver(
                    id="a2",
                    compound=COMPOUND,
                    vehicle="v2",
                    person="other",
                    granted_by="p1",
                    since=dt.date(2026, 1, 1),
                ),
                ImportChange(
                    compound=COMPOUND, job="job", table="people", row_id="p1", before=PLATE.encode()
                ),
            ]
        )
        for kind, ref in ((CredentialKind.CARD, CARD), (CredentialKind.FACE, None)):
            credential = Credential(
                id=f"c-{kind}",
                compound=COMPOUND,
                person="p1",
                kind=kind,
                status=CredentialStatus.ACTIVE,
                ref_key=ref and credential_key(COMPOUND, kind, ref),
                ref=ref,
            )
            session.add(credential)
        enrolments.note(session, COMPOUND, "door-1", "p1", face=False, at=NOON)
        known = enrolments.note(session, COMPOUND, "cam-1", "p1", face=True, at=NOON)
        agree(session, "p1", VECTOR, PHOTO, media)
        agree(session, "mate", bytes(16))

        passage, crowd = media.put(PASSAGE), media.put(CROWD)
        picture = {"role": "face", "media_id": passage.media_id, "size": passage.size}
        crowd_picture = {"role": "scene", "media_id": crowd.media_id, "size": crowd.size}
        face = event({"pictures": [picture], "match": {"person_ref": known.ref, "score": 0.9}}, minutes=5)
        # Cards are written in more than one way.
        card = event({"credential": {"kind": "card", "ref": CARD.lower()}}, minutes=4, kind="access.granted")
        plate = event(
            {"plate": {"text": PLATE, "confidence": 0.9}, "attributes": {"lpr": PLATE}},
            minutes=3,
            kind="plate.recognised",
        )
        beside = event(
            {"pictures": [crowd_picture], "credential": {"kind": "card", "ref": "0BEEF"}}, minutes=2
        )
        session.add_all([face, card, plate, beside])
        session.flush()
        candidates = [
            {"person_id": "p1", "household_id": "h1", "distance": 0.3, "under_14": False},
            {"person_id": "other", "household_id": None, "distance": 0.4, "under_14": False},
        ]
        session.add_all(
            [
                decision(
                    face.id,
                    person_id="p1",
                    household_id="h1",
                    candidates=candidates,
                    evidence={"device_match": {"person_ref": known.ref, "score": 0.9}},
                ),
                decision(
                    plate.id,
                    subject_kind="plate",
                    vehicle_id="v1",
                    plate=PLATE,
                    candidates=[{"vehicle_id": "v1", "plate": PLATE, "distance": 0.0}],
                    evidence={"device": {"text": PLATE}},
                ),
                decision(beside.id, outcome="identified", person_id="other", candidates=candidates[::-1]),
            ]
        )
        session.add_all(
            [
                exclusion("x1", person="p1", other="mate"),
                exclusion("x2", person="other", other="p1", lifted_by="u", lifted_at=NOON),
                exclusion("x3", person="other", other=None),
            ]
        )
        closed = incident(
            subject_kind="plate",
            subject=PLATE,
            reason_args={"plate": PLATE, "lane": "gate-in"},
            resolution=f"与{NAME}核实",
        )
        session.add(closed)
        session.add(
            CareAbsence(
                id=new_id(),
                compound=COMPOUND,
                person="p1",
                starts_at=NOON,
                ends_at=NOON + dt.timedelta(days=3),
                declared_by="u",
                declared_at=NOON,
            )
        )
        session.flush()
        deadletters.record(
            session,
            [
                deadletters.letter("mqtt", "bad_json", NOON, compound=COMPOUND, raw=b'{"ref": "%s"' % ref)
                for ref in (CARD.encode(), b"0BEEF")
            ],
        )
        session.add(proof(closed.id, plate.id))
        session.add(
            Transition(
                id=new_id(),
                incident=closed.id,
                version=1,
                to_state=State.CLOSED,
                actor="u",
                role="operator",
                at=NOON,
                note=f"电话 {PHONE}",
            )
        )
        ids |= {
            "face": face.id,
            "card": card.id,
            "plate": plate.id,
            "beside": beside.id,
            "closed": closed.id,
            "passage": passage.media_id,
            "crowd": crowd.media_id,
            "ref": known.ref,
        }
    return ids
