"""A person is erased: from the registry at the order, from everywhere else as it is followed up."""

import datetime as dt
from types import SimpleNamespace

import pytest
from sqlalchemy import String, Text, delete, func, or_, select, type_coerce

import ringward.schema
from alerts.incidents.lifecycle import State
from alerts.incidents.models import Evidence, Incident, IncidentMerge, Transition
from bus.deadletters import DeadLetter
from devices import enrolments
from devices.enrolments import DeleteOrder, OrderState, TerminalEnrolment
from privacy import erasures
from privacy.erasure.marks import Marks
from privacy.erasure.matters import sweep_incidents
from privacy.models import Erasure, ErasureKind, StepState, SubjectRequest
from recognition.models import DecisionRow, FaceExclusion
from registry.errors import RefusedError
from registry.faces import consents, galleries, templates
from registry.models import (
    AuthorisedDriver,
    Consent,
    Credential,
    CredentialKind,
    CredentialStatus,
    FaceTemplate,
    Household,
    ImportChange,
    PassUse,
    Person,
    Residence,
    StaffLink,
    Vehicle,
    VisitorPass,
)
from storage import JsonText, new_id
from storage.backups import BackupRun
from storage.events import EventAmendment, EventRow
from storage.media import MediaNotFoundError
from storage.vault import ShreddedError
from tests.support import keeping
from tests.support import resident as world
from tests.support.compound import COMPOUND
from tests.support.resident import FACE, NAME, NOON, PHONE, PLATE

LATER = NOON + dt.timedelta(seconds=5)


@pytest.fixture
def ids(either_database, media):
    return world.build(either_database, media)


def order(database, kind=ErasureKind.PERSON, person_id="p1", at=NOON):
    with database.write() as session:
        return erasures.order(session, session.get_one(Person, person_id), kind, at=at, by="u").id


def steps(database, erasure_id, at=LATER):
    with database.read() as session:
        receipt = erasures.receipt(session, erasure_id, at)
    return {step.place + (f":{step.name}" if step.name else ""): step.state for step in receipt.steps}


def count(session, table, *where):
    return session.scalar(select(func.count()).select_from(table).where(*where))


def test_registry_forgets_in_the_transaction_of_the_order(either_database, ids):
    with either_database.write() as session:
        erasures.order(session, session.get_one(Person, "p1"), ErasureKind.PERSON, at=NOON, by="u")
        person = session.get_one(Person, "p1")
        assert (person.name, person.phone, person.id_number) == ("", None, None)
    with either_database.read() as session:
        row = session.get_one(Person, "p1")
        assert row.erased_at == NOON
        left = {c.key: getattr(row, c.key) for c in Person.__mapper__.column_attrs}
        proofs = {"id": "p1", "compound": COMPOUND, "erased_at": NOON, "under_14": False}
        assert {k: v for k, v in left.items() if v is not None and k != "version"} == proofs
        for table in (Residence, StaffLink, Credential, TerminalEnrolment, FaceTemplate):
            assert count(session, table, table.person == "p1") == 0, table
        for table in (VisitorPass, PassUse, ImportChange):
            assert count(session, table) == 0, table
        assert session.get_one(Household, "h1").head_person_id is None
        assert session.get_one(Person, "child").guardian is None
        assert session.get_one(SubjectRequest, "req").detail == {}


def test_what_others_have_a_part_in_stays_with_them(either_database, ids, vault):
    order(either_database)
    with either_database.read() as session:
        assert sorted(session.scalars(select(Vehicle.id))) == ["v2", "v3"]
        assert session.get_one(Vehicle, "v2").owner is None
        (driver,) = session.scalars(select(AuthorisedDriver))
        assert (driver.vehicle, driver.person, driver.granted_by) == ("v2", "other", None)
        assert session.get_one(Person, "mate").name == "某某"
        assert count(session, FaceTemplate, FaceTemplate.person == "mate") == 1
        assert len(templates.gallery(session, COMPOUND, "e", "1")) == 1


def test_proof_of_consent_stays_and_says_that_it_ended(either_database, ids):
    order(either_database)
    with either_database.read() as session:
        (consent,) = consents.history(session, "p1")
        assert consent.withdrawn_at == NOON
        assert consents.wording_of(session, consent) == "I agree."


