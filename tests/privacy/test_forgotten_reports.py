"""Who reported something is forgotten with them, and what others said of them is struck out."""

import datetime as dt

from sqlalchemy import select

from alerts.drills.models import Drill, DrillIncident
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Incident
from alerts.intake.models import Dispute, DisputeState, IntakeReport, WorkOrder, WorkOrderState
from privacy import access, erasures
from privacy.erasure.forgetting import marks_of
from privacy.erasure.matters import sweep_incidents
from privacy.models import ErasureKind
from privacy.retention import RetentionPolicy, orphans, run
from registry.models import Person
from storage import new_id
from tests.support import keeping
from tests.support import resident as world
from tests.support.compound import COMPOUND
from tests.support.resident import NAME, NOON


def report(incident, **more):
    fields = {
        "id": new_id(), "compound": COMPOUND, "incident": incident.id, "role": "resident", "kind": "noise",
        "danger": "none", "zone": "gate", "happened_at": NOON, "at": NOON, "reporter": "u-1",
    }  # fmt: skip
    return IntakeReport(**fields | more)


def build(database, media):
    world.build(database, media)
    incident = keeping.incident(NOON, State.CLOSED, subject_kind="person", subject="p1")
    photo = media.put(b"\xff\xd8 the yard").media_id
    keeping.add(
        database,
        incident,
        report(incident, person="p1", words="我家楼上", media_id=photo),
        report(incident, person=None, reporter="u-2", words=f"{NAME}又在吵"),
        Dispute(
            id=new_id(), compound=COMPOUND, incident=incident.id, zone="gate", state=DisputeState.SETTLED,
            version=1, opened_at=NOON, parties=f"{NAME} 与 401", agreement=f"{NAME} 不再练琴",
        ),
    )  # fmt: skip
    return photo


def reports(database):
    with database.read() as session:
        found = {row.reporter: row for row in session.scalars(select(IntakeReport))}
        session.expunge_all()
        return found


def test_a_reporter_who_is_erased_leaves_no_words_and_no_name(either_database, media):
    build(either_database, media)
    with either_database.write() as session:
        erasures.order(session, session.get_one(Person, "p1"), ErasureKind.PERSON, at=NOON, by="u")
    found = reports(either_database)
    assert set(found) == {None, "u-2"}
    mine = found[None]
    assert (mine.person, mine.responder, mine.words, mine.media_id) == (None, None, None, None)


def test_what_one_reported_is_among_ones_own_data(either_database, media):
    build(either_database, media)
    with either_database.read() as session:
        document = access.export(session, session.get_one(Person, "p1"), NOON)
    assert [(row["kind"], row["words"]) for row in document["reports"]] == [("noise", "我家楼上")]


def test_what_others_said_of_them_is_struck_out(either_database, media):
    build(either_database, media)
    with either_database.write() as session:
        marks = marks_of(session, session.get_one(Person, "p1"))
        sweep_incidents(session, marks)
    assert NAME not in reports(either_database)["u-2"].words
    with either_database.read() as session:
        row = session.scalars(select(Dispute)).one()
        assert NAME not in row.parties + row.agreement
        assert "401" in row.parties


def test_a_photo_of_a_report_is_nobodys_orphan_until_its_report_is_gone(either_database, media):
    photo = build(either_database, media)

    def unnamed():
        return set(orphans._unnamed(either_database, media, RetentionPolicy(), NOON))

    assert photo not in unnamed()
    with either_database.write() as session:
        for row in session.scalars(select(IntakeReport)):
            row.media_id = None
    assert photo in unnamed()


def test_reports_and_disputes_go_with_their_incident_and_orders_once_repaired(either_database, media, vault):
    long_ago = NOON - dt.timedelta(days=4 * 365)
    keeping.settle_in(either_database)
    incident = keeping.incident(long_ago, State.CLOSED)

    def order(name, state):
        return WorkOrder(
            id=name, compound=COMPOUND, fault="lamp", zone="gate", state=state, version=1, times=1,
            opened_at=long_ago,
        )  # fmt: skip

    drill = Drill(
        id="d", compound=COMPOUND, scenario="sos", started_by="u", started_at=long_ago, ends_at=long_ago,
        ended_at=long_ago, ended_by="u",
    )  # fmt: skip
    keeping.add(
        either_database,
        incident,
        report(incident),
        Dispute(
            id="x", compound=COMPOUND, incident=incident.id, zone="gate", state="open", version=1,
            opened_at=long_ago,
        ),
        order("done", WorkOrderState.VERIFIED),
        order("open", WorkOrderState.OPEN),
        drill,
        DrillIncident(drill="d", number=1, compound=COMPOUND, kind="k", zone="gate", due_at=long_ago,
                      incident=incident.id),
    )  # fmt: skip
    run(either_database, media, vault, RetentionPolicy(), keeping.NOW, sleep=lambda _s: None)
    with either_database.read() as session:
        assert session.scalars(select(WorkOrder.id)).all() == ["open"]
        for table in (Incident, IntakeReport, Dispute, Drill, DrillIncident):
            assert session.scalars(select(table)).all() == []