def test_household_of_nobody_goes_with_the_last_one(either_database, ids):
    with either_database.write() as session:
        for other in ("mate", "child"):
            session.get_one(Person, other).household = None
    order(either_database)
    with either_database.read() as session:
        assert count(session, Household) == 0
        assert session.scalars(select(Vehicle.id)).all() == ["v3"], "the household's car was nobody else's"


def test_passages_pictures_and_keys_go_when_it_is_followed_up(either_database, media, vault, ids):
    erasure_id = order(either_database)
    erasures.follow_up(either_database, media, vault, LATER)
    with either_database.read() as session:
        assert count(session, DecisionRow, DecisionRow.person_id == "p1") == 0
        face = session.get_one(EventRow, ids["face"])
        assert face.body["match"]["person_ref"] is None
        assert (face.body["pictures"], face.marks) == ([], ["erased"])
        assert session.get_one(EventRow, ids["card"]).body["credential"] == {"kind": "card", "ref": None}
        plate = session.get_one(EventRow, ids["plate"]).body
        assert (plate["plate"]["text"], plate["attributes"]) == (None, {"lpr": None})
        closed = session.get_one(Incident, ids["closed"])
        assert (closed.subject, closed.reason_args) == (None, {"plate": None, "lane": "gate-in"})
        texts = f"{closed.resolution} {session.scalars(select(Transition.note)).one()}"
        assert (NAME in texts, PHONE in texts) == (False, False)
        decided = str([(d.candidates, d.evidence, d.plate) for d in session.scalars(select(DecisionRow))])
        assert not [trace for trace in ("p1", "v1", PLATE, ids["ref"]) if trace in decided]
    with pytest.raises(MediaNotFoundError):
        media.get(ids["passage"])
    for subject in ("p1", "pass1"):
        with pytest.raises(ShreddedError):
            vault.open(subject, "name", bytes(40))
    found = steps(either_database, erasure_id)
    assert {place for place, state in found.items() if state is StepState.PENDING} == {
        "terminal:cam-1",
        "terminal:door-1",
    }


def test_what_signals_and_merges_said_of_somebody_is_forgotten_and_an_open_incident_waits(
    either_database, media, vault, ids
):
    """Also where the incident on the whole is about somebody else: its evidence and its keys name them."""
    target, source = world.incident(State.RESOLVED), world.incident(State.MERGED)
    told = {
        "kind": "k",
        "subject": PLATE,
        "args": {"plate": PLATE},
        "joins": [f"R-E04:{PLATE}", "R-B05:hall"],
    }
    with either_database.write() as session:
        target.key = f"R-E04:{PLATE}"
        source.merged_into = target.id
        session.add(target)
        session.flush()
        session.add(source)
        session.flush()
        row = world.proof(target.id)
        row.trace, row.key, row.moved_from = told, f"R-E04:{PLATE}", source.id
        session.add(row)
        session.add(
            IncidentMerge(
                id=new_id(),
                compound=COMPOUND,
                target=target.id,
                source=source.id,
                actor="u",
                at=NOON,
                note=f"又是{PLATE}",
                before={"source": {"subject": "p1"}, "keys": [f"R-E04:{PLATE}"], "sources": []},
            )
        )

    def said() -> str:
        with either_database.read() as session:
            rows = [*session.scalars(select(Evidence)), *session.scalars(select(IncidentMerge))]
            traces = [(r.trace, r.key) if isinstance(r, Evidence) else (r.before, r.note) for r in rows]
            return str([traces, session.get_one(Incident, target.id).key])

    order(either_database)
    erasures.follow_up(either_database, media, vault, LATER)
    assert PLATE in said(), "an open incident is not touched"
    with either_database.write() as session:
        session.get_one(Incident, target.id).state = State.CLOSED
        marks = Marks("p1", COMPOUND, plates=[PLATE], vehicles=["v1"])
        assert sweep_incidents(session, marks) >= 2
    left = said()
    assert [trace for trace in (PLATE, "'p1'") if trace in left] == []
    assert "R-B05:hall" in left, "what names nobody stays"


def test_what_became_known_of_a_passage_later_is_forgotten_with_it(either_database, media, vault, ids):
    picture = media.put(b"the second shot").media_id
    named_first = keeping.event(NOON, revision=1, plate={"text": PLATE})
    named_later = keeping.event(NOON, kind="plate.none", revision=1, pictures=[picture])
    card_later = keeping.event(NOON, revision=1)
    with either_database.write() as session:
        session.add_all([named_first, named_later, card_later])
        session.flush()
        session.add_all(
            [
                keeping.amendment(named_first, attributes={"read": PLATE}),
                keeping.amendment(named_later, 2, plate={"text": PLATE}),
                keeping.amendment(named_later, 3, plate={"text": PLATE}, pictures=[picture]),
                keeping.amendment(card_later, credential={"kind": "card", "ref": world.CARD}),
            ]
        )
    order(either_database)
    erasures.follow_up(either_database, media, vault, LATER)
    with either_database.read() as session:
        rows = [*session.scalars(select(EventRow)), *session.scalars(select(EventAmendment))]
        said = str([row.body for row in rows])
        erased = {row.event_id for row in rows if isinstance(row, EventAmendment) and "erased" in row.marks}
    assert [trace for trace in (PLATE, world.CARD, picture) if trace in said] == []
    assert erased == {named_first.id, named_later.id, card_later.id}
    with pytest.raises(MediaNotFoundError):
        media.get(picture)


def test_refused_message_loses_its_bytes_and_others_keep_theirs(either_database, media, vault, ids):
    order(either_database)
    erasures.follow_up(either_database, media, vault, LATER)
    with either_database.read() as session:
        left = {letter.raw for letter in session.scalars(select(DeadLetter))}
    assert left == {None, b'{"ref": "0BEEF"'}


def test_no_column_of_any_table_refers_to_the_person_but_proofs(either_database, media, vault, ids):
    """A table that is added later and forgotten here goes red."""
    order(either_database)
    erasures.follow_up(either_database, media, vault, LATER)
    referring = set()
    with either_database.read() as session:
        for table in ringward.schema.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, String | Text | JsonText):
                    text = type_coerce(column, Text)
                    where = or_(text == "p1", text.contains('"p1"'))
                    if session.scalar(select(func.count()).select_from(table).where(where)):
                        referring.add(f"{table.name}.{column.name}")
    assert referring == {"people.id", "consents.person", "erasures.person", "subject_requests.person"}


def test_every_reference_to_a_person_was_there_to_be_removed(either_database, ids):
    """Keeps the test above honest: the world has a row behind each foreign key to people."""
    pointing = [
        column
        for table in ringward.schema.metadata.sorted_tables
        for column in table.columns
        if any(key.column.table.name == "people" for key in column.foreign_keys)
    ]
    assert len(pointing) > 8
    with either_database.read() as session:
        empty = {
            f"{column.table.name}.{column.name}"
            for column in pointing
            if not session.scalar(
                select(func.count()).select_from(column.table).where(type_coerce(column, Text) == "p1")
            )
        }
    assert empty == set()


@pytest.mark.parametrize("kind", list(ErasureKind))
def test_whom_a_face_was_taken_for_is_forgotten_with_it_on_both_sides_and_counted(either_database, ids, kind):
    erasure_id = order(either_database, kind)
    with either_database.read() as session:
        left = session.scalars(select(FaceExclusion)).all()
        assert [(row.person, row.other) for row in left] == [("other", None)]
        (database,) = (
            step for step in erasures.receipt(session, erasure_id, LATER).steps if step.place == "database"
        )
        assert database.counts == {"templates": 1, "exclusions": 2}


def test_passage_of_somebody_else_only_loses_the_candidate(either_database, media, vault, ids):
    order(either_database)
    erasures.follow_up(either_database, media, vault, LATER)
    with either_database.read() as session:
        beside = session.get_one(EventRow, ids["beside"])
        assert (beside.marks, beside.body["credential"]["ref"]) == ([], "0BEEF")
        decision = session.scalars(select(DecisionRow).where(DecisionRow.event_id == ids["beside"])).one()
        assert decision.person_id == "other"
        assert [c["person_id"] for c in decision.candidates] == ["other"]
    assert media.get(ids["crowd"]) == world.CROWD


def test_second_order_and_second_follow_up_change_nothing(either_database, media, vault, ids):
    first = order(either_database)
    erasures.follow_up(either_database, media, vault, LATER)
    before = steps(either_database, first)
    again = order(either_database, at=NOON + dt.timedelta(hours=1))
    assert order(either_database, ErasureKind.FACE, at=NOON + dt.timedelta(hours=1)) == again == first
    assert erasures.follow_up(either_database, media, vault, LATER) == 0
    assert steps(either_database, first) == before
    with either_database.read() as session:
        assert count(session, Erasure) == 1
        assert count(session, DeleteOrder) == 2


def test_erased_person_comes_back_by_no_door(either_database, media, vault, ids):
    order(either_database)
    erasures.follow_up(either_database, media, vault, LATER)
    with either_database.write() as session:
        person = session.get_one(Person, "p1")
        with pytest.raises(RefusedError, match="person_erased"):
            erasures.withdraw(session, person, consents.ConsentPurpose.ELDER_CARE, at=LATER, by="u")
    with either_database.write() as session, pytest.raises(ShreddedError):
        session.get_one(Person, "p1").name = NAME


def test_withdrawal_of_the_face_leaves_the_person(either_database, media, vault, ids):
    with either_database.write() as session:
        portrait = session.scalars(select(FaceTemplate.media_id).where(FaceTemplate.person == "p1")).one()
        revision = templates.revision(session, COMPOUND)
        done = erasures.withdraw(session, session.get_one(Person, "p1"), FACE, at=NOON, by="p1")
        erasure_id = done.erasure.id
        assert done.templates_deleted == 1
        assert done.erasure.due_at == NOON + dt.timedelta(hours=24)
    erasures.follow_up(either_database, media, vault, LATER)
    with either_database.read() as session:
        assert templates.revision(session, COMPOUND) > revision
        assert session.get_one(Person, "p1").name == NAME
        states = dict(session.execute(select(Credential.kind, Credential.status)).all())
        assert states == {
            CredentialKind.CARD: CredentialStatus.ACTIVE,
            CredentialKind.FACE: CredentialStatus.ENDED,
        }
        (ordered,) = session.scalars(select(DeleteOrder))
        assert (ordered.device, ordered.ref, ordered.cause) == ("cam-1", ids["ref"], erasure_id)
        assert session.get_one(EventRow, ids["card"]).body["credential"]["ref"] == world.CARD.lower()
    with pytest.raises(MediaNotFoundError):
        media.get(portrait)
    assert media.get(ids["passage"]) == world.PASSAGE
    found = steps(either_database, erasure_id)
    assert found.pop("terminal:cam-1") is StepState.PENDING
    assert set(found) == {"database", "media", "keys"}
    assert set(found.values()) == {StepState.CONFIRMED}


def test_withdrawal_that_is_sent_twice_happens_once(either_database, media, vault, ids):
    seen = []
    for _ in range(2):
        with either_database.write() as session:
            done = erasures.withdraw(session, session.get_one(Person, "p1"), FACE, at=NOON, by="p1")
            seen.append((done.templates_deleted, done.erasure.id))
            session.execute(delete(TerminalEnrolment))
    assert [deleted for deleted, _ in seen] == [1, 0]
    assert len({erasure for _, erasure in seen}) == 1


def test_after_a_withdrawal_the_same_person_may_agree_again(either_database, media, vault, ids):
    order(either_database, ErasureKind.FACE)
    erasures.follow_up(either_database, media, vault, LATER)
    with either_database.write() as session:
        world.agree(session, "p1", bytes(32))
    with either_database.read() as session:
        assert {e.person_id for e in templates.gallery(session, COMPOUND, "e", "1")} == {"p1", "mate"}


def test_terminals_confirm_one_by_one(either_database, media, vault, ids):
    erasure_id = order(either_database)
    for device, result, state in (
        ("cam-1", "deleted", StepState.CONFIRMED),
        ("door-1", "storage_locked", StepState.PENDING),
    ):
        with either_database.write() as session:
            (todo,) = enrolments.pending(session, device, NOON)
            enrolments.mark_sent(session, [todo], NOON)
            enrolments.answer(session, todo.id, result, NOON)
        erasures.follow_up(either_database, media, vault, LATER)
        assert steps(either_database, erasure_id)[f"terminal:{device}"] is state
    with either_database.read() as session:
        receipt = erasures.receipt(session, erasure_id, NOON + dt.timedelta(hours=25))
        assert (receipt.completed_at, receipt.overdue) == (None, True)
        query = select(DeleteOrder.id).where(DeleteOrder.state == OrderState.FAILED)
        failed = session.scalars(query).one()
    with either_database.write() as session:
        enrolments.answer(session, failed, "unknown_ref", LATER)
    erasures.follow_up(either_database, media, vault, LATER)
    with either_database.read() as session:
        assert erasures.receipt(session, erasure_id, LATER).completed_at == LATER


def test_gallery_confirms_once_its_holder_has_read_it_again_or_is_gone(either_database, media, vault, ids):
    with either_database.write() as session:
        for worker in ("quick", "dead"):
            galleries.report(session, worker, COMPOUND, templates.revision(session, COMPOUND), NOON)
    erasure_id = order(either_database)
    erasures.follow_up(either_database, media, vault, LATER)
    waiting = steps(either_database, erasure_id)
    assert (waiting["gallery:quick"], waiting["gallery:dead"]) == (StepState.PENDING, StepState.PENDING)
    assert waiting["keys"] is StepState.PENDING, "a worker may still write decisions about the person"
    with either_database.write() as session:
        galleries.report(session, "quick", COMPOUND, templates.revision(session, COMPOUND), LATER)
        # Made by the slower one, from the gallery that it still had.
        session.add(world.decision(ids["card"], person_id="p1"))
    erasures.follow_up(either_database, media, vault, LATER)
    assert steps(either_database, erasure_id)["gallery:quick"] is StepState.CONFIRMED
    assert steps(either_database, erasure_id)["gallery:dead"] is StepState.PENDING
    minute = NOON + dt.timedelta(seconds=60)
    erasures.follow_up(either_database, media, vault, minute)
    found = steps(either_database, erasure_id)
    assert (found["gallery:dead"], found["keys"]) == (StepState.CONFIRMED, StepState.CONFIRMED)
    with either_database.read() as session:
        assert count(session, DecisionRow, DecisionRow.person_id == "p1") == 0


def test_backup_confirms_with_the_next_copy_of_the_keys(either_database, media, vault, ids):
    def run(run_id, destination, copied):
        with either_database.write() as session:
            session.add(
                BackupRun(
                    id=run_id,
                    destination=destination,
                    label="nightly",
                    started_at=copied,
                    keys_copied_at=copied,
                )
            )

    run("r1", "a" * 64, NOON - dt.timedelta(days=1))
    erasure_id = order(either_database)
    erasures.follow_up(either_database, media, vault, LATER)
    assert steps(either_database, erasure_id)["backup:nightly"] is StepState.PENDING
    run("r2", "b" * 64, NOON + dt.timedelta(days=1))
    erasures.follow_up(either_database, media, vault, LATER)
    assert steps(either_database, erasure_id)["backup:nightly"] is StepState.PENDING, "another place"
    run("r3", "a" * 64, NOON + dt.timedelta(days=1))
    erasures.follow_up(either_database, media, vault, LATER)
    assert steps(either_database, erasure_id)["backup:nightly"] is StepState.CONFIRMED
    with either_database.read() as session:
        assert count(session, Consent, Consent.withdrawn_at.is_(None)) == 1, "the housemate's"


def test_a_copy_of_the_keys_from_the_middle_of_the_round_confirms_nothing(
    either_database, media, vault, ids, monkeypatch
):
    # The round begins at LATER; the copy is taken two seconds on; the key goes after five.
    seconds = iter([0.0, *[5.0] * 50])
    monkeypatch.setattr(
        "privacy.erasure.followup.time", SimpleNamespace(monotonic=lambda: next(seconds)), raising=True
    )
    with either_database.write() as session:
        for run_id, copied in (("r1", NOON), ("r2", LATER + dt.timedelta(seconds=2))):
            session.add(
                BackupRun(
                    id=run_id, destination="a" * 64, label="nas", started_at=copied, keys_copied_at=copied
                )
            )
    erasure_id = order(either_database)
    erasures.follow_up(either_database, media, vault, LATER)
    erasures.follow_up(either_database, media, vault, LATER + dt.timedelta(seconds=10))
    found = steps(either_database, erasure_id)
    assert (found["keys"], found["backup:nas"]) == (StepState.CONFIRMED, StepState.PENDING)
